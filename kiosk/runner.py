"""The one thread that touches flows: it answers steps, keeps time, and gives everything back.

Workers and monitors only post events into its mailbox. The runner owns time-outs, the way back,
card removal, help, the language, audit of the visit and the wipe; a service knows of none of it.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from enum import Enum
from queue import Empty, SimpleQueue
from typing import Any, assert_never

from apdu.errors import CardMute
from drivers import events as device
from kiosk.events import CatalogueSeen, Event, Finished, Reported, Touch
from kiosk.executor import Executor
from kiosk.failures import Failure, NoAnswer, failure_of, kinds
from kiosk.moment import Badges, Moment, Overlay
from kiosk.pages import (
    HomePage,
    IdlePage,
    NoticePage,
    OutOfServicePage,
    Page,
    TakeCardPage,
)
from kiosk.platform.link import PlatformDown, PlatformUp
from kiosk.session import Session
from kiosk.station import Station
from kiosk.steps import (
    AwaitAny,
    Back,
    Choose,
    Flow,
    Leave,
    Option,
    Run,
    Show,
    Source,
    Step,
    Watch,
)
from kiosk.timers import Timers, seconds_left
from kiosk.visit import Visit

log = logging.getLogger(__name__)


class Phase(Enum):
    """What the terminal is doing for the person in front of it."""

    HOME = "home"
    VISIT = "visit"
    NOTICE = "notice"
    TAKE_CARD = "take-card"
    OUT_OF_SERVICE = "out-of-service"


class EndReason(Enum):
    """Why a visit ended; recorded in the audit log."""

    DONE = "done"
    LEFT = "left"
    FAILED = "failed"
    TIMED_OUT = "timed-out"
    CARD_REMOVED = "card-removed"
    FAILSAFE = "failsafe"
    STOPPED = "stopped"


class Runner:
    """Serves one visit after the other.

    Args:
        station: devices, platform, catalogue, limits, audit.
        executor: where work is done.
        hall: makes the root flow of a visit.
        show: draws a moment; called only when it differs from the one before.
        wipe: makes the screen forget everything it has cached of earlier moments.
        wake: interrupts the main loop's waiting; called from any thread.
    """

    def __init__(
        self,
        *,
        station: Station,
        executor: Executor,
        hall: Callable[[Session], Flow[None]],
        show: Callable[[Moment], None],
        wipe: Callable[[], None],
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self._station = station
        self._clock = station.clock
        self._limits = station.limits
        self._executor = executor
        self._hall = hall
        self._show = show
        self._wipe = wipe
        self._wake = wake
        self._mail: SimpleQueue[Event] = SimpleQueue()
        self._visits = 0
        self._failsafes = 0
        self._language = station.default_language
        self._shown: Moment | None = None
        self._notice: str = ""
        self._done_well = False
        self._timers = Timers()
        self._phase = Phase.HOME
        self._visit = self._fresh_visit()
        self._go_home()

    # --- what others may call -----------------------------------------------------------------

    @property
    def phase(self) -> Phase:
        return self._phase

    @property
    def page(self) -> Page:
        """What is on the screen now."""
        return self._moment().page

    @property
    def moment(self) -> Moment:
        return self._moment()

    def post(self, event: Event) -> None:
        """Tell the runner something; from any thread."""
        self._mail.put(event)
        self._wake()

    def pump(self) -> None:
        """Handle everything posted and due, then draw if anything changed."""
        while True:
            try:
                event = self._mail.get_nowait()
            except Empty:
                break
            self._guarded(self._handle, event)
        self._guarded(self._keep_time)
        self._draw()

    def next_wake(self) -> float | None:
        """Seconds until something is due by time alone, None when nothing is."""
        return self._timers.next_wake(self._clock.monotonic())

    def stop(self) -> None:
        """End the visit, whoever it is with; the process is about to stop."""
        if self._phase is Phase.VISIT:
            self._end(EndReason.STOPPED)

    # --- events ---------------------------------------------------------------------------------

    def _guarded(self, call: Callable[..., None], *args: Any) -> None:
        """A bug is recorded, the visit is wiped, and the terminal goes on (or gives up)."""
        try:
            call(*args)
        except Exception:
            self._failsafe()

    def _handle(self, event: Event) -> None:
        match event:
            case Touch(id=touched):
                self._touched(touched)
            case Reported():
                self._reported(event)
            case Finished():
                self._finished(event)
            case CatalogueSeen(paused=paused):
                self._station.paused = paused
                self._look_again()
            case device.CardInserted():
                if self._station.slot.inserted(event.reader):
                    self._card_came()
            case device.CardMuted():
                if self._station.slot.muted(event.reader):
                    self._card_came()
            case device.CardTaken():
                if self._station.slot.taken(event.reader):
                    self._card_went()
            case device.ReaderAttached():
                if self._station.slot.attached(event.reader):
                    self._station.record("device.back", outcome="ok", detail={"device": "reader"})
                    self._look_again()
            case device.ReaderDetached():
                if self._station.slot.detached(event.reader):
                    self._reader_went()
            case device.ServiceLost():
                if self._station.slot.service_lost():
                    self._reader_went()
            case device.ServiceRestored():
                self._look_again()
            case PlatformUp():
                if self._station.platform_state.up(event):
                    self._station.record("platform.back", outcome="ok", detail={})
                    self._station.catch_up(self._executor, self.post)
                self._look_again()
            case PlatformDown():
                if self._station.platform_state.down(event):
                    self._station.record("platform.lost", outcome="fault", detail={})
                self._look_again()
            case _:
                assert_never(event)

    def _touched(self, touched: str) -> None:
        if touched == "language":
            self._language = self._station.next_language(self._language)
            self._activity()
            return
        match self._phase:
            case Phase.HOME:
                self._attract_again()
                if touched == "help":
                    self._call_help()
                elif self._timers.help_until is not None:
                    self._timers.help_until = None
                elif touched not in ("", "start"):
                    self._answer_touch(touched)
            case Phase.VISIT:
                self._touched_in_visit(touched)
            case Phase.NOTICE:
                if touched == "leave":
                    self._after_notice()
            case Phase.TAKE_CARD | Phase.OUT_OF_SERVICE:
                pass
            case _:
                assert_never(self._phase)

    def _touched_in_visit(self, touched: str) -> None:
        if self._timers.warned_until is not None:
            if touched == "leave":
                self._end(EndReason.LEFT)
            else:
                self._visit.session.record("timeout.extended")
                self._activity()
            return
        helping = self._timers.help_until is not None
        self._activity()
        match touched:
            case "leave" if not helping:
                self._advance(error=Leave())
            case "back" if not helping:
                self._advance(error=Back())
            case "help":
                self._call_help()
            case _:
                self._timers.help_until = None
                if not helping:
                    self._answer_touch(touched)

    def _answer_touch(self, touched: str) -> None:
        match self._visit.step:
            case Choose(options=options):
                for option in options:
                    if option.id == touched:
                        self._choose(option)
                        return
            case Show(actions=actions) if touched in actions:
                self._advance(touched)
            case _:
                pass

    def _choose(self, option: Option[Any]) -> None:
        reason = self._unavailable().get(option.id)
        if reason is None:
            self._begin_if_new()
            self._advance(option.value)
        elif reason == "platform":
            self._begin_if_new()
            self._end(EndReason.FAILED, Failure("platform-unavailable"))

    def _call_help(self) -> None:
        number = self._visit.number if self._phase is Phase.VISIT else None
        self._station.record("help.called", outcome="ok", visit=number, detail={})
        self._timers.help_until = self._clock.monotonic() + self._limits.help_seconds

    def _reported(self, event: Reported) -> None:
        visit = self._visit
        if visit.concerns(event) and isinstance(visit.step, Watch):
            visit.page = visit.step.page(event.value)
            self._activity()

    def _finished(self, event: Finished) -> None:
        if self._visit.concerns(event):
            self._visit.work_is_over()
            self._advance(event.result.value, event.result.error)

    # --- the card and its reader ----------------------------------------------------------------

    def _card_came(self) -> None:
        self._station.record("card.inserted", outcome="ok", detail={})
        match self._phase:
            case Phase.HOME:
                self._begin_if_new()
                self._refresh_home()
                self._activity()
            case Phase.VISIT:
                self._activity()
                if isinstance(self._visit.step, AwaitAny):
                    self._advance(*self._shown_card())
            case Phase.NOTICE | Phase.TAKE_CARD | Phase.OUT_OF_SERVICE:
                pass
            case _:
                assert_never(self._phase)

    def _card_went(self) -> None:
        self._station.record("card.removed", outcome="ok", detail={})
        match self._phase:
            case Phase.VISIT if self._visit.uses_card:
                self._end(EndReason.CARD_REMOVED, Failure("card-removed"))
            case Phase.VISIT if isinstance(self._visit.step, Choose):
                self._end(EndReason.LEFT)
            case Phase.TAKE_CARD:
                self._go_home()
            case _:
                pass

    def _reader_went(self) -> None:
        self._station.record("device.lost", outcome="fault", detail={"device": "reader"})
        match self._phase:
            case Phase.VISIT if self._visit.uses_card or isinstance(self._visit.step, AwaitAny):
                self._end(EndReason.FAILED, Failure("reader-gone"))
            case Phase.TAKE_CARD:
                self._go_home()
            case _:
                self._look_again()

    # --- the flow -------------------------------------------------------------------------------

    def _fresh_visit(self) -> Visit:
        self._visits += 1
        session = Session(self._visits, self._station, self._station.record)
        return Visit(session, self._hall(session))

    def _begin_if_new(self) -> None:
        if self._visit.begun_at is None:
            self._visit.begun_at = self._clock.monotonic()
            self._phase = Phase.VISIT
            self._timers = Timers()
            self._visit.session.record("visit.begun")

    def _advance(self, answer: Any = None, error: Exception | None = None) -> None:
        """Give the flow its answer and set up the next step; loop while steps answer at once."""
        while True:
            self._timers = Timers(help_until=self._timers.help_until)
            try:
                goes_on = self._visit.ask(answer, error)
            except (Leave, Back):
                self._done_well = True
                self._end(EndReason.LEFT)
                return
            except Exception as raised:
                failure = failure_of(raised)
                if failure is None:
                    raise
                self._end(EndReason.FAILED, failure)
                return
            if not goes_on:
                self._done_well = True
                self._end(EndReason.DONE)
                return
            answer, error = None, None
            match self._visit.step:
                case AwaitAny(page=page) if self._station.slot.present:
                    self._visit.page = page
                    answer, error = self._shown_card()
                case step:
                    error = self._set_up(step)
                    if error is None:
                        self._rest_idle()
                        return

    def _set_up(self, step: Step[Any]) -> Exception | None:
        """Show the step's page and start its work; returns why the work can't be done."""
        visit, now = self._visit, self._clock.monotonic()
        match step:
            case Choose(page=page) | AwaitAny(page=page):
                visit.page = page
            case Show(page=page, seconds=seconds):
                visit.page = page
                self._timers.page_until = None if seconds is None else now + seconds
            case Watch(stream=stream):
                visit.page = step.page(None)
                return visit.work(self._executor, self.post, stream.lane, stream.run)
            case Run(page=page, deadline=deadline):
                visit.page = page
                self._timers.deadline = now + deadline
                return visit.work(self._executor, self.post, step.lane, step.call)
            case _:
                raise TypeError(f"the flow yielded {type(step).__name__}, no step")
        return None

    def _shown_card(self) -> tuple[Source | None, Exception | None]:
        """The answer to a step that waits for a card, now that there is one."""
        self._visit.uses_card = True
        return (None, CardMute()) if self._station.slot.mute else (Source.CARD, None)

    # --- time -----------------------------------------------------------------------------------

    def _idle_limit(self) -> float | None:
        match self._visit.step:
            case Run():
                return None
            case Watch(seconds=seconds):
                return seconds
            case Show(sensitive=True):
                return self._limits.sensitive_seconds
            case _:
                return self._limits.idle_seconds

    def _rest_idle(self) -> None:
        limit = self._idle_limit() if self._phase is Phase.VISIT else None
        self._timers.idle = None if limit is None else self._clock.monotonic() + limit
        self._timers.warned_until = None

    def _activity(self) -> None:
        """Somebody is there."""
        if self._phase is Phase.VISIT:
            self._rest_idle()
        elif self._phase is Phase.HOME:
            self._attract_again()

    def _attract_again(self) -> None:
        self._timers.attract = self._clock.monotonic() + self._limits.attract_seconds
        if isinstance(self._visit.page, IdlePage):
            self._refresh_home()

    def _keep_time(self) -> None:
        now = self._clock.monotonic()
        timers = self._timers
        if timers.help_until is not None and now >= timers.help_until:
            timers.help_until = None
        if timers.look_again is not None and now >= timers.look_again:
            self._look_again()
        match self._phase:
            case Phase.VISIT:
                self._keep_visit_time(now)
            case Phase.NOTICE:
                if timers.notice_until is not None and now >= timers.notice_until:
                    self._after_notice()
            case Phase.HOME:
                if timers.attract is not None and now >= timers.attract:
                    timers.attract = None
                    self._visit.page = IdlePage()
            case Phase.TAKE_CARD:
                if timers.forgotten is not None and now >= timers.forgotten:
                    timers.forgotten = None
                    self._station.record("card.forgotten", outcome="fault", detail={})
                    self._station.raise_alarm("device-fault", "card.forgotten", None)
                    self._station.deliver_alarms(self._executor)
            case Phase.OUT_OF_SERVICE:
                pass
            case _:
                assert_never(self._phase)

    def _keep_visit_time(self, now: float) -> None:
        timers = self._timers
        if timers.deadline is not None and now >= timers.deadline:
            step = self._visit.step
            lane = step.lane if isinstance(step, Run) else ""
            self._advance(error=NoAnswer(lane))
        elif timers.warned_until is not None:
            if now >= timers.warned_until:
                self._visit.session.record("timeout.expired", outcome="refused")
                self._end(EndReason.TIMED_OUT)
        elif timers.idle is not None and now >= min(timers.idle, self._cap()):
            timers.idle = None
            timers.page_until = None
            timers.warned_until = now + self._limits.warning_seconds
            self._visit.session.record("timeout.warned")
        elif timers.page_until is not None and now >= timers.page_until:
            self._advance("elapsed")

    def _cap(self) -> float:
        """When the visit is over however busy the resident is."""
        begun = self._visit.begun_at
        return math.inf if begun is None else begun + self._limits.visit_cap_seconds

    # --- the end of a visit ---------------------------------------------------------------------

    def _end(self, reason: EndReason, failure: Failure | None = None) -> None:
        """Close the flow, give everything back, wipe, and say what comes next."""
        visit = self._visit
        visit.close()
        self._language = self._station.default_language
        self._timers = Timers()
        number = visit.number
        if failure is not None:
            self._record_failure(number, failure)
        self._station.record(
            "visit.ended",
            outcome="ok" if failure is None else "refused",
            visit=number,
            detail={"reason": reason.value},
        )
        self._station.release_card(self._executor)
        self._visit = self._fresh_visit()
        self._wipe()
        if failure is not None:
            self._notice = failure.name
            self._phase = Phase.NOTICE
            self._timers.notice_until = self._clock.monotonic() + self._limits.notice_seconds
        else:
            self._after_notice()

    def _record_failure(self, visit: int, failure: Failure) -> None:
        kind = kinds()[failure.name]
        if kind.audit is not None:
            self._station.record(
                kind.audit, outcome="refused", visit=visit, detail={"reason": failure.name}
            )
        if kind.alarm is not None:
            self._station.raise_alarm(kind.alarm, failure.name, visit)
            self._station.deliver_alarms(self._executor)

    def _after_notice(self) -> None:
        self._notice = ""
        self._timers = Timers()
        if self._station.slot.present:
            self._phase = Phase.TAKE_CARD
            self._timers.forgotten = self._clock.monotonic() + self._limits.take_card_alarm
            self._station.record("card.reminded", outcome="ok", detail={})
        else:
            self._go_home()

    def _go_home(self) -> None:
        self._done_well = False
        self._timers = Timers()
        self._phase = Phase.HOME
        self._look_again()
        if self._phase is Phase.HOME:
            self._refresh_home()
            self._attract_again()

    def _failsafe(self) -> None:
        """Something that must not happen did: record it, wipe, return the card, start over."""
        log.exception("failsafe")
        self._failsafes += 1
        try:
            self._station.record("failsafe", outcome="fault", detail={"count": self._failsafes})
            self._end(EndReason.FAILSAFE, Failure("unexpected"))
        except Exception:
            log.exception("failsafe could not end the visit")
            self._visit = self._fresh_visit()
            self._wipe()
            self._phase = Phase.OUT_OF_SERVICE

    # --- what can be served ---------------------------------------------------------------------

    def _unavailable(self) -> dict[str, str]:
        """Option id -> reason, of everything in the menu that can't be served now."""
        step = self._visit.step
        if not isinstance(step, Choose):
            return {}
        return self._station.unavailable([option.id for option in step.options], self._executor)

    def _out_of_service(self) -> str | None:
        if self._failsafes >= self._limits.failsafe_repeats:
            return "unexpected"
        if (reason := self._station.refuses_service()) is not None:
            return reason
        step = self._visit.step
        # A line that is down puts nothing out of service: its items say so when touched.
        broken = [reason for reason in self._unavailable().values() if reason != "platform"]
        if isinstance(step, Choose) and step.options and len(broken) == len(step.options):
            return broken[0]
        return None

    def _look_again(self) -> None:
        """Move between serving and out of service, where nobody is being served."""
        if self._phase not in (Phase.HOME, Phase.OUT_OF_SERVICE):
            return
        self._timers.look_again = self._clock.monotonic() + self._limits.device_retry
        reason = self._out_of_service()
        if reason is not None:
            if self._phase is Phase.HOME:
                self._station.record(
                    "terminal.out-of-service", outcome="fault", detail={"reason": reason}
                )
            self._phase = Phase.OUT_OF_SERVICE
            self._timers = Timers(look_again=self._timers.look_again)
        elif self._phase is Phase.OUT_OF_SERVICE:
            self._station.record("terminal.in-service", outcome="ok", detail={})
            if self._station.slot.present:
                self._phase = Phase.TAKE_CARD
            else:
                self._phase = Phase.HOME
                self._attract_again()
                self._refresh_home()
        elif isinstance(self._visit.page, HomePage):
            self._refresh_home()

    def _refresh_home(self) -> None:
        step = self._visit.step
        if isinstance(step, Choose) and isinstance(step.page, HomePage):
            self._visit.page = HomePage(
                step.page.first,
                step.page.entries,
                card_seen=self._station.slot.present,
                unavailable=tuple(sorted(self._unavailable().items())),
            )

    # --- the picture ----------------------------------------------------------------------------

    def _moment(self) -> Moment:
        page: Page
        match self._phase:
            case Phase.NOTICE:
                page = NoticePage(self._notice)
            case Phase.TAKE_CARD:
                page = TakeCardPage(done=self._done_well)
            case Phase.OUT_OF_SERVICE:
                page = OutOfServicePage(self._out_of_service() or "unexpected")
            case Phase.HOME | Phase.VISIT:
                page = self._visit.page
            case _:
                assert_never(self._phase)
        timers, now = self._timers, self._clock.monotonic()
        overlay: Overlay | None = None
        seconds: int | None = None
        if timers.warned_until is not None:
            overlay, seconds = Overlay.TIME_OUT, seconds_left(timers.warned_until, now)
        elif timers.help_until is not None:
            overlay, seconds = Overlay.HELP, seconds_left(timers.help_until, now)
        return Moment(
            page=page,
            language=self._language,
            overlay=overlay,
            overlay_seconds=seconds or 0,
            seconds_left=seconds_left(timers.notice_until or timers.idle, now),
            minute=self._clock.local().replace(second=0, microsecond=0),
            badges=Badges(
                platform_up=self._station.platform_state.is_up,
                reader_ok=self._station.slot.attached_now,
            ),
        )

    def _draw(self) -> None:
        moment = self._moment()
        if moment != self._shown:
            self._shown = moment
            self._show(moment)
