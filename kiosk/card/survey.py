"""What is on a card, found by asking for every application by its name."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from importlib import resources
from typing import TYPE_CHECKING

from apdu.bank.profile import shipped_bank_profile
from apdu.card import SocialSecurityCard
from apdu.channel import Channel
from apdu.commands import select_by_name
from apdu.custodian import Algorithm
from apdu.errors import (
    CardError,
    CardMute,
    CardRemoved,
    CardReset,
    MalformedAnswer,
    ReaderBusy,
    ReaderGone,
    UnknownCard,
)
from apdu.holder import Issuer
from apdu.pki.profile import shipped_pki_profile
from apdu.profile import shipped_profiles
from apdu.redaction import SSSE_NAME
from apdu.selection import select_ssse
from apdu.status import Outcome, meaning

if TYPE_CHECKING:
    from kiosk.card.session import Hand

GONE = (CardMute, CardRemoved, CardReset, ReaderBusy, ReaderGone)
"""After these there is nobody to ask any more."""
_DIRECTORIES = {b"1PAY.SYS.DDF01": "PSE", b"2PAY.SYS.DDF01": "PPSE"}


class Presence(Enum):
    """How an application answered to its name."""

    THERE = "there"
    BLOCKED = "blocked"
    ABSENT = "absent"


@dataclass(frozen=True)
class Named:
    """An application that a card may hold."""

    zh: str
    en: str
    aid: bytes


@dataclass(frozen=True)
class Asked:
    """One application and its answer.

    Attributes:
        fci: file control information; empty where it gave none.
        sw: the status word of SELECT; None where the answer was none, or several were tried.
    """

    application: Named
    presence: Presence
    fci: bytes
    sw: int | None


@dataclass(frozen=True)
class Survey:
    """What a card is, as far as it tells without any key.

    Attributes:
        atr: answer to reset.
        asked: every application that was asked for, in order.
        issuer: 发卡机构数据; None where the card has no readable EF05.
        profile: ``v1`` ..., or None.
        algorithm: of its keys; None without `issuer`.
        consistent: whether ATR and card id name the same card; None without `issuer`.
    """

    atr: bytes
    asked: tuple[Asked, ...]
    issuer: Issuer | None
    profile: str | None
    algorithm: Algorithm | None
    consistent: bool | None

    @property
    def is_social_security_card(self) -> bool:
        """Whether it has the application and tells a version that we know."""
        return self.profile is not None

    @property
    def blocked(self) -> bool:
        """Whether the social security application, or the card, is locked."""
        return any(
            each.presence is Presence.BLOCKED and each.application.aid == SSSE_NAME
            for each in self.asked
        )


def known_applications() -> Iterator[Named]:
    """All that a card of this kind may hold, the social security application first."""
    newest = shipped_profiles()["3"]
    for application in newest.applications.values():
        yield Named(f"{application.name} {application.zh}", application.en, application.aid)
    bank = shipped_bank_profile()
    for name in bank.directories:
        yield Named(f"金融目录 {_DIRECTORIES.get(name, '')}".strip(), "bank directory", name)
    for name in bank.applications:
        yield Named("金融应用", "bank application", name)
    yield Named("数字证书 PKI", "PKI application", shipped_pki_profile().directory)
    text = resources.files("kiosk.card").joinpath("applications.toml").read_text(encoding="utf-8")
    for entry in tomllib.loads(text)["application"]:
        yield Named(entry["zh"], entry["en"], bytes.fromhex(entry["aid"]))


def survey(hand: Hand) -> Survey:
    """Ask the card. It need not be a social security card.

    Raises:
        CardError: it left, or went mute; whatever else it does is part of the answer.
    """
    channel = Channel(hand.line, trace=hand.trace)
    asked = tuple(_ask(channel, application) for application in known_applications())
    issuer, profile, algorithm, consistent = None, None, None, None
    if any(each.application.aid == SSSE_NAME and each.presence is Presence.THERE for each in asked):
        try:
            card = SocialSecurityCard.open(hand.line, trace=hand.trace)
            issuer, algorithm = card.issuer(), card.algorithm
            profile, consistent = card.profile.name, card.is_consistent()
        except GONE:
            raise
        except CardError:
            # What it could not tell stays None, and the survey says so.
            pass
    return Survey(hand.line.atr, asked, issuer, profile, algorithm, consistent)


def _ask(channel: Channel, application: Named) -> Asked:
    try:
        if application.aid == SSSE_NAME:
            response = select_ssse(channel, accept=range(0x10000))
        else:
            response = channel.send(select_by_name(application.aid))
    except (MalformedAnswer, UnknownCard):
        return Asked(application, Presence.ABSENT, b"", None)
    match meaning(response.sw, "SELECT").outcome:
        case Outcome.SUCCESS | Outcome.WARNING:
            presence = Presence.THERE
        case Outcome.BLOCKED:
            presence = Presence.BLOCKED
        case _:
            presence = Presence.ABSENT
    return Asked(application, presence, response.data, response.sw)
