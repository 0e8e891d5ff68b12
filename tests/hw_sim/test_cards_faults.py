from __future__ import annotations

import pytest

from hw_sim.cards.catalogue import make_card
from hw_sim.cards.faults import (
    Fault,
    FaultSyntaxError,
    FaultyContacts,
    Kind,
    Reaction,
    parse_faults,
)
from hw_sim.cards.social_security import SocialSecurityCard

SSSE = bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF")
VERIFY = bytes.fromhex("0020000003123456")
CHANGE = bytes.fromhex("805E010007123456FF111222")
READ = bytes.fromhex("00B2022C00")


def contacts(text: str) -> tuple[FaultyContacts, SocialSecurityCard]:
    card = make_card("v3")
    assert isinstance(card, SocialSecurityCard)
    return FaultyContacts(card, parse_faults(text)), card


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", ()),
        ("3:tear", (Fault(3, Kind.TEAR),)),
        ("1:tear-after", (Fault(1, Kind.TEAR_AFTER),)),
        ("2:6F00", (Fault(2, Kind.STATUS, 0x6F00),)),
        ("5:silent", (Fault(5, Kind.SILENT),)),
        ("*:delay=400", (Fault(None, Kind.DELAY, 400),)),
        (" 4:garbage, 2:short ", (Fault(4, Kind.GARBAGE), Fault(2, Kind.SHORT))),
        ("3:tear=2", (Fault(3, Kind.TEAR, 2),)),
        ("1:less,2:more", (Fault(1, Kind.LESS), Fault(2, Kind.MORE))),
        ("*:61-loop", (Fault(None, Kind.LOOP),)),
        ("2:swap=resident:0", (Fault(2, Kind.SWAP, name="v3"),)),
        ("2:swap=v2+strict+no-sfi", (Fault(2, Kind.SWAP, name="v2+no-sfi+strict"),)),
    ],
)
def test_schedules_are_parsed(text: str, faults: tuple[Fault, ...]) -> None:
    assert parse_faults(text) == faults


@pytest.mark.parametrize(
    "text",
    [
        "tear",
        "0:tear",
        "x:tear",
        "1:",
        "1:delay",
        "1:delay=x",
        "1:status",
        "1:7F00",
        "1:6F0",
        "1:tear=0",
        "1:tear=x",
        "1:less=1",
        "1:61",
        "1:swap",
        "1:swap=",
        "1:swap=v9",
    ],
)
def test_other_schedules_are_refused(text: str) -> None:
    with pytest.raises(FaultSyntaxError):
        parse_faults(text)


def test_faults_come_at_their_turn() -> None:
    slot, _ = contacts("2:6F00, 3:delay=250")
    assert slot.exchange(SSSE).answer != b"\x6f\x00"
    assert slot.exchange(READ) == Reaction(b"\x6f\x00")
    assert slot.exchange(READ) == Reaction(b"\x02\x01\x33\x90\x00", 0.25)


def test_a_status_fault_keeps_the_command_from_the_card() -> None:
    slot, card = contacts("2:6982")
    slot.exchange(SSSE)
    slot.exchange(bytes.fromhex("0020000003000000"))
    assert card.pin_tries == 3


def test_star_is_every_turn() -> None:
    slot, _ = contacts("*:6F00")
    assert {slot.exchange(READ).answer for _ in range(3)} == {b"\x6f\x00"}


def test_tear_takes_the_write_and_not_the_try() -> None:
    slot, card = contacts("2:tear")
    slot.exchange(SSSE)
    assert slot.exchange(CHANGE) == Reaction(None, pulled=True)
    assert card.pin_tries == 2
    assert card.memory.read("pin") == bytes.fromhex("123456")


def test_tear_after_keeps_what_was_written() -> None:
    slot, card = contacts("2:tear-after")
    slot.exchange(SSSE)
    assert slot.exchange(CHANGE) == Reaction(None, pulled=True)
    assert card.pin_tries == 3
    assert card.memory.read("pin") == bytes.fromhex("111222")


def test_silent_does_the_command_and_says_nothing() -> None:
    slot, card = contacts("2:silent")
    slot.exchange(SSSE)
    assert slot.exchange(CHANGE) == Reaction(None)
    assert card.memory.read("pin") == bytes.fromhex("111222")


def test_garbage_is_as_long_and_always_the_same() -> None:
    answers = []
    for _ in range(2):
        slot, _ = contacts("2:garbage")
        slot.exchange(SSSE)
        answers.append(slot.exchange(READ).answer)
    assert answers[0] == answers[1] != b"\x02\x01\x33\x90\x00"
    assert answers[0] is not None
    assert len(answers[0]) == 5


def test_short_is_never_empty() -> None:
    slot, _ = contacts("2:short")
    slot.exchange(SSSE)
    assert slot.exchange(READ) == Reaction(b"\x02")


def test_less_and_more_change_the_data_and_keep_the_status_word() -> None:
    slot, _ = contacts("2:less,3:more,4:less")
    slot.exchange(SSSE)
    assert slot.exchange(READ) == Reaction(b"\x02\x01\x90\x00")
    assert slot.exchange(READ) == Reaction(b"\x02\x01\x33\x00\x90\x00")
    assert slot.exchange(bytes.fromhex("00B2082C00")) == Reaction(b"\x6a\x83")
    assert slot.exchange(READ) == Reaction(b"\x02\x01\x33\x90\x00")


def test_61_loop_answers_get_response_alone_and_for_ever() -> None:
    slot, card = contacts("2:61-loop")
    slot.exchange(SSSE)
    assert slot.exchange(CHANGE) == Reaction(b"\x61\x10")
    assert card.memory.read("pin") == bytes.fromhex("111222")
    for _ in range(5):
        assert slot.exchange(bytes.fromhex("00C0000010")) == Reaction(b"\x61\x10")
    assert slot.exchange(READ) == Reaction(b"\x02\x01\x33\x90\x00")
    assert slot.exchange(bytes.fromhex("00C0000010")) == Reaction(b"\x69\x85")


def test_a_new_schedule_ends_a_loop() -> None:
    slot, _ = contacts("1:61-loop")
    slot.exchange(SSSE)
    slot.schedule(())
    answer = slot.exchange(bytes.fromhex("00C000001E")).answer
    assert answer is not None
    assert answer[:2] == b"\x6f\x1c"


def test_swap_brings_another_card_that_knows_nothing_of_the_session() -> None:
    slot, card = contacts("3:swap=v2")
    slot.exchange(SSSE)
    slot.exchange(VERIFY)
    assert slot.exchange(READ) == Reaction(b"\x6a\x82")
    other = slot.card
    assert isinstance(other, SocialSecurityCard)
    assert other.image.generation == "2"
    assert other.piece.serial != card.piece.serial
    slot.exchange(SSSE)
    slot.exchange(bytes.fromhex("0020000003000000"))
    assert (other.pin_tries, card.pin_tries) == (5, 3)
    card.execute(SSSE)
    card.execute(bytes.fromhex("00A4000002DF01"))
    assert card.execute(bytes.fromhex("00B2013400")) == b"\x69\x82", "it lost its power"


def test_swap_comes_before_the_other_faults_of_its_turn() -> None:
    slot, card = contacts("1:swap=v2,1:tear")
    assert slot.exchange(SSSE) == Reaction(None, pulled=True)
    assert slot.card is not card


@pytest.mark.parametrize(("write", "tries"), [(1, 3), (2, 2), (3, 2), (4, 2)])
def test_a_tear_at_a_write_keeps_the_old_pin(write: int, tries: int) -> None:
    slot, card = contacts(f"2:tear={write}")
    slot.exchange(SSSE)
    assert slot.exchange(CHANGE) == Reaction(None, pulled=True)
    assert card.pin_tries == tries
    assert card.memory.read("pin") == bytes.fromhex("123456")


def test_a_new_schedule_counts_from_one() -> None:
    slot, _ = contacts("")
    slot.exchange(SSSE)
    slot.schedule(parse_faults("1:6F00"))
    assert slot.exchange(READ).answer == b"\x6f\x00"
    assert slot.exchange(READ).answer == b"\x02\x01\x33\x90\x00"


@pytest.mark.parametrize("turn", range(1, 6))
def test_tear_sweep_keeps_the_counter_consistent(turn: int) -> None:
    slot, card = contacts(f"{turn}:tear")
    script = [SSSE, VERIFY, CHANGE, READ, bytes.fromhex("0084000008")]
    pulled = [slot.exchange(command).pulled for command in script[:turn]]
    assert pulled == [False] * (turn - 1) + [True]
    assert card.pin_tries == (2 if turn in (2, 3) else 3)
    changed = turn > 3
    assert card.memory.read("pin") == bytes.fromhex("111222" if changed else "123456")
