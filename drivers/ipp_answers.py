"""Answers of an IPP printer (RFC 8010 §3), read with suspicion.

pyipp has a reader too. It walks in circles for ever on a negative length (seen in 0.17.2), and
gives a whole answer up for one enum value or empty group that it does not know: printers send
both, about attributes that nobody asked for.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

Attributes = Mapping[str, tuple[int | bool | str, ...]]
"""Values of one printer or job by attribute; those of other syntaxes, and collections, are left
out."""

NOT_FOUND = (0x0406, 0x0407)
"""Status codes client-error-not-found and client-error-gone (RFC 8011 appendix B)."""
NOT_POSSIBLE = 0x0404

_HEADER = struct.Struct(">BBHI")
_END_OF_ATTRIBUTES = 0x03
_JOB, _PRINTER = 0x02, 0x04
_FIRST_VALUE_TAG = 0x10
_INTEGER, _BOOLEAN, _ENUM = 0x21, 0x22, 0x23
_WITH_LANGUAGE = (0x35, 0x36)
_TEXTS = range(0x41, 0x4A)
_COLLECTION, _END_OF_COLLECTION = 0x34, 0x37


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


def _read(octets: memoryview) -> IppAnswer:
    major, _minor, status, request = _HEADER.unpack_from(octets)
    if major not in (1, 2):
        raise ExchangeFailed("the answer is not IPP")
    printer: dict[str, list[int | bool | str]] = {}
    jobs: list[dict[str, list[int | bool | str]]] = []
    group: dict[str, list[int | bool | str]] = {}
    name, depth = "", 0
    place = _HEADER.size
    while (tag := octets[place]) != _END_OF_ATTRIBUTES:
        place += 1
        if tag < _FIRST_VALUE_TAG:
            group, name, depth = {}, "", 0
            if tag == _PRINTER:
                printer = group
            elif tag == _JOB:
                jobs.append(group)
            continue
        called, place = _piece(octets, place)
        content, place = _piece(octets, place)
        if tag == _END_OF_COLLECTION:
            depth -= 1
        elif tag == _COLLECTION:
            depth += 1
        elif depth <= 0:
            # A value without a name is one more of the last attribute.
            name = bytes(called).decode("utf-8", "replace") or name
            value = _value(tag, content)
            if value is not None:
                group.setdefault(name, []).append(value)
    return IppAnswer(status, request, _fixed(printer), tuple(_fixed(job) for job in jobs if job))


def _fixed(group: dict[str, list[int | bool | str]]) -> Attributes:
    return {name: tuple(values) for name, values in group.items()}


def _piece(octets: memoryview, place: int) -> tuple[memoryview, int]:
    """The octets behind their two-octet length, and the place after them."""
    (length,) = struct.unpack_from(">H", octets, place)
    end = place + 2 + length
    if end > len(octets):
        raise ExchangeFailed("the answer ends before its end")
    return octets[place + 2 : end], end


def _value(tag: int, content: memoryview) -> int | bool | str | None:
    """A value of the syntaxes that we ask for, None for others and out-of-band ones."""
    if tag in (_INTEGER, _ENUM):
        return int(struct.unpack(">i", content)[0])
    if tag == _BOOLEAN:
        return bool(struct.unpack(">?", content)[0])
    if tag in _WITH_LANGUAGE:
        _language, place = _piece(content, 0)
        content, _ = _piece(content, place)
    elif tag not in _TEXTS:
        return None
    return bytes(content).decode("utf-8", "replace")
