"""Reading a transparent file in pieces, as far as it goes."""

from __future__ import annotations

from apdu.channel import Channel
from apdu.command import SHORT_NC
from apdu.commands import READ_SELECTED, read_binary
from apdu.status import raise_for

PIECE = SHORT_NC
"""Most bytes of a transparent file that one command reads or writes (mark C)."""
_END_OF_FILE = 0x6282
_PAST_END = 0x6B00


def read_content(channel: Channel, size: int, *, offset: int = 0) -> bytes:
    """Up to `size` bytes of the selected transparent file from `offset` on.

    Fewer than asked for come back only where the file ends: the card says so (6282), refuses the
    next offset (6B00) or has nothing there. A short answer alone is no end: cards with a small
    buffer give less than they are asked for.

    Raises:
        UnexpectedStatus: refused.
        CardError: see `apdu.errors`.
    """
    content = bytearray()
    while len(content) < size:
        at = offset + len(content)
        command = read_binary(READ_SELECTED, min(PIECE, size - len(content)), offset=at)
        response = channel.send(command)
        if at and response.sw == _PAST_END:
            break
        content += raise_for("READ BINARY", response).data
        if response.sw == _END_OF_FILE or not response.data:
            break
    return bytes(content)
