"""What SELECT of the application SSSE tells: the algorithm of the card's keys (FCI tag 9F0C)."""

from __future__ import annotations

import functools

from apdu import ber_tlv
from apdu.custodian import Algorithm
from apdu.errors import MalformedAnswer

_FCI, _PROPRIETARY, _ISSUER_DATA, _ALGORITHM = 0x6F, 0xA5, 0x9F0C, 0x86
_SSF33_REGION = "11"
"""Beijing's cards without an algorithm flag use SSF33 (mark C)."""


@functools.lru_cache(maxsize=64)
def told_algorithm(fci: bytes) -> Algorithm | None:
    """The flag in 6F / A5 / 9F0C / 86; None when any of them is absent. Remembered: a city's cards
    all tell the same.

    Raises:
        MalformedAnswer: it is no FCI, or names an unknown algorithm.
    """
    flag = ber_tlv.find(fci, _FCI, _PROPRIETARY, _ISSUER_DATA, _ALGORITHM)
    if flag is None:
        return None
    try:
        return Algorithm(flag.hex())
    except ValueError:
        raise MalformedAnswer("the card names an unknown algorithm") from None


def untold_algorithm(region: str) -> Algorithm:
    """The algorithm of a card that tells none, by the region of its card id, 6 digits."""
    return Algorithm.SSF33 if region.startswith(_SSF33_REGION) else Algorithm.TDES
