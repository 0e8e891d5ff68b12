"""Fields of the PIN pad's commands and the data of its model (``epp.toml``)."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

_HEX_PAIRS = re.compile(rb"(?:[0-9A-Fa-f]{2})+")


@cache
def facts() -> dict[str, Any]:
    """The pad's data (``epp.toml``)."""
    return tomllib.loads(files("hw_sim.pad").joinpath("epp.toml").read_text(encoding="utf-8"))


class PadRefused(Exception):
    """The pad answers with an error byte.

    Attributes:
        code: 0xE0..0xEF.
        wrong: no correct host sends such a command. Keys may be missing, and an entry over,
            without the host's doing.
    """

    def __init__(self, name: str, *, wrong: bool = True) -> None:
        super().__init__(name)
        self.code: int = facts()["errors"][name]
        self.wrong = wrong


def number(digits: bytes) -> int:
    """Two decimal digits."""
    if len(digits) != 2:
        raise PadRefused("command-length")
    if not digits.isdigit():
        raise PadRefused("incorrect-parameter")
    return int(digits)


def hex_bytes(digits: bytes) -> bytes:
    """Pairs of hexadecimal digits, either case."""
    if not _HEX_PAIRS.fullmatch(digits):
        raise PadRefused("incorrect-data")
    return bytes.fromhex(digits.decode())


def key_bytes(length: bytes, digits: bytes, table: str) -> bytes:
    """A key of the length that its digit says; ``table`` is ``plain`` or ``encrypted``."""
    size = facts()["lengths"][table].get(length.decode("latin-1"))
    if size is None:
        raise PadRefused("key-size")
    if len(digits) != 2 * size:
        raise PadRefused("command-length")
    return hex_bytes(digits)


def pin_length(value: int) -> int:
    """A number of PIN digits that a block can hold."""
    limits = facts()["pin"]
    if not limits["shortest"] <= value <= limits["longest"]:
        raise PadRefused("incorrect-parameter")
    return value
