"""What a bank writes into its payment application, declared in images/bank.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from hw_sim.cards.ber import ber
from hw_sim.population import Resident

_DIGITS = 19


class OptionsFormat(Enum):
    """How GET PROCESSING OPTIONS answers (EMV book 3 §6.5.8.4)."""

    PRIMITIVE = "80"
    TEMPLATE = "77"


@dataclass(frozen=True)
class ListedApplication:
    """One entry of the directories; ``present`` where the card holds it."""

    aid: bytes
    label: str
    priority: int
    present: bool

    def entry(self) -> bytes:
        """Its directory entry, template 61."""
        return ber(
            "61",
            ber("4F", self.aid)
            + ber("50", self.label.encode("ascii"))
            + ber("87", bytes([self.priority])),
        )


@dataclass(frozen=True)
class BankAccount:
    """The account behind the card; ``number`` has 19 digits."""

    number: str
    expires: date


@dataclass(frozen=True)
class BankItem:
    """One element of a record and where its value comes from."""

    tag: str
    value: str


@dataclass(frozen=True)
class BankFile:
    """One record file; ``authenticated`` counts the records of offline data authentication."""

    sfi: int
    authenticated: int
    records: Sequence[Sequence[BankItem]]


@dataclass(frozen=True)
class BankImage:
    """The fields are those of the TOML file.

    Attributes:
        pdol: tag in hex and length of what GET PROCESSING OPTIONS must bring.
    """

    directory: bool
    contactless: bool
    directory_sfi: int
    processing_options: OptionsFormat
    reads_without_options: bool
    account_tag: bool
    aip: bytes
    service_code: str
    account_prefix: str
    applications: Sequence[ListedApplication]
    pdol: Sequence[tuple[str, int]]
    files: Sequence[BankFile]

    @property
    def pdol_length(self) -> int:
        """Bytes of the command's data object list."""
        return sum(length for _, length in self.pdol)

    def account(self, resident: Resident) -> BankAccount:
        """The demo account of one resident."""
        width = _DIGITS - 1 - len(self.account_prefix)
        first = f"{self.account_prefix}{resident.index + 1:0{width}d}"
        return BankAccount(first + luhn_digit(first), resident.card.expires)

    def records(self, file: BankFile, account: BankAccount) -> Sequence[bytes]:
        """The file's records, each in its template 70. Raises KeyError: an unknown value."""
        return [
            ber("70", b"".join(ber(item.tag, self._value(item, account)) for item in record))
            for record in (
                [item for item in record if item.tag != "5A" or self.account_tag]
                for record in file.records
            )
        ]

    def _value(self, item: BankItem, account: BankAccount) -> bytes:
        if item.value.startswith("hex:"):
            return bytes.fromhex(item.value.removeprefix("hex:"))
        return _SOURCES[item.value](self, account)


def luhn_digit(digits: str) -> str:
    """The check digit that follows them (ISO/IEC 7812-1 annex B)."""
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits)))
    return str(-sum(value // 10 + value % 10 for value in doubled) % 10)


def load_bank_image(differences: Mapping[str, Any] = MappingProxyType({})) -> BankImage:
    """The image in the package, with a card's own differences over it.

    Raises:
        ValueError: the declaration is wrong, or a difference has no place in it.
    """
    table = _table()
    if unknown := differences.keys() - table.keys():
        raise ValueError(f"bank: unknown {', '.join(sorted(unknown))}")
    table = {**table, **differences}
    return BankImage(
        directory=table["directory"],
        contactless=table["contactless"],
        directory_sfi=_number(table["directory_sfi"]),
        processing_options=OptionsFormat(table["processing_options"]),
        reads_without_options=table["reads_without_options"],
        account_tag=table["account_tag"],
        aip=bytes.fromhex(table["aip"]),
        service_code=table["service_code"],
        account_prefix=table["account_prefix"],
        applications=tuple(_application(entry) for entry in table["application"]),
        pdol=tuple((entry["tag"], entry["length"]) for entry in table["pdol"]),
        files=tuple(_file(entry) for entry in table["file"]),
    )


@cache
def _table() -> Mapping[str, Any]:
    text = files("hw_sim.cards").joinpath("images", "bank.toml").read_text("utf-8")
    return tomllib.loads(text)


def _number(text: str) -> int:
    return int(text, 16)


def _application(entry: Mapping[str, Any]) -> ListedApplication:
    return ListedApplication(
        bytes.fromhex(entry["aid"]), entry["label"], _number(entry["priority"]), entry["present"]
    )


def _file(entry: Mapping[str, Any]) -> BankFile:
    records = tuple(
        tuple(BankItem(item["tag"], item["value"]) for item in record)
        for record in entry["records"]
    )
    return BankFile(_number(entry["sfi"]), entry["authenticated"], records)


def _packed(text: str) -> bytes:
    """Digits and the separator D in half-bytes, filled up with F."""
    return bytes.fromhex(text + "F" * (len(text) % 2))


def _number_value(image: BankImage, account: BankAccount) -> bytes:
    return _packed(account.number)


def _expires_value(image: BankImage, account: BankAccount) -> bytes:
    return _packed(f"{account.expires:%y%m%d}")


def _track_2(image: BankImage, account: BankAccount) -> bytes:
    """Number, D, year and month, service code, four digits of the bank's own."""
    return _packed(f"{account.number}D{account.expires:%y%m}{image.service_code}0000")


_SOURCES: Mapping[str, Callable[[BankImage, BankAccount], bytes]] = MappingProxyType(
    {"number": _number_value, "expires": _expires_value, "track_2": _track_2}
)
