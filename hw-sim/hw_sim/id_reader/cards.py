"""Resident ID cards and residence permits, as the reader's security module hands them out."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from hw_sim.population import DIVISION, Resident, population

_TEXT = 256
_PHOTO = 1024
_RESIDENT = "resident:"
_ROADS = "人民路 解放路 建设路 中山路 江滨路"
_ISSUED = (2020, 1, 2)
_FOREVER = "长期"
_ROLES = {
    "citizen": (0, "", ""),
    "expired": (8, "20250101", ""),
    "moved": (9, "", "江城市新区样本路9号"),
}
"""Name -> who, the card's last day where it is another one, and the address added later."""


@dataclass(frozen=True)
class IdCard:
    """What can be put on the reader.

    Attributes:
        name: what it is asked for by.
        text: 256 bytes, empty for what is no ID card.
        photo: 1024 bytes; marked blobs, since nobody may write the real compression (WLT).
        newest_address: that was added to the card later, or empty.
    """

    name: str
    text: bytes = field(repr=False)
    photo: bytes = field(repr=False)
    newest_address: str = field(default="", repr=False)


@cache
def _facts() -> dict[str, Any]:
    text = files("hw_sim.id_reader").joinpath("cards.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def names() -> tuple[str, ...]:
    """What can be asked for by name; ``resident:N`` can be too."""
    return (*_ROLES, *_facts()["specimens"])


def id_card(name: str) -> IdCard:
    """``citizen`` (the first resident), ``resident:N``, one whose card ran out or who moved, a
    specimen of another document, or ``other``, which is no ID card at all.

    Raises:
        LookupError: there is no such card.
    """
    if name in _facts()["specimens"]:
        specimen = dict(_facts()["specimens"][name])
        layout = specimen.pop("layout")
        return IdCard(name, _text(layout, specimen) if layout else b"", _photo(name))
    index, until, moved = _ROLES.get(name) or (_index(name), "", "")
    resident = population()[index]
    return IdCard(name, _text("citizen", _citizen(resident, until)), _photo(name), moved)


def _index(name: str) -> int:
    digits = name.removeprefix(_RESIDENT)
    if name.startswith(_RESIDENT) and digits.isascii() and digits.isdecimal():
        index = int(digits)
        if index < len(population()):
            return index
    raise LookupError("no ID card of that name")


def _citizen(resident: Resident, until: str) -> dict[str, str]:
    issued = date(*_ISSUED)
    age = issued.year - resident.born.year
    years = 5 if age < 16 else 10 if age < 26 else 20
    ends = f"{issued.replace(year=issued.year + years):%Y%m%d}"
    roads = _ROADS.split()
    return {
        "name": resident.name,
        "sex": resident.sex.value,
        "nation": resident.nation,
        "born": f"{resident.born:%Y%m%d}",
        "address": f"江城市{roads[resident.index % len(roads)]}{resident.index + 1}号",
        "number": resident.number,
        "authority": "江城市公安局",
        "from": f"{issued:%Y%m%d}",
        "until": until or (_FOREVER if age >= 46 else ends),
    }


def _text(layout: str, values: dict[str, str]) -> bytes:
    text = bytearray(" ".encode("utf-16-le") * (_TEXT // 2))
    for name, value in values.items():
        start, length = _facts()["cells"][layout][name]
        octets = value.encode("utf-16-le")
        if len(octets) > length:
            raise ValueError(f"{name} does not fit")
        text[start : start + len(octets)] = octets
    return bytes(text)


def _photo(name: str) -> bytes:
    return f"SIMULATED WLT {DIVISION} {name} ".encode("ascii").ljust(_PHOTO, b"\x57")
