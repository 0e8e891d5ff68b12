"""Custodians: what may be asked, and who is asked first."""

import pytest

from apdu.custodian import (
    Algorithm,
    AuthenticationRequest,
    Custodian,
    FirstThatCan,
    KeyReference,
)
from apdu.errors import PsamUnavailable

KEY = KeyReference("RK_SSSE", 0x0A, 0x28, 0x0A, "004C")
REQUEST = AuthenticationRequest(Algorithm.SM4, KEY, b"f" * 8, "429900", b"challeng", b"original")


class Fixed:
    """Answers what it was told to, and counts how often."""

    def __init__(self, answer: bytes | PsamUnavailable | None) -> None:
        self.answer = answer
        self.asked = 0

    def cryptogram(self, request: AuthenticationRequest) -> bytes | None:
        self.asked += 1
        if isinstance(self.answer, PsamUnavailable):
            raise self.answer
        return self.answer


def test_the_first_result_counts_and_the_rest_is_not_asked() -> None:
    chain = [Fixed(PsamUnavailable()), Fixed(None), Fixed(b"result 1"), Fixed(b"result 2")]
    custodian: Custodian = FirstThatCan(chain)
    assert custodian.cryptogram(REQUEST) == b"result 1"
    assert [one.asked for one in chain] == [1, 1, 1, 0]


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


@pytest.mark.parametrize(
    "parts",
    [(10, 0x128, 1, "0000"), (10, 0x28, 256, "0000"), (300, 0x28, 1, "0000"),
     (10, 0x88, 1, "0000"), (10, 0x28, 1, "004"), (10, 0x28, 1, "00g0")],
)  # fmt: skip
def test_a_key_reference_is_checked(parts: tuple[int, int, int, str]) -> None:
    with pytest.raises(ValueError, match="RK"):
        KeyReference("RK", *parts)
