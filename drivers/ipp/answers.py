"""Answers of an IPP printer (RFC 8010 §3), read with suspicion.

pyipp has a reader too. It walks in circles for ever on a negative length (seen in 0.17.2), and
gives a whole answer up for one enum value or empty group that it does not know: printers send
both, about attributes that nobody asked for.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Union


@dataclass(frozen=True)
class Span:
    """A rangeOfInteger, both ends included."""

    low: int
    high: int


Value = Union[int, bool, str, bytes, Span, "Attributes"]
"""A collection is the attributes of its members."""
Attributes = Mapping[str, tuple[Value, ...]]
"""Values of one printer or job by attribute; those of other syntaxes are left out."""

NOT_FOUND = (0x0406, 0x0407)
"""Status codes client-error-not-found and client-error-gone (RFC 8011 appendix B)."""
NOT_POSSIBLE = 0x0404

_HEADER = struct.Struct(">BBHI")
_END_OF_ATTRIBUTES = 0x03
_JOB, _PRINTER = 0x02, 0x04
_FIRST_VALUE_TAG = 0x10
_INTEGER, _BOOLEAN, _ENUM, _OCTETS, _RANGE = 0x21, 0x22, 0x23, 0x30, 0x33
_WITH_LANGUAGE = (0x35, 0x36)
_TEXTS = range(0x41, 0x4A)
_COLLECTION, _END_OF_COLLECTION, _MEMBER_NAME = 0x34, 0x37, 0x4A
_DEEPEST = 8
"""Collections in collections; what lies deeper is left out."""


class ExchangeFailed(Exception):
    """A request has no readable answer: it may have been heard, or not."""


class NothingSent(ExchangeFailed):
    """The printer can't have heard the request: there was no connection."""


class HttpRefused(ExchangeFailed):
    """The printer's HTTP server refused the request (4xx): it was heard and not obeyed."""


@dataclass(frozen=True)
class IppAnswer:
    """What the printer says to one request.

    Attributes:
        status: status code, see RFC 8011 appendix B.
        request: the number of the request that it answers.
        printer: attributes of the printer, empty where there are none.
        jobs: attributes of each job.
    """

    status: int
    request: int
    printer: Attributes
    jobs: tuple[Attributes, ...]

    @property
    def ok(self) -> bool:
        """The printer did what was asked (RFC 8011 §B.1.2)."""
        return self.status <= 0x00FF


def read_answer(octets: bytes) -> IppAnswer:
    """Read a whole answer.

    Raises:
        ExchangeFailed: it isn't one, or isn't whole.
    """
    try:
        return _read(memoryview(octets))
    except (IndexError, struct.error) as error:
        raise ExchangeFailed("the answer ends before its end") from error


def number(attributes: Attributes, name: str) -> int | None:
    """An attribute's value where it is one integer or enum."""
    match attributes.get(name):
        case (int() as value,) if not isinstance(value, bool):
            return value
        case _:
            return None


def words(attributes: Attributes, name: str) -> tuple[str, ...]:
    """The values of an attribute that are texts: names, keywords, URIs."""
    return tuple(value for value in attributes.get(name, ()) if isinstance(value, str))


def members(attributes: Attributes, name: str) -> tuple[Attributes, ...]:
    """The values of an attribute that are collections."""
    return tuple(value for value in attributes.get(name, ()) if isinstance(value, Mapping))


def octet_strings(attributes: Attributes, name: str) -> tuple[str, ...]:
    """The values of an attribute that are octetStrings of text."""
    found = (value for value in attributes.get(name, ()) if isinstance(value, bytes))
    return tuple(value.decode("utf-8", "replace") for value in found)


class _Group:
    """Attributes as they are read: a name and values in turn, collections within each other."""

    def __init__(self) -> None:
        self.attributes: dict[str, list[Value]] = {}
        self._open: list[tuple[dict[str, list[Value]], str]] = []
        self._into, self._name = self.attributes, ""

    def take(self, tag: int, called: memoryview, content: memoryview) -> None:
        if not self._open:
            # A value without a name is one more of the last attribute.
            self._name = bytes(called).decode("utf-8", "replace") or self._name
        if tag == _COLLECTION:
            self._open.append((self._into, self._name))
            self._into, self._name = {}, ""
        elif tag == _END_OF_COLLECTION:
            self._close()
        elif tag == _MEMBER_NAME:
            if self._open:
                self._name = bytes(content).decode("utf-8", "replace")
        elif (value := _value(tag, content)) is not None:
            self._into.setdefault(self._name, []).append(value)

    def _close(self) -> None:
        if self._open:
            whole = _fixed(self._into)
            self._into, self._name = self._open.pop()
            if len(self._open) < _DEEPEST:
                self._into.setdefault(self._name, []).append(whole)


def _read(octets: memoryview) -> IppAnswer:
    major, _minor, status, request = _HEADER.unpack_from(octets)
    if major not in (1, 2):
        raise ExchangeFailed("the answer is not IPP")
    printer, group = _Group(), _Group()
    jobs: list[_Group] = []
    place = _HEADER.size
    while (tag := octets[place]) != _END_OF_ATTRIBUTES:
        place += 1
        if tag < _FIRST_VALUE_TAG:
            group = _Group()
            if tag == _PRINTER:
                printer = group
            elif tag == _JOB:
                jobs.append(group)
            continue
        called, place = _piece(octets, place)
        content, place = _piece(octets, place)
        group.take(tag, called, content)
    told = tuple(_fixed(job.attributes) for job in jobs if job.attributes)
    return IppAnswer(status, request, _fixed(printer.attributes), told)


def _fixed(group: Mapping[str, list[Value]]) -> Attributes:
    return {name: tuple(values) for name, values in group.items()}


def _piece(octets: memoryview, place: int) -> tuple[memoryview, int]:
    """The octets behind their two-octet length, and the place after them."""
    (length,) = struct.unpack_from(">H", octets, place)
    end = place + 2 + length
    if end > len(octets):
        raise ExchangeFailed("the answer ends before its end")
    return octets[place + 2 : end], end


def _value(tag: int, content: memoryview) -> Value | None:
    """A value of the syntaxes that we ask for, None for others and out-of-band ones."""
    if tag in (_INTEGER, _ENUM):
        return int(struct.unpack(">i", content)[0])
    if tag == _BOOLEAN:
        return bool(struct.unpack(">?", content)[0])
    if tag == _OCTETS:
        return bytes(content)
    if tag == _RANGE:
        return Span(*struct.unpack(">ii", content))
    if tag in _WITH_LANGUAGE:
        _language, place = _piece(content, 0)
        content, _ = _piece(content, place)
    elif tag not in _TEXTS:
        return None
    return bytes(content).decode("utf-8", "replace")
