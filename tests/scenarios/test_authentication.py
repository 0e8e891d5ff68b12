"""卡认证 and 卡鉴权 on the wire: the right cryptogram, the wrong one, the used-up challenge."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from apdu.custodian import AuthenticationRequest, Custodian, KeyReference, ProtectionRequest
from apdu.errors import AuthenticationFailed, UnexpectedStatus
from apdu.profile import shipped_keys
from apdu.reading import HolderUnavailable, read_card
from tests.scenarios.conftest import BenchCard
from tests.scenarios.test_reading import names_its_holder

UK, RK = shipped_keys()["UK_SSSE"], shipped_keys()["RK_SSSE"]
COUNTERS = {UK.name: "SSSE.key.04.tries", RK.name: "SSSE.key.0A.tries"}


class OneBitOff:
    """A custodian whose results are wrong by one bit, of every key but these."""

    def __init__(self, right: Custodian, *trusted: str) -> None:
        self._right = right
        self._trusted = trusted
        self.asked = 0

    def cryptogram(self, request: AuthenticationRequest) -> bytes | None:
        self.asked += 1
        return self._spoiled(self._right.cryptogram(request), request.key.name)

    def protect(self, request: ProtectionRequest) -> bytes | None:
        self.asked += 1
        return self._spoiled(self._right.protect(request), request.key.name)

    def _spoiled(self, result: bytes | None, key: str) -> bytes | None:
        if result is None or key in self._trusted:
            return result
        return result[:-1] + bytes((result[-1] ^ 1,))


@pytest.mark.parametrize("name", ["v1", "v2", "v3"])
@pytest.mark.parametrize("key", [UK, RK], ids=lambda key: key.name)
def test_a_right_cryptogram_opens_and_a_wrong_one_ends_the_session(
    bench_card: BenchCard, name: str, key: KeyReference
) -> None:
    bench = bench_card(name)
    card, most = bench.open(), bench.counters[COUNTERS[key.name]]
    card.issuer()
    card.authentication.authenticate(bench.custodian, key)
    assert bench.counters[COUNTERS[key.name]] == most

    card, wrong = bench.again(), OneBitOff(bench.custodian)
    card.issuer()
    with pytest.raises(AuthenticationFailed):
        card.authentication.authenticate(wrong, key)
    assert bench.counters[COUNTERS[key.name]] == most - 1
    sent, asked = card.transmitted, wrong.asked
    steps: tuple[Callable[[], object], ...] = (
        lambda: card.authentication.authenticate(bench.custodian, UK),
        lambda: card.authentication.authenticate(bench.custodian, RK),
        lambda: card.prove_genuine(bench.custodian),
        lambda: card.unblock_pin(bench.custodian),
    )
    for step in steps:
        with pytest.raises(AuthenticationFailed):
            step()
    assert (card.transmitted, wrong.asked) == (sent, asked)
    assert bench.counters[COUNTERS[key.name]] == most - 1

    card = bench.again()
    card.issuer()
    card.authentication.authenticate(bench.custodian, key)
    assert bench.counters[COUNTERS[key.name]] == most


def test_a_read_with_a_wrong_key_shows_it_once_and_names_nobody(bench_card: BenchCard) -> None:
    bench = bench_card("v3")
    wrong = OneBitOff(bench.custodian, "IRK_SSSE")
    reading = read_card(bench.transport, wrong)
    assert reading.genuine
    assert (reading.holder, reading.holder_unavailable) == (
        None,
        HolderUnavailable.AUTHENTICATION_FAILED,
    )
    assert bench.counters[COUNTERS[RK.name]] == 2
    bench.power_off()
    assert names_its_holder(read_card(bench.transport, bench.custodian), "v3")


def test_a_custodian_of_other_keys_does_not_know_the_card(bench_card: BenchCard) -> None:
    bench = bench_card("v2")
    reading = read_card(bench.transport, OneBitOff(bench.custodian))
    assert (reading.genuine, reading.holder) == (False, None)


def test_a_challenge_is_good_for_one_attempt(bench_card: BenchCard) -> None:
    bench = bench_card("v3")
    card = bench.open()
    diversified, original = card.authentication, bytes(range(8))
    card.issuer()
    found = diversified.diversification()
    cryptogram = bench.custodian.cryptogram(
        AuthenticationRequest(
            found.algorithm, RK, found.card_factor, found.region,
            diversified.challenge(), original,
        )
    )  # fmt: skip
    assert cryptogram is not None
    diversified.present(RK, cryptogram, original)
    with pytest.raises(UnexpectedStatus) as refused:
        diversified.present(RK, cryptogram, original)
    assert refused.value.sw == 0x6984
    assert bench.counters[COUNTERS[RK.name]] == 3


@pytest.mark.parametrize("name", ["v2", "v3"])
def test_a_wrong_mac_changes_nothing_and_ends_the_session(bench_card: BenchCard, name: str) -> None:
    bench = bench_card(name)
    card, before = bench.open(), bench.memory()
    card.issuer()
    wrong = OneBitOff(bench.custodian, "PUK")
    with pytest.raises(AuthenticationFailed):
        card.reload_pin(wrong, bytearray(b"86420864"))
    assert bench.counters["stk.tries"] == 2
    sent = card.transmitted
    with pytest.raises(AuthenticationFailed):
        card.reload_pin(bench.custodian, bytearray(b"86420864"))
    assert card.transmitted == sent
    assert bench.memory() == before
