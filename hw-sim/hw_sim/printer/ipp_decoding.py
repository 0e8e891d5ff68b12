"""From the bytes of an IPP message to values (RFC 8010 §3); strict."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hw_sim.printer.ipp import Attributes, Group, GroupTag, Message, Tag, Value, Values


class Malformed(ValueError):
    """Bytes that are no message, or break a rule of its syntax; the text says which.

    Attributes:
        request_id: of the message, 0 where it can't be read.
    """

    request_id = 0


class ValueTooLong(Malformed):
    """A value longer than its syntax allows (RFC 8011 §5.1)."""


def decode(received: bytes) -> Message:
    """Read a message.

    Raises:
        ValueTooLong: a value is longer than its syntax allows.
        Malformed: any other break of the syntax.
    """
    if len(received) < 8:
        raise Malformed("shorter than its fixed part")
    major, minor, code, request_id = struct.unpack_from(">BBHI", received)
    try:
        groups, end = _Reader(received).groups()
    except Malformed as error:
        error.request_id = request_id
        raise
    return Message((major, minor), code, request_id, groups, received[end:])


class _Reader:
    def __init__(self, received: bytes) -> None:
        self._received = received
        self._at = 8

    def groups(self) -> tuple[tuple[Group, ...], int]:
        found: list[Group] = []
        while (tag := self._byte()) != GroupTag.END:
            try:
                delimiter = GroupTag(tag)
            except ValueError:
                raise Malformed(f"tag {tag:#04x} where a group begins") from None
            found.append(Group(delimiter, self._attributes()))
        return tuple(found), self._at

    def _attributes(self) -> Attributes:
        found: dict[str, Values] = {}
        while self._peek() > max(GroupTag):
            tag, name = self._tag(), self._name()
            if not name:
                raise Malformed("a further value without a first one")
            if name in found:
                raise Malformed(f"{name} twice in one group")
            found[name] = (self._value(tag), *self._further())
        return found

    def _further(self) -> Iterator[Value]:
        # A further value of the same attribute has an empty name (RFC 8010 §3.1.5).
        while self._peek() > max(GroupTag) and self._received[self._at + 1 : self._at + 3] == bytes(
            2
        ):
            if self._peek() in (Tag.MEMBER_NAME, Tag.END_COLLECTION):
                return
            tag, _ = self._tag(), self._name()
            yield self._value(tag)

    def _value(self, tag: Tag) -> Value:
        body = self._sized("value")
        if tag is Tag.COLLECTION:
            if body:
                raise Malformed("a collection begins with a value")
            return Value(tag, self._members())
        if tag in (Tag.MEMBER_NAME, Tag.END_COLLECTION):
            raise Malformed(f"{tag.name} outside of a collection")
        return Value(tag, _content(tag, body))

    def _members(self) -> Attributes:
        found: dict[str, Values] = {}
        while True:
            tag, name = self._tag(), self._name()
            if name:
                raise Malformed("a collection has no end")
            body = self._sized("member name")
            if tag is Tag.END_COLLECTION:
                return found
            if tag is not Tag.MEMBER_NAME or not body:
                raise Malformed("a member without a name")
            values = tuple(self._further())
            if not values:
                raise Malformed("a member without a value")
            found[_ascii(body)] = values

    def _tag(self) -> Tag:
        byte = self._byte()
        try:
            return Tag(byte)
        except ValueError:
            raise Malformed(f"value tag {byte:#04x}") from None

    def _name(self) -> str:
        return _ascii(self._sized("name"))

    def _peek(self) -> int:
        if self._at >= len(self._received):
            raise Malformed("no end of the attributes")
        return self._received[self._at]

    def _byte(self) -> int:
        found = self._peek()
        self._at += 1
        return found

    def _sized(self, what: str) -> bytes:
        size = int.from_bytes(self._received[self._at : self._at + 2], "big")
        begin, end = self._at + 2, self._at + 2 + size
        if size > 0x7FFF or end > len(self._received):
            raise Malformed(f"a {what} is longer than the message")
        self._at = end
        return self._received[begin:end]


def _ascii(body: bytes) -> str:
    try:
        return body.decode("ascii")
    except UnicodeDecodeError:
        raise Malformed("a name is not ASCII") from None


_LONGEST: Mapping[Tag, int] = {
    Tag.TEXT: 1023, Tag.NAME: 255, Tag.KEYWORD: 255, Tag.URI: 1023, Tag.URI_SCHEME: 63,
    Tag.CHARSET: 63, Tag.LANGUAGE: 63, Tag.MIME_TYPE: 255, Tag.OCTETS: 1023,
    Tag.TEXT_WITH_LANGUAGE: 1023 + 63 + 4, Tag.NAME_WITH_LANGUAGE: 255 + 63 + 4,
}  # fmt: skip
"""Octets by syntax (RFC 8011 §5.1)."""


def _content(tag: Tag, body: bytes) -> Any:
    if len(body) > _LONGEST.get(tag, 0x7FFF):
        raise ValueTooLong(f"a {tag.name} of {len(body)} bytes")
    try:
        match tag:
            case Tag.BOOLEAN:
                if body not in (b"\x00", b"\x01"):
                    raise Malformed("a boolean that is neither 0 nor 1")
                return body == b"\x01"
            case Tag.TEXT_WITH_LANGUAGE | Tag.NAME_WITH_LANGUAGE:
                return _with_language(body)
            case Tag.DATE_TIME if len(body) != 11:
                raise Malformed("a dateTime has 11 bytes")
            case Tag.OCTETS | Tag.DATE_TIME:
                return body
            case _ if tag in _NUMBERS:
                return _NUMBERS[tag](body)
            case Tag.UNSUPPORTED | Tag.UNKNOWN | Tag.NO_VALUE:
                return None
            case Tag.TEXT | Tag.NAME:
                return body.decode()
            case _:
                return body.decode("ascii")
    except struct.error:
        raise Malformed(f"a {tag.name} of {len(body)} bytes") from None
    except UnicodeDecodeError:
        raise Malformed(f"a {tag.name} that is no text") from None


_NUMBERS: Mapping[Tag, Callable[[bytes], Any]] = {
    Tag.INTEGER: lambda body: struct.unpack(">i", body)[0],
    Tag.ENUM: lambda body: struct.unpack(">i", body)[0],
    Tag.RANGE: lambda body: struct.unpack(">ii", body),
    Tag.RESOLUTION: lambda body: struct.unpack(">iib", body),
}


def _with_language(body: bytes) -> tuple[str, str]:
    size = int.from_bytes(body[:2], "big")
    language, rest = body[2 : 2 + size], body[2 + size :]
    if int.from_bytes(rest[:2], "big") != len(rest) - 2:
        raise Malformed("lengths inside a value with language")
    return language.decode("ascii"), rest[2:].decode()
