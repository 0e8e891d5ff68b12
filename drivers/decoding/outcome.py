"""What becomes of a picture in which a code was looked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Decoder(Enum):
    """The libraries, in the order in which they are asked."""

    ZXING = "zxing-cpp"
    PYZBAR = "pyzbar"
    WECHAT = "wechat"


@dataclass(frozen=True)
class Decoded:
    """One code.

    Attributes:
        payload: what stands in it, 1..`drivers.code_scanner.LONGEST_CODE` bytes; it may name a
            resident, so it never shows in a repr.
        decoder: who read it.
    """

    payload: bytes = field(repr=False)
    decoder: Decoder


class CodeRefused(Exception):
    """There is a code, and it is not handed on."""


class TwoCodes(CodeRefused):
    """Different codes are in the picture: nobody can tell which one is meant."""


class NotExact(CodeRefused):
    """The only decoder that could read the code is known to change such a payload."""
