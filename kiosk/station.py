"""One terminal's belongings: what flows and the runner may use, and whether it can serve."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from kiosk.alarms import Alarms
from kiosk.audit.log import AuditLog, AuditUnavailable
from kiosk.card_station import CardStation
from kiosk.clock import Clock
from kiosk.events import CatalogueSeen
from kiosk.executor import Executor, Result
from kiosk.limits import Limits
from kiosk.pack import Pack
from kiosk.pad_station import PadStation
from kiosk.platform.client import PlatformClient
from kiosk.platform.models import AlarmKind, Catalogue
from kiosk.services import SERVICES
from kiosk.services.hall import entry_id
from kiosk.slot import LineToPlatform, Slot
from kiosk.texts import LANGUAGES

log = logging.getLogger(__name__)


def _ignore(_value: object) -> None:
    """Background work reports nothing."""


def _log_failure(result: Result) -> None:
    if result.error is not None:
        log.error("background work failed", exc_info=result.error)


@dataclass
class Station:
    """Everything that stays while visits come and go.

    Attributes:
        free_bytes: free space of the state directory now.
        paused: item codes that the platform's catalogue does not offer at the moment.
    """

    clock: Clock
    limits: Limits
    slot: Slot
    cards: CardStation
    pad: PadStation
    platform: PlatformClient
    pack: Pack
    audit: AuditLog
    alarms: Alarms
    free_bytes: Callable[[], int]
    platform_state: LineToPlatform = field(default_factory=LineToPlatform)
    paused: frozenset[str] = frozenset()
    _refusal: str | None = None

    @property
    def default_language(self) -> str:
        return next(iter(LANGUAGES))

    def next_language(self, language: str) -> str:
        """The language after this one, around and around."""
        tags = list(LANGUAGES)
        return tags[(tags.index(language) + 1) % len(tags)]

    def record(
        self,
        event: str,
        *,
        outcome: str,
        visit: int | None = None,
        detail: Mapping[str, str | int] | None = None,
    ) -> None:
        """Write an audit line; without a working audit log the terminal serves nobody."""
        try:
            self.audit.write(event, outcome=outcome, visit=visit, detail=detail)
        except AuditUnavailable:
            self._refusal = "audit"
            raise

    def raise_alarm(self, kind: str, event: str, visit: int | None) -> None:
        """Tell the platform's staff; written down now, delivered when the line is up."""
        self.alarms.raise_alarm(AlarmKind(kind), event, visit)

    def catch_up(self, executor: Executor, post: Callable[[CatalogueSeen], None]) -> None:
        """The line is up: deliver what waits, and ask which items are offered now."""
        self.deliver_alarms(executor)

        def seen(result: Result) -> None:
            if isinstance(result.value, Catalogue):
                items = result.value.items
                post(CatalogueSeen(frozenset(item.code for item in items if not item.available)))

        executor.start(self.alarms.lane, lambda _report: self.platform.catalogue(), _ignore, seen)

    def deliver_alarms(self, executor: Executor) -> None:
        """Send open alarms in the background; what fails waits for the line to come back."""
        executor.start(
            self.alarms.lane, lambda _report: self.alarms.deliver(), _ignore, _log_failure
        )

    def release_card(self, executor: Executor) -> None:
        """Power the card off behind whatever its worker still does."""
        if not executor.stuck(self.cards.lane):
            executor.start(
                self.cards.lane,
                lambda _report: self.cards.release(),
                _ignore,
                _log_failure,
            )

    def unavailable(self, option_ids: Iterable[str], executor: Executor) -> dict[str, str]:
        """Option id -> reason (message id), for what can't be served now."""
        reasons: dict[str, str] = {}
        for item in self.pack.items.values():
            option = entry_id(item)
            if option not in option_ids:
                continue
            if item.code in self.paused:
                reasons[option] = "catalogue"
            elif (reason := self._device_missing(item.service, executor)) is not None:
                reasons[option] = reason
        return reasons

    def _device_missing(self, service: str, executor: Executor) -> str | None:
        needs = SERVICES[service].needs
        if "card" in needs and not self.slot.attached_now:
            return "reader"
        if "card" in needs and executor.stuck(self.cards.lane):
            return "reader-busy"
        if "pad" in needs and executor.stuck(self.pad.lane):
            return "pad"
        if "platform" in needs and self.platform_state.is_up is False:
            return "platform"
        return None

    def refuses_service(self) -> str | None:
        """Why nobody may be served at all (message id), or None (S5 6.4.5)."""
        if self._refusal is not None:
            return self._refusal
        if self.free_bytes() < self.limits.free_bytes:
            return "disk"
        return None
