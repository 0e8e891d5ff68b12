"""Locking the application and the card (应用锁定, 卡片锁定).

Whoever locks names the card by its identification code: with another card in the reader nothing
happens. Each command is sent once; after a lost answer, opening the card again tells what it is.
"""

from __future__ import annotations

import hmac
import os

from apdu.authentication import Authentication, Diversification, Random
from apdu.card import SocialSecurityCard
from apdu.channel import Channel
from apdu.custodian import Algorithm, Custodian
from apdu.errors import MalformedAnswer, WrongCard
from apdu.fci import told_algorithm, untold_algorithm
from apdu.identity import Atr, CardId, consistent
from apdu.profile import shipped_keys
from apdu.secure_messaging import Keys, Protected, ProtectedCommands, SecureMessaging
from apdu.selection import select_ssse
from apdu.trace import Sink
from apdu.transport import Transport

_INVALIDATED = 0x6283


def block_application(card: SocialSecurityCard, custodian: Custodian, confirm: CardId) -> None:
    """Lock the application until `unblock_application` (应用临时锁定).

    Args:
        card: the open card.
        custodian: keeps its transport key.
        confirm: the card that is meant.

    Raises:
        WrongCard: `card` is another one; nothing was done.
        PsamUnavailable: the custodian cannot be asked or lacks the key.
        AuthenticationFailed: the card refused the MAC; final for this card session.
        CardError: see `apdu.errors`.
    """
    _lock(card, custodian, confirm, Protected.BLOCK_APPLICATION)


def block_application_for_ever(
    card: SocialSecurityCard, custodian: Custodian, confirm: CardId
) -> None:
    """Lock the application for ever (应用永久锁定); otherwise as `block_application`."""
    _lock(card, custodian, confirm, Protected.BLOCK_APPLICATION_FOR_EVER)


def block_card(card: SocialSecurityCard, custodian: Custodian, confirm: CardId) -> None:
    """Lock the whole card for ever (卡片锁定); otherwise as `block_application`."""
    _lock(card, custodian, confirm, Protected.BLOCK_CARD)


def unblock_application(
    transport: Transport,
    custodian: Custodian,
    confirm: CardId,
    *,
    algorithm: Algorithm | None = None,
    trace: Sink | None = None,
    random: Random = os.urandom,
    keys: Keys | None = None,
    protected: ProtectedCommands | None = None,
) -> bool:
    """Unlock an application that was locked for a time (应用解锁).

    A locked application shows no files, so the card is known by its ATR and by `confirm` alone.

    Args:
        transport: the card, powered.
        custodian: keeps its transport key.
        confirm: the card that is meant; its region leads to the key.
        algorithm: of its keys, as the platform knows it; None takes what the card tells.
        trace: receives one redacted line for each command.
        random: source of our challenges.
        keys: key references; None takes those that come with this package.
        protected: how commands under secure messaging are written; None likewise.

    Returns:
        True when it was locked and is open now; False when it was not locked.

    Raises:
        WrongCard: the ATR or an open application is another card's; nothing was done.
        UnknownCard: there is no such application on the card.
        ApplicationBlocked: it, or the card, is locked for ever.
        MalformedAnswer: the card does not tell its algorithm, and nobody else did.
        PsamUnavailable, AuthenticationFailed, CardError: as `block_application`.
    """
    channel = Channel(transport, trace=trace)
    atr = Atr.parse(channel.atr)
    if not consistent(atr, confirm):
        raise WrongCard("the card in the reader is not the one that was named")
    answer = select_ssse(channel, accept=(_INVALIDATED,))
    if answer.sw != _INVALIDATED:
        # Readers miss a card that is swapped between two polls: an open one tells itself which.
        opened = SocialSecurityCard.open(transport, trace=trace, random=random, protected=protected)
        _need(opened, confirm)
        return False
    found = Diversification(
        algorithm or _told(answer.data, confirm.region), atr.card_factor, confirm.region
    )
    authentication = Authentication(channel, lambda: found, random)
    messaging = SecureMessaging(
        channel, authentication, lambda: keys or shipped_keys(), declared=protected
    )
    messaging.send(Protected.UNBLOCK_APPLICATION, custodian)
    return True


def _lock(card: SocialSecurityCard, custodian: Custodian, confirm: CardId, what: Protected) -> None:
    _need(card, confirm)
    card.send_protected(what, custodian)


def _need(card: SocialSecurityCard, confirm: CardId) -> None:
    same = hmac.compare_digest(card.issuer().card_id, confirm.raw)
    if not (same and card.is_consistent()):
        raise WrongCard("the card in the reader is not the one that was named")


def _told(fci: bytes, region: str) -> Algorithm:
    # Without any FCI even a card that has a flag looks like one that has none.
    if not fci:
        raise MalformedAnswer("a locked application that does not tell its algorithm")
    return told_algorithm(fci) or untold_algorithm(region)
