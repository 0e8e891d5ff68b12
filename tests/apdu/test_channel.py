"""The stack: values in, values out, counted, and secrets wiped."""

import contextlib
from typing import Any

import pytest

from apdu import commands
from apdu.channel import Channel, wipe
from apdu.command import Command
from apdu.commands import ReadMode
from apdu.errors import CardRemoved, MalformedAnswer
from tests.apdu.same_answer import SameAnswer

READ = commands.read_record(1, ReadMode.ALL_FROM, sfi=5)


def test_every_command_that_goes_out_is_counted(scripted: Any) -> None:
    channel = Channel(scripted(("00B2012D00", "6102"), ("00C0000002", "CAFE9000")))
    response = channel.send(READ)
    assert (response.data, response.sw) == (b"\xca\xfe", 0x9000)
    assert channel.transmitted == 2


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (Command(0, 0x82, 0, 0), "CAFE9000"),
        (commands.verify(bytearray(b"\x12\x34")), "CA63C3"),
        (commands.get_challenge(8), "00" * 9 + "9000"),
        (READ, "90"),
        (READ, "00" * 257 + "9000"),
        (Command(0, 0xB0, 0, 0, ne=300), "00" * 301 + "9000"),
    ],
)
def test_more_than_was_asked_for_is_malformed(scripted: Any, command: Any, answer: Any) -> None:
    channel = Channel(scripted((command.encode().hex(), answer)))
    with pytest.raises(MalformedAnswer):
        channel.send(command)


def test_an_extended_answer_is_whole() -> None:
    channel = Channel(SameAnswer(bytes(65536) + b"\x90\x00"))
    assert len(channel.send(Command(0, 0xB0, 0, 0, ne=65536)).data) == 65536
    with pytest.raises(MalformedAnswer):
        Channel(SameAnswer(bytes(65537) + b"\x90\x00")).send(Command(0, 0xB0, 0, 0, ne=65536))


@pytest.mark.parametrize("answer", ["9000", CardRemoved()])
@pytest.mark.parametrize(
    "command",
    [
        Command(0x00, 0xDC, 1, 4, b"\x09\x02\xcd\xf5"),
        Command(0x84, 0x24, 0, 1, bytes(12)),
        Command(0x80, 0xC4, 0, 0, b"\x12\x34"),
        Command(0x80, 0xFA, 0, 0, b"\xaa" * 8, 8),
        Command(0xBF, 0xDE, 0x28, 1, b"\xaa" * 16),
        Command(0x00, 0x2A, 0x9E, 0x9A, b"\xaa" * 32, 64),
        commands.verify(bytearray(b"\x12\x34")),
        commands.external_authenticate(10, b"\xaa" * 8, b"\xbb" * 8),
        commands.internal_authenticate(b"\xaa" * 8, b"\xbb" * 8),
    ],
)
def test_secret_buffers_are_wiped_however_it_ends(scripted: Any, command: Any, answer: Any) -> None:
    card = scripted((command.encode().hex(), answer))
    with contextlib.suppress(CardRemoved):
        Channel(card, trace=lambda line: None).send(command)
    assert not any(card.buffers[0])


def test_wipe_keeps_the_length() -> None:
    buffer = bytearray(b"1234")
    wipe(buffer)
    assert buffer == bytearray(4)


def test_a_long_command_is_chained_only_for_a_card_that_can(scripted: Any) -> None:
    command = Command(0x00, 0xD6, 0x88, 0x00, bytes(256))
    extended = scripted(("00D688000001 00" + "00" * 256, "9000"))
    assert Channel(extended).send(command).ok
    parts = scripted(("10D68800FF" + "00" * 255, "9000"), ("00D688000100", "9000"))
    channel = Channel(parts, chaining=True)
    assert (channel.send(command).ok, channel.transmitted) == (True, 2)


def test_wrappers_are_transports(scripted: Any) -> None:
    card = scripted()
    channel = Channel(card, trace=lambda line: None)
    assert (channel.atr, channel.reset()) == (card.atr, card.atr)
