"""One whole card read: everything a terminal wants to know when a card is put in."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from enum import Enum

from apdu.authentication import Random
from apdu.card import SocialSecurityCard
from apdu.custodian import Custodian
from apdu.errors import AuthenticationFailed, PinNeeded, PsamUnavailable
from apdu.holder import Holder, Issuer
from apdu.profile import Profiles
from apdu.trace import Sink
from apdu.transport import Transport


class HolderUnavailable(Enum):
    """Why a reading names no holder."""

    PSAM_ABSENT = "psam-absent"
    """The holder file wants a key, and no custodian could be asked or has it."""
    PIN_NEEDED = "pin-needed"
    """The holder file wants the PIN first."""
    NOT_GENUINE = "not-genuine"
    """The card failed to prove itself."""
    INCONSISTENT = "inconsistent"
    """The files belong to another card than the chip says it is."""
    AUTHENTICATION_FAILED = "authentication-failed"
    """The card refused our key. Never tried again on this card; somebody must look into it."""


@dataclass(frozen=True)
class CardReading:
    """What one read of a card brought. Its repr shows nothing that names card or person.

    Attributes:
        profile: ``v1``, ``v2`` or ``v3``.
        atr: answer to reset.
        issuer: 发卡机构数据.
        holder: 持卡人基本信息; None for the reason in `holder_unavailable`.
        holder_unavailable: None when there is a holder.
        genuine: True when the card proved itself, False when it failed, None when nobody could
            tell. A number read from an unproven card identifies nobody.
        consistent: whether ATR and card identification code name the same card.
        apdus: commands that went to the card.
    """

    profile: str
    atr: bytes = field(repr=False)
    issuer: Issuer
    holder: Holder | None
    holder_unavailable: HolderUnavailable | None
    genuine: bool | None
    consistent: bool
    apdus: int


def read_card(
    transport: Transport,
    custodian: Custodian,
    *,
    trace: Sink | None = None,
    random: Random = os.urandom,
    profiles: Profiles | None = None,
) -> CardReading:
    """Open the card, read its issuer, let it prove itself, read its holder.

    Stops before the holder when the card contradicts itself or fails to prove itself.

    Args:
        transport: the card, powered.
        custodian: keeps the keys.
        trace: receives one redacted line for each command.
        random: source of our challenges.
        profiles: card profiles; None takes those that come with `apdu`.

    Raises:
        UnknownCard, ApplicationBlocked, MalformedAnswer, CardError: see
            `SocialSecurityCard.open` and `SocialSecurityCard.issuer`.
    """
    card = SocialSecurityCard.open(transport, trace=trace, random=random, profiles=profiles)
    issuer = card.issuer()
    consistent = card.is_consistent()
    genuine: bool | None = None
    holder: Holder | None = None
    unavailable: HolderUnavailable | None = None
    if not consistent:
        unavailable = HolderUnavailable.INCONSISTENT
    else:
        genuine, unavailable = _prove(card, custodian)
    if unavailable is None:
        holder, unavailable = _holder(card, custodian)
    return CardReading(
        profile=card.profile.name,
        atr=card.atr.raw,
        issuer=issuer,
        holder=holder,
        holder_unavailable=unavailable,
        genuine=genuine,
        consistent=consistent,
        apdus=card.transmitted,
    )


def _prove(
    card: SocialSecurityCard, custodian: Custodian
) -> tuple[bool | None, HolderUnavailable | None]:
    try:
        genuine = card.prove_genuine(custodian)
    except PsamUnavailable:
        # A custodian that cannot be asked now cannot open the holder file either.
        needs_key = card.profile.holder_key is not None
        return None, HolderUnavailable.PSAM_ABSENT if needs_key else None
    return genuine, HolderUnavailable.NOT_GENUINE if genuine is False else None


def _holder(
    card: SocialSecurityCard, custodian: Custodian
) -> tuple[Holder | None, HolderUnavailable | None]:
    try:
        return card.holder(custodian), None
    except PinNeeded:
        return None, HolderUnavailable.PIN_NEEDED
    except PsamUnavailable:
        return None, HolderUnavailable.PSAM_ABSENT
    except AuthenticationFailed:
        return None, HolderUnavailable.AUTHENTICATION_FAILED
