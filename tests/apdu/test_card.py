"""The social security card, step by step."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from apdu.card import SocialSecurityCard
from apdu.custodian import Algorithm
from apdu.dictionary import Access, AccessRule
from apdu.errors import (
    ApplicationBlocked,
    AuthenticationFailed,
    CardError,
    MalformedAnswer,
    PinNeeded,
    PinRejected,
    PsamUnavailable,
    UnexpectedStatus,
    UnknownCard,
)
from apdu.holder import Sex
from apdu.pin import IllegalPin
from apdu.profile import shipped_profiles

NO_ISSUER_BY_NUMBER, NO_HOLDER_BY_NUMBER = ("00B2012C00", "6A86"), ("00B2013400", "6A86")
"""Where items are missing, each record is asked for alone; this card does not know them so."""


def opened(scripted: Any, card: Any, *script: tuple[str, Any], **more: Any) -> SocialSecurityCard:
    """A card whose SELECT succeeded, with `script` to follow."""
    transport = scripted((card.select, card.fci), *script, **more)
    return SocialSecurityCard.open(transport, random=card.random)


def test_it_is_selected_by_name(scripted: Any, demo: Any) -> None:
    card = opened(scripted, demo())
    assert card.algorithm is Algorithm.SM4
    assert card.transmitted == 1


@pytest.mark.parametrize("first", ["6A82", "6985", "6F01"])
@pytest.mark.parametrize("master", ["9000", "6A82", "6283"])
def test_some_cards_want_the_master_file_first(
    scripted: Any, demo: Any, first: str, master: str
) -> None:
    data = demo()
    script = [(data.select, first), (data.select_mf, master), (data.select, data.fci)]
    card = SocialSecurityCard.open(scripted(*script))
    assert (card.algorithm, card.transmitted) == (Algorithm.SM4, 3)


@pytest.mark.parametrize("sw", ["6A82", "6D00", "6E00", "6985"])
def test_another_card_is_unknown(scripted: Any, demo: Any, sw: str) -> None:
    script = [(demo.select, sw), (demo.select_mf, "9000"), (demo.select, sw)]
    with pytest.raises(UnknownCard):
        SocialSecurityCard.open(scripted(*script))


@pytest.mark.parametrize("sw", ["6283", "6A81", "9303"])
def test_a_locked_card_is_blocked_not_unknown(scripted: Any, demo: Any, sw: str) -> None:
    with pytest.raises(ApplicationBlocked):
        SocialSecurityCard.open(scripted((demo.select, sw)))


@pytest.mark.parametrize(
    ("fci", "region", "algorithm"),
    [
        ("6F16840F7378312E73682EC9E7BBE1B1A3D5CFA503880105", "429900", Algorithm.TDES),
        ("6F16840F7378312E73682EC9E7BBE1B1A3D5CFA503880105", "119900", Algorithm.SSF33),
        ("", "429900", Algorithm.TDES),
        ("6F08A5069F0C03860102", "429900", Algorithm.SSF33),
        ("6F08A5069F0C03860101", "119900", Algorithm.TDES),
    ],
)
def test_the_algorithm_is_told_or_follows_from_the_region(
    scripted: Any, demo: Any, fci: str, region: str, algorithm: Algorithm
) -> None:
    demo_card = demo()
    issuer = demo_card.issuer.replace("0110429900", f"0110{region}")
    flagged = "9F0C" in fci
    reading = [] if flagged else [(demo_card.read_issuer, issuer)]
    card = SocialSecurityCard.open(scripted((demo_card.select, fci + "9000"), *reading))
    assert card.algorithm is algorithm


@pytest.mark.parametrize("fci", ["6F08A5069F0C03860104", "6F08A5069F0C0386020101", "6F80", "6FFF"])
def test_an_impossible_answer_to_select_is_malformed(scripted: Any, demo: Any, fci: str) -> None:
    with pytest.raises(MalformedAnswer):
        SocialSecurityCard.open(scripted((demo.select, fci + "9000")))


def test_the_issuer_takes_one_command_and_is_remembered(scripted: Any, demo: Any) -> None:
    card = opened(scripted, demo(), (demo.read_issuer, demo().issuer))
    issuer = card.issuer()
    assert card.issuer() is issuer
    assert card.transmitted == 2
    assert card.profile.name == "v3"
    assert (issuer.version, issuer.card_class, issuer.card_number) == ("3.00", "3", "A99000017")
    assert (issuer.issued, issuer.expires) == (date(2024, 2, 29), date(2034, 2, 28))
    assert (issuer.region, issuer.organisation) == ("429900", "915600000242990042990001")
    assert issuer.card_id.hex() == "429900d15600000500000a17ffffffff"
    assert issuer.unreadable == ()
    assert card.is_consistent()


def test_bad_dates_and_long_numbers_are_read_leniently(scripted: Any, demo: Any) -> None:
    record = demo.tlv(
        (1, bytes.fromhex("429900D15600000500000A17FFFFFFFF")),
        (3, b"2.0\0"),
        (5, b"2012"),
        (6, bytes(4)),
        (7, b"A99000017extra"),
    )
    reading = ((demo.read_issuer, record), NO_ISSUER_BY_NUMBER)
    issuer = opened(scripted, demo("2.00"), *reading).issuer()
    assert (issuer.version, issuer.issued, issuer.expires) == ("2.0", None, None)
    assert (issuer.card_number, issuer.card_class) == ("A99000017", "")
    assert issuer.unreadable == ("issued",)


@pytest.mark.parametrize(
    ("items", "error"),
    [
        ([(1, bytes(15)), (3, b"3.00")], MalformedAnswer),
        ([(1, b"\xaa" * 16), (3, b"3.00")], MalformedAnswer),
        ([(1, bytes(16)), (3, bytes(4))], MalformedAnswer),
        ([(2, b"3"), (3, b"3.00")], MalformedAnswer),
        ([(1, bytes(16)), (3, b"9.00")], UnknownCard),
    ],
)
def test_an_issuer_file_without_its_essence(
    scripted: Any, demo: Any, items: Any, error: type[CardError]
) -> None:
    with pytest.raises(error):
        reading = ((demo.read_issuer, demo.tlv(*items)), NO_ISSUER_BY_NUMBER)
        opened(scripted, demo(), *reading).issuer()


class TestGenuine:
    def test_equal_results(self, scripted: Any, demo: Any) -> None:
        data = demo()
        card = opened(scripted, data, (data.read_issuer, data.issuer), data.internal)
        assert card.prove_genuine(data.custodian) is True
        (request,) = data.custodian.requests
        assert (request.key.name, request.algorithm) == ("IRK_SSSE", Algorithm.SM4)
        assert (request.challenge, request.data) == (b"factor--", b"int-data")
        assert request.card_factor == bytes.fromhex("8638429900000A17")

    def test_3des_card(self, scripted: Any, demo: Any) -> None:
        data = demo("2.00")
        card = opened(scripted, data, (data.read_issuer, data.issuer), data.internal)
        assert card.prove_genuine(data.custodian) is True

    @pytest.mark.parametrize(
        "answer", ["00" * 8 + "9000", "9000", "AABB9000", "6A88", "6985", "6D00", "6300"]
    )
    def test_anything_else_is_false(self, scripted: Any, demo: Any, answer: str) -> None:
        data = demo()
        internal = (data.internal[0], answer)
        card = opened(scripted, data, (data.read_issuer, data.issuer), internal)
        assert card.prove_genuine(data.custodian) is False

    def test_the_right_result_with_a_warning_is_false(self, scripted: Any, demo: Any) -> None:
        data = demo()
        command, answer = data.internal
        internal = (command, answer[:-4] + "6282")
        card = opened(scripted, data, (data.read_issuer, data.issuer), internal)
        assert card.prove_genuine(data.custodian) is False

    def test_nobody_can_tell_and_the_card_is_not_asked(self, scripted: Any, demo: Any) -> None:
        data = demo()
        data.custodian.roots = {}
        card = opened(scripted, data, (data.read_issuer, data.issuer))
        assert card.prove_genuine(data.custodian) is None

    def test_randoms_are_fresh_each_time(self, scripted: Any, demo: Any) -> None:
        data = demo()
        data.randoms = [b"factor--", b"int-data", b"factor 2", b"int-dat2"]
        first = data.internal
        data.randoms = data.randoms[2:]
        second = data.internal
        data.randoms = [b"factor--", b"int-data", *data.randoms]
        card = opened(scripted, data, (data.read_issuer, data.issuer), first, second)
        assert card.prove_genuine(data.custodian)
        assert card.prove_genuine(data.custodian)


class TestHolder:
    def test_third_generation_after_one_challenge(self, scripted: Any, demo: Any) -> None:
        data = demo()
        data.randoms = [b"ext-data"] * 3
        card = opened(
            scripted,
            data,
            (data.read_issuer, data.issuer),
            (data.get_challenge, data.challenge.hex() + "9000"),
            data.external,
            (data.read_holder, data.holder),
            (data.read_holder, data.holder),
        )
        holder = card.holder(data.custodian)
        assert (holder.social_security_number, holder.name) == (data.number, data.name)
        assert (holder.sex, holder.nation) == (Sex.FEMALE, "01")
        assert (holder.birthplace, holder.birth_date) == ("429900", date(1960, 1, 1))
        assert holder.unreadable == ()
        # Once opened, the file stays open: no second authentication.
        assert card.holder(data.custodian) == holder

    @pytest.mark.parametrize("version", ["1.00", "2.00"])
    def test_older_cards_are_free(self, scripted: Any, demo: Any, version: str) -> None:
        data = demo(version)
        script = [(data.read_issuer, data.issuer), (data.read_holder, data.holder)]
        assert opened(scripted, data, *script).holder(data.custodian).name == data.name
        assert data.custodian.requests == []

    def test_an_older_card_that_wants_the_pin(self, scripted: Any, demo: Any) -> None:
        data = demo("2.00")
        script = [
            (data.read_issuer, data.issuer),
            (data.read_holder, "6982"),
            ("0020000003123456", "9000"),
            (data.read_holder, data.holder),
        ]
        card = opened(scripted, data, *script)
        with pytest.raises(PinNeeded):
            card.holder(data.custodian)
        card.verify_pin(bytearray(b"123456"))
        assert card.holder(data.custodian).name == data.name

    def test_other_refusals_stay_what_they_are(self, scripted: Any, demo: Any) -> None:
        data = demo("2.00")
        script = [(data.read_issuer, data.issuer), (data.read_holder, "6A82")]
        with pytest.raises(UnexpectedStatus):
            opened(scripted, data, *script).holder(data.custodian)

    @pytest.mark.parametrize("sw", ["63C2", "6300", "6983", "6988", "9302"])
    def test_a_wrong_cryptogram_is_final(self, scripted: Any, demo: Any, sw: str) -> None:
        data = demo()
        data.randoms = [b"ext-data"] * 3
        card = opened(
            scripted,
            data,
            (data.read_issuer, data.issuer),
            (data.get_challenge, data.challenge.hex() + "9000"),
            (data.external[0], sw),
        )
        for _ in range(2):  # the second time nothing goes to the card
            with pytest.raises(AuthenticationFailed):
                card.holder(data.custodian)

    def test_a_used_challenge_is_no_wrong_key(self, scripted: Any, demo: Any) -> None:
        data = demo()
        data.randoms = [b"ext-data"] * 3
        card = opened(
            scripted,
            data,
            (data.read_issuer, data.issuer),
            (data.get_challenge, data.challenge.hex() + "9000"),
            (data.external[0], "6984"),
        )
        with pytest.raises(UnexpectedStatus):
            card.holder(data.custodian)

    def test_a_key_whose_id_no_source_tells_opens_nothing(self, scripted: Any, demo: Any) -> None:
        data = demo()
        profile = shipped_profiles()["3"]
        file = replace(profile.holder_file, read=AccessRule(Access.KEY, "IRK_SSSE"))
        wrong = {"3": replace(profile, files={**profile.files, file.name: file})}
        transport = scripted((data.select, data.fci), (data.read_issuer, data.issuer))
        card = SocialSecurityCard.open(transport, profiles=wrong)
        with pytest.raises(PsamUnavailable, match="IRK_SSSE"):
            card.holder(data.custodian)

    @pytest.mark.parametrize("roots", [None, {}])
    def test_no_key_no_holder(self, scripted: Any, demo: Any, roots: Any) -> None:
        data = demo()
        data.custodian.available = roots is not None
        data.custodian.roots = roots or {}
        challenge = (data.get_challenge, data.challenge.hex() + "9000")
        with pytest.raises(PsamUnavailable):
            opened(scripted, data, (data.read_issuer, data.issuer), challenge).holder(
                data.custodian
            )

    @pytest.mark.parametrize("answer", ["0102039000", "9000"])
    def test_a_short_challenge_is_malformed(self, scripted: Any, demo: Any, answer: str) -> None:
        data = demo()
        script = [(data.read_issuer, data.issuer), (data.get_challenge, answer)]
        with pytest.raises(MalformedAnswer):
            opened(scripted, data, *script).holder(data.custodian)

    def read(self, scripted: Any, demo: Any, *items: tuple[int, bytes]) -> Any:
        data = demo("2.00")
        reading = [(data.read_holder, data.tlv(*items)), NO_HOLDER_BY_NUMBER]
        script = [(data.read_issuer, data.issuer), *reading]
        return opened(scripted, data, *script).holder(data.custodian)

    def test_the_name_goes_on_in_its_extension_even_within_a_character(
        self, scripted: Any, demo: Any
    ) -> None:
        name = "阿依古丽·买买提·吐尔逊江·艾合买提·阿卜杜拉"
        stored = b"A" + name.encode("gb18030")
        first, rest = stored[:30], stored[30:]
        number = (8, demo.number.encode())
        holder = self.read(scripted, demo, number, (9, first), (0x4E, rest.ljust(20, b"\0")))
        assert holder.name == "A" + name
        assert holder.unreadable == ()

    def test_broken_values_are_reported_by_name(self, scripted: Any, demo: Any) -> None:
        holder = self.read(
            scripted,
            demo,
            (8, b"42990019600101001x"),
            (9, b"\xcd\xf5\xb7"),
            (0x0A, b"7"),
            (0x0B, b"\xab"),
            (0x0D, b"1960"),
        )
        assert holder.social_security_number == "42990019600101001X"
        assert holder.name == "王\ufffd"
        assert (holder.sex, holder.nation, holder.birth_date) == (None, "", None)
        assert set(holder.unreadable) == {"name", "sex", "nation", "birth_date"}

    def test_without_number_or_name_there_is_no_holder(self, scripted: Any, demo: Any) -> None:
        for items in ([(8, b"4299"), (9, bytes(30))], [(9, b"A"), (0x0A, b"1")]):
            with pytest.raises(MalformedAnswer):
                self.read(scripted, demo, *items)


class TestPin:
    def test_it_can_be_shown_before_any_file_is_read(self, scripted: Any, demo: Any) -> None:
        digits = bytearray(b"123456")
        with pytest.raises(PinRejected) as caught:
            opened(scripted, demo(), ("0020000003123456", "63C2")).verify_pin(digits)
        assert caught.value.tries_left == 2
        assert digits == bytearray(6)

    def test_the_profile_tells_how_long_it_may_be(self, scripted: Any, demo: Any) -> None:
        data = demo()
        card = opened(scripted, data, (data.read_issuer, data.issuer))
        card.issuer()
        with pytest.raises(IllegalPin):
            card.verify_pin(bytearray(b"123"))
