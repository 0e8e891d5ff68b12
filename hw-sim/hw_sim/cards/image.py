"""Card images: what issuance (制卡) writes into a card, declared in images/social-v*.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from hw_sim.cards.access import Access, Condition
from hw_sim.cards.keys import KEY_NAMES, Algorithm, KeyName
from hw_sim.population import Resident


@dataclass(frozen=True)
class Item:
    """One record: a tag of one byte, a fixed length and where its value comes from.

    Attributes:
        pad: byte that fills the value up to ``length``; ``None`` where it must fit exactly.
        omit_empty: the record is left out where the value is empty.
    """

    tag: int
    length: int
    value: str
    pad: int | None
    omit_empty: bool


@dataclass(frozen=True)
class FileLayout:
    """One record file.

    Attributes:
        fid: file identifier EFxx; its low five bits are the short identifier.
    """

    fid: int
    read: Access
    write: Access
    items: Sequence[Item]


@dataclass(frozen=True)
class KeySlot:
    """One key; ``tries`` is ``None`` for the key of INTERNAL AUTHENTICATE."""

    name: KeyName
    kid: int
    tries: int | None


@dataclass(frozen=True)
class Image:
    """One generation of cards; the fields are those of the TOML file."""

    generation: str
    algorithm: Algorithm
    algorithm_in_fci: bool
    directory_sfi: int
    t0: bool
    reads_all_records: bool
    empty_verify: bool
    chip: bytes
    vendor: bytes
    pin_tries: int
    default_pin: str
    keys: Sequence[KeySlot]
    files: Sequence[FileLayout]

    def atr(self, resident: Resident) -> bytes:
        """17 bytes; the last eight are the card's diversification factor (domain facts §1.1)."""
        card = resident.card
        history = b"\x00" + self.chip + b"\x86" + self.vendor + card.card_id[:2] + card.serial
        return bytes.fromhex("3B6D0000") + history

    def records(self, layout: FileLayout, resident: Resident) -> Sequence[bytes]:
        """The file's records as tag, length, value. Raises ValueError: a value does not fit."""
        return [
            bytes((item.tag, item.length)) + _padded(item, value)
            for item in layout.items
            if (value := _value(item, resident)) or not item.omit_empty
        ]


@cache
def load_image(generation: str) -> Image:
    """The image of generation ``1``, ``2`` or ``3``."""
    text = files("hw_sim.cards").joinpath("images", f"social-v{generation}.toml").read_text("utf-8")
    table = tomllib.loads(text)
    return Image(
        generation=table["generation"],
        algorithm=Algorithm(table["algorithm"]),
        algorithm_in_fci=table["algorithm_in_fci"],
        directory_sfi=_number(table["directory_sfi"]),
        t0=table["t0"],
        reads_all_records=table["reads_all_records"],
        empty_verify=table["empty_verify"],
        chip=bytes.fromhex(table["atr"]["chip"]),
        vendor=bytes.fromhex(table["atr"]["vendor"]),
        pin_tries=table["pin"]["tries"],
        default_pin=table["pin"]["default"],
        keys=tuple(_key(entry) for entry in table["key"]),
        files=tuple(_file(entry) for entry in table["file"]),
    )


def _number(text: str) -> int:
    return int(text, 16)


def _key(entry: Mapping[str, Any]) -> KeySlot:
    name = entry["name"]
    if name not in KEY_NAMES or (entry["use"] == "external") != ("tries" in entry):
        raise ValueError("key entry")
    return KeySlot(name, _number(entry["kid"]), entry.get("tries"))


def _access(entry: Mapping[str, Any], right: str) -> Access:
    kid = entry.get(f"{right}_key")
    return Access(Condition(entry[right]), None if kid is None else _number(kid))


def _file(entry: Mapping[str, Any]) -> FileLayout:
    return FileLayout(
        fid=_number(entry["fid"]),
        read=_access(entry, "read"),
        write=_access(entry, "write"),
        items=tuple(_item(record) for record in entry["records"]),
    )


def _item(entry: Mapping[str, Any]) -> Item:
    value = entry["value"]
    if not value.startswith("text:") and value not in _SOURCES:
        raise ValueError("record value")
    pad = entry.get("pad")
    return Item(
        tag=_number(entry["tag"]),
        length=entry["length"],
        value=value,
        pad=None if pad is None else _number(pad),
        omit_empty=entry.get("omit_empty", False),
    )


def _value(item: Item, resident: Resident) -> bytes:
    if item.value.startswith("text:"):
        return item.value.removeprefix("text:").encode("ascii")
    return _SOURCES[item.value](resident)


def _padded(item: Item, value: bytes) -> bytes:
    if item.pad is not None:
        value = value.ljust(item.length, bytes([item.pad]))
    if len(value) != item.length:
        raise ValueError(f"record {item.tag:02X} does not fit its length")
    return value


def _bcd_date(day: date) -> bytes:
    return bytes.fromhex(f"{day:%Y%m%d}")


def _name(resident: Resident) -> bytes:
    return resident.name.encode("gb18030")


def _organisation(resident: Resident) -> bytes:
    """初始化机构编号: RID-like prefix, division twice, a number (domain facts §2.1)."""
    division = resident.card.card_id[:3]
    return bytes.fromhex("9156000002") + division + division + b"\x01"


_SOURCES: Mapping[str, Callable[[Resident], bytes]] = MappingProxyType(
    {
        "card_id": lambda resident: resident.card.card_id,
        "organisation": _organisation,
        "issued": lambda resident: _bcd_date(resident.card.issued),
        "expires": lambda resident: _bcd_date(resident.card.expires),
        "card_number": lambda resident: resident.card.card_number.encode("ascii"),
        "number": lambda resident: resident.number.encode("ascii"),
        # Bytes, not characters: a GB 18030 name may be cut within a character, and joins again.
        "name": lambda resident: _name(resident)[:30],
        "name_extension": lambda resident: _name(resident)[30:],
        "sex": lambda resident: resident.sex.value.encode("ascii"),
        "nation": lambda resident: bytes.fromhex(resident.nation),
        "birthplace": lambda resident: bytes.fromhex(resident.birthplace),
        "born": lambda resident: _bcd_date(resident.born),
    }
)
