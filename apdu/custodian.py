"""Who keeps the keys: a PSAM in the terminal, an HSM behind the platform, or nobody.

A custodian computes one authentication result and gives no key away. Whichever it is, the card
sees the same 8 bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from apdu.errors import PsamUnavailable


class Algorithm(Enum):
    """The card's algorithm flag (FCI tag 9F0C; the platform's field AFLAG)."""

    TDES = "01"
    SSF33 = "02"
    SM4 = "03"


@dataclass(frozen=True)
class KeyReference:
    """Where one key is found, never the key itself.

    Attributes:
        name: such as ``RK_SSSE``.
        key_id: P2 of EXTERNAL AUTHENTICATE; None where the card has no such command for it.
        usage: PSAM usage byte: low 5 bits type, high 3 bits number of factors.
        index: PSAM key index.
        hsm_address: 4 hexadecimal digits for the provincial HSM.
        sm4_index: PSAM key index of the SM4 key of this name, where it differs from the 3DES
            key's: a PSAM that serves both generations keeps both.

    Raises:
        ValueError: a part is out of range.
    """

    name: str
    key_id: int | None
    usage: int
    index: int
    hsm_address: str
    sm4_index: int | None = None

    def __post_init__(self) -> None:
        numbers = (self.usage, self.index, self.key_id or 0, self.sm4_index or 0)
        if not all(0 <= number <= 0xFF for number in numbers):
            raise ValueError(f"{self.name}: usage, index and key id are bytes")
        if self.levels > 3:
            raise ValueError(f"{self.name}: a PSAM diversifies by at most three factors")
        if len(self.hsm_address) != 4 or not _is_hex(self.hsm_address):
            raise ValueError(f"{self.name}: an HSM address has four hexadecimal digits")

    @property
    def levels(self) -> int:
        """How many factors the key is diversified by: card, city, province in this order."""
        return self.usage >> 5

    def psam_index(self, algorithm: Algorithm) -> int:
        """The PSAM key index for a card of this algorithm."""
        if algorithm is Algorithm.SM4 and self.sm4_index is not None:
            return self.sm4_index
        return self.index


@dataclass(frozen=True, repr=False)
class AuthenticationRequest:
    """What a custodian needs for one result.

    Attributes:
        algorithm: the card's.
        key: which key.
        card_factor: F_card, 8 bytes.
        region: 6 digits, for F_city and F_prov.
        challenge: the process factor (过程因子), 8 bytes.
        data: the original data (原始信息), 8 bytes.

    Raises:
        ValueError: a part has another length.
    """

    algorithm: Algorithm
    key: KeyReference
    card_factor: bytes
    region: str
    challenge: bytes
    data: bytes

    def __post_init__(self) -> None:
        if not len(self.card_factor) == len(self.challenge) == len(self.data) == 8:
            raise ValueError("factor, challenge and data have 8 bytes each")
        if len(self.region) != 6 or not (self.region.isascii() and self.region.isdecimal()):
            raise ValueError("a region has six digits")

    def __repr__(self) -> str:
        return f"AuthenticationRequest({self.key.name}, {self.algorithm.name})"


class Custodian(Protocol):
    """Keeps keys and computes with them."""

    def cryptogram(self, request: AuthenticationRequest) -> bytes | None:
        """The 8-byte result; None when this custodian lacks the key or the algorithm.

        Raises:
            PsamUnavailable: it cannot be asked at all.
        """


class FirstThatCan:
    """Asks custodians in order and takes the first result: PSAM first, then HSM."""

    def __init__(self, custodians: Sequence[Custodian]) -> None:
        self._custodians = tuple(custodians)

    def cryptogram(self, request: AuthenticationRequest) -> bytes | None:
        """See `Custodian.cryptogram`.

        Raises:
            PsamUnavailable: there is no custodian, or none of them can be asked.
        """
        answered = False
        failure = PsamUnavailable("there is no custodian of keys")
        for custodian in self._custodians:
            try:
                result = custodian.cryptogram(request)
            except PsamUnavailable as error:
                failure = error
                continue
            answered = True
            if result is not None:
                return result
        if answered:
            return None
        raise failure


def _is_hex(text: str) -> bool:
    return all(character in "0123456789ABCDEF" for character in text)
