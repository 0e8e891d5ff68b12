"""The pair to decrypt with: the CA makes it, and seals it for one card."""

from __future__ import annotations

from dataclasses import dataclass

from apdu.channel import wipe
from apdu.command import SHORT_NE
from apdu.crypto import sm2
from apdu.pki import proofs
from apdu.pki.exchange import PkiExchange, file_reference
from apdu.pki.profile import KeyUse, PkiProfile, Step

_PUBLIC_FILE, _TEXT, _PRIVATE_FILE, _PUBLIC_KEY, _PRIVATE_KEY = 0xC0, 0xC1, 0xC2, 0xCA, 0xCB
_LENGTH_OF_TWO = 0x82
_ENVELOPE_SIZE, _PRIVATE_SIZE = 112, 32


@dataclass(frozen=True, repr=False)
class SealedKeyPair:
    """What the CA sends for one card.

    Attributes:
        envelope: an SM4 key under the card's signing key: SM2 cipher text x ‖ y ‖ C3 ‖ C2, 112
            bytes (`CiphertextEncoding.RAW`).
        public_key: the pair's public half.
        private_key: its private half under that SM4 key (ECB), 32 bytes.

    Raises:
        ValueError: a part has another length.
    """

    envelope: bytes
    public_key: sm2.PublicKey
    private_key: bytes

    def __post_init__(self) -> None:
        if len(self.envelope) != _ENVELOPE_SIZE or len(self.private_key) != _PRIVATE_SIZE:
            raise ValueError(
                f"an envelope has {_ENVELOPE_SIZE} bytes, a sealed private key {_PRIVATE_SIZE}"
            )

    def __repr__(self) -> str:
        return "SealedKeyPair(...)"


def import_pair(exchange: PkiExchange, profile: PkiProfile, pair: SealedKeyPair) -> None:
    """Give the card its sealed pair. It opens the envelope with its signing pair, hands out the
    session key, and takes it back for the private half (form and order as logged)."""
    opener, files = profile.files[KeyUse.SIGNATURE], profile.files[KeyUse.ENCRYPTION]
    size = _ENVELOPE_SIZE.to_bytes(2, "big")
    envelope = bytes((_TEXT, _LENGTH_OF_TWO)) + size + pair.envelope
    data = bytearray(2 + proofs.KEY_SIZE)
    try:
        data[:2] = _TEXT, proofs.KEY_SIZE
        data[2:] = exchange.do(
            Step.OPEN_ENVELOPE,
            file_reference(_PRIVATE_FILE, opener.private_key) + envelope,
            ne=SHORT_NE,
            size=proofs.KEY_SIZE,
        ).data
        exchange.do(Step.LOAD_SESSION_KEY, data)
    finally:
        wipe(data)
    public = bytes((_PUBLIC_KEY, len(pair.public_key.xy))) + pair.public_key.xy
    exchange.do(Step.IMPORT_PUBLIC_KEY, file_reference(_PUBLIC_FILE, files.public_key) + public)
    private = bytes((_PRIVATE_KEY, _PRIVATE_SIZE)) + pair.private_key
    exchange.do(Step.IMPORT_PRIVATE_KEY, file_reference(_PRIVATE_FILE, files.private_key) + private)
