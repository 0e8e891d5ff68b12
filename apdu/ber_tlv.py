"""BER-TLV (ISO/IEC 7816-4 §5.2.2): the file control information that SELECT answers with, and
the records of payment applications."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from apdu.errors import MalformedAnswer

_CONSTRUCTED = 0x20
_MORE_TAG = 0x1F
_MAXIMUM_TAG_BYTES = 3
_MAXIMUM_LENGTH_BYTES = 3
_MAXIMUM_DEPTH = 8
"""Templates inside templates; payment cards use four at most."""
_PADDING = b"\x00\xff"


class DataObject(NamedTuple):
    """One data object.

    Attributes:
        tag: its tag bytes as one number, for example 0x6F or 0x9F0C.
        value: its contents; not shown by repr.
    """

    tag: int
    value: bytes

    def __repr__(self) -> str:
        return f"DataObject(tag={self.tag:X}, {len(self.value)} bytes)"

    @property
    def constructed(self) -> bool:
        """Whether the value is again a sequence of data objects."""
        return bool(_tag_bytes(self.tag)[0] & _CONSTRUCTED)


def encode(objects: Iterable[DataObject]) -> bytes:
    """The data objects one after another, with shortest lengths.

    Raises:
        ValueError: a tag that BER cannot write in 3 bytes, or a value of 16 MiB or more.
    """
    out = bytearray()
    for item in objects:
        tag = _tag_bytes(item.tag)
        if _take_tag(tag, 0) != (item.tag, len(tag)):
            raise ValueError(f"{item.tag:#x} is no BER-TLV tag")
        out += tag + _length_bytes(len(item.value)) + item.value
    return bytes(out)


def decode(data: bytes, *, skip_padding: bool = False) -> tuple[DataObject, ...]:
    """The data objects in `data`, outermost level only.

    Args:
        data: data objects and nothing else.
        skip_padding: also allow 00 and FF bytes before, between and after them
            (ISO/IEC 7816-4 §5.2.2 allows 00).

    Raises:
        MalformedAnswer: a tag or length is broken off, indefinite, or too long.
    """
    return tuple(_objects(data, skip_padding=skip_padding))


def _objects(data: bytes, *, skip_padding: bool) -> Iterator[DataObject]:
    at = 0
    while at < len(data):
        if data[at] in _PADDING:
            if not skip_padding:
                raise MalformedAnswer("a data object with an impossible tag")
            at += 1
            continue
        taken = _take_tag(data, at)
        if taken is None:
            raise MalformedAnswer("a data object with a broken tag")
        tag, at = taken
        length, at = _take_length(data, at)
        if at + length > len(data):
            raise MalformedAnswer("a data object longer than the answer")
        yield DataObject(tag, data[at : at + length])
        at += length


def find(data: bytes, *path: int) -> bytes | None:
    """The value found by following the tags of `path` inwards; None when one is absent.

    Parsing follows the structure, so that the same bytes inside another value never match. What
    comes after the object that is looked for is not looked at.

    Raises:
        MalformedAnswer: what comes before it, on a level on the way, is no BER-TLV.
    """
    value = data
    for wanted in path:
        for tag, content in _objects(value, skip_padding=True):
            if tag == wanted:
                value = content
                break
        else:
            return None
    return value


def walk(data: bytes) -> Iterator[DataObject]:
    """Every data object in `data` in the order of its bytes, a template before what is in it.

    The same tag may come any number of times, on any level. Only templates are looked into, so
    that the same bytes inside a plain value never count. 00 and FF padding is skipped.

    Raises:
        MalformedAnswer: at the place where a tag or length is broken, or templates nest deeper
            than any card needs.
    """
    levels = [_objects(data, skip_padding=True)]
    while levels:
        item = next(levels[-1], None)
        if item is None:
            levels.pop()
            continue
        yield item
        if item.constructed:
            if len(levels) == _MAXIMUM_DEPTH:
                raise MalformedAnswer("templates nest too deep")
            levels.append(_objects(item.value, skip_padding=True))


def tags_and_lengths(data: bytes) -> tuple[tuple[int, int], ...]:
    """A data object list (DOL, EMV Book 3 §5.4): tags, each with the length of a value that is
    wanted, 0..255 bytes.

    Raises:
        MalformedAnswer: a tag is broken or without its length.
    """
    wanted: list[tuple[int, int]] = []
    at = 0
    while at < len(data):
        taken = _take_tag(data, at)
        if taken is None or taken[1] >= len(data):
            raise MalformedAnswer("a broken list of wanted data objects")
        tag, at = taken
        wanted.append((tag, data[at]))
        at += 1
    return tuple(wanted)


def _tag_bytes(tag: int) -> bytes:
    if tag < 0:
        raise ValueError("a tag is no negative number")
    return tag.to_bytes(max(1, (tag.bit_length() + 7) // 8), "big")


def _take_tag(data: bytes, at: int) -> tuple[int, int] | None:
    """The tag that starts at `at` and the offset behind it; None when it is broken."""
    first, end = data[at], at + 1
    if first in _PADDING:
        return None
    if first & _MORE_TAG != _MORE_TAG:
        return first, end
    while True:
        if end >= len(data) or end - at >= _MAXIMUM_TAG_BYTES:
            return None
        end += 1
        if not data[end - 1] & 0x80:
            break
    return int.from_bytes(data[at:end], "big"), end


def _length_bytes(length: int) -> bytes:
    if length < 0x80:
        return bytes((length,))
    count = (length.bit_length() + 7) // 8
    if count > _MAXIMUM_LENGTH_BYTES:
        raise ValueError(f"a BER-TLV value of {length} bytes")
    return bytes((0x80 | count,)) + length.to_bytes(count, "big")


def _take_length(data: bytes, at: int) -> tuple[int, int]:
    """The length that starts at `at` and the offset behind it."""
    if at >= len(data):
        raise MalformedAnswer("a data object without length")
    first, at = data[at], at + 1
    if first < 0x80:
        return first, at
    count = first & 0x7F
    if not 1 <= count <= _MAXIMUM_LENGTH_BYTES or at + count > len(data):
        raise MalformedAnswer("a data object with a broken length")
    return int.from_bytes(data[at : at + count], "big"), at + count
