from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_sim.cards.iso7816 import CardSystem, Command, SwError
from hw_sim.cards.memory import Memory


class EchoCard(CardSystem):
    """Answers as many bytes as P1P2 say; 00 02 fails inside, 00 04 refuses."""

    def __init__(self, *, t0: bool) -> None:
        super().__init__(b"\x3b\x00", t0=t0)
        self.drops = 0

    @property
    def handlers(self) -> Mapping[tuple[int, int], Callable[[Command], bytes]]:
        return {(0x00, 0x01): self._echo, (0x00, 0x02): self._break, (0x00, 0x04): self._refuse}

    def drop_volatile_state(self) -> None:
        self.drops += 1

    def _echo(self, command: Command) -> bytes:
        self.memory.write("last", command.data)
        length = command.p1 << 8 | command.p2
        return bytes(i & 0xFF for i in range(length))

    def _refuse(self, command: Command) -> bytes:
        """Spends a try for good, writes, and refuses then."""
        self.memory.write("tries", 2)
        self.memory.commit()
        self.memory.write("last", b"half")
        raise SwError(0x6A80)

    def _break(self, command: Command) -> bytes:
        self.memory.write("last", b"half")
        raise KeyError("broken inside")


@pytest.mark.parametrize(
    ("raw", "data", "ne"),
    [
        ("00010203", "", None),
        ("0001020300", "", 256),
        ("0001020305", "", 5),
        ("00010203 01 AA", "AA", None),
        ("00010203 02 AABB 00", "AABB", 256),
        ("00010203 02 AABB 10", "AABB", 16),
    ],
)
def test_every_short_case_is_parsed(raw: str, data: str, ne: int | None) -> None:
    expected = Command(0x00, 0x01, 0x02, 0x03, bytes.fromhex(data), ne)
    assert Command.parse(bytes.fromhex(raw)) == expected


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "00",
        "000102",
        "00010203 03 AABB",
        "00010203 01 AABBCC",
        "00010203 00 0100",
        "00010203 00 05",
    ],
)
def test_other_lengths_are_wrong(raw: str) -> None:
    with pytest.raises(SwError) as caught:
        Command.parse(bytes.fromhex(raw))
    assert caught.value.sw == 0x6700


@pytest.mark.parametrize(
    ("t0", "command", "answer"),
    [
        (False, "00010000", "9000"),
        (False, "0001000300", "0001029000"),
        (False, "0001000303", "0001029000"),
        (False, "0001000310", "0001029000"),
        (False, "0001000302", "6C03"),
        (False, "00010003", "6103"),
        (False, "00010003 01 AA", "6103"),
        (False, "00010003 01 AA 00", "0001029000"),
        (True, "0001000303", "0001029000"),
        (True, "0001000300", "6C03"),
        (True, "0001000304", "6C03"),
        (True, "0001000302", "6C03"),
        (True, "00010003 01 AA", "6103"),
        (True, "00010003 01 AA 00", "6103"),
        (True, "00010000 01 AA 00", "9000"),
        (True, "00010000", "9000"),
        (True, "0001000000", "9000"),
        (True, "00010003", "6C03"),
        (True, "00010140 10", "6C00"),
        (False, "00010140 10", "6C00"),
        (True, "00010140 01 AA", "6100"),
        (False, "80010000", "6E00"),
        (False, "00030000", "6D00"),
        (False, "00C0000000", "6985"),
    ],
)
def test_answers_follow_the_protocol(t0: bool, command: str, answer: str) -> None:
    assert EchoCard(t0=t0).execute(bytes.fromhex(command)) == bytes.fromhex(answer)


@pytest.mark.parametrize("t0", [False, True])
def test_get_response_gives_the_waiting_bytes_once(t0: bool) -> None:
    card = EchoCard(t0=t0)
    assert card.execute(bytes.fromhex("0001000501AA")) == b"\x61\x05"
    assert card.execute(bytes.fromhex("00C0000002")) == b"\x00\x01\x61\x03"
    assert card.execute(bytes.fromhex("00C0000003")) == b"\x02\x03\x04\x90\x00"
    assert card.execute(bytes.fromhex("00C0000003")) == b"\x69\x85"


def test_get_response_with_too_long_le_keeps_the_bytes_in_t0() -> None:
    card = EchoCard(t0=True)
    card.execute(bytes.fromhex("0001000501AA"))
    assert card.execute(bytes.fromhex("00C0000000")) == b"\x6c\x05"
    assert card.execute(bytes.fromhex("00C0000005")) == b"\x00\x01\x02\x03\x04\x90\x00"


def test_long_answers_come_in_parts() -> None:
    card = EchoCard(t0=False)
    first = card.execute(bytes.fromhex("0001020000"))
    assert first is not None
    assert first[-2:] == b"\x61\x00"
    second = card.execute(bytes.fromhex("00C0000000"))
    assert second is not None
    assert (len(first), len(second), second[-2:]) == (258, 258, b"\x90\x00")


def test_another_command_throws_the_waiting_bytes_away() -> None:
    card = EchoCard(t0=True)
    card.execute(bytes.fromhex("0001000501AA"))
    card.execute(bytes.fromhex("00010000"))
    assert card.execute(bytes.fromhex("00C0000005")) == b"\x69\x85"


@pytest.mark.parametrize("event", ["power_on", "power_off", "reset"])
def test_power_and_reset_drop_volatile_state(event: str) -> None:
    card = EchoCard(t0=True)
    card.execute(bytes.fromhex("0001000501AA"))
    getattr(card, event)()
    assert card.drops == 1
    assert card.execute(bytes.fromhex("00C0000005")) == b"\x69\x85"


def test_a_bug_is_6f00_recorded_and_undone(card_bugs: list[str]) -> None:
    card = EchoCard(t0=False)
    card.execute(bytes.fromhex("0001000001AA"))
    assert card.execute(bytes.fromhex("00020000")) == b"\x6f\x00"
    assert [type(bug) for bug in card.bugs] == [KeyError]
    assert card.memory.read("last") == b"\xaa"
    [told] = card_bugs
    assert "KeyError at test_cards_iso7816.py" in told
    assert "broken inside" not in told
    card_bugs.clear()


@pytest.mark.parametrize("event", ["power_on", "power_off", "reset"])
def test_a_bug_of_a_start_is_recorded_too(event: str, card_bugs: list[str]) -> None:
    class Broken(EchoCard):
        def drop_volatile_state(self) -> None:
            raise LookupError

    card = Broken(t0=False)
    getattr(card, event)()
    assert [type(bug) for bug in card.bugs] == [LookupError]
    assert len(card_bugs) == 1
    card_bugs.clear()
    assert card.execute(bytes.fromhex("0001000101")) == b"\x00\x90\x00"


def test_a_refused_command_leaves_nothing_but_what_it_committed() -> None:
    card = EchoCard(t0=False)
    card.execute(bytes.fromhex("0001000001AA"))
    assert card.execute(bytes.fromhex("00040000")) == b"\x6a\x80"
    assert (card.memory.read("last"), card.memory.count("tries")) == (b"\xaa", 2)


def test_a_tear_takes_the_command_back() -> None:
    card = EchoCard(t0=False)
    card.execute(bytes.fromhex("0001000001AA"))
    card.tear(bytes.fromhex("0001000001BB"))
    assert card.memory.read("last") == b"\xaa"
    assert card.drops == 1


@pytest.mark.parametrize(
    ("at_write", "tries", "last"),
    [(1, 3, b"\xaa"), (2, 2, b"\xaa"), (3, 2, b"\xaa"), (9, 2, b"\xaa"), (None, 2, b"\xaa")],
)
def test_a_tear_at_any_write_leaves_what_was_committed_by_then(
    at_write: int | None, tries: int, last: bytes
) -> None:
    card = EchoCard(t0=False)
    card.memory.write("tries", 3)
    card.execute(bytes.fromhex("0001000001AA"))
    card.tear(bytes.fromhex("00040000"), at_write)
    assert (card.memory.count("tries"), card.memory.read("last")) == (tries, last)
    assert card.execute(bytes.fromhex("0001000001BB")) == b"\x90\x00"
    assert card.memory.read("last") == b"\xbb"
    assert card.bugs == []


@given(st.lists(st.tuples(st.sampled_from("abc"), st.binary(max_size=2), st.booleans())))
def test_memory_rolls_back_to_the_last_commit(
    writes: list[tuple[str, bytes, bool]],
) -> None:
    memory, committed, current = Memory(), dict[str, bytes](), dict[str, bytes]()
    for key, value, commit in writes:
        memory.write(key, value)
        current[key] = value
        if commit:
            memory.commit()
            committed = dict(current)
    memory.roll_back()
    assert {key: memory.read(key) for key in "abc" if key in memory} == committed
