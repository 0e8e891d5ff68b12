"""What opens the PKI application, and its replacement: two PINs and two master keys."""

from __future__ import annotations

from enum import Enum

from apdu import pin
from apdu.channel import wipe
from apdu.command import SHORT_NE
from apdu.crypto import sm3
from apdu.errors import AuthenticationFailed, PersonalisationFailed, PinBlocked, PinRejected
from apdu.pki import proofs
from apdu.pki.exchange import PkiExchange
from apdu.pki.profile import PinForm, Step

_TEXT = 0xC1


class KeyPlace(Enum):
    """The directories that have a master key each, in the order in which they are replaced."""

    APPLICATION = "application"
    """The ADF."""
    DIRECTORY = "directory"
    """The DDF above it."""


def show_pin(exchange: PkiExchange, form: PinForm, step: Step, digits: bytearray) -> None:
    """VERIFY by a proof. `digits` and our buffers are zeros afterwards."""
    key = bytearray()
    try:
        key = _pin_key(exchange, form, digits)
        exchange.prove(step, key)
    finally:
        wipe(key)
        wipe(digits)


def replace_admin_pin(exchange: PkiExchange, form: PinForm, old: bytearray, new: bytearray) -> None:
    """Show the old PIN, replace it, show the new one. Wipes as `show_pin`.

    Raises:
        PersonalisationFailed: replaced, said the card, and refused the new one.
    """
    block = bytearray()
    old_key = bytearray()
    try:
        block = pin.pin_block(
            new, proofs.BLOCK_SIZE, shortest=form.digits_min, longest=form.digits_max
        )
        old_key = _pin_key(exchange, form, old)
        exchange.prove(Step.VERIFY_ADMIN, old_key)
        exchange.replace(Step.CHANGE_ADMIN_PIN, old_key, block)
        try:
            show_pin(exchange, form, Step.VERIFY_ADMIN, new)
        except (PinRejected, PinBlocked):
            raise PersonalisationFailed(("admin PIN",)) from None
    finally:
        for buffer in (block, old_key, old, new):
            wipe(buffer)


def replace_master_key(exchange: PkiExchange, old: bytearray, new: bytearray) -> None:
    """Prove the old key of the current directory, replace it, prove the new one.

    Raises:
        PersonalisationFailed: replaced, said the card, and refused the new one.
        ValueError: a key does not have 16 bytes.
    """
    block = proofs.key_block(new)
    try:
        exchange.prove(Step.PROVE_MASTER_KEY, old)
        exchange.replace(Step.CHANGE_MASTER_KEY, old, block)
    finally:
        wipe(block)
    try:
        exchange.prove(Step.PROVE_MASTER_KEY, new)
    except AuthenticationFailed:
        raise PersonalisationFailed(("master key",)) from None


def _pin_key(exchange: PkiExchange, form: PinForm, digits: bytearray) -> bytearray:
    """The SM4 key that a PIN amounts to, 16 bytes. The caller wipes it."""
    packed = pin.pack(digits, shortest=form.digits_min, longest=form.digits_max)
    data = bytearray(2 + len(packed))
    try:
        if not form.digest_by_card:
            return proofs.pin_key(packed)
        data[:2] = _TEXT, len(packed)
        data[2:] = packed
        answer = exchange.do(Step.DIGEST, data, ne=SHORT_NE, size=sm3.DIGEST_SIZE)
        return bytearray(answer.data[: proofs.KEY_SIZE])
    finally:
        wipe(packed)
        wipe(data)
