"""What provinces and makers do differently in the interface, as data (``conventions.toml``)."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from importlib import resources


class ReadAuthentication(Enum):
    """By what iReadCard opens files that either a PIN or a key opens."""

    PIN = "pin"
    KEY = "key"


class Challenge(Enum):
    """What a first step tells the HSM."""

    ORIGINAL = "original"
    FACTOR = "factor"


@dataclass(frozen=True)
class Conventions:
    """One province's.

    Attributes:
        applications: other names of applications in addresses, and what they mean.
        read_authentication: iAuthType and what it means.
        challenges: order of the two challenges, by the function's name without its step.
        initial_pins: ASCII digits that a new PIN may not be.
        number_without_psam: 终端机编号 where no PSAM tells one.
        processor_card: what iGetCardType says of one.
    """

    applications: Mapping[str, str]
    read_authentication: Mapping[str, ReadAuthentication]
    challenges: Mapping[str, tuple[Challenge, ...]]
    initial_pins: tuple[bytes, ...]
    number_without_psam: str
    processor_card: str

    @classmethod
    def from_toml(cls, text: str) -> Conventions:
        """Read a declaration of the form of ``conventions.toml``.

        Raises:
            ValueError, KeyError: it is not of this form.
        """
        table = tomllib.loads(text)
        orders = {
            name: tuple(Challenge(part) for part in parts)
            for name, parts in table["challenges"].items()
        }
        if any(sorted(order, key=str) != sorted(Challenge, key=str) for order in orders.values()):
            raise ValueError("each of the two challenges is told once")
        return cls(
            applications=table["applications"],
            read_authentication={
                code: ReadAuthentication(how) for code, how in table["read_authentication"].items()
            },
            challenges=orders,
            initial_pins=tuple(digits.encode("ascii") for digits in table["pin"]["initial"]),
            number_without_psam=table["terminal"]["number_without_psam"],
            processor_card=table["card_type"]["processor"],
        )


@functools.cache
def shipped_conventions() -> Conventions:
    """Those that come with this package."""
    text = resources.files("apdu.ministry").joinpath("conventions.toml").read_text(encoding="utf-8")
    return Conventions.from_toml(text)
