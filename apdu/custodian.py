"""Who keeps the keys: a PSAM in the terminal, an HSM behind the platform, or nobody.

A custodian computes authentication results and protects commands, and gives no key away.
Whichever it is, the card sees the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, assert_never

from apdu.errors import PsamUnavailable


class Algorithm(Enum):
    """The card's algorithm flag (FCI tag 9F0C; the platform's field AFLAG)."""

    TDES = "01"
    SSF33 = "02"
    SM4 = "03"

    @property
    def block_size(self) -> int:
        """Bytes of one block of its cipher."""
        match self:
            case Algorithm.TDES:
                return 8
            case Algorithm.SSF33 | Algorithm.SM4:
                return 16
            case _:
                assert_never(self)


@dataclass(frozen=True)
class KeyReference:
    """Where one key is found, never the key itself.

    Attributes:
        name: such as ``RK_SSSE``.
        key_id: P2 of EXTERNAL AUTHENTICATE; None where the card has no such command for it.
        usage: PSAM usage byte: low 5 bits type, high 3 bits number of factors; None where no
            source tells: then no PSAM is asked for it.
        index: PSAM key index.
        hsm_address: 4 hexadecimal digits for the provincial HSM; None where no source tells.
        sm4_index: PSAM key index of the SM4 key of this name, where it differs from the 3DES
            key's: a PSAM that serves both generations keeps both.

    Raises:
        ValueError: a part is out of range.
    """

    name: str
    key_id: int | None
    usage: int | None
    index: int
    hsm_address: str | None
    sm4_index: int | None = None

    def __post_init__(self) -> None:
        numbers = (self.usage or 0, self.index, self.key_id or 0, self.sm4_index or 0)
        if not all(0 <= number <= 0xFF for number in numbers):
            raise ValueError(f"{self.name}: usage, index and key id are bytes")
        if self.levels > 3:
            raise ValueError(f"{self.name}: a PSAM diversifies by at most three factors")
        address = self.hsm_address
        if address is not None and (len(address) != 4 or not _is_hex(address)):
            raise ValueError(f"{self.name}: an HSM address has four hexadecimal digits")

    @property
    def levels(self) -> int:
        """How many factors the key is diversified by: card, city, province in this order; 0
        where the usage is not known."""
        return 0 if self.usage is None else self.usage >> 5

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
        _check_eight(self.card_factor, self.challenge, self.data)
        _check_region(self.region)

    def __repr__(self) -> str:
        return f"AuthenticationRequest({self.key.name}, {self.algorithm.name})"


MAC_SIZE = 4
"""Bytes of the MAC at the end of a protected command's data (mark B)."""


@dataclass(frozen=True, repr=False)
class ProtectionRequest:
    """What a custodian needs to protect one command by secure messaging.

    Attributes:
        algorithm: the card's.
        key: the transport key (STK) of the application.
        card_factor: F_card, 8 bytes.
        region: 6 digits, for F_city and F_prov.
        challenge: the card's latest challenge, 8 bytes, which makes the process key.
        header: CLA INS P1 P2, 4 bytes.
        block: the plain data in whole cipher blocks; empty where the command carries a MAC only.
            Secret: whoever filled it wipes it.

    Raises:
        ValueError: a part has another length.
    """

    algorithm: Algorithm
    key: KeyReference
    card_factor: bytes
    region: str
    challenge: bytes
    header: bytes
    block: bytearray

    def __post_init__(self) -> None:
        _check_eight(self.card_factor, self.challenge)
        _check_region(self.region)
        if len(self.header) != 4:
            raise ValueError("a header has 4 bytes")
        if len(self.block) % self.algorithm.block_size or len(self.block) > 240:
            raise ValueError("the data are whole blocks that fit a short command with their MAC")

    def __repr__(self) -> str:
        name = self.header.hex().upper()
        return f"ProtectionRequest({name}, {self.key.name}, {self.algorithm.name})"

    def mac_input(self, encrypted: bytes) -> bytes:
        """CLA INS P1 P2 Lc ‖ encrypted data ‖ 80 00…, whole blocks; Lc counts the MAC (mark C)."""
        text = self.header + bytes((len(encrypted) + MAC_SIZE,)) + encrypted + b"\x80"
        return text + bytes(-len(text) % self.algorithm.block_size)


class Custodian(Protocol):
    """Keeps keys and computes with them."""

    def cryptogram(self, request: AuthenticationRequest) -> bytes | None:
        """The 8-byte result; None when this custodian lacks the key or the algorithm.

        Raises:
            PsamUnavailable: it cannot be asked at all.
        """

    def protect(self, request: ProtectionRequest) -> bytes | None:
        """The command's data: encrypted block ‖ MAC (4 bytes); None when this custodian lacks
        the key or the algorithm.

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
        return self._first(lambda custodian: custodian.cryptogram(request))

    def protect(self, request: ProtectionRequest) -> bytes | None:
        """See `Custodian.protect`; the same errors as `cryptogram`."""
        return self._first(lambda custodian: custodian.protect(request))

    def _first(self, ask: Callable[[Custodian], bytes | None]) -> bytes | None:
        answered = False
        failure: PsamUnavailable | None = None
        for custodian in self._custodians:
            try:
                result = ask(custodian)
            except PsamUnavailable as error:
                failure = error
                continue
            answered = True
            if result is not None:
                return result
        if answered:
            return None
        raise failure or PsamUnavailable("there is no custodian of keys")


def _is_hex(text: str) -> bool:
    return all(character in "0123456789ABCDEF" for character in text)


def _check_eight(*parts: bytes) -> None:
    if {*map(len, parts)} != {8}:
        raise ValueError("factor, challenge and data have 8 bytes each")


def _check_region(region: str) -> None:
    if len(region) != 6 or not (region.isascii() and region.isdecimal()):
        raise ValueError("a region has six digits")
