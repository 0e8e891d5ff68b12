"""What a bank application is asked by and told, declared as data: ``profiles/bank.toml``."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from importlib import resources
from types import MappingProxyType
from typing import Any, assert_never


class Fill(Enum):
    """Where a terminal value comes from that is not always the same."""

    DATE = "date"
    TIME = "time"
    RANDOM = "random"


@dataclass(frozen=True)
class Moment:
    """When, and by which randomness, terminal data are told."""

    now: datetime
    random: Callable[[int], bytes]


@dataclass(frozen=True)
class TerminalValue:
    """One data object that the terminal can tell.

    Attributes:
        name: what it is, for people.
        numeric: whether it is filled up and cut on the left instead of the right.
        value: its bytes, or where they come from.
        mark: how sure it is.
    """

    name: str
    numeric: bool
    value: bytes | Fill
    mark: str

    def told(self, size: int, moment: Moment) -> bytes:
        """Exactly `size` bytes (EMV Book 3 §5.4)."""
        value = self._value(size, moment)
        if self.numeric:
            return value[max(0, len(value) - size) :].rjust(size, b"\x00")
        return value[:size].ljust(size, b"\x00")

    def _value(self, size: int, moment: Moment) -> bytes:
        match self.value:
            case bytes():
                return self.value
            case Fill.DATE:
                return bytes.fromhex(moment.now.strftime("%y%m%d"))
            case Fill.TIME:
                return bytes.fromhex(moment.now.strftime("%H%M%S"))
            case Fill.RANDOM:
                return moment.random(size)
            case _:
                assert_never(self.value)


@dataclass(frozen=True)
class BankProfile:
    """Names and limits.

    Attributes:
        directories: names of the directories, asked in order.
        providers: how names of bank applications begin.
        applications: names asked in order where no directory tells one.
        terminal: what the terminal tells, by tag.
        candidates: most applications that are tried.
        directory_records: most records of a directory.
        commands: most commands of one whole walk.
    """

    directories: tuple[bytes, ...]
    providers: tuple[bytes, ...]
    applications: tuple[bytes, ...]
    terminal: Mapping[int, TerminalValue]
    candidates: int
    directory_records: int
    commands: int

    def tell(self, tag: int, size: int, moment: Moment) -> bytes:
        """`size` bytes of terminal data; zeros for what the terminal does not know."""
        known = self.terminal.get(tag)
        return bytes(size) if known is None else known.told(size, moment)

    @classmethod
    def from_toml(cls, text: str) -> BankProfile:
        """Read a declaration.

        Raises:
            ValueError, KeyError, TypeError: it is not of the form of ``profiles/bank.toml``.
        """
        table = tomllib.loads(text)
        return cls(
            directories=_names(table["directories"]),
            providers=_names(table["providers"]),
            applications=_names(table["applications"]),
            terminal=MappingProxyType(
                {entry["tag"]: _terminal(entry) for entry in table["terminal"]}
            ),
            **table["limits"],
        )


@functools.cache
def shipped_bank_profile() -> BankProfile:
    """The profile that comes with this package."""
    path = resources.files("apdu").joinpath("profiles", "bank.toml")
    return BankProfile.from_toml(path.read_text(encoding="utf-8"))


def _names(names: list[str]) -> tuple[bytes, ...]:
    return tuple(bytes.fromhex(name) for name in names)


def _terminal(entry: dict[str, Any]) -> TerminalValue:
    fill = entry.get("fill")
    value = Fill(fill) if fill is not None else bytes.fromhex(entry["value"])
    return TerminalValue(entry["name"], entry["numeric"], value, entry["mark"])
