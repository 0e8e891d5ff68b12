"""Certificates on a PKI card: whole or not at all, and only for the card's own keys."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apdu.binary import PIECE
from apdu.channel import Channel
from apdu.crypto import sm2
from apdu.crypto.certificate import Certificate
from apdu.crypto.errors import MalformedCertificate
from apdu.errors import (
    CardError,
    CardRemoved,
    KeyMismatch,
    MalformedAnswer,
    PersonalisationFailed,
    UnexpectedStatus,
)
from apdu.pki.application import PkiApplication
from apdu.pki.profile import KeyUse, shipped_pki_profile
from tests.apdu.card_in_process import CardInProcess, insert
from tests.apdu.faults import TEARS, Fault, FaultyCard
from tests.apdu.pki_issuance import (
    ADMIN_PIN,
    CA,
    USER_PIN,
    certificate_of,
    opened,
    other_key,
    sealed_pair,
    unlocked,
)
from tests.apdu.test_pki import SELECT

UPDATE_BINARY = 0xD6
KEY = sm2.PrivateKey(bytes(31) + b"\x02").public_key()


def own_key(application: PkiApplication) -> sm2.PublicKey:
    key = application.public_key(KeyUse.SIGNATURE)
    assert key is not None
    return key


@pytest.mark.parametrize("name", ["pki", "pki+strict", "pki+lax+master-first+no-sfi"])
def test_the_life_of_a_card(name: str) -> None:
    card = insert(name)
    application = unlocked(card)
    key = application.generate_key_pair()
    application.import_key_pair(sealed_pair(key))
    decryption_key = application.public_key(KeyUse.ENCRYPTION)
    assert decryption_key not in (None, key)
    given = {use: certificate_of(application.public_key(use) or KEY) for use in KeyUse}
    for use, der in given.items():
        assert application.read_certificate(use) is None
        assert application.write_certificate(use, der).der == der
    card.reset()
    application = opened(card)
    for use, der in given.items():
        found = application.read_certificate(use)
        assert found is not None and found.der == der
        assert found.is_signed_by(CA.public_key())
    application.verify_pin(bytearray(USER_PIN))
    signature = application.sign(b"a statement")
    certificate = Certificate.from_der(given[KeyUse.SIGNATURE])
    encoding = sm2.SignatureEncoding.RAW
    assert sm2.verify(certificate.public_key, b"a statement", signature.raw, encoding=encoding)


def test_the_pieces_of_a_certificate() -> None:
    card = insert("pki")
    application = unlocked(card)
    der = certificate_of(application.generate_key_pair())
    begin = len(card.commands)
    application.write_certificate(KeyUse.SIGNATURE, der)
    sent = [command.hex().upper() for command in card.commands[begin:]]
    assert sent[:3] == ["00A4000002001200", "00B0000042", "00A4000002001800"]
    assert sent[3] == "00D600000400000000"
    assert sent[4] == "00D6007070" + der[112:224].hex().upper()
    assert sent[5] == f"00D600E0{len(der) - 224:02X}" + der[224:].hex().upper()
    assert sent[6] == "00D6000070" + der[:112].hex().upper()
    assert [command[:4] for command in sent[7:]] == ["00B0", "00B0"]


def test_a_certificate_of_another_key_is_not_written() -> None:
    card = insert("pki")
    application = unlocked(card)
    for _ in ("without a pair", "with one"):
        with pytest.raises(KeyMismatch):
            application.write_certificate(KeyUse.SIGNATURE, certificate_of(other_key()))
        application.generate_key_pair()
    with pytest.raises(KeyMismatch):
        application.write_certificate(KeyUse.ENCRYPTION, certificate_of(own_key(application)))
    assert not any(command[1] == UPDATE_BINARY for command in card.commands)


def test_a_new_pair_leaves_the_old_certificate_which_is_known_by_its_key() -> None:
    application = unlocked(insert("pki"))
    old = application.generate_key_pair()
    application.write_certificate(KeyUse.SIGNATURE, certificate_of(old))
    new = application.generate_key_pair()
    found = application.read_certificate(KeyUse.SIGNATURE)
    assert found is not None and found.public_key == old != new
    application.write_certificate(KeyUse.SIGNATURE, certificate_of(new))
    found = application.read_certificate(KeyUse.SIGNATURE)
    assert found is not None and found.public_key == new


def test_what_is_no_certificate_never_reaches_the_card() -> None:
    card = insert("pki")
    application = unlocked(card)
    der = certificate_of(application.generate_key_pair())
    begin = len(card.commands)
    for wrong in (b"", der[:-1], der + b"\x00"):
        with pytest.raises(MalformedCertificate):
            application.write_certificate(KeyUse.SIGNATURE, wrong)
    assert len(card.commands) == begin


def test_a_certificate_that_is_longer_than_any_file_is_not_written() -> None:
    card = insert("pki")
    der = certificate_of(unlocked(card).generate_key_pair())
    shipped = shipped_pki_profile()
    for most in (len(der) - 1, len(der)):
        profile = replace(shipped, certificate=replace(shipped.certificate, most=most))
        application = PkiApplication.open(Channel(card), profile=profile)
        application.verify_admin_pin(bytearray(ADMIN_PIN))
        if most < len(der):
            with pytest.raises(ValueError, match="longer"):
                application.write_certificate(KeyUse.SIGNATURE, der)
            assert not any(command[1] == UPDATE_BINARY for command in card.commands)
        else:
            application.write_certificate(KeyUse.SIGNATURE, der)
            assert application.read_certificate(KeyUse.SIGNATURE) is not None


def test_what_follows_a_short_certificate_is_not_part_of_it() -> None:
    application = unlocked(insert("pki"))
    key = application.generate_key_pair()
    long, short = certificate_of(key), certificate_of(key, nameless=True)
    assert len(short) < PIECE < len(long)
    for der in (long, short, long):
        application.write_certificate(KeyUse.SIGNATURE, der)
        found = application.read_certificate(KeyUse.SIGNATURE)
        assert found is not None and found.der == der


def test_writing_needs_the_admin_pin() -> None:
    application = opened(insert("pki"))
    application.verify_pin(bytearray(USER_PIN))
    der = certificate_of(application.generate_key_pair())
    with pytest.raises(UnexpectedStatus) as caught:
        application.write_certificate(KeyUse.SIGNATURE, der)
    assert (caught.value.command, caught.value.sw) == ("UPDATE BINARY", 0x6982)
    assert application.read_certificate(KeyUse.SIGNATURE) is None


class Forgetful(CardInProcess):
    """Says that it wrote the piece at an offset, and writes another."""

    forgets = 0x70

    def transmit(self, command: bytes | bytearray) -> bytes:
        if command[1] == UPDATE_BINARY and command[3] == self.forgets:
            command = bytes(command[:-1]) + bytes((command[-1] ^ 1,))
        return super().transmit(command)


def test_a_card_that_stores_something_else_is_found_out() -> None:
    card = Forgetful(insert("pki").card)
    application = unlocked(card)
    der = certificate_of(application.generate_key_pair())
    with pytest.raises(PersonalisationFailed) as caught:
        application.write_certificate(KeyUse.SIGNATURE, der)
    assert caught.value.items == ("signature certificate",)


# --- tears -------------------------------------------------------------------------------------


def ready(*, renewed: bool) -> tuple[CardInProcess, bytes, bytes | None]:
    """A card with a pair, the certificate that it is to have, and the one that it has."""
    card = insert("pki")
    application = unlocked(card)
    key = application.generate_key_pair()
    old, new = certificate_of(key), certificate_of(key)
    if renewed:
        application.write_certificate(KeyUse.SIGNATURE, old)
    return card, new, old if renewed else None


@pytest.mark.parametrize("renewed", [False, True])
@pytest.mark.parametrize("fault", TEARS)
def test_a_torn_certificate_is_none_the_old_one_or_the_whole(fault: Fault, renewed: bool) -> None:
    card, new, old = ready(renewed=renewed)
    opening, writing = 3 + 2 * 3, 2 + 5 + 2
    for at in range(opening + 1, opening + writing + 1):
        torn = FaultyCard(card, {at: fault})
        application = unlocked(torn)
        with pytest.raises(CardRemoved):
            application.write_certificate(KeyUse.SIGNATURE, new)
        card = CardInProcess(card.card)
        found = opened(card).read_certificate(KeyUse.SIGNATURE)
        der = None if found is None else found.der
        assert der in (None, old, new)
        if at > opening + 4 and der is not None:
            assert der == new
        unlocked(card).write_certificate(KeyUse.SIGNATURE, new)
        again = opened(card).read_certificate(KeyUse.SIGNATURE)
        assert again is not None and again.der == new
        if old is not None:
            unlocked(card).write_certificate(KeyUse.SIGNATURE, old)
        else:
            card, new, _ = ready(renewed=False)
    assert not card.card.bugs


@pytest.mark.parametrize("fault", TEARS)
def test_a_torn_generation_leaves_one_whole_pair_or_none(fault: Fault) -> None:
    for had in (False, True):
        for at in (10, 11, 12):
            card = insert("pki")
            before = unlocked(card).generate_key_pair() if had else None
            application = unlocked(FaultyCard(card, {at: fault}))
            with pytest.raises(CardRemoved):
                application.generate_key_pair()
            card = CardInProcess(card.card)
            application = unlocked(card)
            after = application.public_key(KeyUse.SIGNATURE)
            made = at > 10 or fault is Fault.TEAR_AFTER
            assert (after == before) is not made
            if after is not None:
                application.sign(b"with the pair that is there")
            assert application.generate_key_pair() not in (before, after)
            application.sign(b"with a new pair")


# --- files that hold something else ------------------------------------------------------------


def content(data: bytes, size: int = 2048) -> list[tuple[str, str]]:
    """The first read of the certificate file."""
    return [
        ("00A4000002001800", "9000"),
        ("00B00000FF", data.ljust(size, b"\x00")[:255].hex() + "9000"),
    ]


@pytest.mark.parametrize("data", [bytes(4), b"\xff" * 4, bytes(4) + b"left over"])
def test_a_file_that_begins_with_nothing_holds_none(scripted: Any, data: bytes) -> None:
    card = scripted(*SELECT, *content(data))
    assert opened(card).read_certificate(KeyUse.SIGNATURE) is None


def test_an_empty_file_holds_none(scripted: Any) -> None:
    card = scripted(*SELECT, content(b"")[0], ("00B00000FF", "6282"))
    assert opened(card).read_certificate(KeyUse.SIGNATURE) is None


@pytest.mark.parametrize(
    "data",
    [
        b"\x31\x03\x02\x01\x01",
        bytes.fromhex("30820FFD"),
        bytes.fromhex("3080"),
        bytes.fromhex("3003020101"),
        bytes.fromhex("3000FFFF"),
    ],
    ids=["no sequence", "too long", "endless", "another sequence", "empty sequence"],
)
def test_a_file_that_holds_something_else_is_malformed(scripted: Any, data: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        opened(scripted(*SELECT, *content(data))).read_certificate(KeyUse.SIGNATURE)


def test_a_file_that_breaks_off_is_malformed(scripted: Any) -> None:
    der = certificate_of(KEY)
    card = scripted(*SELECT, *content(der), (f"00B000FF{len(der) - 255:02X}", "6282"))
    with pytest.raises(MalformedAnswer) as caught:
        opened(card).read_certificate(KeyUse.SIGNATURE)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("answer", ["6982", CardRemoved()])
def test_a_card_that_refuses_is_told(scripted: Any, answer: str | CardError) -> None:
    with pytest.raises((UnexpectedStatus, CardRemoved)):
        opened(scripted(*SELECT, ("00A4000002001900", answer))).read_certificate(KeyUse.ENCRYPTION)
