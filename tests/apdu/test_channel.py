"""The stack: values in, values out, counted, and secrets wiped."""

import contextlib
from typing import Any

import pytest

from apdu import commands
from apdu.channel import Channel, wipe
from apdu.command import Command
from apdu.commands import ReadMode
from apdu.errors import CardRemoved, MalformedAnswer

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
    ],
)
def test_more_than_was_asked_for_is_malformed(scripted: Any, command: Any, answer: Any) -> None:
    channel = Channel(scripted((command.encode().hex(), answer)))
    with pytest.raises(MalformedAnswer):
        channel.send(command)


@pytest.mark.parametrize("answer", ["9000", CardRemoved()])
@pytest.mark.parametrize(
    "command",
    [
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


def test_wrappers_are_transports(scripted: Any) -> None:
    card = scripted()
    channel = Channel(card, trace=lambda line: None)
    assert (channel.atr, channel.reset()) == (card.atr, card.atr)
