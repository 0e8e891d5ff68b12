"""Card images: a whole card as data, images/card-*.toml, on top of its generation (layouts/).

An image is the generation's table (layouts/v*.toml) with the card's own differences over it, and
over those the differences of any number of traps (images/traps.toml), things that make some real
cards unlike others.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files
from typing import Any

from hw_sim.cards.contents import Marking, Piece
from hw_sim.cards.keys import Algorithm
from hw_sim.cards.layout import DirectoryLayout, load_directories, load_generation

_PREFIX, _SUFFIX = "card-", ".toml"


class State(Enum):
    """What 应用锁定 made of the social security application."""

    ACTIVE = "active"
    BLOCKED = "blocked"
    DEAD = "dead"


class Extra(Enum):
    """An application beside the social security one."""

    BANK = "bank"
    PKI = "pki"


@dataclass(frozen=True)
class Image:
    """One card.

    Attributes:
        generation: ``1``, ``2`` or ``3``.
        holder: whose card it is, an index of the population; ``None`` for a blank.
        directory_sfi: in the FCI of the SSSE.
        strict_t0: see `CardSystem`.
        file_selection: P1 of SELECT that finds an elementary file.
        short_identifiers: whether READ and UPDATE take a short file identifier.
        reads_all_records: whether READ RECORD knows mode 5.
        empty_verify: whether VERIFY without data tells the tries left.
        master_first: whether the SSSE is found only after SELECT of the MF.
        chip: four historical bytes of the ATR.
        vendor: one historical byte.
        pin_tries: most wrong PINs in a row.
        pin_tries_left: of a card that is not fresh.
        key_tries: most wrong cryptograms in a row, for each key.
        mac_tries: most wrong MACs in a row.
        forged: a copy of the files without the keys.
        bank: what its bank application has otherwise than images/bank.toml.
    """

    generation: str
    version: str
    card_class: str
    algorithm: Algorithm
    algorithm_in_fci: bool
    directory_sfi: int
    strict_t0: bool
    file_selection: Sequence[int]
    short_identifiers: bool
    reads_all_records: bool
    empty_verify: bool
    master_first: bool
    chip: bytes
    vendor: bytes
    default_pin: str
    pin_tries: int
    key_tries: int
    mac_tries: int
    directories: Sequence[DirectoryLayout]
    holder: int | None
    applications: Sequence[Extra]
    pin_tries_left: int
    application_state: State
    card_blocked: bool
    forged: bool
    bank: Mapping[str, Any]

    @property
    def marking(self) -> Marking:
        return Marking(self.version, self.card_class)

    def atr(self, piece: Piece) -> bytes:
        """17 bytes; the last eight are the card's diversification factor (domain facts §1.1)."""
        history = b"\x00" + self.chip + b"\x86" + self.vendor + piece.card_id[:2] + piece.serial
        return bytes.fromhex("3B6D0000") + history


_CARD: Mapping[str, Any] = {
    "holder": None,
    "applications": [],
    "pin_tries_left": None,
    "application_state": "active",
    "card_blocked": False,
    "forged": False,
    "bank": {},
}


@cache
def image_names() -> Sequence[str]:
    """Every card that has an image."""
    names = (each.name for each in files("hw_sim.cards").joinpath("images").iterdir())
    return tuple(
        sorted(
            name.removeprefix(_PREFIX).removesuffix(_SUFFIX)
            for name in names
            if name.startswith(_PREFIX) and name.endswith(_SUFFIX)
        )
    )


@dataclass(frozen=True)
class Trap:
    """What makes some cards unlike others; ``zh`` and ``en`` say it to people."""

    name: str
    zh: str
    en: str


@cache
def traps() -> Sequence[Trap]:
    """Every trap that an image can be given."""
    return tuple(Trap(name, trap["zh"], trap["en"]) for name, trap in _table("traps").items())


@cache
def load_image(name: str, trap_names: Sequence[str] = ()) -> Image:
    """One image with traps added, the later over the earlier.

    Raises:
        FileNotFoundError: no image has this name.
        ValueError: no such trap, or the declaration is wrong.
    """
    card = _table(f"{_PREFIX}{name}")
    added = [_trap(trap) for trap in trap_names]
    table = {**load_generation(card["generation"]), **_CARD}
    changes: list[Mapping[str, Any]] = []
    for differences in (card, *added):
        changes += differences.pop("change", [])
        differences["bank"] = {**table["bank"], **differences.get("bank", {})}
        if unknown := differences.keys() - table.keys():
            raise ValueError(f"{name}: unknown {', '.join(sorted(unknown))}")
        table |= differences
    return Image(
        generation=table["generation"],
        version=table["version"],
        card_class=table["card_class"],
        algorithm=Algorithm(table["algorithm"]),
        algorithm_in_fci=table["algorithm_in_fci"],
        directory_sfi=_number(table["directory_sfi"]),
        strict_t0=table["strict_t0"],
        file_selection=tuple(_number(p1) for p1 in table["file_selection"]),
        short_identifiers=table["short_identifiers"],
        reads_all_records=table["reads_all_records"],
        empty_verify=table["empty_verify"],
        master_first=table["master_first"],
        chip=bytes.fromhex(table["chip"]),
        vendor=bytes.fromhex(table["vendor"]),
        default_pin=table["default_pin"],
        pin_tries=table["pin_tries"],
        key_tries=table["key_tries"],
        mac_tries=table["mac_tries"],
        directories=load_directories(table["generation"], changes),
        holder=table["holder"],
        applications=tuple(Extra(each) for each in table["applications"]),
        pin_tries_left=_tries_left(table),
        application_state=State(table["application_state"]),
        card_blocked=table["card_blocked"],
        forged=table["forged"],
        bank=table["bank"],
    )


def _table(name: str) -> dict[str, Any]:
    text = files("hw_sim.cards").joinpath("images", f"{name}{_SUFFIX}").read_text("utf-8")
    return tomllib.loads(text)


def _trap(name: str) -> dict[str, Any]:
    declared = _table("traps")
    if name not in declared:
        raise ValueError(f"no trap is called {name!r}")
    return {key: value for key, value in declared[name].items() if key not in ("zh", "en")}


def _tries_left(table: Mapping[str, Any]) -> int:
    left = table["pin_tries_left"]
    return int(table["pin_tries"] if left is None else left)


def _number(text: str) -> int:
    return int(text, 16)
