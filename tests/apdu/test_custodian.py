"""Custodians: what may be asked, and who is asked first."""

from dataclasses import replace

import pytest

from apdu.custodian import (
    Algorithm,
    AuthenticationRequest,
    Custodian,
    FirstThatCan,
    KeyReference,
    ProtectionRequest,
)
from apdu.errors import PsamUnavailable

KEY = KeyReference("RK_SSSE", 0x0A, 0x28, 0x0A, "004C")
REQUEST = AuthenticationRequest(Algorithm.SM4, KEY, b"f" * 8, "429900", b"challeng", b"original")
PROTECTION = ProtectionRequest(
    Algorithm.TDES,
    KeyReference("STK_SSSE", None, 0x48, 0x09, "0173"),
    b"f" * 8,
    "429900",
    b"challeng",
    bytes.fromhex("84240001"),
    bytearray(8),
)


class Fixed:
    """Answers what it was told to, and counts how often."""

    def __init__(self, answer: bytes | PsamUnavailable | None) -> None:
        self.answer = answer
        self.asked = 0

    def cryptogram(self, request: AuthenticationRequest) -> bytes | None:
        return self._told()

    def protect(self, request: ProtectionRequest) -> bytes | None:
        return self._told()

    def _told(self) -> bytes | None:
        self.asked += 1
        if isinstance(self.answer, PsamUnavailable):
            raise self.answer
        return self.answer


def test_the_first_result_counts_and_the_rest_is_not_asked() -> None:
    chain = [Fixed(PsamUnavailable()), Fixed(None), Fixed(b"result 1"), Fixed(b"result 2")]
    custodian: Custodian = FirstThatCan(chain)
    assert custodian.cryptogram(REQUEST) == b"result 1"
    assert [one.asked for one in chain] == [1, 1, 1, 0]
    assert custodian.protect(PROTECTION) == b"result 1"
    assert [one.asked for one in chain] == [2, 2, 2, 0]


def test_nobody_can_tell_when_one_was_asked_in_vain() -> None:
    for chain in ([Fixed(None)], [Fixed(PsamUnavailable()), Fixed(None)]):
        assert FirstThatCan(chain).cryptogram(REQUEST) is None
    assert FirstThatCan([Fixed(None), Fixed(PsamUnavailable())]).cryptogram(REQUEST) is None


def test_unavailable_when_nobody_can_be_asked() -> None:
    for chain in ([], [Fixed(PsamUnavailable()), Fixed(PsamUnavailable())]):
        with pytest.raises(PsamUnavailable):
            FirstThatCan(chain).cryptogram(REQUEST)


def test_a_request_is_checked_and_shows_nothing() -> None:
    assert repr(REQUEST) == "AuthenticationRequest(RK_SSSE, SM4)"
    good: list[object] = [Algorithm.SM4, KEY, bytes(8), "429900", bytes(8), bytes(8)]
    for at, bad in ((2, bytes(7)), (3, "42990"), (3, "42990x"), (4, b""), (5, bytes(9))):
        parts = list(good)
        parts[at] = bad
        with pytest.raises(ValueError, match=r"bytes|digits"):
            AuthenticationRequest(*parts)  # type: ignore[arg-type]


def test_a_protection_is_checked_and_shows_nothing() -> None:
    assert repr(PROTECTION) == "ProtectionRequest(84240001, STK_SSSE, TDES)"
    for wrong in (
        {"card_factor": bytes(7)},
        {"challenge": bytes(9)},
        {"region": "42990x"},
        {"header": bytes(3)},
        {"block": bytearray(7)},
        {"block": bytearray(248)},
        {"block": bytearray(8), "algorithm": Algorithm.SM4},
        {"block": bytearray(8), "algorithm": Algorithm.SSF33},
    ):
        with pytest.raises(ValueError, match=r"bytes|digits|blocks"):
            replace(PROTECTION, **wrong)


@pytest.mark.parametrize(
    ("algorithm", "encrypted", "expected"),
    [
        # The key server's log in the domain facts (§3.2): Lc counts the MAC, then 80 00 00.
        (Algorithm.TDES, "E1" * 8, "842400010C" + "E1" * 8 + "800000"),
        (Algorithm.SM4, "E1" * 16, "8424000114" + "E1" * 16 + "80" + "00" * 10),
        (Algorithm.TDES, "", "8424000104800000"),
        # Padding is never absent, also where the text fills its blocks.
        (Algorithm.TDES, "E1" * 3, "8424000107E1E1E1" + "8000000000000000"),
    ],
)
def test_a_mac_is_taken_over_header_length_and_encrypted_data(
    algorithm: Algorithm, encrypted: str, expected: str
) -> None:
    request = replace(PROTECTION, algorithm=algorithm, block=bytearray())
    assert request.mac_input(bytes.fromhex(encrypted)).hex().upper() == expected


@pytest.mark.parametrize(
    "parts",
    [(10, 0x128, 1, "0000"), (10, 0x28, 256, "0000"), (300, 0x28, 1, "0000"),
     (10, 0x88, 1, "0000"), (10, 0x28, 1, "004"), (10, 0x28, 1, "00g0")],
)  # fmt: skip
def test_a_key_reference_is_checked(parts: tuple[int, int, int, str]) -> None:
    with pytest.raises(ValueError, match="RK"):
        KeyReference("RK", *parts)
