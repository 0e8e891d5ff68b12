"""An answer to reset in words (ISO/IEC 7816-3 §8.2)."""

from __future__ import annotations

from apdu.errors import MalformedAnswer
from apdu.identity import CARD_FACTOR_SIZE, Atr

_SERIAL = 4
_SOCIAL_SECURITY = 13
"""Historical bytes of a contact social security card (mark A); the last eight are the card's
diversification factor, and the last four of those its serial number."""


def mask_atr(atr: bytes) -> str:
    """In hexadecimal, without the bytes that name one card."""
    return atr[:-_SERIAL].hex().upper() + "…"


def explain(atr: bytes, *, full: bool) -> dict[str, object]:
    """What its bytes say, as JSON values.

    Returns:
        convention, protocols, interface bytes by name, historical bytes (the tail masked unless
        `full`), and what those of a social security card tell.
    """
    told: dict[str, object] = {"bytes": atr.hex().upper() if full else mask_atr(atr)}
    try:
        historical = Atr.parse(atr).historical
    except MalformedAnswer:
        return told | {"readable": False}
    interface = _interface(atr)
    offered = [f"T={value & 0x0F}" for name, value in interface.items() if name.startswith("TD")]
    told |= {
        "readable": True,
        "convention": "direct" if atr[0] == 0x3B else "inverse",
        "protocols": list(dict.fromkeys(offered)) or ["T=0"],
        "interface": {name: f"{value:02X}" for name, value in interface.items()},
        "historical": historical.hex().upper() if full else _mask(historical),
    }
    if len(historical) == _SOCIAL_SECURITY:
        factor = historical[-CARD_FACTOR_SIZE:]
        told["card_maker"] = f"{factor[1]:02X}"
        told["region_begins"] = factor[2:4].hex()
    return told


def _mask(historical: bytes) -> str:
    if len(historical) < CARD_FACTOR_SIZE:
        return historical.hex().upper()
    return historical[:-_SERIAL].hex().upper() + "…"


def _interface(atr: bytes) -> dict[str, int]:
    """TA1, TB1, … of an answer that `Atr.parse` accepts."""
    found: dict[str, int] = {}
    following, at, level = atr[1] >> 4, 2, 1
    while following:
        for bit, letter in enumerate("ABCD"):
            if following & 1 << bit:
                found[f"T{letter}{level}"] = atr[at]
                at += 1
        following = found.get(f"TD{level}", 0) >> 4
        level += 1
    return found
