"""What issued cards, and programs that read them, are known to do wrong: one test a trap.

Most run on the simulator's cards in this process; what it has not are transcripts by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

import pytest

from apdu import simple_tlv
from apdu.card import SocialSecurityCard
from apdu.channel import Channel
from apdu.custodian import Custodian
from apdu.errors import CardError, CardReset, PinNeeded, UnexpectedStatus
from apdu.formats import Format, Unreadable, encode
from apdu.holder import Holder, Issuer
from apdu.profile import CardProfile, Profiles, shipped_keys, shipped_profiles
from apdu.psam import PsamCustodian
from apdu.records import RecordReader, Way
from apdu.simple_tlv import Record
from hw_sim.cards.catalogue import holder as resident_of
from hw_sim.population import DEMO_PIN, Resident
from tests.apdu.card_in_process import CardInProcess, insert

V2 = shipped_profiles()["2"]
WITHOUT_KEYS = PsamCustodian(insert("v3"))
"""A custodian that has none: behind it is no PSAM."""


def opened(name: str, *, profiles: Profiles | None = None) -> tuple[SocialSecurityCard, Resident]:
    card = SocialSecurityCard.open(insert(name), profiles=profiles)
    resident = resident_of(name)
    assert resident is not None
    return card, resident


def psam() -> Custodian:
    return PsamCustodian(insert("psam"))


def stored(records: Mapping[int, bytes]) -> list[Record]:
    return [Record(tag, value) for tag, value in records.items()]


HOLDER = {8: b"42990019600101001X", 9: "王芳".encode("gbk"), 0x0A: b"2"}
ISSUER = {1: bytes.fromhex("429900D15600000500000A17FFFFFFFF"), 3: b"2.00", 7: b"A99000017"}


# --- values (domain facts §1.5, §2.1, §2.2) -------------------------------------------------------


@pytest.mark.parametrize("pad", [b"\x00", b" ", b"\xff"], ids=["NUL", "blank", "FF"])
def test_text_padded_with_nul_or_blanks(pad: bytes) -> None:
    padded = {tag: value.ljust(30, pad) for tag, value in HOLDER.items()}
    read = Holder.from_records(V2.holder_file, stored(padded))
    assert read.social_security_number == "42990019600101001X"
    assert read.name == "王芳"
    assert read.sex is not None


def test_a_date_in_characters_is_unreadable_and_shown_raw_to_staff() -> None:
    card, _ = opened("damaged")
    issuer = card.issuer()
    assert issuer.issued is None
    assert "issued" in issuer.unreadable
    read = card.read_file(card.profile.issuer_file, WITHOUT_KEYS)
    issued = card.profile.issuer_file.decode(read.records)["issued"]
    assert issued == Unreadable(b"2012")
    assert isinstance(issued, Unreadable)
    assert issued.for_staff() == "32303132 “2012”"
    assert "2012" not in repr(issued)
    holder = card.holder(WITHOUT_KEYS)
    assert holder.birth_date is None
    assert "birth_date" in holder.unreadable


def test_eight_characters_where_a_packed_date_belongs_are_no_date() -> None:
    read = Issuer.from_records(V2.issuer_file, stored({**ISSUER, 5: b"20240229"}))
    assert read.issued is None
    assert read.unreadable == ("issued",)


def test_bytes_that_are_no_characters_are_shown_as_bytes_only() -> None:
    assert Unreadable(b"\xcd\xf5").for_staff() == "CDF5"
    assert Unreadable(b"12\n4").for_staff() == "31320A34"


@pytest.mark.parametrize("version", [b"2.0\x00", b"2.0 ", b"2.00", b"2.01"])
def test_a_version_padded_with_nul_is_known_by_its_first_character(version: bytes) -> None:
    read = Issuer.from_records(V2.issuer_file, stored({**ISSUER, 3: version}))
    assert read.version == version.rstrip(b"\x00 ").decode()
    assert opened("damaged")[0].profile is V2


def test_of_a_card_number_over_nine_bytes_the_first_nine_count() -> None:
    for longer in (b"A9900001712", b"A99000017\x00\x00", b"A99000017  "):
        read = Issuer.from_records(V2.issuer_file, stored({**ISSUER, 7: longer}))
        assert read.card_number == "A99000017"
    card, _ = opened("damaged")
    assert len(card.issuer().card_number) == 9


def test_the_name_extension_may_be_absent() -> None:
    card, resident = opened("damaged")
    records = card.read_file(V2.holder_file, WITHOUT_KEYS).records
    assert 0x4E not in {record.tag for record in records}
    assert card.holder(WITHOUT_KEYS).name == resident.name


def test_the_name_extension_absent_read_by_number_and_by_tag(scripted: Any) -> None:
    rest = [(1, "0801319000"), (2, "0902CDF59000"), (3, "0A01329000"), (4, "6A83")]
    numbers = [(f"00B2{n:02X}3400", answer) for n, answer in rest]
    reader = RecordReader(Channel(scripted(("00B2013500", "6A86"), *numbers)))
    assert [record.tag for record in reader.read(V2.holder_file)] == [8, 9, 0x0A]


def test_characters_of_four_bytes() -> None:
    card, _ = opened("v2+rare-name")
    assert card.holder(WITHOUT_KEYS).name == "𠮷𬱖"


def test_a_character_of_four_bytes_cut_between_name_and_extension() -> None:
    name = "𠮷" * 8
    whole = name.encode("gb18030")
    cut = {**HOLDER, 9: whole[:30], 0x4E: whole[30:].ljust(20, b"\x00")}
    assert (len(whole), whole[:30][-2:].hex()) == (32, "9534")
    read = Holder.from_records(V2.holder_file, stored(cut))
    assert read.name == name
    assert read.unreadable == ()


def test_half_a_character_is_reported_and_shown_as_far_as_it_goes() -> None:
    read = Holder.from_records(V2.holder_file, stored({**HOLDER, 9: b"\xcd\xf5\xb7"}))
    assert read.name == "王\ufffd"
    assert read.unreadable == ("name",)


def test_a_record_shorter_than_it_says_swallows_no_other() -> None:
    card, resident = opened("damaged")
    file = card.profile.issuer_file
    fields = file.decode(card.read_file(file, WITHOUT_KEYS).records)
    assert fields["organisation"] == Unreadable(bytes.fromhex("915600000242"))
    assert fields["issued"] == Unreadable(b"2012")
    assert card.issuer().unreadable == ("organisation", "issued")
    assert (card.issuer().organisation, card.issuer().expires) == ("", resident.card.expires)


# --- commands (§1.4, §8.4) ------------------------------------------------------------------------


@pytest.mark.parametrize("trap", ["p1-00", "p1-02"])
def test_files_are_selected_by_the_p1_that_the_card_takes(trap: str) -> None:
    card, resident = opened(f"v2+no-sfi+{trap}")
    assert card.holder(WITHOUT_KEYS).social_security_number == resident.number


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("v2", Way.ALL),
        ("v2+no-mode-5", Way.NUMBERS),
        ("v2+no-sfi", Way.SELECTED_NUMBERS),
    ],
)
def test_records_by_all_by_number_and_selected(name: str, way: Way) -> None:
    transport = insert(name)
    card = SocialSecurityCard.open(transport)
    resident = resident_of(name)
    assert resident is not None
    assert card.holder(WITHOUT_KEYS).name == resident.name
    modes = {command[3] & 7 for command in transport.commands if command[1] == 0xB2}
    assert (5 in modes, 4 in modes) == (True, way is not Way.ALL)


class TagsOnly:
    """A card that knows READ RECORD by tag alone, around one that knows all."""

    def __init__(self, inner: CardInProcess) -> None:
        self.inner = inner
        self.atr = inner.atr

    def transmit(self, command: bytes | bytearray) -> bytes:
        if command[1] == 0xB2 and command[3] & 7:
            return bytes.fromhex("6A86")
        return self.inner.transmit(command)

    def reset(self) -> bytes:
        return self.inner.reset()

    def close(self) -> None:
        self.inner.close()


def test_records_by_tag() -> None:
    resident = resident_of("v2")
    assert resident is not None
    card = SocialSecurityCard.open(TagsOnly(insert("v2")))
    assert card.holder(WITHOUT_KEYS).birth_date == resident.born


class ExactOnly(TagsOnly):
    """A card that wants Le to be the record's length, and knows no mode 5."""

    def transmit(self, command: bytes | bytearray) -> bytes:
        if command[1] != 0xB2:
            return self.inner.transmit(command)
        if command[3] & 7 == 5:
            return bytes.fromhex("6A86")
        answer = self.inner.transmit(bytes(command[:4]) + b"\x00")
        right = len(answer) - 2 in (0, command[4])
        return answer if right else bytes.fromhex("6700")


def test_exact_lengths_instead_of_le_00() -> None:
    resident = resident_of("v2")
    assert resident is not None
    card = SocialSecurityCard.open(ExactOnly(insert("v2+lax")))
    holder = card.holder(WITHOUT_KEYS)
    assert (holder.name, holder.birth_date) == (resident.name, resident.born)


def test_a_card_that_makes_its_answers_wait_and_corrects_le() -> None:
    """61xx and 6Cxx as T=0 has them, below whoever reads."""
    transport = insert("v2+strict+no-mode-5")
    card = SocialSecurityCard.open(transport)
    resident = resident_of("v2")
    assert resident is not None
    assert card.holder(WITHOUT_KEYS).name == resident.name
    assert any(command[1] == 0xC0 for command in transport.commands)
    corrected = [command for command in transport.commands if command[1] == 0xB2 and command[4]]
    assert corrected


def test_6a83_is_the_end_of_the_file(scripted: Any) -> None:
    rest = [("00B2013400", "0801319000"), ("00B2023400", "0902CDF59000"), ("00B2033400", "6A83")]
    reader = RecordReader(Channel(scripted(("00B2013500", "6A83"), *rest)))
    assert [record.tag for record in reader.read(V2.holder_file)] == [8, 9]


def test_a_card_that_wants_the_master_file_first() -> None:
    card, resident = opened("v2+master-first")
    assert card.holder(WITHOUT_KEYS).social_security_number == resident.number


def with_access(rule: str) -> Profiles:
    """The second generation as a province declares it whose EF06 takes more."""
    folder = resources.files("apdu").joinpath("profiles")
    text = folder.joinpath("v2.toml").read_text(encoding="utf-8")
    access = f'\n[access.SSSEEF06]\nread = "{rule}"\n'
    return {**shipped_profiles(), "2": CardProfile.from_toml(text + access, shipped_keys())}


def test_a_holder_file_behind_the_pin_that_no_profile_told_of() -> None:
    card, resident = opened("v2+holder-pin")
    with pytest.raises(PinNeeded):
        card.holder(WITHOUT_KEYS)
    card.verify_pin(bytearray(DEMO_PIN.encode()))
    assert card.holder(WITHOUT_KEYS).social_security_number == resident.number


def test_a_holder_file_behind_the_key() -> None:
    card, resident = opened("v2+holder-key", profiles=with_access("RK_SSSE"))
    assert card.holder(psam()).social_security_number == resident.number


def test_a_holder_file_behind_the_pin_or_the_key() -> None:
    profiles = with_access("PIN|RK_SSSE")
    card, resident = opened("v2+holder-either", profiles=profiles)
    assert card.holder(psam()).social_security_number == resident.number
    card, resident = opened("v2+holder-either", profiles=profiles)
    card.verify_pin(bytearray(DEMO_PIN.encode()))
    assert card.holder(WITHOUT_KEYS).social_security_number == resident.number


# --- what programs do wrong (§8.4) ----------------------------------------------------------------


def test_values_that_look_like_status_words_or_tags_are_values(scripted: Any) -> None:
    tricky = bytes.fromhex("90005A086A830000429900D156000005")
    records = (
        Record(1, tricky), Record(2, b"3"), Record(3, b"2.00"), Record(4, b"\x90\x00" * 6),
        Record(5, bytes.fromhex("20240229")), Record(6, bytes.fromhex("20340228")),
        Record(7, b"Z00009000"),
    )  # fmt: skip
    answer = simple_tlv.encode(records).hex() + "9000"
    read = RecordReader(Channel(scripted(("00B2012D00", answer)))).read(V2.issuer_file)
    assert read == records
    fields = V2.issuer_file.decode(read)
    assert fields["card_id"] == tricky
    assert (fields["organisation"], fields["card_number"]) == ("9000" * 6, "Z00009000")


def test_a_pin_is_as_long_as_its_bytes_not_its_digits(scripted: Any) -> None:
    fci = "6F16840F7378312E73682EC9E7BBE1B1A3D5CFA5038801059000"
    transport = scripted(
        ("00A404000F7378312E73682EC9E7BBE1B1A3D5CF00", fci), ("0020000003123456", "9000")
    )
    SocialSecurityCard.open(transport).verify_pin(bytearray(b"123456"))


def test_a_name_is_as_long_as_its_bytes_not_its_characters() -> None:
    name = V2.holder_file.items[1]
    assert name.length == 30
    assert len(name.encode_value("王" * 15)) == 30
    for too_long in ("王" * 16, "𠮷" * 8):
        with pytest.raises(ValueError, match="do not fit"):
            name.encode_value(too_long)


def test_what_cards_do_wrong_is_never_written() -> None:
    for form, value, length in (
        (Format.AN, "2.0\x00", 4),
        (Format.AN, "2.0 ", 4),
        (Format.AN, "A9900001712", 9),
        (Format.CN_DATE, "2012", 4),
        (Format.CN, "2012-01-01", 4),
    ):
        with pytest.raises(ValueError, match=r"\w"):
            encode(form, value, length)


class Interrupting(TagsOnly):
    """Something comes between a challenge and its use."""

    def __init__(self, inner: CardInProcess, error: CardError | None) -> None:
        super().__init__(inner)
        self.error = error

    def transmit(self, command: bytes | bytearray) -> bytes:
        if command[1] == 0x82:
            self.inner.reset()
            if self.error is not None:
                raise self.error
        return self.inner.transmit(command)


def test_a_power_cycle_between_challenge_and_authentication() -> None:
    """The card has lost its challenge and its selection: refused, and no wrong key either."""
    card = SocialSecurityCard.open(Interrupting(insert("v3"), None))
    with pytest.raises(UnexpectedStatus) as caught:
        card.holder(psam())
    assert caught.value.sw in (0x6984, 0x6985)


def test_another_program_that_resets_the_card_in_between() -> None:
    """PC/SC tells of it (SCARD_W_RESET_CARD): nothing is sent again behind its back."""
    transport = Interrupting(insert("v3"), CardReset("another program has reset the card"))
    card = SocialSecurityCard.open(transport)
    with pytest.raises(CardReset):
        card.holder(psam())
    assert [command[1] for command in transport.inner.commands][-1] == 0x84
