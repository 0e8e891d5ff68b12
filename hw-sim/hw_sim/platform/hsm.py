"""The platform's card-key HSM (加密机): recomputes a card's cryptogram and protects commands.

The only place of the platform that reaches the simulated cards' keys.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files
from typing import Literal, Protocol

from hw_sim.cards.keys import (
    KEY_NAMES,
    Algorithm,
    block_size,
    card_key,
    encrypt,
    mac,
    process_key,
    seal,
)
from hw_sim.platform.encryption import SEALED_MORE, NotOpened, opened
from hw_sim.platform.signatures import Sm2Key

AlgorithmId = Literal["01", "03"]


@dataclass(frozen=True, repr=False)
class CardKey:
    """One key of one card, in one session.

    Attributes:
        address: four hex digits, capital letters.
        algorithm: ``01`` 3DES, ``03`` SM4.
        card_factor: 8 bytes.
        region: six digits.
        challenge: 8 bytes that make the process key.
    """

    address: str
    algorithm: AlgorithmId
    card_factor: bytes
    region: str
    challenge: bytes


class BlockRefused(Exception):
    """What came encrypted cannot be opened, or is not one block of the card's cipher."""


class Hsm(Protocol):
    """A key service.

    ``cryptogram`` and ``protect`` raise LookupError where it doesn't hold the key, or not for this
    algorithm or use.
    """

    @property
    def public_key(self) -> bytes:
        """X‖Y, 64 bytes: what a new PIN is encrypted to."""

    def cryptogram(self, key: CardKey, data: bytes) -> bytes:
        """8 bytes over 8 bytes ``data``."""

    def protect(self, key: CardKey, header: bytes, sealed: bytes) -> bytes:
        """A protected command's data: encrypted block, if there is one, and MAC (4 bytes).

        Args:
            header: CLA INS P1 P2.
            sealed: the plain block, encrypted to ``public_key``: C1‖C3‖C2, C1 being 04‖x‖y;
                empty where the command has no block.

        Raises:
            BlockRefused: see there.
        """


class _Use(Enum):
    AUTHENTICATION = "authentication"
    PROTECTION = "protection"


class DemoHsm:
    """``Hsm`` with the keys that the demo province's cards were personalised with.

    Its own key pair lives as long as the object; nothing that was encrypted to it is kept.
    """

    def __init__(self) -> None:
        self._pair = Sm2Key.generate()

    @property
    def public_key(self) -> bytes:
        return self._pair.public

    def cryptogram(self, key: CardKey, data: bytes) -> bytes:
        process = _process_key(key, _Use.AUTHENTICATION)
        return seal(process, data, Algorithm(key.algorithm))

    def protect(self, key: CardKey, header: bytes, sealed: bytes) -> bytes:
        process = _process_key(key, _Use.PROTECTION)
        algorithm = Algorithm(key.algorithm)
        size = block_size(algorithm)
        encrypted = b""
        if sealed:
            if len(sealed) != SEALED_MORE + size:
                raise BlockRefused
            try:
                block = opened(self._pair, sealed)
            except NotOpened:
                raise BlockRefused from None
            encrypted = encrypt(process, block, algorithm)
        text = header + bytes((len(encrypted) + 4,)) + encrypted
        return encrypted + mac(process, bytes(size), text, algorithm)


@cache
def _held() -> Mapping[str, Mapping[str, str]]:
    text = files("hw_sim.platform").joinpath("hsm.toml").read_text("utf-8")
    return {entry["address"]: entry for entry in tomllib.loads(text)["keys"]}


def _process_key(key: CardKey, use: _Use) -> bytes:
    entry = _held()[key.address]
    if _Use(entry["use"]) is not use:
        raise LookupError("held for another use")
    name = next(known for known in KEY_NAMES if known == entry["name"])
    algorithm = Algorithm(key.algorithm)
    sub_key = card_key(name, algorithm, key.region, key.card_factor)
    return process_key(sub_key, key.challenge, algorithm)
