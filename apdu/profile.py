"""Card profiles: what the files of a card generation hold, declared as data.

The declarations are ``profiles/*.toml``, with mark, source and test vectors beside each item. A
province may ship its own in the same form.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import cached_property
from importlib import resources
from types import MappingProxyType
from typing import Any

from apdu import formats
from apdu.custodian import Algorithm, KeyReference
from apdu.errors import UnknownCard
from apdu.formats import Format, Unreadable, Value
from apdu.simple_tlv import Record


class Access(Enum):
    """What reading a file takes."""

    FREE = "free"
    KEY = "key"
    PIN = "pin"
    PIN_OR_KEY = "pin|key"
    PIN_AND_KEY = "pin+key"
    NEVER = "never"


@dataclass(frozen=True)
class Vector:
    """A known answer.

    Attributes:
        value: what the item holds; None for a blank field.
        record: the stored record: tag, length, value.
    """

    value: Value | None
    record: bytes


@dataclass(frozen=True)
class Item:
    """One item of a file.

    Attributes:
        record: its record number, from 1.
        tag: its tag.
        field: our name for it.
        zh, en: its name in the standard, and in English.
        form: how the value is written.
        length: bytes of the stored value.
        optional: whether a healthy card may lack it.
        cut: whether only the first `length` bytes of a longer value count.
        mark, source: how sure the declaration is, and from where.
        vectors: known answers.
    """

    record: int
    tag: int
    field: str
    zh: str
    en: str
    form: Format
    length: int
    optional: bool
    cut: bool
    mark: str
    source: str
    vectors: tuple[Vector, ...]

    def encode(self, value: Value) -> Record:
        """The record that stores `value`. Raises ValueError; see `formats.encode`."""
        return Record(self.tag, formats.encode(self.form, value, self.length))

    def decode(self, raw: bytes) -> Value | Unreadable | None:
        """Read a stored value leniently; never raises. See `formats.decode`."""
        return formats.decode(self.form, raw[: self.length] if self.cut else raw, self.length)


@dataclass(frozen=True)
class CardFile:
    """One elementary file of item records.

    Attributes:
        name: such as ``EF05``.
        zh, en: its title.
        fid: two-byte identifier.
        sfi: short identifier, 1..30.
        read: what reading takes.
        write_key: name of the key that writing takes.
        items: in record order.
    """

    name: str
    zh: str
    en: str
    fid: int
    sfi: int
    read: Access
    write_key: str
    mark: str
    source: str
    items: tuple[Item, ...]

    def raw_values(self, records: Iterable[Record]) -> dict[str, bytes]:
        """Stored values by field name. Unknown tags are left out; the first of two counts."""
        values: dict[str, bytes] = {}
        for record in records:
            name = self._names.get(record.tag)
            if name is not None:
                values.setdefault(name, record.value)
        return values

    @cached_property
    def _names(self) -> dict[int, str]:
        return {item.tag: item.field for item in self.items}

    def decode(self, records: Iterable[Record]) -> dict[str, Value | Unreadable | None]:
        """Read values by field name; an absent item reads as None."""
        return self.decode_values(self.raw_values(records))

    def decode_values(self, raw: Mapping[str, bytes]) -> dict[str, Value | Unreadable | None]:
        """Read stored values by field name; an absent item reads as None."""
        return {
            item.field: item.decode(raw[item.field]) if item.field in raw else None
            for item in self.items
        }


@dataclass(frozen=True)
class PinRules:
    """The holder's PIN: tries granted, legal numbers of digits, whether an empty VERIFY may ask
    for the tries left without costing one."""

    tries: int
    digits_min: int
    digits_max: int
    status_query: bool


@dataclass(frozen=True)
class Capabilities:
    """What cards of this kind are known to do. Hints: reading works without them.

    Attributes:
        read_all: READ RECORD mode 5 returns a whole file.
        get_response: the card may answer 61xx and 6Cxx (T=0).
    """

    read_all: bool
    get_response: bool


@dataclass(frozen=True)
class CardProfile:
    """One card generation.

    Attributes:
        name: ``v1``, ``v2``, ``v3``.
        version: first character of the specification version on its cards.
        algorithm: assumed where the card does not tell.
        internal_key: the key with which the card proves itself.
        holder_key: the key that opens EF06; None where EF06 is free.
    """

    name: str
    version: str
    algorithm: Algorithm
    capabilities: Capabilities
    pin: PinRules
    internal_key: KeyReference
    holder_key: KeyReference | None
    files: Mapping[str, CardFile]

    @property
    def issuer_file(self) -> CardFile:
        """EF05 发卡机构数据."""
        return self.files["EF05"]

    @property
    def holder_file(self) -> CardFile:
        """EF06 持卡人基本信息."""
        return self.files["EF06"]

    @classmethod
    def from_toml(cls, text: str, keys: Mapping[str, KeyReference]) -> CardProfile:
        """Read a declaration.

        Raises:
            ValueError, KeyError, TypeError: it is not of the form of ``profiles/v3.toml``.
        """
        table = tomllib.loads(text)
        authentication = table["authentication"]
        holder = authentication.get("holder")
        files = {entry["name"]: _file(entry) for entry in table["file"]}
        missing = {"EF05", "EF06"} - files.keys()
        if missing:
            raise ValueError(f"profile {table['name']} lacks {', '.join(sorted(missing))}")
        return cls(
            name=table["name"],
            version=table["version"],
            algorithm=Algorithm(table["algorithm"]),
            capabilities=Capabilities(**table["capabilities"]),
            pin=PinRules(**table["pin"]),
            internal_key=keys[authentication["internal"]],
            holder_key=None if holder is None else keys[holder],
            files=MappingProxyType(files),
        )


Profiles = Mapping[str, CardProfile]
"""Profiles by the first character of the specification version."""


def choose(profiles: Profiles, version: str) -> CardProfile:
    """The profile for a specification version such as ``3.00``; only its first character counts.

    Raises:
        UnknownCard: there is none.
    """
    found = profiles.get(version[:1])
    if found is None:
        raise UnknownCard("a card of a specification version that no profile describes")
    return found


@functools.cache
def shipped_keys() -> Mapping[str, KeyReference]:
    """The key references in ``profiles/keys.toml``, by name."""
    keys = {}
    for table in tomllib.loads(_shipped_text("keys.toml"))["key"]:
        keys[table["name"]] = KeyReference(
            name=table["name"],
            key_id=table.get("key_id"),
            usage=table["usage"],
            index=table["index"],
            hsm_address=table["hsm"],
            sm4_index=table.get("sm4_index"),
        )
    return MappingProxyType(keys)


@functools.cache
def shipped_profiles() -> Profiles:
    """The profiles that come with this package."""
    loaded = [
        CardProfile.from_toml(_shipped_text(f"{name}.toml"), shipped_keys())
        for name in ("v1", "v2", "v3")
    ]
    return MappingProxyType({profile.version: profile for profile in loaded})


def _shipped_text(name: str) -> str:
    return resources.files("apdu").joinpath("profiles", name).read_text(encoding="utf-8")


def _file(table: dict[str, Any]) -> CardFile:
    items = tuple(_item(entry) for entry in table["item"])
    if [item.record for item in items] != list(range(1, len(items) + 1)):
        raise ValueError(f"{table['name']}: the items do not stand in record order")
    if len({item.tag for item in items}) != len(items):
        raise ValueError(f"{table['name']}: a tag is declared twice")
    return CardFile(
        name=table["name"],
        zh=table["zh"],
        en=table["en"],
        fid=table["fid"],
        sfi=table["sfi"],
        read=Access(table["read"]),
        write_key=table["write"],
        mark=table["mark"],
        source=table["source"],
        items=items,
    )


def _item(table: dict[str, Any]) -> Item:
    form = Format(table["type"])
    return Item(
        record=table["record"],
        tag=table["tag"],
        field=table["field"],
        zh=table["zh"],
        en=table["en"],
        form=form,
        length=table["length"],
        optional=table.get("optional", False),
        cut=table.get("cut", False),
        mark=table["mark"],
        source=table["source"],
        vectors=tuple(_vector(form, entry) for entry in table.get("vectors", ())),
    )


def _vector(form: Format, table: dict[str, str]) -> Vector:
    value: Value | None = table.get("value")
    if isinstance(value, str):
        if form is Format.B:
            value = bytes.fromhex(value)
        elif form is Format.CN_DATE:
            value = date.fromisoformat(value)
    return Vector(value, bytes.fromhex(table["record"]))
