"""The words of the wire: names from the national data dictionary, and strict reading of JSON.

Field names of the dictionary appear here and nowhere else (docs/platform.md; domain facts
§11.2); the rest of the house uses the readable names on the left.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from enum import Enum
from typing import Final, NoReturn, TypeVar

from kiosk.platform.errors import PlatformAnswerMalformed

PERSON_NUMBER: Final = "aac002"
"""社会保障号码."""
PERSON_NAME: Final = "aac003"
"""姓名."""
DIVISION: Final = "aab301"
"""行政区划代码, six digits."""
CARD_ID: Final = "aaz501"
"""卡识别码, 32 hex digits."""
CARD_NUMBER: Final = "aaz500"
"""卡号."""

MONEY_LIMIT: Final = 10**13
"""No amount in fen reaches this (100 thousand million yuan)."""

E = TypeVar("E", bound=Enum)
T = TypeVar("T")

_TEXT_LIMIT = 200
_HALVES = re.compile("[\ud800-\udfff]")
"""Surrogates, for which UTF-8 has no bytes."""
_CONTROL = re.compile("[\x00-\x1f\x7f]")


def encode(document: dict[str, object]) -> bytes:
    """A JSON object in UTF-8, the same bytes in whatever order its parts were put together.

    A request repeated from a queue must not count as another one under its Idempotency-Key.

    Raises:
        ValueError: a number or half a character that neither JSON nor UTF-8 can carry.
    """
    text = json.dumps(
        document, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True
    )
    # Not left to encode(): its exception holds the whole text.
    if _HALVES.search(text):
        raise ValueError("a text has half a character")
    return text.encode()


def decode(body: bytes) -> dict[str, object]:
    """Read one JSON object; duplicate names, NaN and fractions are refused.

    Raises:
        PlatformAnswerMalformed
    """
    try:
        document = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_constant=_refuse_number,
            parse_float=_refuse_number,
        )
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise PlatformAnswerMalformed("body", "is no JSON object of the contract")
    return document


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a name stands twice")
    return document


def _refuse_number(_text: str) -> NoReturn:
    raise ValueError("no such number in the contract")


class Fields:
    """Reads each field of one JSON object once; `done` refuses what is left over.

    Every method raises PlatformAnswerMalformed, which names the field and never shows its content.
    """

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise PlatformAnswerMalformed(where, "is no object")
        self._left: dict[str, object] = dict(value)
        self._where = where

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def text(self, name: str, *, limit: int = _TEXT_LIMIT, empty: bool = False) -> str:
        """A string of at most `limit` characters without control characters."""
        value = self._take(name)
        if not isinstance(value, str):
            self._refuse(name, "is no text")
        if len(value) > limit or not (value or empty):
            self._refuse(name, f"is not of a length up to {limit} characters")
        if _CONTROL.search(value) or _HALVES.search(value):
            self._refuse(name, "has control characters")
        return value

    def visible(self, name: str, *, limit: int) -> str:
        """1..limit visible ASCII characters."""
        value = self.text(name, limit=limit)
        if not (value.isascii() and " " not in value):
            self._refuse(name, "is not visible ASCII")
        return value

    def drop_text(self, name: str) -> None:
        """A string of any content that nobody here reads."""
        if not isinstance(self._take(name), str):
            self._refuse(name, "is no text")

    def integer(self, name: str, *, limit: int) -> int:
        """A whole number, 0..limit."""
        value = self._take(name)
        if type(value) is not int or not 0 <= value <= limit:
            self._refuse(name, "is no whole number within its range")
        return value

    def fen(self, name: str) -> int:
        """An amount in 1/100 yuan (分)."""
        return self.integer(name, limit=MONEY_LIMIT)

    def flag(self, name: str) -> bool:
        """true or false."""
        value = self._take(name)
        if not isinstance(value, bool):
            self._refuse(name, "is neither true nor false")
        return value

    def word(self, name: str, vocabulary: type[E]) -> E:
        """One word of an enum's values."""
        value = self._take(name)
        known = {member.value: member for member in vocabulary}
        if not isinstance(value, str) or value not in known:
            self._refuse(name, f"is no word of {vocabulary.__name__}")
        return known[value]

    def hexadecimal(self, name: str, length: int) -> bytes:
        """Exactly `length` bytes as hex digits."""
        value = self._take(name)
        if not isinstance(value, str) or len(value) != 2 * length:
            self._refuse(name, f"is not {2 * length} hex digits")
        try:
            octets = bytes.fromhex(value)
        except ValueError:
            octets = b""
        if len(octets) != length:
            self._refuse(name, f"is not {2 * length} hex digits")
        return octets

    def utf8(self, name: str, *, limit: int) -> bytes:
        """A text without control characters as at most `limit` bytes of UTF-8."""
        octets = self.text(name, limit=limit).encode()
        if len(octets) > limit:
            self._refuse(name, f"is longer than {limit} bytes")
        return octets

    def base64(self, name: str, *, limit: int) -> bytes:
        """1..limit bytes in the one form that base64 has for them, padding included."""
        value = self._take(name)
        if not isinstance(value, str):
            self._refuse(name, "is no text")
        if not 0 < len(value) <= 4 * (limit // 3 + 1):
            self._refuse(name, f"is not of a length up to {limit} bytes")
        try:
            octets = base64.b64decode(value)
        except ValueError:
            octets = b""
        # What the decoder skips or forgives (line ends, unused bits) shows when written again.
        if base64.b64encode(octets).decode() != value:
            self._refuse(name, "is no base64")
        if len(octets) > limit:
            self._refuse(name, f"is not of a length up to {limit} bytes")
        return octets

    def day(self, name: str) -> date:
        """A date ``YYYY-MM-DD``."""
        return self.parsed(name, _day, "date YYYY-MM-DD")

    def null(self, name: str) -> bool:
        """Whether the field is null; only then is it consumed."""
        if name in self._left and self._left[name] is None:
            del self._left[name]
            return True
        return False

    def parsed(self, name: str, parse: Callable[[str], T], what: str) -> T:
        """A string that `parse` understands; its ValueError becomes ours."""
        text = self.text(name)
        try:
            result = parse(text)
        except ValueError:
            result = None
        if result is None:
            self._refuse(name, f"is no {what}")
        return result

    def nested(self, name: str) -> Fields:
        """A nested object."""
        return Fields(self._take(name), self._path(name))

    def foreign(self, name: str) -> dict[str, object]:
        """A nested object whose fields belong to another contract."""
        value = self._take(name)
        if not isinstance(value, dict):
            self._refuse(name, "is no object")
        return value

    def objects(self, name: str, *, most: int) -> Iterator[Fields]:
        """A list of at most `most` objects."""
        value = self._take(name)
        if not isinstance(value, list):
            self._refuse(name, "is no list")
        if len(value) > most:
            self._refuse(name, f"is no list of at most {most}")
        return (Fields(item, f"{self._path(name)}[{i}]") for i, item in enumerate(value))

    def done(self) -> None:
        """Refuse fields that the contract does not name (their names are not told)."""
        if self._left:
            raise PlatformAnswerMalformed(self._where, "has a field that the contract lacks")

    def _take(self, name: str) -> object:
        if name not in self._left:
            self._refuse(name, "is missing")
        return self._left.pop(name)

    def _path(self, name: str) -> str:
        return name if self._where == "body" else f"{self._where}.{name}"

    def _refuse(self, name: str, what: str) -> NoReturn:
        raise PlatformAnswerMalformed(self._path(name), what)


def _day(text: str) -> date:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError("not YYYY-MM-DD")
    return date.fromisoformat(text)
