"""What a step wants said, before language and layout: ids and values, no texts.

The presenter (`kiosk.presenter`) turns a page into a `ui.views.Screen` in the language of the
moment, so that a resident may change the language at any page.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kiosk.pack import Group, Item
from kiosk.platform.models import CardVerdict, Overview


@dataclass(frozen=True)
class HomePage:
    """The menu.

    Attributes:
        first: the large choice.
        card_seen: a card is already in the slot.
        unavailable: (id on the screen, reason) of what can't be served now.
    """

    first: Item | None
    entries: tuple[Item | Group, ...]
    card_seen: bool = False
    unavailable: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class GroupPage:
    """A further level of the menu."""

    group: Group


@dataclass(frozen=True)
class IdentifyPage:
    """Which proofs of identity can be shown now."""


@dataclass(frozen=True)
class WorkingPage:
    """Something is being done; ``name`` is the message id and the screen's name."""

    name: str


@dataclass(frozen=True)
class PinPage:
    """Keys are being typed on the pad.

    Attributes:
        count: keys so far.
        tries_left: after a wrong PIN, how many tries the card still grants.
    """

    count: int = 0
    tries_left: int | None = None


@dataclass(frozen=True)
class OverviewPage:
    """社保查询一件事: five blocks about one person."""

    name: str = field(repr=False)
    number: str = field(repr=False)
    verdict: CardVerdict
    overview: Overview = field(repr=False)
    revealed: bool = False


@dataclass(frozen=True)
class CardStatusPage:
    """What the card says of itself and the platform says of the card; no person on it."""

    card_number_tail: str
    version: str
    issued: str
    expires: str
    verdict: CardVerdict


@dataclass(frozen=True)
class NoticePage:
    """A failure in words; ``failure`` is its name in failures.toml."""

    failure: str


@dataclass(frozen=True)
class TakeCardPage:
    """The visit is over, the slot is not empty yet."""

    done: bool


@dataclass(frozen=True)
class IdlePage:
    """Nobody is there."""


@dataclass(frozen=True)
class OutOfServicePage:
    """Nothing can be served; ``reason`` is a message id."""

    reason: str


Page = (
    HomePage
    | GroupPage
    | IdentifyPage
    | WorkingPage
    | PinPage
    | OverviewPage
    | CardStatusPage
    | NoticePage
    | TakeCardPage
    | IdlePage
    | OutOfServicePage
)
