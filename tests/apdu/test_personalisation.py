"""Personalisation: a blank card becomes one person's, or it is told to be spoiled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cache

import pytest

from apdu.custodian import FirstThatCan
from apdu.errors import (
    AuthenticationFailed,
    CardError,
    CardRemoved,
    PersonalisationFailed,
    PsamUnavailable,
    WrongCard,
)
from apdu.holder import Holder, Issuer, Sex
from apdu.personalisation import AnotherPlan, GoodCard, Journal, personalise, read_back
from apdu.personalisation_plan import CardContent, IllegalContent, Plan, make_plan
from apdu.psam import PsamCustodian
from apdu.reading import read_card
from apdu.trace import TraceLine
from hw_sim.cards.catalogue import make_card
from hw_sim.cards.iso7816 import Card
from hw_sim.cards.social_security import SocialSecurityCard as SimulatedCard
from tests.apdu.card_in_process import CardInProcess, CountingRandom
from tests.apdu.faults import TEARS, Fault, FaultyCard

ATR = bytes.fromhex("3B6D0000005348030186314299" + "02000007")
CARD_ID = bytes.fromhex("429900D15600000502000007FFFFFFFF")
NUMBER, NAME, CARD_NUMBER = "429900199203140026", "欧阳·阿依古丽·买买提·吐尔逊江", "A99900071"
PHOTO = b"\xff\xd8" + bytes(range(1, 251)) * 2 + b"\x00\xff\xd9"
PHONE, ADDRESS = "12900000007", "江城市南岸区滨江大道1号"
ISSUER = Issuer(
    card_id=CARD_ID,
    card_class="3",
    version="3.00",
    organisation="915600000242990042990001",
    issued=date(2026, 11, 22),
    expires=date(2036, 11, 21),
    card_number=CARD_NUMBER,
    region="429900",
    unreadable=(),
)
HOLDER = Holder(
    social_security_number=NUMBER,
    name=NAME,
    sex=Sex.FEMALE,
    nation="05",
    birthplace="429900",
    birth_date=date(1992, 3, 14),
    unreadable=(),
)
CONTENT = CardContent(
    ISSUER,
    HOLDER,
    PHOTO,
    {
        "DF01EF06": {"residence_address": ADDRESS, "telephone": PHONE},
        "DF01EF0A": {"nationality": "CHN"},
    },
)
SECRETS = (NUMBER, NAME, CARD_NUMBER, PHONE, ADDRESS, CARD_ID.hex(), NAME[:4])


def plan(content: CardContent = CONTENT) -> Plan:
    return make_plan(ATR, content, plan_id="ab" * 16)


@cache
def psam() -> Card:
    return make_card("psam")


def custodian() -> PsamCustodian:
    return PsamCustodian(CardInProcess(psam()))


def blank() -> Card:
    return make_card("blank:7", challenge_seed=7)


@dataclass
class Desk:
    """Whoever keeps the journal, and the card on the desk."""

    card: Card
    journal: Journal | None = None
    sent: int = 0

    def run(
        self, at: int = 0, fault: Fault | None = None, *, other: Card | None = None
    ) -> GoodCard:
        """Put the card in, carry on from the journal, take the card out."""
        schedule = {} if fault is None else {at: fault}
        swapped = None if other is None else CardInProcess(other)
        faulty = FaultyCard(CardInProcess(self.card), schedule, other=swapped)
        try:
            return personalise(
                faulty, plan(), custodian(), self.keep, journal=self.journal,
                random=CountingRandom(),
            )  # fmt: skip
        finally:
            self.sent = faulty.sent

    def keep(self, journal: Journal) -> None:
        done = 0 if self.journal is None else self.journal.confirmed
        assert journal == Journal("ab" * 16, len(plan().steps), done + 1)
        self.journal = journal


def memory(card: Card) -> dict[str, bytes]:
    """The card's files, byte for byte."""
    assert isinstance(card, SimulatedCard)
    values = card.memory._values
    return {key: value for key, value in values.items() if "EF" in key}


@cache
def finished() -> tuple[dict[str, bytes], int]:
    """What a good card holds, and how many commands that takes."""
    desk = Desk(blank())
    desk.run()
    return memory(desk.card), desk.sent


def commands(card: CardInProcess, ins: int) -> list[str]:
    return [command.hex().upper() for command in card.commands if command[1] == ins]


class TestPlan:
    def test_the_holder_first_then_issuer_photo_and_the_rest(self) -> None:
        names = [step.file.name for step in plan().steps]
        assert list(dict.fromkeys(names)) == [
            "SSSEEF06", "SSSEEF05", "SSSEEF08", "DF01EF06", "DF01EF0A",
        ]  # fmt: skip

    def test_the_bytes_of_its_steps(self) -> None:
        data = {(step.name, step.place): step.data.hex().upper() for step in plan().steps}
        assert data["SSSEEF06.social_security_number", 1] == "0812" + NUMBER.encode().hex().upper()
        # 欧阳·阿依古丽·买买提·吐尔 is 28 bytes; the next character goes on in the extension.
        assert data["SSSEEF06.name", 2][:4] == "091E"
        assert bytes.fromhex(data["SSSEEF06.name", 2])[2:] == (
            "欧阳·阿依古丽·买买提·吐尔逊".encode("gbk").ljust(30, b"\0")
        )
        assert bytes.fromhex(data["SSSEEF06.name_extension", 3]) == b"\x4e\x14" + (
            "江".encode("gbk").ljust(20, b"\0")
        )
        assert data["SSSEEF06.sex", 4] == "0A0132"
        assert data["SSSEEF06.nation", 5] == "0B0105"
        assert data["SSSEEF06.birth_date", 7] == "0D0419920314"
        assert data["SSSEEF05.issued", 5] == "050420261122"
        assert data["SSSEEF05.card_number", 7] == "0709413939393030303731"
        assert data["SSSEEF08.photo", 0] == PHOTO[:255].hex().upper()
        assert data["SSSEEF08.photo", 255] == PHOTO[255:].hex().upper()
        assert data["DF01EF06.telephone", 3] == "280F" + PHONE.encode().hex() + "00" * 4

    def test_what_is_not_known_is_blank_and_a_short_name_has_no_extension(self) -> None:
        bare = replace(HOLDER, name="王芳", sex=None, nation="", birthplace="", birth_date=None)
        steps = {step.name: step.data for step in plan(replace(CONTENT, holder=bare)).steps}
        assert "SSSEEF06.name_extension" not in steps
        assert steps["SSSEEF06.sex"] == b"\x0a\x01\x00"
        assert steps["SSSEEF06.birthplace"] == b"\x0c\x03\xff\xff\xff"
        assert steps["SSSEEF06.birth_date"] == b"\x0d\x04\xff\xff\xff\xff"

    @pytest.mark.parametrize(
        ("name", "first"),
        [
            ("王芳", "王芳"),
            ("A" * 30 + "B", "A" * 30),
            ("A" * 29 + " B", "A" * 29),
            ("A" * 28 + "𠮷野", "A" * 28),
            ("A" * 26 + "𠮷野", "A" * 26 + "𠮷"),
        ],
    )
    def test_a_long_name_is_cut_between_characters(self, name: str, first: str) -> None:
        steps = {
            step.name: step.data
            for step in plan(replace(CONTENT, holder=replace(HOLDER, name=name))).steps
        }
        assert steps["SSSEEF06.name"][2:].rstrip(b"\0").decode("gb18030") == first

    def test_each_plan_has_an_identifier_of_its_own_that_tells_nothing(self) -> None:
        first, second = make_plan(ATR, CONTENT), make_plan(ATR, CONTENT)
        assert first.plan_id != second.plan_id
        assert len(first.plan_id) == 32
        assert [step.data for step in first.steps] == [step.data for step in second.steps]
        shown = f"{first!r} {first.steps!r} {CONTENT!r} {first.atr!r}"
        assert not [secret for secret in SECRETS if secret in shown]

    @pytest.mark.parametrize(
        ("content", "named"),
        [
            (replace(CONTENT, issuer=replace(ISSUER, card_number="")), "card_number"),
            (replace(CONTENT, issuer=replace(ISSUER, issued=None)), "issued"),
            (replace(CONTENT, issuer=replace(ISSUER, card_number="A999000712")), "card_number"),
            (replace(CONTENT, issuer=replace(ISSUER, version="9.00")), "version"),
            (replace(CONTENT, issuer=replace(ISSUER, card_id=bytes(15))), "identification"),
            (replace(CONTENT, issuer=replace(ISSUER, card_id=bytes(16))), "card_id"),
            (replace(CONTENT, issuer=replace(ISSUER, region="429901")), "region"),
            (replace(CONTENT, holder=replace(HOLDER, name="")), "name"),
            (replace(CONTENT, holder=replace(HOLDER, name="王" * 26)), "name_extension"),
            (replace(CONTENT, holder=replace(HOLDER, name="王芳 ")), "name"),
            (replace(CONTENT, holder=replace(HOLDER, nation="xx")), "nation"),
            (
                replace(
                    CONTENT,
                    holder=replace(HOLDER, social_security_number="42990019600101001x"),
                ),
                "social_security_number",
            ),
            (replace(CONTENT, photo=bytes(4097)), "photo"),
            (replace(CONTENT, photo=b"\xff\xd8\x00\x00"), "photo"),
            (replace(CONTENT, issuer=replace(ISSUER, version="1.00")), "name does not fit"),
            (
                CardContent(replace(ISSUER, version="1.00"), replace(HOLDER, name="王芳"), PHOTO),
                "photo",
            ),
            (replace(CONTENT, items={"DF01EF06": {"nobody": "1"}}), "DF01EF06"),
            (replace(CONTENT, items={"DF09EF06": {"telephone": "1"}}), "not declared"),
            (replace(CONTENT, items={"SSSEEF06": {"name": "王芳"}}), "place of its own"),
            (replace(CONTENT, items={"DF04EF08": {}}), "item records"),
            (replace(CONTENT, items={"DF01EF06": {"telephone": "1" * 16}}), "DF01EF06.telephone"),
        ],
    )
    def test_impossible_content_is_named_and_never_shown(
        self, content: CardContent, named: str
    ) -> None:
        with pytest.raises(IllegalContent, match=named) as caught:
            plan(content)
        assert not [secret for secret in SECRETS if secret in str(caught.value)]


class TestBlank:
    def test_it_becomes_the_persons_card(self) -> None:
        desk = Desk(blank())
        assert desk.run() == GoodCard("ab" * 16, len(plan().steps))
        assert desk.journal == Journal("ab" * 16, len(plan().steps), len(plan().steps))
        reading = read_card(CardInProcess(desk.card), custodian())
        assert reading.genuine and reading.consistent
        assert (reading.issuer, reading.holder) == (ISSUER, HOLDER)
        # What the card itself holds, in bytes that no encoder of ours made.
        held = memory(desk.card)
        assert held["SSSE.EF06.1"] == b"\x08\x12" + NUMBER.encode()
        assert held["SSSE.EF06.7"].hex() == "0d0419920314"
        assert held["SSSE.EF05.6"].hex() == "060420361121"
        assert held["SSSE.EF08.bytes"] == PHOTO.ljust(4096, b"\0")
        assert held["DF01.EF06.1"][2:].rstrip(b"\0") == ADDRESS.encode("gbk")
        assert held["DF01.EF0A.1"] == b"\x37\x03CHN"

    def test_what_the_vendor_has_written_is_not_written_again(self) -> None:
        card = CardInProcess(blank())
        personalise(card, plan(), custodian(), lambda _: None)
        updates = commands(card, 0xDC)
        assert [update[4:6] for update in updates[:7]] == [f"{n:02X}" for n in range(1, 8)]
        assert [update[4:6] for update in updates[7:10]] == ["05", "06", "07"]
        assert updates[0] == "00DC0104140812" + NUMBER.encode().hex().upper()
        assert commands(card, 0xD6)[0].startswith("00D60000FF")
        assert commands(card, 0xD6)[1].startswith("00D600FF")

    def test_one_authentication_for_each_application_that_is_written(self) -> None:
        card = CardInProcess(blank())
        personalise(card, plan(), custodian(), lambda _: None)
        kids = [command[6:8] for command in commands(card, 0x82)]
        assert kids == ["04", "86", "87", "0A", "88"]

    def test_a_second_generation_card(self) -> None:
        content = CardContent(replace(ISSUER, version="2.00"), HOLDER, PHOTO)
        made = make_plan(ATR, content)
        assert made.profile.name == "v2"
        assert made.steps[0].file.name == "SSSEEF06"

    def test_nothing_personal_in_traces_and_journal(self) -> None:
        lines: list[TraceLine] = []
        kept: list[Journal] = []
        card = CardInProcess(blank())
        good = personalise(card, plan(), custodian(), kept.append, trace=lines.append)
        text = f"{good} {kept} {[asdict(each) for each in kept]}" + "".join(map(str, lines))
        text = text.upper()
        for secret in SECRETS:
            for form in (secret, secret.encode("gbk").hex()):
                assert form.upper() not in text

    def test_a_journal_that_cannot_be_kept_stops_before_the_next_step(self) -> None:
        def full(journal: Journal) -> None:
            raise OSError("no space left")

        card = CardInProcess(blank())
        with pytest.raises(OSError, match="space"):
            personalise(card, plan(), custodian(), full)
        assert len(commands(card, 0xDC)) == 1


class TestRefusals:
    def test_another_plans_journal(self) -> None:
        card = CardInProcess(blank())
        total = len(plan().steps)
        for journal in (Journal("cd" * 16, total, 1), Journal("ab" * 16, total + 1, 1)):
            with pytest.raises(AnotherPlan):
                personalise(card, plan(), custodian(), lambda _: None, journal=journal)
        assert card.commands == []

    @pytest.mark.parametrize("name", ["blank:8", "v3", "v2"])
    def test_another_card(self, name: str) -> None:
        card = CardInProcess(make_card(name))
        with pytest.raises(WrongCard):
            personalise(card, plan(), custodian(), lambda _: None)
        with pytest.raises(WrongCard):
            read_back(card, plan(), custodian())
        assert card.commands == []

    def test_a_chip_that_holds_another_identification_code(self) -> None:
        card = CardInProcess(written(blank(), "SSSE.EF05.1", b"\x01\x10" + CARD_ID[:-1] + b"\0"))
        with pytest.raises(WrongCard) as caught:
            personalise(card, plan(), custodian(), lambda _: None)
        assert commands(card, 0xDC) == []
        assert CARD_ID.hex() not in str(caught.value)

    def test_an_identification_code_that_is_still_blank_is_written(self) -> None:
        desk = Desk(written(blank(), "SSSE.EF05.1", b"\x01\x10" + bytes(16)))
        desk.run()
        assert memory(desk.card) == finished()[0]

    def test_nobody_holds_the_keys(self) -> None:
        card = CardInProcess(blank())
        with pytest.raises(PsamUnavailable):
            personalise(card, plan(), FirstThatCan([]), lambda _: None)
        assert commands(card, 0xDC) == []

    def test_a_card_of_other_keys_refuses_and_is_left(self) -> None:
        class Wrong(PsamCustodian):
            def cryptogram(self, request: object) -> bytes:
                return bytes(8)

        card = CardInProcess(blank())
        with pytest.raises(AuthenticationFailed):
            personalise(card, plan(), Wrong(CardInProcess(psam())), lambda _: None)
        assert commands(card, 0xDC) == []
        assert len(commands(card, 0x82)) == 1


def written(card: Card, word: str, value: bytes) -> Card:
    """The card, with other bytes in its memory."""
    assert isinstance(card, SimulatedCard)
    assert word in card.memory
    card.memory.write(word, value)
    card.memory.commit()
    return card


def good_card() -> Card:
    desk = Desk(blank())
    desk.run()
    return desk.card


class TestReadBack:
    def test_it_says_good_again(self) -> None:
        good = read_back(CardInProcess(good_card()), plan(), custodian())
        assert good.steps == len(plan().steps)

    def test_a_blank_differs_in_all_that_is_not_there(self) -> None:
        with pytest.raises(PersonalisationFailed) as caught:
            read_back(CardInProcess(blank()), plan(), custodian())
        assert {
            "SSSEEF06.name",
            "SSSEEF05.card_number",
            "SSSEEF08.photo",
            "DF01EF06.telephone",
        } < set(caught.value.items)
        assert "SSSEEF05.card_id" not in caught.value.items

    def test_every_byte_of_every_item_counts(self) -> None:
        for step in plan().steps:
            card = good_card()
            file = f"{step.file.application}.{step.file.name.removeprefix(step.file.application)}"
            transparent = step.name == "SSSEEF08.photo"
            word = f"{file}.bytes" if transparent else f"{file}.{step.place}"
            held = bytearray(memory(card)[word])
            held[step.place if transparent else -1] ^= 0x01
            with pytest.raises(PersonalisationFailed) as caught:
                read_back(CardInProcess(written(card, word, bytes(held))), plan(), custodian())
            assert step.name in caught.value.items
            assert len(caught.value.items) <= 3  # the id and the name show in more than one item
            assert not [secret for secret in SECRETS if secret in str(caught.value)]

    def test_the_rest_of_another_photo_is_no_good_card(self) -> None:
        card = good_card()
        held = bytearray(memory(card)["SSSE.EF08.bytes"])
        held[-1] = 0x5A
        with pytest.raises(PersonalisationFailed) as caught:
            read_back(
                CardInProcess(written(card, "SSSE.EF08.bytes", bytes(held))), plan(), custodian()
            )
        assert caught.value.items == ("SSSEEF08.photo",)

    def test_another_persons_plan_differs_by_name_only(self) -> None:
        other = replace(CONTENT, holder=replace(HOLDER, name="王芳"))
        with pytest.raises(PersonalisationFailed) as caught:
            read_back(CardInProcess(good_card()), plan(other), custodian())
        assert caught.value.items == ("SSSEEF06.name",)
        assert "王芳" not in str(caught.value)


def each_command() -> Iterator[int]:
    yield from range(1, finished()[1] + 1)


class TestFaults:
    @pytest.mark.parametrize("fault", TEARS)
    def test_torn_anywhere_it_is_resumed_to_a_good_card(self, fault: Fault) -> None:
        for at in each_command():
            desk = Desk(blank())
            with pytest.raises(CardRemoved):
                desk.run(at, fault)
            if memory(desk.card) != finished()[0]:
                with pytest.raises(CardError):
                    read_back(CardInProcess(desk.card), plan(), custodian())
            assert desk.run().steps == len(plan().steps)
            assert memory(desk.card) == finished()[0]
            assert not desk.card.bugs

    def test_torn_at_every_step_again_and_again(self) -> None:
        desk = Desk(blank())
        for at in range(1, 400):
            try:
                desk.run(at % 23 + 1, TEARS[at % 3])
            except CardRemoved:
                continue
            break
        assert desk.journal is not None and desk.journal.confirmed > 0
        desk.run()
        assert memory(desk.card) == finished()[0]

    @pytest.mark.parametrize("fault", [fault for fault in Fault if fault not in TEARS])
    def test_whatever_happens_a_card_that_is_not_good_is_never_called_so(
        self, fault: Fault
    ) -> None:
        for at in each_command():
            other = make_card("blank:8") if fault is Fault.SWAPPED else None
            desk = Desk(blank())
            try:
                desk.run(at, fault, other=other)
            except CardError:
                desk.run()  # what a fault has interrupted is carried on with
            assert memory(desk.card) == finished()[0]

    def test_a_card_that_loses_what_it_confirmed_is_spoiled(self) -> None:
        desk = Desk(blank())
        before = memory(desk.card)["SSSE.EF06.2"]
        with pytest.raises(CardRemoved):
            desk.run(14, Fault.TEAR_BEFORE)
        assert desk.journal is not None and desk.journal.confirmed > 2
        written(desk.card, "SSSE.EF06.2", before)
        with pytest.raises(PersonalisationFailed) as caught:
            desk.run()
        assert caught.value.items == ("SSSEEF06.name",)
