"""One terminal's belongings: what flows and the runner may use, and whether it can serve."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kiosk.alarms import Alarms
from kiosk.audit.log import AuditLog, AuditUnavailable
from kiosk.card_station import CardStation
from kiosk.clock import Clock
from kiosk.events import CatalogueSeen
from kiosk.executor import Executor, Result
from kiosk.failures import Failure, kinds
from kiosk.limits import Limits
from kiosk.pack import Pack
from kiosk.pad_station import PadStation
from kiosk.platform.client import PlatformClient
from kiosk.platform.link import PlatformDown, PlatformUp
from kiosk.platform.models import AlarmKind, Catalogue
from kiosk.slot import Slot
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
        subject_tag: what stands for a person's number in the audit log.
        free_bytes: free space of the state directory now.
        line_up: whether the platform can be reached; None before the first answer.
        paused: item codes that the platform's catalogue does not offer at the moment.
        refusal: why nobody may be served until an engineer came (message id), or None.
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
    subject_tag: Callable[[str], str]
    free_bytes: Callable[[], int]
    line_up: bool | None = None
    paused: frozenset[str] = frozenset()
    refusal: str | None = None

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
            self.refusal = "audit"
            raise

    def failed(self, failure: Failure, visit: int, executor: Executor) -> None:
        """Record a failure that ended a visit, and raise its alarm where it has one."""
        kind = kinds()[failure.name]
        if kind.audit is not None:
            detail = {"reason": failure.name}
            self.record(kind.audit, outcome="refused", visit=visit, detail=detail)
        if kind.alarm is not None:
            self.alarm(AlarmKind(kind.alarm), failure.name, executor, visit)

    def alarm(
        self, kind: AlarmKind, event: str, executor: Executor, visit: int | None = None
    ) -> None:
        """Tell the platform's staff; written down now, delivered when the line is up."""
        self.alarms.raise_alarm(kind, event, visit)
        self._deliver_alarms(executor)

    def line_changed(
        self,
        event: PlatformUp | PlatformDown,
        executor: Executor,
        post: Callable[[CatalogueSeen], None],
    ) -> None:
        """Take in news of the line; what waited for it goes out when it is back."""
        up = isinstance(event, PlatformUp)
        if self.line_up is up:
            return
        self.line_up = up
        if up:
            self.record("platform.back", outcome="ok", detail={})
            self._deliver_alarms(executor)
            self._ask_catalogue(executor, post)
        else:
            self.record("platform.lost", outcome="fault", detail={})

    def _ask_catalogue(self, executor: Executor, post: Callable[[CatalogueSeen], None]) -> None:
        def seen(result: Result) -> None:
            if isinstance(result.value, Catalogue):
                items = result.value.items
                post(CatalogueSeen(frozenset(item.code for item in items if not item.available)))

        executor.start(self.alarms.lane, lambda _report: self.platform.catalogue(), _ignore, seen)

    def _deliver_alarms(self, executor: Executor) -> None:
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
