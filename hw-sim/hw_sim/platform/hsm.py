"""The platform's card-key HSM (加密机): recomputes a card's cryptogram.

The only place of the platform that reaches the simulated cards' keys.
"""

from __future__ import annotations

from typing import Literal, Protocol

KeyName = Literal["IRK_SSSE", "RK_SSSE"]
AlgorithmId = Literal["01", "03"]


class Cryptograms(Protocol):
    """Computes a cryptogram, 8 bytes.

    Args of the call: key, algorithm (``01`` 3DES, ``03`` SM4), card factor (8 bytes), region (six
    digits), challenge and data (8 bytes each).

    Raises:
        LookupError: this HSM doesn't hold the key, or not for this algorithm.
    """

    def __call__(
        self,
        key_name: KeyName,
        algorithm: AlgorithmId,
        card_factor: bytes,
        region: str,
        challenge: bytes,
        data: bytes,
    ) -> bytes: ...


def demo_cryptogram(
    key_name: KeyName,
    algorithm: AlgorithmId,
    card_factor: bytes,
    region: str,
    challenge: bytes,
    data: bytes,
) -> bytes:
    """``Cryptograms`` under the keys that the demo province's cards were personalised with."""
    from hw_sim.cards.keys import hsm_cryptogram

    return hsm_cryptogram(key_name, algorithm, card_factor, region, challenge, data)
