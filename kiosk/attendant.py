"""Serves whoever is in front of the terminal: one visit after the other, each wiped at its end.

It knows what the terminal is doing for that person, what they see and how much time they have; what
happens around it the runner (`kiosk.runner`) tells, on the one thread that touches flows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from enum import Enum
from typing import Any, assert_never

from kiosk.events import Event
from kiosk.executor import Executor
from kiosk.failures import Failure, NoAnswer
from kiosk.moment import Badges, Moment
from kiosk.offer import PLATFORM, Offer, unreachable
from kiosk.pacing import LATE_SOURCE, idle_limit, step_timers
from kiosk.pages import IdlePage, NoticePage, OutOfServicePage, Page, TakeCardPage
from kiosk.platform.models import AlarmKind
from kiosk.session import Session
from kiosk.station import Station
from kiosk.steps import Flow, Option, Run
from kiosk.timers import Due, Timers
from kiosk.visit import EndReason, Visit

log = logging.getLogger(__name__)

_OFFERS_AGAIN = 3
"""So often a card that could not be given back is offered once more."""


class Phase(Enum):
    """What the terminal is doing for the person in front of it."""

    HOME = "home"
    VISIT = "visit"
    NOTICE = "notice"
    TAKE_CARD = "take-card"
    OUT_OF_SERVICE = "out-of-service"


class Attendant:
    """The visit that is under way, or the one that may begin.

    Args:
        post: tells the runner what work for a visit brought; called from any thread.
        hall, wipe: see `kiosk.runner.Runner`.

    Attributes:
        language: BCP 47 tag; the person's, the usual one again for the next.
    """

    def __init__(
        self,
        station: Station,
        executor: Executor,
        *,
        hall: Callable[[Session], Flow[None]],
        wipe: Callable[[], None],
        post: Callable[[Event], None],
    ) -> None:
        self._station = station
        self._clock = station.clock
        self._limits = station.limits
        self._executor = executor
        self._hall = hall
        self._wipe = wipe
        self._post = post
        self.offer = Offer(station, executor)
        self._visits = 0
        self._failsafes = 0
        self._notice = NoticePage("unexpected")
        self._done_well = False
        self._offers_left = _OFFERS_AGAIN
        self.language = station.default_language
        self.timers = Timers()
        # Not in service before everything was looked at once.
        self.phase = Phase.OUT_OF_SERVICE
        self.visit = self._fresh_visit()
        self.look_again()

    # --- what is seen ---------------------------------------------------------------------------

    @property
    def moment(self) -> Moment:
        """Everything that the screen depends on now."""
        return Moment.at(
            self._clock,
            self.timers,
            page=self._page(),
            language=self.language,
            badges=Badges(
                platform_up=self._station.line_up,
                reader_ok=self._station.reader_ok,
                waiting=self._station.waiting,
                printer=self._station.obstacle,
                id_card_lies=self._station.id_card_lies,
            ),
        )

    def _page(self) -> Page:
        match self.phase:
            case Phase.NOTICE:
                return self._notice
            case Phase.TAKE_CARD:
                if self._station.out_of_reach and self._station.slot.present:
                    return OutOfServicePage("card-out-of-reach")
                return TakeCardPage(
                    self._done_well, self._station.slot.present, self._station.id_card_lies
                )
            case Phase.OUT_OF_SERVICE:
                stuck = self._station.stuck
                return OutOfServicePage(
                    self.offer.out_of_service() or "unexpected",
                    "" if stuck is None else stuck.reader,
                )
            case Phase.HOME | Phase.VISIT:
                return self.visit.page
            case _:
                assert_never(self.phase)

    # --- the visit ------------------------------------------------------------------------------

    def _fresh_visit(self) -> Visit:
        self._visits += 1
        session = Session(self._visits, self._station, self._station.record)
        return Visit(
            session,
            self._hall(session),
            executor=self._executor,
            post=self._post,
            slot=self._station.slot,
        )

    def begin_if_new(self) -> None:
        """Somebody touched a choice or inserted a card."""
        if self.visit.begun_at is None:
            self.visit.begun_at = self._clock.monotonic()
            self.phase = Phase.VISIT
            self.timers = Timers()
            self.visit.session.record("visit.begun")

    def choose(self, option: Option[Any]) -> None:
        """An entry of the menu, where it can be served."""
        reason = self.offer.reasons().get(option.id)
        if reason is None:
            self.begin_if_new()
            self.advance(option.value)
        elif reason == PLATFORM:
            self.begin_if_new()
            self.end(EndReason.FAILED, Failure(unreachable(option.value)))

    def advance(self, answer: Any = None, error: Exception | None = None) -> None:
        """Let the visit go on with an answer or an error, and time its next step."""
        ended = self.visit.advance(answer, error)
        if ended is not None:
            self._done_well = ended.failure is None
            self.end(ended.reason, ended.failure)
            return
        now, help_until = self._clock.monotonic(), self.timers.help_until
        self.timers = step_timers(self.visit.step, now, help_until=help_until)
        self._await_late()
        self.refresh_home()
        self.activity()

    def _await_late(self) -> None:
        if self.visit.has_late:
            self.timers.look_again = self._clock.monotonic() + LATE_SOURCE

    # --- time -----------------------------------------------------------------------------------

    def activity(self) -> None:
        """Somebody is there: the time without a touch starts anew."""
        now = self._clock.monotonic()
        match self.phase:
            case Phase.VISIT:
                limit = idle_limit(self.visit.step, self._limits)
                cap = (self.visit.begun_at or now) + self._limits.visit_cap_seconds
                self.timers.idle = None if limit is None else min(now + limit, cap)
                self.timers.warned_until = None
            case Phase.HOME:
                self.timers.attract = now + self._limits.attract_seconds
                if isinstance(self.visit.page, IdlePage):
                    self.refresh_home()
            case Phase.NOTICE | Phase.TAKE_CARD | Phase.OUT_OF_SERVICE:
                pass
            case _:
                assert_never(self.phase)

    def wake(self) -> None:
        """Somebody came nearer: the menu in place of the idle screen, and nothing else."""
        if self.phase is Phase.HOME and isinstance(self.visit.page, IdlePage):
            self.activity()

    def on_time(self, due: Due) -> None:
        """Something is due by time alone."""
        match due:
            case Due.DEADLINE:
                step = self.visit.step
                self.advance(error=NoAnswer(step.lane if isinstance(step, Run) else ""))
            case Due.EXPIRED:
                self.visit.session.record("timeout.expired", outcome="refused")
                self.end(EndReason.TIMED_OUT)
            case Due.WARN:
                self.timers.page_until = None
                self.timers.warned_until = self._clock.monotonic() + self._limits.warning_seconds
                self.visit.session.record("timeout.warned")
            case Due.PAGE_OVER:
                self.advance("elapsed")
            case Due.NOTICE_OVER:
                self.after_notice()
            case Due.HELP_OVER:
                pass
            case Due.ATTRACT:
                self.language = self._station.default_language
                self.visit.page = IdlePage()
            case Due.FORGOTTEN:
                self._station.record("card.forgotten", outcome="fault", detail={})
                self._station.alarm(AlarmKind.DEVICE_FAULT, "card.forgotten")
                if not self._station.slot.present:
                    # An ID card holds up nobody but who wants to lay another one there.
                    self.go_home()
            case Due.LOOK_AGAIN if self.phase is Phase.VISIT:
                self.visit.watch_late()
                self._await_late()
            case Due.LOOK_AGAIN:
                self.look_again()
            case _:
                assert_never(due)

    # --- the end of a visit ---------------------------------------------------------------------

    def end(self, reason: EndReason, failure: Failure | None = None) -> None:
        """Close the flow, give everything back, wipe, and say what comes next."""
        visit = self.visit
        visit.close()
        self.timers = Timers()
        if failure is not None:
            self._station.failed(failure, visit.number)
        self._station.record(
            "visit.ended",
            outcome="ok" if failure is None else "refused",
            visit=visit.number,
            detail={"reason": reason.value},
        )
        self._station.release_card(self._executor)
        self._station.look_at_slots(self._executor)
        self._station.watch_id_card(self._executor, self._post)
        self.visit = self._fresh_visit()
        self._wipe()
        if failure is not None:
            self._show_notice(NoticePage(failure.name, failure.reference))
        else:
            self.after_notice()

    def tell_of_card(self, failure: str) -> None:
        """What became of the card that was to be given back, while its holder is who is served."""
        if self.phase in (Phase.NOTICE, Phase.TAKE_CARD):
            self._show_notice(NoticePage(failure))

    def _show_notice(self, notice: NoticePage) -> None:
        self._notice = notice
        self.phase = Phase.NOTICE
        until = self._clock.monotonic() + self._limits.notice_seconds
        self.timers = Timers(notice_until=until)

    def after_notice(self) -> None:
        """Nobody is served until the slot is empty and no ID card was left behind."""
        self.timers = Timers()
        if self._station.slot.present or self._station.id_card_lies:
            self.phase = Phase.TAKE_CARD
            self.timers.forgotten = self._clock.monotonic() + self._limits.take_card_alarm
            self._station.record("card.reminded", outcome="ok", detail={})
            self.look_again()
        else:
            self.go_home()

    def give_back_found(self) -> None:
        """A card that an earlier visit left inside is offered before anybody else is served; while
        somebody is being served, when that visit ends."""
        if self.phase is not Phase.VISIT:
            self._station.release_card(self._executor)
        if self.phase is Phase.HOME:
            self.after_notice()

    def offer_again(self) -> None:
        """The dispenser works: a card that it could not give back is offered once more, though not
        for ever, as each time that fails is told to staff. One that was away as a whole finds its
        card (`give_back_found`)."""
        station = self._station
        waits = self.phase in (Phase.NOTICE, Phase.TAKE_CARD) and station.slot.present
        if station.out_of_reach and waits and self._offers_left:
            self._offers_left -= 1
            station.out_of_reach = False
            station.release_card(self._executor)

    def go_home(self) -> None:
        """Ready for the next person; the language was the last one's until now."""
        self.language = self._station.default_language
        self._done_well = False
        self._offers_left = _OFFERS_AGAIN
        self.timers = Timers()
        self.phase = Phase.HOME
        self.look_again()
        if self.phase is Phase.HOME:
            self.refresh_home()
            self.activity()

    def failsafe(self) -> None:
        """Something that must not happen did: record it, wipe, return the card, start over."""
        log.exception("failsafe")
        self._failsafes += 1
        if self._failsafes >= self._limits.failsafe_repeats:
            self._station.refusal = "unexpected"
        try:
            self._station.record("failsafe", outcome="fault", detail={"count": self._failsafes})
            self.end(EndReason.FAILSAFE, Failure("unexpected"))
        except Exception:
            log.exception("failsafe could not end the visit")
            self.visit = self._fresh_visit()
            self._wipe()
            self.timers = Timers()
            self.phase = Phase.OUT_OF_SERVICE

    # --- what can be served ---------------------------------------------------------------------

    def look_again(self) -> None:
        """Move between serving and out of service, where nobody is being served."""
        self._station.look_at_slots(self._executor)
        self._station.watch_id_card(self._executor, self._post)
        again = self._clock.monotonic() + self._limits.device_retry
        if self.phase is Phase.TAKE_CARD:
            self.timers.look_again = again
        if self.phase not in (Phase.HOME, Phase.OUT_OF_SERVICE):
            return
        reason = self.offer.out_of_service()
        if reason is not None:
            if self.phase is Phase.HOME:
                self._station.record(
                    "terminal.out-of-service", outcome="fault", detail={"reason": reason}
                )
            self.phase = Phase.OUT_OF_SERVICE
            self.timers = Timers(look_again=again, help_until=self.timers.help_until)
            return
        if self.phase is Phase.OUT_OF_SERVICE:
            self._station.record("terminal.in-service", outcome="ok", detail={})
            self.phase = Phase.HOME
            self.after_notice()
            return
        self.timers.look_again = again
        if not isinstance(self.visit.page, IdlePage):
            self.refresh_home()

    def refresh_home(self) -> None:
        """The menu shows what can be served now."""
        home = self.offer.home(self.visit.step)
        if home is not None:
            self.visit.page = home
