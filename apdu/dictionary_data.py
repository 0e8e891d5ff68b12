"""Reading the file dictionary from TOML (``dictionary/*.toml``), for one card generation."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from importlib import resources
from types import MappingProxyType
from typing import Any, NamedTuple

from apdu.dictionary import (
    AccessRule,
    Application,
    CardFile,
    FieldValue,
    FileKind,
    Item,
    Vector,
)
from apdu.formats import Format

_Table = dict[str, Any]
_APPLICATIONS = ("ssse", "df01", "df02", "df03", "df04", "df07")
_GENERATIONS = ("1", "2", "3")
_ASSUMED = "I"
_NAMED = {"name", "zh", "en", "mark", "source", "versions", "note"}
_APPLICATION_KEYS = _NAMED | {"assumed", "aid", "fid"}
_FILE_KEYS = _NAMED | {"assumed", "kind", "read", "write", "size", "records", "items"}
_ITEM_KEYS = (_NAMED - {"name"}) | {
    "tag", "field", "type", "length", "repeat", "optional", "cut", "parts", "vectors",
}  # fmt: skip
_ACCESS_KEYS = {"read", "write"}


class Tree(NamedTuple):
    """One generation's applications and files, in tree order, by name."""

    applications: Mapping[str, Application]
    files: Mapping[str, CardFile]


def tree(
    texts: Iterable[str], version: str, access: Mapping[str, Mapping[str, str]] | None = None
) -> Tree:
    """Read the declarations that hold for one generation.

    Args:
        texts: one TOML document an application.
        version: the generation, ``1``, ``2`` or ``3``.
        access: by file name, the expressions ``read`` and ``write`` that replace the declared.

    Raises:
        ValueError, KeyError, TypeError: a text is not of the form of ``dictionary/ssse.toml``,
            or `access` names a file that there is not.
    """
    return _tree((tomllib.loads(text) for text in texts), version, access or {})


def shipped_tree(version: str, access: Mapping[str, Mapping[str, str]] | None = None) -> Tree:
    """As `tree`, from the declarations that come with this package."""
    return _tree(_shipped(), version, access or {})


@functools.cache
def _shipped() -> tuple[_Table, ...]:
    folder = resources.files("apdu").joinpath("dictionary")
    return tuple(
        tomllib.loads(folder.joinpath(f"{name}.toml").read_text(encoding="utf-8"))
        for name in _APPLICATIONS
    )


def _tree(tables: Iterable[_Table], version: str, access: Mapping[str, Mapping[str, str]]) -> Tree:
    applications: dict[str, Application] = {}
    files: dict[str, CardFile] = {}
    for table in tables:
        entry = table["application"]
        _check_keys(entry, _APPLICATION_KEYS)
        if version not in entry.get("versions", _GENERATIONS):
            continue
        application = Application(
            name=entry["name"],
            zh=entry["zh"],
            en=entry["en"],
            aid=bytes.fromhex(entry["aid"]),
            fid=entry["fid"],
            mark=entry["mark"],
            source=entry["source"],
        )
        applications[application.name] = application
        assumed = entry.get("assumed", ())
        for declared in table.get("file", ()):
            if version not in declared.get("versions", _GENERATIONS):
                continue
            name = application.name + declared["name"]
            if name in files:
                raise ValueError(f"{name} is declared twice")
            rules = access.get(name, {})
            _check_keys(rules, _ACCESS_KEYS)
            file = _file({**declared, **rules}, application.name, version)
            if version in declared.get("assumed", assumed):
                file = _as_assumed(file)
            files[name] = file
    if access.keys() - files.keys():
        raise ValueError("access to a file that is not declared")
    return Tree(MappingProxyType(applications), MappingProxyType(files))


def _check_keys(table: Mapping[str, Any], known: set[str]) -> None:
    unknown = table.keys() - known
    if unknown:
        raise ValueError(f"not part of a declaration: {', '.join(sorted(unknown))}")


def _as_assumed(file: CardFile) -> CardFile:
    """The same file where the generation's own layout is not public."""
    return replace(file, mark=_ASSUMED, items=_assumed_items(file.items))


def _assumed_items(items: tuple[Item, ...]) -> tuple[Item, ...]:
    return tuple(replace(item, mark=_ASSUMED, parts=_assumed_items(item.parts)) for item in items)


def _file(table: _Table, application: str, version: str) -> CardFile:
    _check_keys(table, _FILE_KEYS)
    name = application + table["name"]
    kind = FileKind(table.get("kind", FileKind.RECORDS.value))
    size, records = table.get("size"), table.get("records")
    if (size is not None) != (kind is FileKind.TRANSPARENT):
        raise ValueError(f"{name}: a transparent file has a size, no other has")
    if (records is not None) != (kind is FileKind.CYCLIC):
        raise ValueError(f"{name}: a cyclic file has a number of records, no other has")
    items = _items(table["items"], table, version)
    if (kind is FileKind.RECORDS) is not all(item.tag is not None for item in items):
        raise ValueError(f"{name}: item records have tags, others have none")
    if kind is FileKind.TRANSPARENT and [item.length for item in items] != [size]:
        raise ValueError(f"{name}: a transparent file is one item of its size")
    if kind is FileKind.CYCLIC and any(item.length is None for item in items):
        raise ValueError(f"{name}: the fields of a cyclic record have lengths")
    fid = int(table["name"], 16)
    return CardFile(
        name=name,
        application=application,
        zh=table.get("zh", ""),
        en=table.get("en", ""),
        fid=fid,
        sfi=fid & 0x1F,
        kind=kind,
        read=AccessRule.parse(table["read"]),
        write=AccessRule.parse(table["write"]),
        size=size,
        records=records,
        items=items,
        mark=table["mark"],
        source=table["source"],
    )


def _items(tables: Iterable[_Table], parent: _Table, version: str) -> tuple[Item, ...]:
    """The items of this generation; mark and source come from `parent` where they have none."""
    items: list[Item] = []
    for table in tables:
        _check_keys(table, _ITEM_KEYS)
        if version in table.get("versions", _GENERATIONS):
            inherited = {"mark": parent["mark"], "source": parent["source"], **table}
            items += _repeated(inherited, len(items) + 1, version)
    tags = [(item.tag, item.occurrence) for item in items if item.tag is not None]
    if len(set(tags)) != len(tags) or len({item.field for item in items}) != len(items):
        raise ValueError("a tag or a field is declared twice")
    return tuple(items)


def _repeated(table: _Table, record: int, version: str) -> Iterator[Item]:
    """One item for each time that it occurs; an unnamed one is named for its tag or place."""
    tag, repeat = table.get("tag"), table.get("repeat", 1)
    name = table.get("field", f"field_{record}" if tag is None else f"tag_{tag:02x}")
    for occurrence in range(1, repeat + 1):
        field = f"{name}_{occurrence}" if repeat > 1 else name
        yield _item({**table, "field": field}, record + occurrence - 1, occurrence, version)


def _item(table: _Table, record: int, occurrence: int, version: str) -> Item:
    form = Format(table["type"])
    parts = _items(table.get("parts", ()), table, version)
    length = table.get("length")
    if (form is Format.B_TLV) != bool(parts):
        raise ValueError(f"{table['field']}: a B-TLV has parts, no other has")
    if parts and length != sum(2 + (part.length or 0) for part in parts):
        raise ValueError(f"{table['field']}: its length is not that of its parts")
    return Item(
        record=record,
        tag=table.get("tag"),
        occurrence=occurrence,
        field=table["field"],
        zh=table.get("zh", ""),
        en=table.get("en", ""),
        form=form,
        length=length,
        parts=parts,
        optional=table.get("optional", False),
        cut=table.get("cut", False),
        mark=table["mark"],
        source=table["source"],
        vectors=tuple(
            Vector(_value(form, parts, entry.get("value")), bytes.fromhex(entry["record"]))
            for entry in table.get("vectors", ())
        ),
    )


def _value(form: Format, parts: tuple[Item, ...], written: Any) -> FieldValue:
    """A vector's value as TOML writes it: bytes in hexadecimal, dates as YYYY-MM-DD."""
    if parts and written is not None:
        return {part.field: _plain(part.form, written.get(part.field)) for part in parts}
    return _plain(form, written)


def _plain(form: Format, written: Any) -> str | bytes | date | int | None:
    if form in (Format.B, Format.TRANSPARENT) and written is not None:
        return bytes.fromhex(written)
    if form is Format.CN_DATE and written is not None:
        return date.fromisoformat(written)
    value: str | int | None = written
    return value
