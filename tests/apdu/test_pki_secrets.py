"""No PIN, key, proof or session key of a PKI card is told, whatever happens at which command."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from apdu.channel import Channel, wipe
from apdu.errors import CardError
from apdu.pki.access import KeyPlace
from apdu.pki.application import PkiApplication
from apdu.trace import TraceLine
from hw_sim.cards.pki_crypto import pin_key
from tests.apdu.card_in_process import CardInProcess, insert
from tests.apdu.faults import Fault, FaultyCard
from tests.apdu.pki_issuance import (
    ADMIN_PIN,
    DECRYPTION_KEY,
    MASTER_KEY,
    SESSION_KEY,
    USER_PIN,
    opened,
    sealed_pair,
)
from tests.apdu.planted import Found, Planted, Told, found_twice, told_by

NEW_PIN, NEW_KEY = b"87654321", bytes(range(0x61, 0x71))
MESSAGE = b"only the holder may know"


def show_pins(application: PkiApplication) -> None:
    application.verify_pin(bytearray(USER_PIN))
    application.verify_admin_pin(bytearray(ADMIN_PIN))


def change_pin(application: PkiApplication) -> None:
    application.change_admin_pin(bytearray(ADMIN_PIN), bytearray(NEW_PIN))


def change_keys(application: PkiApplication) -> None:
    for place in KeyPlace:
        old, new = bytearray(MASTER_KEY), bytearray(NEW_KEY)
        try:
            application.change_master_key(place, old, new)
        finally:
            wipe(old)
            wipe(new)


def import_pair(application: PkiApplication) -> None:
    application.verify_pin(bytearray(USER_PIN))
    application.import_key_pair(sealed_pair(application.generate_key_pair()))


def sign(application: PkiApplication) -> None:
    application.verify_pin(bytearray(USER_PIN))
    application.generate_key_pair()
    application.sign(MESSAGE)


class Spied(CardInProcess):
    """Plants the proofs, and what goes to the card encrypted."""

    planted: Planted

    def transmit(self, command: bytes | bytearray) -> bytes:
        if command[1] in (0x20, 0x82) or command[0] == 0x84:
            self.planted.plant("proof or cryptogram", bytes(command[5:21]))
        return super().transmit(command)


def planted_secrets() -> Planted:
    """In a frame of its own: those of the run are searched."""
    planted = Planted()
    for pin in (USER_PIN, ADMIN_PIN, NEW_PIN):
        planted.plant_pin(pin.decode())
        planted.plant("PIN key", pin_key(bytes.fromhex(pin.decode())))
    planted.plant("master key", MASTER_KEY, NEW_KEY)
    planted.plant("session key", SESSION_KEY)
    planted.plant("private key", DECRYPTION_KEY)
    return planted


def run(work: Callable[[PkiApplication], None], faults: dict[int, Fault]) -> tuple[int, set[Found]]:
    """How many commands were sent, and where which secret was told."""
    planted, lines = planted_secrets(), list[TraceLine]()
    spied = Spied(insert("pki").card)
    spied.planted = planted
    card = FaultyCard(spied, faults, other=insert("pki"))
    told: list[Told] = []
    try:
        work(PkiApplication.open(Channel(card, trace=lines.append)))
    except CardError as error:
        told += told_by(error)
    told.append(("trace", "".join(f"{line}{line!r}" for line in lines)))
    return card.sent, planted.found_in(told)


def leaks(work: Callable[[PkiApplication], None], faults: dict[int, Fault]) -> set[Found]:
    """What every run tells."""
    return found_twice(lambda: run(work, faults)[1])


@pytest.mark.parametrize("work", [show_pins, change_pin, change_keys, import_pair])
def test_nothing_tells_a_secret(work: Callable[[PkiApplication], None]) -> None:
    length, _ = run(work, {})
    assert leaks(work, {}) == set()
    for at, fault in itertools.product(range(1, length + 1), Fault):
        assert leaks(work, {at: fault}) == set(), (at, fault)


def test_no_exception_tells_what_is_signed() -> None:
    planted = Planted()
    planted.plant("message", MESSAGE)
    for at in range(1, 14):
        for fault in Fault:
            try:
                sign(opened(FaultyCard(insert("pki"), {at: fault}, other=insert("pki"))))
            except CardError as error:
                told = [text for text in told_by(error) if text[0] == "exception"]
                assert planted.found_in(told) == set()
