"""The PKI application of a third-generation card: its PINs, its pair, signatures, certificates."""

from __future__ import annotations

import pytest

from apdu.channel import Channel
from apdu.crypto import sm2
from apdu.errors import (
    CardRemoved,
    KeyMismatch,
    PersonalisationFailed,
    PinBlocked,
    PinRejected,
    UnexpectedStatus,
    UnknownCard,
)
from apdu.pki.application import PkiApplication
from apdu.pki.profile import KeyUse
from apdu.reading import read_card
from tests.apdu.pki_issuance import ADMIN_PIN, USER_PIN, certificate_of, sealed_pair
from tests.scenarios.bench import Bench
from tests.scenarios.conftest import BenchCard
from tests.scenarios.test_reading import names_its_holder

USER, ADMIN = "pki.user.tries", "pki.admin.tries"
MESSAGE = "待遇资格认证".encode()
WRONG = b"939393"


def opened(bench: Bench) -> PkiApplication:
    """The application, after a power cycle."""
    bench.power_off()
    return PkiApplication.open(Channel(bench.transport))


def with_pin(bench: Bench) -> PkiApplication:
    application, typed = opened(bench), bytearray(USER_PIN)
    application.verify_pin(typed)
    assert not any(typed)
    return application


def with_both_pins(bench: Bench) -> PkiApplication:
    application = with_pin(bench)
    application.verify_admin_pin(bytearray(ADMIN_PIN))
    return application


def test_from_no_pair_to_a_signature_that_a_certificate_vouches_for(bench_card: BenchCard) -> None:
    bench = bench_card("pki")
    application = with_both_pins(bench)
    assert application.public_key(KeyUse.SIGNATURE) is None
    assert application.read_certificate(KeyUse.SIGNATURE) is None
    with pytest.raises(KeyMismatch):
        application.sign(MESSAGE)
    der = certificate_of(application.generate_key_pair())
    application.write_certificate(KeyUse.SIGNATURE, der)

    application = with_pin(bench)
    certificate = application.read_certificate(KeyUse.SIGNATURE)
    assert certificate is not None and certificate.der == der
    signature = application.sign(MESSAGE)
    key, encoding = certificate.public_key, sm2.SignatureEncoding.DER
    assert sm2.verify(key, MESSAGE, signature.der, encoding=encoding)
    assert not sm2.verify(key, MESSAGE + b"!", signature.der, encoding=encoding)
    bench.power_off()
    assert names_its_holder(read_card(bench.transport, bench.custodian), "pki")


def test_without_a_pin_the_card_does_nothing(bench_card: BenchCard) -> None:
    bench = bench_card("pki")
    der = certificate_of(with_pin(bench).generate_key_pair())
    before, application = bench.memory(), opened(bench)
    for step in (
        application.generate_key_pair,
        lambda: application.sign(MESSAGE),
        lambda: application.write_certificate(KeyUse.SIGNATURE, der),
    ):
        with pytest.raises(UnexpectedStatus):
            step()
    assert bench.memory() == before
    holders_alone = with_pin(bench)
    with pytest.raises(UnexpectedStatus):
        holders_alone.write_certificate(KeyUse.SIGNATURE, der)
    assert bench.memory() == before


def test_its_pins_have_tries_of_their_own(bench_card: BenchCard) -> None:
    bench = bench_card("pki")
    others = bench.pin_tries
    for word, pin, show in (
        (USER, USER_PIN, PkiApplication.verify_pin),
        (ADMIN, ADMIN_PIN, PkiApplication.verify_admin_pin),
    ):
        most = bench.counters[word]
        application = opened(bench)
        with pytest.raises(PinRejected) as rejected:
            show(application, bytearray(WRONG))
        assert rejected.value.tries_left == bench.counters[word] == most - 1
        show(application, bytearray(pin))
        assert bench.counters[word] == most
        for _ in range(most):
            with pytest.raises((PinRejected, PinBlocked)):
                show(application, bytearray(WRONG))
        with pytest.raises(PinBlocked):
            show(opened(bench), bytearray(pin))
        assert bench.counters[word] == 0
    assert bench.pin_tries == others


def test_a_certificate_of_another_pair_is_not_written(bench_card: BenchCard) -> None:
    bench = bench_card("pki")
    application = with_both_pins(bench)
    der = certificate_of(application.generate_key_pair())
    application.generate_key_pair()
    before = bench.memory()
    with pytest.raises(KeyMismatch):
        application.write_certificate(KeyUse.SIGNATURE, der)
    assert bench.memory() == before


def test_a_sealed_pair_and_its_certificate(bench_card: BenchCard) -> None:
    bench = bench_card("pki")
    application = with_both_pins(bench)
    pair = sealed_pair(application.generate_key_pair())
    application.import_key_pair(pair)
    application.write_certificate(KeyUse.ENCRYPTION, certificate_of(pair.public_key))
    again = opened(bench)
    assert again.public_key(KeyUse.ENCRYPTION) == pair.public_key
    found = again.read_certificate(KeyUse.ENCRYPTION)
    assert found is not None and found.public_key == pair.public_key


def test_the_card_centres_pin_is_replaced(bench_card: BenchCard) -> None:
    bench = bench_card("pki")
    new = b"86420864"
    opened(bench).change_admin_pin(bytearray(ADMIN_PIN), bytearray(new))
    application = opened(bench)
    with pytest.raises(PinRejected):
        application.verify_admin_pin(bytearray(ADMIN_PIN))
    application.verify_admin_pin(bytearray(new))


@pytest.mark.parametrize("fault", ["4:tear", "5:tear-after", "7:tear"])
def test_a_torn_certificate_is_none_or_whole_and_is_written_again(
    bench_card: BenchCard, fault: str
) -> None:
    bench = bench_card("pki")
    application = with_both_pins(bench)
    der = certificate_of(application.generate_key_pair())
    bench.faults(fault)
    with pytest.raises(CardRemoved):
        application.write_certificate(KeyUse.SIGNATURE, der)
    bench.put_in()
    found = opened(bench).read_certificate(KeyUse.SIGNATURE)
    assert found is None or found.der == der
    with_both_pins(bench).write_certificate(KeyUse.SIGNATURE, der)
    found = opened(bench).read_certificate(KeyUse.SIGNATURE)
    assert found is not None and found.der == der


@pytest.mark.parametrize("fault", ["5:9000", "7:9000"])
def test_a_certificate_that_the_card_says_it_has_and_has_not(
    bench_card: BenchCard, fault: str
) -> None:
    bench = bench_card("pki")
    application = with_both_pins(bench)
    der = certificate_of(application.generate_key_pair())
    bench.faults(fault)
    with pytest.raises(PersonalisationFailed):
        application.write_certificate(KeyUse.SIGNATURE, der)
    bench.faults("")
    application.write_certificate(KeyUse.SIGNATURE, der)
    found = opened(bench).read_certificate(KeyUse.SIGNATURE)
    assert found is not None and found.der == der


def test_a_torn_generation_leaves_a_whole_pair_or_none(bench_card: BenchCard) -> None:
    bench = bench_card("pki")
    application = with_pin(bench)
    bench.faults("1:tear")
    with pytest.raises(CardRemoved):
        application.generate_key_pair()
    bench.put_in()
    application = with_pin(bench)
    assert application.public_key(KeyUse.SIGNATURE) is None
    key = application.generate_key_pair()
    assert sm2.verify(
        key, MESSAGE, application.sign(MESSAGE).raw, encoding=sm2.SignatureEncoding.RAW
    )


@pytest.mark.parametrize("name", ["v1", "v3", "unknown"])
def test_a_card_without_it_says_so(bench_card: BenchCard, name: str) -> None:
    with pytest.raises(UnknownCard):
        opened(bench_card(name))
