"""Long commands in short parts (ISO/IEC 7816-4 §5.1.1)."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apdu.chaining import ChainedCommands
from apdu.command import Command
from apdu.errors import CardRemoved

FF = "AB" * 255


def long(nc: int, ne: int | None = None) -> bytearray:
    return Command(0x80, 0xC2, 0x01, 0x02, b"\xab" * nc, ne).encode()


@pytest.mark.parametrize(
    ("nc", "ne", "parts"),
    [
        (256, None, ["90C20102FF" + FF, "80C2010201AB"]),
        (256, 8, ["90C20102FF" + FF, "80C2010201AB08"]),
        (256, 256, ["90C20102FF" + FF, "80C2010201AB00"]),
        (256, 65536, ["90C20102FF" + FF, "80C2010201AB00"]),
        (510, None, ["90C20102FF" + FF, "80C20102FF" + FF]),
        (511, 1, ["90C20102FF" + FF, "90C20102FF" + FF, "80C2010201AB01"]),
    ],
)
def test_parts(scripted: Any, nc: int, ne: int | None, parts: list[str]) -> None:
    *before, last = parts
    card = scripted(*((part, "9000") for part in before), (last, "CAFE9000"))
    assert ChainedCommands(card).transmit(long(nc, ne)) == bytes.fromhex("CAFE9000")


@pytest.mark.parametrize(
    "command", ["00A40000", "00B2012D00", "0088000002AABB08", "00D60000FF" + FF, "00B00000000400"]
)
def test_a_command_that_is_short_enough_goes_as_it_is(scripted: Any, command: str) -> None:
    card = scripted((command, "9000"))
    raw = bytes.fromhex(command)
    assert ChainedCommands(card).transmit(raw) == b"\x90\x00"
    assert card.buffers[0] is raw


@pytest.mark.parametrize("answer", ["6883", "6884", "6A80", "6F00", "6102", "CAFE9000", "6281"])
def test_the_first_bad_status_ends_the_chain(scripted: Any, answer: str) -> None:
    card = scripted(("90C20102FF" + FF, "9000"), ("90C20102FF" + FF, answer))
    assert ChainedCommands(card).transmit(long(700)) == bytes.fromhex(answer)


@pytest.mark.parametrize("answer", ["9000", "6A80", CardRemoved()])
def test_parts_are_wiped_however_it_ends(scripted: Any, answer: Any) -> None:
    card = scripted(("90C20102FF" + FF, "9000"), ("80C2010201AB", answer))
    with contextlib.suppress(CardRemoved):
        ChainedCommands(card).transmit(long(256))
    assert not any(byte for part in card.buffers for byte in part)


class Chainer:
    """A card that puts the parts together again."""

    atr = b""

    def __init__(self) -> None:
        self.data = b""
        self.commands: list[Command] = []

    def transmit(self, command: bytes | bytearray) -> bytes:
        part = Command.parse(command)
        assert len(command) <= 261
        self.data += part.data
        if part.cla & 0x10 == 0:
            whole = Command(part.cla, part.ins, part.p1, part.p2, self.data, part.ne)
            self.commands.append(whole)
            self.data = b""
        else:
            assert part.ne is None
        return b"\x90\x00"

    def reset(self) -> bytes:
        return b""

    def close(self) -> None:
        pass


@given(st.binary(max_size=2000), st.none() | st.integers(1, 256))
def test_the_card_gets_the_very_command(data: bytes, ne: int | None) -> None:
    card = Chainer()
    command = Command(0x00, 0xD6, 0x12, 0x34, data, ne)
    ChainedCommands(card).transmit(command.encode())
    assert card.commands == [command]
