"""Bytes of a line as they may arrive: all at once, one by one, or in pieces of some size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def cut(stream: bytes, size: int) -> list[bytes]:
    """The stream in pieces of `size` bytes, the last one of what is left."""
    return [stream[start : start + size] for start in range(0, len(stream), size)]


def same_in_any_pieces(stream: bytes, size: int, read: Callable[[Sequence[bytes]], T]) -> T:
    """What `read` makes of the stream, which must not depend on how it arrives.

    Args:
        size: 0..255, one less than that of the pieces that are tried beside single bytes.
        read: makes a parser of its own for each call.
    """
    whole = read([stream])
    for each in {1, size + 1}:
        assert read(cut(stream, each)) == whole, f"pieces of {each} bytes read otherwise"
    return whole


def head(data: bytes, count: int) -> tuple[bytes, bytes]:
    """The first bytes of an input, which say how the rest is used; zeros where it has none."""
    return data[:count].ljust(count, b"\0"), data[count:]


def stand_in_order(parts: Sequence[bytes], stream: bytes) -> bool:
    """Whether the parts stand in the stream one behind the other, none over another."""
    at = 0
    for part in parts:
        found = stream.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return True
