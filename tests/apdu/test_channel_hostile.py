"""The channel against a card that answers whatever it likes, with every wrapper."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from apdu.channel import Channel
from apdu.command import Command
from apdu.errors import CardError, CardRemoved
from apdu.get_response import MAXIMUM_ROUNDS
from apdu.response import Response

STATUS = st.sampled_from(
    [bytes.fromhex(sw) for sw in ("9000", "6110", "6100", "6C04", "6C00", "6700", "6282", "6F00")]
)
ANSWERS = st.lists(
    st.builds(bytes.__add__, st.binary(max_size=20) | st.just(bytes(256)), STATUS)
    | st.binary(max_size=4),
    min_size=1,
    max_size=6,
)
COMMANDS = st.builds(
    Command,
    st.sampled_from([0x00, 0x80]),
    st.sampled_from([0xA4, 0xB2, 0xB0, 0x20, 0x82, 0x88, 0xD6]),
    st.integers(0, 255),
    st.integers(0, 255),
    st.binary(max_size=40) | st.just(b"\x5a" * 600),
    st.none() | st.integers(1, 256) | st.just(65536),
)


class Circling:
    """Gives its answers in turn, for ever, and keeps what it was asked."""

    atr = b""

    def __init__(self, answers: list[bytes]) -> None:
        self.answers = answers
        self.asked: list[bytes] = []

    def transmit(self, command: bytes | bytearray) -> bytes:
        self.asked.append(bytes(command))
        return self.answers[(len(self.asked) - 1) % len(self.answers)]

    def reset(self) -> bytes:
        return b""

    def close(self) -> None:
        raise CardRemoved("nobody closes it here")


@given(COMMANDS, ANSWERS, st.booleans(), st.booleans())
def test_the_answer_is_whole_and_no_longer_than_asked_or_the_failure_has_a_type(
    command: Command, answers: list[bytes], chaining: bool, traced: bool
) -> None:
    card = Circling(answers)
    lines: list[object] = []
    channel = Channel(card, chaining=chaining, trace=lines.append if traced else None)
    response: Response | None = None
    try:
        response = channel.send(command)
    except CardError as error:
        assert not any(len(part) > 2 and part.hex() in str(error) for part in answers)
    # Parts of a chain, then rounds of GET RESPONSE, each corrected once at most.
    assert channel.transmitted == len(card.asked) <= 8 + 2 * (MAXIMUM_ROUNDS + 2)
    assert len(lines) == (len(card.asked) if traced else 0)
    if response is not None:
        assert len(response.data) <= (command.ne or 0)
        assert set(response.data) <= set(b"".join(answers))


@given(COMMANDS, ANSWERS)
def test_a_command_goes_out_once_unless_the_card_corrects_it(
    command: Command, answers: list[bytes]
) -> None:
    """A PIN try or a cryptogram must never be spent twice."""
    card = Circling(answers)
    with contextlib.suppress(CardError):
        Channel(card).send(command)
    again = [asked for asked in card.asked[1:] if asked[1] != 0xC0]
    assert len(again) <= 1
    if again:
        assert command.ne is not None
        assert answers[0][-2:] == b"\x67\x00" or answers[0][-2:-1] == b"\x6c"
