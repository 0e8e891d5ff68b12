"""Requests to the document printer: what they must hold, and how one is refused (RFC 8011 §4.1).

A request that no correct client sends is *illegal*: it is answered as the standard says, and
recorded, so that a test can fail on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any
from urllib.parse import urlsplit

from hw_sim.printer.facts import facts, supports
from hw_sim.printer.ipp import Attributes, GroupTag, Message, Tag, Value, Values


class Operation(IntEnum):
    """``operation-id``."""

    PRINT_JOB = 0x0002
    VALIDATE_JOB = 0x0004
    CREATE_JOB = 0x0005
    SEND_DOCUMENT = 0x0006
    CANCEL_JOB = 0x0008
    GET_JOB_ATTRIBUTES = 0x0009
    GET_JOBS = 0x000A
    GET_PRINTER_ATTRIBUTES = 0x000B


class Status(IntEnum):
    """``status-code`` (RFC 8011 Appendix B)."""

    OK = 0x0000
    OK_SUBSTITUTED = 0x0001
    BAD_REQUEST = 0x0400
    NOT_POSSIBLE = 0x0404
    NOT_FOUND = 0x0406
    VALUE_TOO_LONG = 0x0409
    FORMAT_NOT_SUPPORTED = 0x040A
    ATTRIBUTES_NOT_SUPPORTED = 0x040B
    CHARSET_NOT_SUPPORTED = 0x040D
    COMPRESSION_NOT_SUPPORTED = 0x040F
    DOCUMENT_FORMAT_ERROR = 0x0411
    OPERATION_NOT_SUPPORTED = 0x0501
    VERSION_NOT_SUPPORTED = 0x0503
    NOT_ACCEPTING = 0x0506
    BUSY = 0x0507
    ONE_DOCUMENT_ONLY = 0x0509


_ILLEGAL = {
    Status.BAD_REQUEST,
    Status.VALUE_TOO_LONG,
    Status.CHARSET_NOT_SUPPORTED,
    Status.OPERATION_NOT_SUPPORTED,
    Status.VERSION_NOT_SUPPORTED,
    Status.ONE_DOCUMENT_ONLY,
}

_OF_JOBS = {Operation.SEND_DOCUMENT, Operation.CANCEL_JOB, Operation.GET_JOB_ATTRIBUTES}
_WITH_DOCUMENT = {Operation.PRINT_JOB, Operation.SEND_DOCUMENT}
_NAMES = (Tag.NAME, Tag.NAME_WITH_LANGUAGE)
_TARGET: dict[str, tuple[Tag, ...]] = {
    "attributes-charset": (Tag.CHARSET,),
    "attributes-natural-language": (Tag.LANGUAGE,),
    "printer-uri": (Tag.URI,),
    "requesting-user-name": _NAMES,
}
_JOB_CREATION: dict[str, tuple[Tag, ...]] = {
    "job-name": _NAMES,
    "ipp-attribute-fidelity": (Tag.BOOLEAN,),
}
_DOCUMENT: dict[str, tuple[Tag, ...]] = {
    "document-name": _NAMES,
    "document-format": (Tag.MIME_TYPE,),
    "compression": (Tag.KEYWORD,),
}
_ONE_JOB: dict[str, tuple[Tag, ...]] = {"job-uri": (Tag.URI,), "job-id": (Tag.INTEGER,)}
_KNOWN: dict[Operation, dict[str, tuple[Tag, ...]]] = {
    Operation.PRINT_JOB: _TARGET | _JOB_CREATION | _DOCUMENT,
    Operation.VALIDATE_JOB: _TARGET | _JOB_CREATION | _DOCUMENT,
    Operation.CREATE_JOB: _TARGET | _JOB_CREATION,
    Operation.SEND_DOCUMENT: _TARGET | _ONE_JOB | _DOCUMENT | {"last-document": (Tag.BOOLEAN,)},
    Operation.CANCEL_JOB: _TARGET | _ONE_JOB | {"message": (Tag.TEXT, Tag.TEXT_WITH_LANGUAGE)},
    Operation.GET_JOB_ATTRIBUTES: _TARGET | _ONE_JOB | {"requested-attributes": (Tag.KEYWORD,)},
    Operation.GET_JOBS: _TARGET
    | {
        "limit": (Tag.INTEGER,),
        "which-jobs": (Tag.KEYWORD,),
        "my-jobs": (Tag.BOOLEAN,),
        "requested-attributes": (Tag.KEYWORD,),
    },
    Operation.GET_PRINTER_ATTRIBUTES: _TARGET
    | {"requested-attributes": (Tag.KEYWORD,), "document-format": (Tag.MIME_TYPE,)},
}
"""Operation attributes that each operation knows, with their syntaxes (RFC 8011 §4.2, §4.3)."""


class Refusal(Exception):
    """The request gets this status; its text becomes the ``status-message``."""

    def __init__(self, status: Status, words: str, unsupported: Attributes | None = None) -> None:
        super().__init__(words)
        self.status = status
        self.unsupported: Attributes = unsupported or {}

    @property
    def illegal(self) -> bool:
        """True when no correct client sends such a request."""
        return self.status in _ILLEGAL


@dataclass(frozen=True)
class Request:
    """A request that was checked.

    Attributes:
        job: ``job-id`` of what it is about, None of the printer itself.
        wishes: job template attributes that the printer supports.
        unsupported: attributes that are ignored.
    """

    operation: Operation
    attributes: Attributes
    job: int | None
    wishes: Attributes
    unsupported: Attributes
    data: bytes

    def one(self, name: str, default: Any = None) -> Any:
        """The only value of an operation attribute; a text without its language."""
        if name not in self.attributes:
            return default
        value = self.attributes[name][0]
        return value.content[1] if value.tag in _WITH_LANGUAGE else value.content

    def requested(self, *default: str) -> tuple[str, ...]:
        """``requested-attributes``."""
        given = self.attributes.get("requested-attributes", ())
        return tuple(value.content for value in given) or default


_WITH_LANGUAGE = (Tag.NAME_WITH_LANGUAGE, Tag.TEXT_WITH_LANGUAGE)


def checked(message: Message) -> Request:
    """Check what every request must hold.

    Raises:
        Refusal: it does not.
    """
    if message.version not in ((1, 0), (1, 1), (2, 0)):
        raise Refusal(Status.VERSION_NOT_SUPPORTED, "versions 1.1 and 2.0 are supported")
    try:
        operation = Operation(message.code)
    except ValueError:
        words = f"operation {message.code:#06x} is not supported"
        raise Refusal(Status.OPERATION_NOT_SUPPORTED, words) from None
    if not 1 <= message.request_id <= 0x7FFFFFFF:
        raise _bad("request-id must be 1 or more")
    given = _operation_group(message)
    _check_charset(given)
    unsupported: dict[str, Values] = {}
    for name, found in given.items():
        syntaxes = _KNOWN[operation].get(name)
        if syntaxes is None:
            unsupported[name] = (Value(Tag.UNSUPPORTED, None),)
        elif any(value.tag not in syntaxes for value in found):
            raise _bad(f"{name} has a wrong syntax")
        elif len(found) > 1 and name != "requested-attributes":
            raise _bad(f"{name} has several values")
    job = _target(operation, given)
    if message.data and operation not in _WITH_DOCUMENT:
        raise _bad("data behind a request that takes no document")
    template = message.groups[1].attributes if len(message.groups) > 1 else {}
    wishes = {name: found for name, found in template.items() if supports(name, found)}
    for name, found in template.items():
        if name not in wishes:
            known = name in facts()["job-template"]
            unsupported[name] = found if known else (Value(Tag.UNSUPPORTED, None),)
    return Request(operation, given, job, wishes, unsupported, message.data)


def _bad(words: str) -> Refusal:
    return Refusal(Status.BAD_REQUEST, words)


def _operation_group(message: Message) -> Attributes:
    tags = [group.tag for group in message.groups]
    if tags not in ([GroupTag.OPERATION], [GroupTag.OPERATION, GroupTag.JOB]):
        raise _bad("the groups must be operation attributes, then at most job attributes")
    return message.groups[0].attributes


def _check_charset(given: Attributes) -> None:
    if list(given)[:2] != ["attributes-charset", "attributes-natural-language"]:
        raise _bad("attributes-charset and attributes-natural-language must come first")
    charset = given["attributes-charset"][0]
    if str(charset.content).lower() not in ("utf-8", "us-ascii"):
        raise Refusal(
            Status.CHARSET_NOT_SUPPORTED, "utf-8 is supported", {"attributes-charset": (charset,)}
        )


def _target(operation: Operation, given: Attributes) -> int | None:
    if operation not in _OF_JOBS:
        _check_path(given, "printer-uri")
        return None
    if "job-uri" in given:
        path = urlsplit(given["job-uri"][0].content).path
        begin, _, digits = path.rpartition("/")
        if begin != facts()["path"] or not digits.isdecimal():
            raise Refusal(Status.NOT_FOUND, "there is no such job")
        return int(digits)
    _check_path(given, "printer-uri")
    if "job-id" not in given:
        raise _bad("neither job-uri nor job-id")
    return int(given["job-id"][0].content)


def _check_path(given: Attributes, name: str) -> None:
    if name not in given:
        raise _bad(f"{name} is missing")
    if urlsplit(given[name][0].content).path != facts()["path"]:
        raise Refusal(Status.NOT_FOUND, "there is no such printer")


def check_document_attributes(request: Request) -> None:
    """Check format and compression of a document.

    Raises:
        Refusal: the printer can't take it so.
    """
    for name, status in (
        ("compression", Status.COMPRESSION_NOT_SUPPORTED),
        ("document-format", Status.FORMAT_NOT_SUPPORTED),
    ):
        given: Values = request.attributes.get(name, ())
        known = facts()["printer-description"][f"{name}-supported"]
        allowed = [each for contents in known.values() for each in contents]
        if given and given[0].content not in allowed:
            raise Refusal(status, f"{name} is not supported", {name: given})


def check_fidelity(request: Request) -> None:
    """Check that all wishes can be met, where the client insists.

    Raises:
        Refusal: they can't.
    """
    if request.unsupported and request.one("ipp-attribute-fidelity", False):
        raise Refusal(
            Status.ATTRIBUTES_NOT_SUPPORTED, "not everything is supported", request.unsupported
        )
