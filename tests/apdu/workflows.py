"""The workflows that are swept through every fault, and recorded as golden transcripts.

A new workflow is one entry in `WORKFLOWS`; the fault matrix and the golden transcripts take it
from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from apdu.bank.account import BankAccount, read_account
from apdu.channel import Channel
from apdu.crypto import sm2
from apdu.errors import ApplicationBlocked, PinRejected
from apdu.identity import CardId
from apdu.locking import block_application, block_card, unblock_application
from apdu.personalisation import GoodCard
from apdu.pki.profile import KeyUse
from apdu.psam import PsamCustodian
from apdu.reading import CardReading, read_card
from apdu.transport import Transport
from hw_sim.cards.bank_image import load_bank_image
from hw_sim.cards.catalogue import holder
from hw_sim.population import DEMO_PIN
from tests.apdu.card_in_process import CountingRandom
from tests.apdu.file_workflows import (
    has_the_number,
    is_good,
    is_the_tree,
    is_what_the_card_holds,
    open_card,
    personalise_blank,
    read_file,
    read_tree,
    write_item,
)
from tests.apdu.pki_issuance import USER_PIN, certificate_of, opened, unlocked

Run = Callable[[Transport, Transport], object]
"""Does the workflow with a card and a PSAM, and returns what came of it."""
Honest = Callable[[object, object], bool]
"""Whether an outcome under faults (first) may stand where the second is the true one."""


@dataclass(frozen=True)
class Workflow:
    """One thing that a terminal does with a card.

    Attributes:
        name: in kebab case; the golden transcripts carry it.
        card: name in the simulator's catalogue.
        other: the card that a swap puts in its place.
        run: a `CardError` is an outcome too.
        true: whether an outcome without faults is what the simulator put on the card.
        honest: an outcome that is not the true one and not honest is wrong data accepted.
        tries: PIN tries that one run may cost at most.
        again: whether an outcome without faults (first), on a card that went through one, is what
            the true one (second) becomes with so many PIN tries left (third).
        done: asked of the card afterwards, when the outcome is the true one: whether it is so.
        repeats: whether every run is the same to the last byte, and its transcript says the same.
        pieces: whether it writes with more than one command, so that a tear may leave a part.
    """

    name: str
    card: str
    other: str
    run: Run
    true: Callable[[object], bool]
    honest: Honest = lambda outcome, truth: outcome == truth
    tries: int = 0
    again: Callable[[object, object, int], bool] = lambda outcome, truth, _tries: outcome == truth
    done: Callable[[Transport], bool] = lambda _card: True
    repeats: bool = True
    pieces: bool = False


def _read(card: Transport, psam: Transport) -> CardReading:
    reading = read_card(card, PsamCustodian(psam), random=CountingRandom())
    return replace(reading, apdus=0)


def _reads(card: str) -> Callable[[object], bool]:
    """A reading without faults names the person whom the simulator's population names."""

    def true(outcome: object) -> bool:
        assert isinstance(outcome, CardReading)
        resident = holder(card)
        assert resident is not None
        if card == "clone":
            return (outcome.genuine, outcome.holder) == (False, None)
        found = outcome.holder
        return (
            outcome.genuine is True
            and found is not None
            and (found.social_security_number, found.name) == (resident.number, resident.name)
            and (found.birth_date, found.birthplace) == (resident.born, resident.birthplace)
            and outcome.issuer.card_number == resident.card.card_number
        )

    return true


def _honest_reading(outcome: object, truth: object) -> bool:
    """Names nobody, or names the holder whose card it is; says genuine only of the true card."""
    assert isinstance(outcome, CardReading) and isinstance(truth, CardReading)
    if outcome.holder is None:
        return outcome.holder_unavailable is not None and (
            outcome.issuer == truth.issuer or not outcome.consistent
        )
    proven = outcome.genuine is None or outcome.genuine == truth.genuine
    return proven and replace(outcome, genuine=truth.genuine) == truth


def _digits(pin: str) -> bytearray:
    return bytearray(pin.encode())


def _verify(pin: str) -> Run:
    def run(card: Transport, _psam: Transport) -> str:
        opened = open_card(card)
        try:
            opened.verify_pin(_digits(pin))
        except PinRejected as refused:
            return f"rejected, {refused.tries_left} left"
        return "verified"

    return run


def _change(card: Transport, _psam: Transport) -> str:
    opened = open_card(card)
    try:
        opened.change_pin(_digits(DEMO_PIN), _digits(WRONG_PIN))
    except PinRejected as refused:
        return f"rejected, {refused.tries_left} left"
    return "changed"


def _unblock(card: Transport, psam: Transport) -> str:
    open_card(card).unblock_pin(PsamCustodian(psam))
    return "unblocked"


def _reload(card: Transport, psam: Transport) -> str:
    open_card(card).reload_pin(PsamCustodian(psam), _digits(WRONG_PIN))
    return "reloaded"


def _card_id(name: str) -> CardId:
    resident = holder(name)
    assert resident is not None
    return CardId.parse(resident.card.card_id)


def _lock(card: Transport, psam: Transport) -> str:
    block_application(open_card(card), PsamCustodian(psam), _card_id("v3"))
    return "locked"


def _lock_for_ever(card: Transport, psam: Transport) -> str:
    block_card(open_card(card), PsamCustodian(psam), _card_id("v3"))
    return "locked"


def _unlock(card: Transport, psam: Transport) -> str:
    custodian, named = PsamCustodian(psam), _card_id("blocked")
    unlocked = unblock_application(card, custodian, named, random=CountingRandom())
    return "unlocked" if unlocked else "was open"


def _account(card: Transport, _psam: Transport) -> BankAccount | None:
    moment = datetime(2026, 11, 22, 12, 0)
    return read_account(Channel(card), now=lambda: moment, random=CountingRandom())


def _names_the_account(outcome: object) -> bool:
    resident = holder("bank")
    assert isinstance(outcome, BankAccount) and resident is not None
    return outcome.number == load_bank_image({}).account(resident).number


def _one_try_less(outcome: object, _truth: object, tries: int) -> bool:
    return outcome == f"rejected, {tries - 1} left"


WRONG_PIN = "".join(str(9 - int(digit)) for digit in DEMO_PIN)


def _pki_pin(card: Transport, _psam: Transport) -> str:
    opened(card).verify_pin(bytearray(USER_PIN))
    return "verified"


def _pki_sign(card: Transport, _psam: Transport) -> bool:
    """Whether the signature is one by the card's key, which is another in each run."""
    application = opened(card)
    application.verify_pin(bytearray(USER_PIN))
    key, message = application.generate_key_pair(), b"what is signed"
    encoding = sm2.SignatureEncoding.DER
    return sm2.verify(key, message, application.sign(message).der, encoding=encoding)


def _pki_certificate(card: Transport, _psam: Transport) -> bool:
    """Whether the certificate on the card is the one that was given for its key."""
    application = unlocked(card)
    der = certificate_of(application.generate_key_pair())
    application.write_certificate(KeyUse.SIGNATURE, der)
    found = application.read_certificate(KeyUse.SIGNATURE)
    return found is not None and found.der == der


def _old_or_new(outcome: object, _truth: object, tries: int) -> bool:
    """After a lost answer either may be the PIN."""
    return outcome in ("changed", f"rejected, {tries - 1} left")


def _has_the_new_pin(card: Transport) -> bool:
    return _verify(WRONG_PIN)(card, card) == "verified"


def _is_open(card: Transport) -> bool:
    return not _is_locked(card)


def _is_locked(card: Transport) -> bool:
    try:
        open_card(card)
    except ApplicationBlocked:
        return True
    return False


def _locked_by_now(outcome: object, truth: object, _tries: int) -> bool:
    return outcome == truth or isinstance(outcome, ApplicationBlocked)


def _open_by_now(outcome: object, truth: object, _tries: int) -> bool:
    return outcome in (truth, "was open")


def _does(name: str, card: str, run: Run, result: str, **more: Any) -> Workflow:
    return Workflow(name, card, "lost", run, lambda outcome: outcome == result, **more)


def _reading(name: str, card: str, other: str) -> Workflow:
    return Workflow(name, card, other, _read, _reads(card), _honest_reading)


WORKFLOWS = (
    _reading("read-v1", "v1", "resident:12"),
    _reading("read-v2", "v2", "resident:12"),
    _reading("read-v3", "v3", "lost"),
    # A clone makes up its proof.
    replace(_reading("read-clone", "clone", "v3"), repeats=False),
    _does("pin-right", "v3", _verify(DEMO_PIN), "verified", tries=1),
    _does("pin-wrong", "v3", _verify(WRONG_PIN), "rejected, 2 left", tries=1, again=_one_try_less),
    _does(
        "pin-change", "v3", _change, "changed", tries=1, again=_old_or_new, done=_has_the_new_pin
    ),
    # Secure messaging with 3DES, and with SM4.
    _does("pin-unblock", "v2", _unblock, "unblocked"),
    _does("pin-reload", "v3", _reload, "reloaded", done=_has_the_new_pin),
    # A replay is another card than the one that is to be locked, and tells no account.
    _does("lock", "v3", _lock, "locked", again=_locked_by_now, done=_is_locked, repeats=False),
    _does(
        "lock-card",
        "v3",
        _lock_for_ever,
        "locked",
        again=_locked_by_now,
        done=_is_locked,
        repeats=False,
    ),
    _does(
        "unlock", "blocked", _unlock, "unlocked", again=_open_by_now, done=_is_open, repeats=False
    ),
    Workflow("read-file", "v3", "lost", read_file, is_what_the_card_holds, repeats=False),
    _does("write-item", "v2", write_item, "written", done=has_the_number),
    Workflow("bank-account", "bank", "bank", _account, _names_the_account, repeats=False),
    Workflow(
        "pki-pin",
        "pki",
        "pki",
        _pki_pin,
        lambda outcome: outcome == "verified",
        tries=1,
    ),
    Workflow("pki-sign", "pki", "v3", _pki_sign, bool, tries=1, repeats=False, pieces=True),
    Workflow(
        "pki-certificate", "pki", "pki", _pki_certificate, bool, tries=2, repeats=False, pieces=True
    ),
)
LONG_WORKFLOWS = (
    Workflow("read-tree", "v3", "lost", read_tree, is_the_tree, tries=1, repeats=False),
    Workflow(
        "personalise",
        "blank:7",
        "blank:8",
        personalise_blank,
        lambda outcome: isinstance(outcome, GoodCard),
        done=is_good,
        repeats=False,
        pieces=True,
    ),
)
"""Those of many commands, which not every sweep can go through."""
