"""The signed data pack: what differs by province, as data (DESIGN §3.3).

A pack is a folder with ``pack.toml`` (manifest, menu, limits, codes), ``items.toml`` (事项目录, the
item catalogue), ``texts.toml`` (texts of the place), ``certificates.toml`` with its templates (how
certificates look and whose seals they bear), ``pack.sig`` and, where the province differs there,
``ministry-calls.toml`` (`apdu.ministry.conventions`) and ``envelope.toml``
(`kiosk.platform.envelope_file`). `load` verifies the signature before it reads
anything, then checks everything it reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType

from apdu.crypto.sm2 import PublicKey
from apdu.ministry.conventions import Conventions, shipped_conventions
from kiosk.bilingual import Bilingual, read_bilingual
from kiosk.codes import CodePatterns, read_codes
from kiosk.confidence import Confidence
from kiosk.documents.templates import CertificateBook, read_book
from kiosk.identity import Leg
from kiosk.items import CODE, read_glyph, read_items
from kiosk.items import Item as Item
from kiosk.pack_signature import PackError as PackError
from kiosk.pack_signature import read_root as read_root
from kiosk.pack_signature import verify
from kiosk.platform.envelope import CONTRACT, Envelope
from kiosk.platform.envelope_file import read_envelope
from kiosk.toml_tables import Table

REQUIRED_TEXTS = frozenset({"hotline"})
"""Texts that every pack must have: the telephone number of the enquiry service."""
MAXIMUM_LEVELS = 3
"""Levels of menu, the home screen being the first (S5 6.1.3)."""
_WORD = re.compile(r"[a-z0-9][a-z0-9.-]*")


@dataclass(frozen=True)
class Group:
    """A tile that opens a further level of the menu."""

    id: str
    title: Bilingual
    hint: Bilingual
    glyph: str
    entries: tuple[Item | Group, ...]


@dataclass(frozen=True)
class Menu:
    """The home screen's choices, in order; ``first`` is the large one."""

    first: Item | None
    entries: tuple[Item | Group, ...]


@dataclass(frozen=True)
class BusinessLimit:
    """A number of the province's rules, with where it comes from."""

    value: int
    unit: str
    mark: Confidence
    source: str


@dataclass(frozen=True)
class Pack:
    """A verified and checked data pack.

    Attributes:
        valid_from, valid_to: first and last day it may be used.
        certificates: seals that are believed, and how certificates are printed.
        conventions: of the ministry's call interface here.
        envelope: the form in which the province's platform takes and gives documents.
        digest: hex SM3 of the signed listing; goes into the audit line.
    """

    folder: Path
    name: str
    version: str
    division: str
    valid_from: date
    valid_to: date
    items: Mapping[str, Item]
    menu: Menu
    limits: Mapping[str, BusinessLimit]
    texts: Mapping[str, Bilingual]
    codes: CodePatterns
    certificates: CertificateBook
    conventions: Conventions
    envelope: Envelope
    digest: str


def load(
    folder: Path,
    root: PublicKey,
    *,
    today: date,
    services: Mapping[str, frozenset[Leg]] | None = None,
) -> Pack:
    """Verify, read and check a pack.

    Args:
        today: must lie within the pack's validity.
        services: the legs that each service of this release establishes, by its name. An item
            that names another service, or needs a leg that its service does not establish, is
            refused: no tile is dead, and none gives more than was proved. None checks neither.

    Raises:
        PackError: names file, key and what is wrong.
    """
    digest = verify(folder, root)
    top = Table.read(folder / "pack.toml", PackError)
    valid_from, valid_to = top.day("valid_from"), top.day("valid_to")
    if not valid_from <= today <= valid_to:
        raise top.problem("valid_to", f"the pack is valid from {valid_from} to {valid_to} only")
    menu_table = top.table("menu")
    placed = dict(_levels(menu_table))
    items = read_items(Table.read(folder / "items.toml", PackError), placed, services)
    certificates = read_book(Table.read(folder / "certificates.toml", PackError))
    pack = Pack(
        folder=folder,
        name=top.matching("name", _WORD, "small letters, digits and dashes"),
        version=top.matching("version", CODE, "letters, digits, dots and dashes"),
        division=top.matching("division", re.compile(r"[0-9]{6}"), "6 digits"),
        valid_from=valid_from,
        valid_to=valid_to,
        items=MappingProxyType(items),
        menu=_menu(menu_table, items),
        limits=MappingProxyType(_limits(top.table("limits"))),
        texts=MappingProxyType(_texts(Table.read(folder / "texts.toml", PackError))),
        codes=read_codes(top.table("codes"), certificates.seals.verify_url),
        certificates=certificates,
        conventions=_conventions(folder / "ministry-calls.toml"),
        envelope=_envelope(folder / "envelope.toml"),
        digest=digest,
    )
    top.finish()
    return pack


def _conventions(file: Path) -> Conventions:
    if not file.exists():
        return shipped_conventions()
    try:
        return Conventions.from_toml(file.read_text(encoding="utf-8"))
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        raise PackError(file, "", f"{type(error).__name__}: {error}") from error


def _envelope(file: Path) -> Envelope:
    return read_envelope(Table.read(file, PackError)) if file.exists() else CONTRACT


def _levels(menu: Table) -> Iterator[tuple[str, int]]:
    """Item code -> level, from the raw menu; refuses what stands twice or too deep."""
    seen: set[str] = set()
    for code, level, table in _walk(menu, 1):
        if level > MAXIMUM_LEVELS:
            raise table.problem("entry", f"the menu is deeper than {MAXIMUM_LEVELS} levels")
        if code in seen:
            raise table.problem("item", f"{code} stands twice in the menu")
        seen.add(code)
        yield code, level


def _walk(table: Table, level: int) -> Iterator[tuple[str, int, Table]]:
    if "first" in table:
        yield table.text("first"), level, table
    for entry in table.tables("entry"):
        if "item" in entry:
            yield entry.text("item"), level, entry
        else:
            yield from _walk(entry, level + 1)


def _menu(table: Table, items: Mapping[str, Item]) -> Menu:
    first = _item(table, "first", items) if "first" in table else None
    menu = Menu(first, _entries(table, items))
    table.finish()
    return menu


def _entries(table: Table, items: Mapping[str, Item]) -> tuple[Item | Group, ...]:
    return tuple(_entry(entry, items) for entry in table.tables("entry"))


def _entry(table: Table, items: Mapping[str, Item]) -> Item | Group:
    entry: Item | Group
    if "item" in table:
        entry = _item(table, "item", items)
    else:
        entry = Group(
            id=table.matching("id", _WORD, "small letters, digits and dashes"),
            title=read_bilingual(table.table("title")),
            hint=read_bilingual(table.table("hint")),
            glyph=read_glyph(table),
            entries=_entries(table, items),
        )
        if not entry.entries:
            raise table.problem("entry", "a group of the menu with nothing in it")
    table.finish()
    return entry


def _item(table: Table, key: str, items: Mapping[str, Item]) -> Item:
    code = table.text(key)
    if code not in items:
        raise table.problem(key, f"there is no item {code}")
    return items[code]


def _limits(table: Table) -> dict[str, BusinessLimit]:
    limits: dict[str, BusinessLimit] = {}
    for name in table:
        entry = table.table(name)
        limits[name] = BusinessLimit(
            value=entry.integer("value", 0, 10**15),
            unit=entry.text("unit"),
            mark=entry.choice("mark", Confidence),
            source=entry.text("source"),
        )
        entry.finish()
    return limits


def _texts(top: Table) -> dict[str, Bilingual]:
    for key in sorted(REQUIRED_TEXTS):
        top.table(key)
    return {key: read_bilingual(top.table(key)) for key in top}
