"""The texts by which callers name files and items (pFileAddr) and give their values (pWriteData).

``SSSEEF05|05|06|$DF01EF15|40:01|$DF02EF07:01$SSSEEF08|$``: files end in ``$``, tags in ``|``; a
number behind a tag says which of the records of that tag, behind a cyclic file which record.
Values are written in the same places: ``SSSEEF05|20240229|20340228|$``. An empty one is legal; the
parts of a nested one are joined by ``^`` (mark A; how a cyclic record's value is written, and that
a value may hold none of the separators, mark I).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from apdu.ministry.error_numbers import Number, Refusal

MOST = 32768
"""Characters of one parameter: more than a photo in hexadecimal, the longest value, and all the
others together."""
PARTS = "^"
_FILE_END, _END, _WHICH = "$", "|", ":"
_FILE = re.compile(r"[0-9A-Z]{2,4}EF[0-9A-F]{2}")
_FORBIDDEN = frozenset("|$\0")


class ItemAddress(NamedTuple):
    """An item: its tag, and which of the records of that tag, from 1."""

    tag: int
    occurrence: int = 1


class FileAddress(NamedTuple):
    """A file and what is wanted of it.

    Attributes:
        file: as the caller names it, such as ``SSSEEF05``.
        record: of a cyclic file, from 1; None for other files.
        items: empty for a record of a cyclic file and for the whole of a transparent one.
    """

    file: str
    record: int | None = None
    items: tuple[ItemAddress, ...] = ()


class FileValues(NamedTuple):
    """Values for the places of one `FileAddress`, in their order."""

    file: str
    record: int | None = None
    values: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"FileValues({self.file}, {len(self.values)} values)"


def parse_addresses(text: str) -> tuple[FileAddress, ...]:
    """Read pFileAddr strictly.

    Raises:
        Refusal: ILLEGAL_CHARACTERS; LENGTH for a tag or a number that has not two characters, or
            a text that is too long; BAD_PARAMETER for everything else that is no address.
    """
    check_length(text)
    if any(character not in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ|$:" for character in text):
        raise Refusal(Number.ILLEGAL_CHARACTERS)
    return tuple(_address(*_file(group)) for group in _groups(text))


def format_addresses(addresses: Iterable[FileAddress]) -> str:
    """The text that `parse_addresses` reads."""
    return "".join(
        _group(
            address.file,
            address.record,
            (
                f"{item.tag:02X}" + (f"{_WHICH}{item.occurrence:02}" if item.occurrence > 1 else "")
                for item in address.items
            ),
        )
        for address in addresses
    )


def parse_values(text: str) -> tuple[FileValues, ...]:
    """Read pWriteData strictly. Raises as `parse_addresses`; values hold any characters but the
    separators."""
    check_length(text)
    if "\0" in text:
        raise Refusal(Number.ILLEGAL_CHARACTERS)
    return tuple(FileValues(*_file(group)) for group in _groups(text))


def format_values(files: Iterable[FileValues]) -> str:
    """The text that `parse_values` reads.

    Raises:
        Refusal: ILLEGAL_CHARACTERS: a value holds a separator. A card could move the values
            behind it to other places.
    """
    parts = []
    for file in files:
        for value in file.values:
            check_value(value)
        parts.append(_group(file.file, file.record, file.values))
    return "".join(parts)


def check_value(value: str) -> str:
    """`value`, when it may stand between separators. Raises as `format_values`."""
    if not _FORBIDDEN.isdisjoint(value):
        raise Refusal(Number.ILLEGAL_CHARACTERS)
    return value


def check_length(text: str) -> None:
    """Raises Refusal: LENGTH: no parameter is so long."""
    if len(text) > MOST:
        raise Refusal(Number.LENGTH)


def _groups(text: str) -> list[str]:
    *groups, rest = text.split(_FILE_END)
    if rest or not groups:
        raise Refusal(Number.BAD_PARAMETER)
    return groups


def _file(group: str) -> tuple[str, int | None, tuple[str, ...]]:
    """Name, record number and what stands behind."""
    head, *rest = group.split(_END)
    name, which, number = head.partition(_WHICH)
    if not _FILE.fullmatch(name):
        raise Refusal(Number.BAD_PARAMETER)
    # Each value ends in its separator, so the last piece is empty.
    if rest and rest.pop():
        raise Refusal(Number.BAD_PARAMETER)
    return name, _number(number) if which else None, tuple(rest)


def _address(name: str, record: int | None, tags: tuple[str, ...]) -> FileAddress:
    return FileAddress(name, record, tuple(_item(tag) for tag in tags))


def _item(text: str) -> ItemAddress:
    tag, which, number = text.partition(_WHICH)
    if len(tag) != 2:
        raise Refusal(Number.LENGTH)
    if any(character not in "0123456789ABCDEF" for character in tag):
        raise Refusal(Number.BAD_PARAMETER)
    return ItemAddress(int(tag, 16), _number(number) if which else 1)


def _number(text: str) -> int:
    if len(text) != 2:
        raise Refusal(Number.LENGTH)
    if not (text.isascii() and text.isdecimal()) or text == "00":
        raise Refusal(Number.BAD_PARAMETER)
    return int(text)


def _group(file: str, record: int | None, values: Iterable[str]) -> str:
    head = file if record is None else f"{file}{_WHICH}{record:02}"
    body = "".join(value + _END for value in values)
    # A cyclic record is named without a separator behind it, a whole file with one.
    return head + (_END + body if body or record is None else "") + _FILE_END
