"""Frames between the kiosk and the composing process: a JSON header and some blobs.

On the wire: the header's length (4 bytes, big-endian), the header in UTF-8, then the blobs one
after the other; the header's ``blobs`` lists their lengths.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

LARGEST_HEADER = 1 << 20
LARGEST_BLOB = 1 << 24
MOST_BLOBS = 16
_LENGTH = struct.Struct("!I")


class FrameBroken(Exception):
    """The far end wrote something that is no frame."""


class FrameCut(FrameBroken):
    """The far end hung up in the middle of a frame."""


@dataclass(frozen=True, repr=False)
class Frame:
    """One message; ``repr`` shows nothing of it."""

    header: dict[str, object]
    blobs: tuple[bytes, ...] = field(default=())


def send(line: socket.socket, header: dict[str, object], blobs: Sequence[bytes] = ()) -> None:
    """Write one frame. Raises OSError (TimeoutError with a socket's time-out)."""
    lengths = [len(blob) for blob in blobs]
    text = json.dumps({**header, "blobs": lengths}, ensure_ascii=False).encode("utf-8")
    line.sendall(b"".join((_LENGTH.pack(len(text)), text, *blobs)))


def receive(line: socket.socket, arm: Callable[[], None] = lambda: None) -> Frame | None:
    """Read one frame; None when the far end hung up before it.

    Args:
        arm: called before each read; sets the socket's time-out to what is left.

    Raises:
        FrameBroken, FrameCut: see there.
        OSError: TimeoutError with a socket's time-out.
    """
    start = _read(line, _LENGTH.size, arm)
    if not start:
        return None
    (size,) = _LENGTH.unpack(_whole(start, _LENGTH.size))
    if size > LARGEST_HEADER:
        raise FrameBroken("a header that is too long")
    try:
        header = json.loads(_whole(_read(line, size, arm), size))
    except (ValueError, RecursionError):
        raise FrameBroken("a header that is not JSON") from None
    lengths = header.pop("blobs", None) if isinstance(header, dict) else None
    if not isinstance(lengths, list) or len(lengths) > MOST_BLOBS:
        raise FrameBroken("a header that lists no blobs")
    if not all(type(length) is int and 0 <= length <= LARGEST_BLOB for length in lengths):
        raise FrameBroken("a blob that is too long")
    blobs = tuple(_whole(_read(line, length, arm), length) for length in lengths)
    return Frame(header, blobs)


def _read(line: socket.socket, size: int, arm: Callable[[], None]) -> bytes:
    """Up to `size` bytes; fewer only when the far end hung up."""
    pieces = []
    left = size
    while left:
        arm()
        piece = line.recv(min(left, 1 << 16))
        if not piece:
            break
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _whole(octets: bytes, size: int) -> bytes:
    if len(octets) != size:
        raise FrameCut("a frame that breaks off")
    return octets
