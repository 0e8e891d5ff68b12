"""The pair that the CA made comes into the card sealed."""

from __future__ import annotations

import gmalg
import pytest

from apdu.crypto import sm2
from apdu.errors import CardRemoved, PersonalisationFailed, UnexpectedStatus
from apdu.pki.application import PkiApplication
from apdu.pki.profile import KeyUse
from apdu.pki.sealed_pair import SealedKeyPair
from hw_sim.cards.iso7816 import Card
from tests.apdu.card_in_process import CardInProcess, insert
from tests.apdu.faults import TEARS, Fault, FaultyCard
from tests.apdu.pki_issuance import (
    DECRYPTION_KEY,
    SESSION_KEY,
    USER_PIN,
    opened,
    other_key,
    sealed_pair,
)

OPENING, IMPORT = 3 + 3, 4 + 2


def issued() -> tuple[CardInProcess, SealedKeyPair]:
    """A card with a signing pair, and what the CA sealed for it."""
    card = insert("pki")
    return card, sealed_pair(with_pin(card).generate_key_pair())


def with_pin(card: CardInProcess | FaultyCard) -> PkiApplication:
    application = opened(card)
    application.verify_pin(bytearray(USER_PIN))
    return application


def test_the_logged_forms() -> None:
    card, pair = issued()
    application = with_pin(card)
    begin = len(card.commands)
    application.import_key_pair(pair)
    sent = [command.hex().upper() for command in card.commands[begin:]]
    assert sent[:4] == [
        "804E000178C2020013C1820070" + pair.envelope.hex().upper() + "00",
        "804A021012C110" + SESSION_KEY.hex().upper(),
        "80C2400046C0020014CA40" + pair.public_key.xy.hex().upper(),
        "80C2C00126C2020015CB20" + pair.private_key.hex().upper(),
    ]
    assert application.public_key(KeyUse.ENCRYPTION) == pair.public_key
    assert repr(pair) == "SealedKeyPair(...)"


def test_a_pair_for_another_card_is_refused() -> None:
    card, pair = issued()
    with pytest.raises(UnexpectedStatus) as caught:
        with_pin(card).import_key_pair(sealed_pair(other_key()))
    assert (caught.value.command, caught.value.sw) == ("OPEN ENVELOPE", 0x6A80)
    assert opened(card).public_key(KeyUse.ENCRYPTION) is None
    with_pin(card).import_key_pair(pair)


def test_a_private_half_that_belongs_to_another_is_refused() -> None:
    card, pair = issued()
    wrong = SealedKeyPair(pair.envelope, other_key(), pair.private_key)
    with pytest.raises(UnexpectedStatus) as caught:
        with_pin(card).import_key_pair(wrong)
    assert (caught.value.command, caught.value.sw) == ("IMPORT KEY", 0x6A80)


def test_the_pin_is_needed() -> None:
    card, pair = issued()
    with pytest.raises(UnexpectedStatus) as caught:
        opened(card).import_key_pair(pair)
    assert caught.value.sw == 0x6982


def test_what_cannot_be_a_sealed_pair() -> None:
    _, pair = issued()
    for envelope, private in ((111, 32), (113, 32), (112, 31), (112, 33)):
        with pytest.raises(ValueError, match="112 bytes"):
            SealedKeyPair(bytes(envelope), pair.public_key, bytes(private))


def test_another_library_seals_it_as_well() -> None:
    card, pair = issued()
    key = opened(card).public_key(KeyUse.SIGNATURE)
    assert key is not None
    envelope = gmalg.SM2(pk=b"\x04" + key.xy).encrypt(SESSION_KEY)[1:]
    cipher = gmalg.SM4(SESSION_KEY)
    halves = (DECRYPTION_KEY[:16], DECRYPTION_KEY[16:])
    private = b"".join(bytes(cipher.encrypt(half)) for half in halves)
    public = sm2.PublicKey(gmalg.SM2().generate_pk(DECRYPTION_KEY)[1:])
    assert public == pair.public_key
    with_pin(card).import_key_pair(SealedKeyPair(envelope, public, private))


class Deaf(CardInProcess):
    """Answers imports with success and does nothing."""

    def transmit(self, command: bytes | bytearray) -> bytes:
        return b"\x90\x00" if command[1] == 0xC2 else super().transmit(command)


def test_a_card_that_forgets_the_public_half_is_found_out() -> None:
    card, pair = issued()
    with pytest.raises(PersonalisationFailed) as caught:
        with_pin(Deaf(card.card)).import_key_pair(pair)
    assert caught.value.items == ("encryption key pair",)


class Keeping(CardInProcess):
    """Keeps our buffers themselves, as they are after use."""

    def __init__(self, card: Card) -> None:
        super().__init__(card)
        self.buffers: list[bytes | bytearray] = []

    def transmit(self, command: bytes | bytearray) -> bytes:
        self.buffers.append(command)
        return super().transmit(command)


def test_the_session_key_is_wiped() -> None:
    card, pair = issued()
    keeping = Keeping(card.card)
    with_pin(keeping).import_key_pair(pair)
    assert any(SESSION_KEY in command for command in keeping.commands)
    assert not any(SESSION_KEY in command for command in keeping.buffers)


@pytest.mark.parametrize("fault", TEARS)
def test_a_torn_import_is_repeated_as_a_whole(fault: Fault) -> None:
    for at in range(OPENING + 1, OPENING + IMPORT + 1):
        card, pair = issued()
        with pytest.raises(CardRemoved):
            with_pin(FaultyCard(card, {at: fault})).import_key_pair(pair)
        card = CardInProcess(card.card)
        assert opened(card).public_key(KeyUse.ENCRYPTION) in (None, pair.public_key)
        with_pin(card).import_key_pair(pair)
        assert opened(card).public_key(KeyUse.ENCRYPTION) == pair.public_key
        assert not card.card.bugs
