"""The file tree of one generation, declared in layouts/*.toml: directories, keys, files, items."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files
from typing import Any

from hw_sim.cards.access import Access
from hw_sim.cards.contents import check_value
from hw_sim.cards.keys import KEY_NAMES, KeyName

DIRECTORIES = ("SSSE", "DF01", "DF02", "DF03", "DF04", "DF07")


class Kind(Enum):
    """How an elementary file is organised (domain facts §1.5)."""

    RECORDS = "records"
    CYCLIC = "cyclic"
    TRANSPARENT = "transparent"


class Type(Enum):
    """Format of an item (domain facts §1.5)."""

    TEXT = "an"
    DIGITS = "cn"
    BINARY = "b"
    INTEGER = "int"
    NESTED = "b-tlv"


@dataclass(frozen=True)
class Item:
    """One value: a record of a tag, or a part of one.

    Attributes:
        tag: ``None`` in the records of cyclic files.
        length: bytes of the value.
        value: where it comes from, see `hw_sim.cards.contents`; empty where nothing is written.
        pad: byte that fills the value up to ``length``; ``None`` where it must fit exactly.
        omit_empty: the record is left out where the value is empty.
        parts: items inside a B-TLV item.
        raw: the whole record instead, as a damaged card has it.
    """

    tag: int | None
    type: Type
    length: int
    value: str
    pad: int | None
    omit_empty: bool = False
    parts: Sequence[Item] = ()
    raw: bytes | None = None


@dataclass(frozen=True)
class FileLayout:
    """One elementary file.

    Attributes:
        fid: file identifier EFxx; its low five bits are the short identifier.
        items: records in their order; the parts of one record of a cyclic file.
        capacity: most records of a cyclic file.
        initial: records that issuance writes into a cyclic file.
        size: bytes of a transparent file.
        value: where a transparent file's bytes come from.
    """

    fid: int
    kind: Kind
    read: Access
    write: Access
    items: Sequence[Item] = ()
    capacity: int = 0
    initial: int = 0
    size: int = 0
    value: str = ""

    @property
    def record_length(self) -> int:
        """Of a cyclic file."""
        return sum(item.length for item in self.items)


@dataclass(frozen=True)
class KeySlot:
    """One key; ``internal`` where it serves INTERNAL AUTHENTICATE and has no tries."""

    name: KeyName
    kid: int
    internal: bool


@dataclass(frozen=True)
class DirectoryLayout:
    """The SSSE or one of the DFs below it."""

    name: str
    aid: bytes
    fid: int
    keys: Sequence[KeySlot]
    files: Sequence[FileLayout]


def load_directories(
    generation: str, changes: Sequence[Mapping[str, Any]] = ()
) -> Sequence[DirectoryLayout]:
    """All directories of generation ``1``, ``2`` or ``3``.

    Args:
        changes: differences of one card: ``directory`` and ``file`` say where; ``read`` and
            ``write`` replace access expressions; with a ``tag`` the change is of that record:
            ``absent``, ``raw`` (hex of the whole record), or any field of an item.

    Raises:
        ValueError: a declaration is wrong, or a change meets nothing.
    """
    loaded = []
    for name in DIRECTORIES:
        table = _of(_table(name), generation)
        if table is not None:
            for change in changes:
                if change["directory"] == name:
                    _apply(table, change)
            loaded.append(_directory(table))
    return tuple(loaded)


@cache
def _text(name: str) -> str:
    return files("hw_sim.cards").joinpath("layouts", f"{name.lower()}.toml").read_text("utf-8")


def _table(name: str) -> dict[str, Any]:
    return tomllib.loads(_text(name))


def load_generation(generation: str) -> dict[str, Any]:
    """What the whole card of a generation has in common: the table of layouts/v*.toml."""
    return _table(f"v{generation}")


def _of(declared: Any, generation: str) -> Any:
    """The declaration as this generation has it; ``None`` where it has not."""
    if isinstance(declared, list):
        every = (_of(each, generation) for each in declared)
        return [each for each in every if each is not None]
    if not isinstance(declared, dict):
        return declared
    if any(key.startswith("v") and key[1:].isdecimal() for key in declared):
        return declared[f"v{generation}"]
    if generation not in declared.get("generations", generation):
        return None
    return {key: _of(each, generation) for key, each in declared.items()}


def _apply(directory: dict[str, Any], change: Mapping[str, Any]) -> None:
    file = next((file for file in directory["file"] if file["fid"] == change["file"]), None)
    if file is None:
        raise ValueError(f"a change meets no file {change['directory']}/{change['file']}")
    what = {key: change[key] for key in change if key not in ("directory", "file", "tag")}
    if "tag" not in change:
        file.update(what)
        return
    for place, record in enumerate(file["records"]):
        if record["tag"] == change["tag"]:
            if what.get("absent"):
                del file["records"][place]
            else:
                file["records"][place] = {**record, **what}
            return
    raise ValueError(f"a change meets no record {change['tag']}")


def _number(text: str) -> int:
    return int(text, 16)


def _directory(table: Mapping[str, Any]) -> DirectoryLayout:
    keys = tuple(_key(entry) for entry in table["key"])
    kids: Mapping[str, int] = {key.name: key.kid for key in keys}
    return DirectoryLayout(
        name=table["name"],
        aid=bytes.fromhex(table["aid"]),
        fid=_number(table["fid"]),
        keys=keys,
        files=tuple(_file(entry, kids) for entry in table["file"]),
    )


def _key(entry: Mapping[str, Any]) -> KeySlot:
    if entry["name"] not in KEY_NAMES:
        raise ValueError(f"unknown key {entry['name']}")
    internal = {"internal": True, "external": False}[entry.get("use", "external")]
    return KeySlot(entry["name"], _number(entry["kid"]), internal)


def _file(entry: Mapping[str, Any], kids: Mapping[str, int]) -> FileLayout:
    kind = Kind(entry.get("kind", "records"))
    items = entry.get("parts" if kind is Kind.CYCLIC else "records", ())
    value = entry.get("value", "")
    check_value(value)
    return FileLayout(
        fid=_number(entry["fid"]),
        kind=kind,
        read=Access.parse(entry["read"], kids),
        write=Access.parse(entry["write"], kids),
        items=tuple(item for record in items for item in _items(record)),
        capacity=entry.get("capacity", 0),
        initial=entry.get("initial", 0),
        size=entry.get("size", 0),
        value=value,
    )


def _items(entry: Mapping[str, Any]) -> Sequence[Item]:
    """One item, or as many as it says; only the first of several has contents."""
    first = _item(entry)
    return (first, *(_emptied(first) for _ in range(entry.get("times", 1) - 1)))


def _item(entry: Mapping[str, Any]) -> Item:
    value, tag, pad = entry.get("value", ""), entry.get("tag"), entry.get("pad")
    check_value(value)
    parts = tuple(_item(part) for part in entry.get("parts", ()))
    if parts and sum(part.length + 2 for part in parts) != entry["length"]:
        raise ValueError(f"the parts of {tag} do not fill it")
    raw = entry.get("raw")
    return Item(
        tag=None if tag is None else _number(tag),
        type=Type(entry["type"]),
        length=entry["length"],
        value=value,
        pad=None if pad is None else _number(pad),
        omit_empty=entry.get("omit_empty", False),
        parts=parts,
        raw=None if raw is None else bytes.fromhex(raw),
    )


def _emptied(item: Item) -> Item:
    parts = tuple(_emptied(part) for part in item.parts)
    return Item(item.tag, item.type, item.length, "", item.pad, item.omit_empty, parts)
