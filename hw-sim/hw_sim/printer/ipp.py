"""Messages of the Internet Printing Protocol: bytes to values and back (RFC 8010 §3).

It knows no operation and no attribute by name; that is `hw_sim.printer.operations`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any


class GroupTag(IntEnum):
    """Delimiter tags (RFC 8010 §3.5.1)."""

    OPERATION = 0x01
    JOB = 0x02
    END = 0x03
    PRINTER = 0x04
    UNSUPPORTED = 0x05


class Tag(IntEnum):
    """Value tags (RFC 8010 §3.5.2)."""

    UNSUPPORTED = 0x10
    UNKNOWN = 0x12
    NO_VALUE = 0x13
    INTEGER = 0x21
    BOOLEAN = 0x22
    ENUM = 0x23
    OCTETS = 0x30
    DATE_TIME = 0x31
    RESOLUTION = 0x32
    RANGE = 0x33
    COLLECTION = 0x34
    TEXT_WITH_LANGUAGE = 0x35
    NAME_WITH_LANGUAGE = 0x36
    END_COLLECTION = 0x37
    TEXT = 0x41
    NAME = 0x42
    KEYWORD = 0x44
    URI = 0x45
    URI_SCHEME = 0x46
    CHARSET = 0x47
    LANGUAGE = 0x48
    MIME_TYPE = 0x49
    MEMBER_NAME = 0x4A


@dataclass(frozen=True)
class Value:
    """One value with its syntax.

    Attributes:
        content: int for INTEGER and ENUM, bool, str for the texts, bytes for OCTETS and
            DATE_TIME, ``(low, high)`` for RANGE, ``(x, y, units)`` for RESOLUTION,
            ``(language, text)`` with a language, a mapping of member name to values for
            COLLECTION, None out of band.
    """

    tag: Tag
    content: Any


Values = tuple[Value, ...]
Attributes = Mapping[str, Values]


@dataclass(frozen=True)
class Group:
    """One group of attributes, in the order of the wire."""

    tag: GroupTag
    attributes: Attributes


@dataclass(frozen=True)
class Message:
    """A request or a response.

    Attributes:
        code: operation-id of a request, status-code of a response.
        data: document behind the attributes.
    """

    version: tuple[int, int]
    code: int
    request_id: int
    groups: tuple[Group, ...]
    data: bytes = b""


def encode(message: Message) -> bytes:
    """The bytes of a message."""
    out = [struct.pack(">BBHI", *message.version, message.code, message.request_id)]
    for group in message.groups:
        out.append(bytes([group.tag]))
        for name, values in group.attributes.items():
            out += _encoded_attribute(name, values)
    return b"".join(out) + bytes([GroupTag.END]) + message.data


def _encoded_attribute(name: str, values: Iterable[Value]) -> Iterator[bytes]:
    for value in values:
        yield _field(value.tag, name, _body(value))
        name = ""
        if value.tag is Tag.COLLECTION:
            for member, inner in value.content.items():
                yield _field(Tag.MEMBER_NAME, "", member.encode("ascii"))
                yield from _encoded_attribute("", inner)
            yield _field(Tag.END_COLLECTION, "", b"")


def _field(tag: Tag, name: str, body: bytes) -> bytes:
    spelt = name.encode("ascii")
    return struct.pack(">BH", tag, len(spelt)) + spelt + struct.pack(">H", len(body)) + body


def _body(value: Value) -> bytes:
    content = value.content
    match value.tag:
        case Tag.INTEGER | Tag.ENUM:
            return struct.pack(">i", content)
        case Tag.BOOLEAN:
            return struct.pack(">?", content)
        case Tag.RANGE:
            return struct.pack(">ii", *content)
        case Tag.RESOLUTION:
            return struct.pack(">iib", *content)
        case Tag.TEXT_WITH_LANGUAGE | Tag.NAME_WITH_LANGUAGE:
            parts = [part.encode() for part in content]
            return b"".join(struct.pack(">H", len(part)) + part for part in parts)
        case Tag.OCTETS | Tag.DATE_TIME:
            return bytes(content)
        case Tag.UNSUPPORTED | Tag.UNKNOWN | Tag.NO_VALUE | Tag.COLLECTION | Tag.END_COLLECTION:
            return b""
        case _:
            return str(content).encode()
