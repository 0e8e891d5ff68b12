"""The one thread that touches flows: it answers steps, keeps time, and gives everything back.

Workers and monitors only post events into its mailbox. The runner owns time-outs, the way back,
card removal, help, the language, audit of the visit and the wipe; a service knows of none of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from enum import Enum
from queue import Empty, SimpleQueue
from typing import Any, assert_never

from kiosk.device_watch import DeviceSeen
from kiosk.events import (
    CatalogueSeen,
    Event,
    Finished,
    IdCardSeen,
    QueueSeen,
    Reported,
    Touch,
)
from kiosk.executor import Executor, Result
from kiosk.failures import Failure, NoAnswer
from kiosk.moment import Badges, Moment
from kiosk.offer import PLATFORM, Offer, unreachable
from kiosk.pacing import idle_limit, step_timers
from kiosk.pages import IdlePage, NoticePage, OutOfServicePage, Page, TakeCardPage
from kiosk.platform.link import PlatformDown, PlatformUp
from kiosk.platform.models import AlarmKind
from kiosk.session import Session
from kiosk.slot import SlotNews
from kiosk.station import TAMPERED, Station
from kiosk.steps import AwaitAny, Back, Choose, Flow, Leave, Option, Run, Show, Watch
from kiosk.timers import Due, Timers
from kiosk.visit import EndReason, Visit

log = logging.getLogger(__name__)


class Phase(Enum):
    """What the terminal is doing for the person in front of it."""

    HOME = "home"
    VISIT = "visit"
    NOTICE = "notice"
    TAKE_CARD = "take-card"
    OUT_OF_SERVICE = "out-of-service"


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
        self._offer = Offer(station, executor)
        self._hall = hall
        self._show = show
        self._wipe = wipe
        self._wake = wake
        self._mail: SimpleQueue[Event] = SimpleQueue()
        self._visits = 0
        self._failsafes = 0
        self._language = station.default_language
        self._shown: Moment | None = None
        self._notice = NoticePage("unexpected")
        self._done_well = False
        self._timers = Timers()
        # Not in service before everything was looked at once.
        self._phase = Phase.OUT_OF_SERVICE
        self._visit = self._fresh_visit()
        self._look_again()

    # --- what others may call -----------------------------------------------------------------

    @property
    def phase(self) -> Phase:
        return self._phase

    def post(self, event: Event) -> None:
        """Tell the runner something; from any thread."""
        self._mail.put(event)
        self._wake()

    def pump(self) -> None:
        """Handle everything posted and due, then draw if anything changed."""
        self._guarded(self._look_at_devices)
        while True:
            try:
                event = self._mail.get_nowait()
            except Empty:
                break
            self._guarded(self._handle, event)
        while (due := self._timers.take_due(self._clock.monotonic())) is not None:
            self._guarded(self._on_time, due)
        while (moment := self.moment) != self._shown:
            self._shown = moment
            self._guarded(self._show, moment)

    def next_wake(self) -> float | None:
        """Seconds until something is due by time alone, None when nothing is."""
        visiting = self._phase is Phase.VISIT
        waits = (
            self._timers.next_wake(self._clock.monotonic()),
            self._station.devices.next_look(visiting=visiting),
        )
        return min((wait for wait in waits if wait is not None), default=None)

    def stop(self) -> None:
        """End the visit, whoever it is with; the process is about to stop."""
        if self._phase is Phase.VISIT:
            self._end(EndReason.STOPPED)

    @property
    def moment(self) -> Moment:
        """Everything that the screen depends on now."""
        return Moment.at(
            self._clock,
            self._timers,
            page=self._page(),
            language=self._language,
            badges=Badges(
                platform_up=self._station.line_up,
                reader_ok=self._station.slot.attached and self._station.stuck is None,
                waiting=self._station.waiting,
                printer=self._station.obstacle,
                id_card_lies=self._station.id_card_lies,
            ),
        )

    def _page(self) -> Page:
        match self._phase:
            case Phase.NOTICE:
                return self._notice
            case Phase.TAKE_CARD:
                return TakeCardPage(
                    self._done_well, self._station.slot.present, self._station.id_card_lies
                )
            case Phase.OUT_OF_SERVICE:
                stuck = self._station.stuck
                return OutOfServicePage(
                    self._offer.out_of_service() or "unexpected",
                    "" if stuck is None else stuck.reader,
                )
            case Phase.HOME | Phase.VISIT:
                return self._visit.page
            case _:
                assert_never(self._phase)

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
                if self._visit.concerns(event):
                    self._visit.work_is_over(event.lane)
                    self._finished(event.lane, event.result)
            case IdCardSeen():
                self._station.hear(event, self._executor, self.post)
                self._id_card_seen()
            case CatalogueSeen() | DeviceSeen() | QueueSeen() | PlatformUp() | PlatformDown():
                self._station.hear(event, self._executor, self.post)
                if self._phase is Phase.VISIT and self._station.refusal == TAMPERED:
                    self._end(EndReason.FAILED, Failure("terminal-tampered"))
                self._look_again()
            case _:
                news = self._station.slot.hear(event)
                if news is not None:
                    self._slot_changed(news)

    def _reported(self, event: Reported) -> None:
        visit = self._visit
        if not visit.concerns(event):
            return
        match visit.step:
            case Watch(page=page):
                visit.page = page(event.value)
                self._activity()
            case Run(progress=progress) if progress is not None:
                visit.page = progress(event.value)
            case AwaitAny():
                self._station.id_card_lies = False
            case _:
                pass

    def _finished(self, lane: str, result: Result) -> None:
        step = self._visit.step
        if not isinstance(step, AwaitAny):
            self._advance(result.value, result.error)
        elif result.error is None:
            self._station.source_works(lane)
            self._station.watch_id_card(self._executor, self.post)
            self._advance(step.shown(lane, result.value))
        else:
            # The other ways to go on stay; without this one.
            self._station.source_failed(lane, result.error)
            self._visit.source_failed()

    # --- touches --------------------------------------------------------------------------------

    def _touched(self, touched: str) -> None:
        if touched == "language":
            self._language = self._station.next_language(self._language)
            self._activity()
        elif self._timers.warned_until is not None:
            self._touched_warning(touched)
        elif self._timers.help_until is not None:
            self._timers.help_until = None
            self._activity()
        elif touched == "help":
            self._call_help()
        else:
            self._touched_page(touched)

    def _touched_warning(self, touched: str) -> None:
        """While the warning shows, one touch of anything but the way out goes on."""
        if touched == "leave":
            self._end(EndReason.LEFT)
        else:
            self._visit.session.record("timeout.extended")
            self._activity()

    def _call_help(self) -> None:
        """Tell where help is, on every screen; a notice stays until that was read."""
        number = self._visit.number if self._phase is Phase.VISIT else None
        self._station.record("help.called", outcome="ok", visit=number, detail={})
        self._activity()
        self._timers.help_until = self._clock.monotonic() + self._limits.help_seconds
        if self._timers.notice_until is not None:
            self._timers.notice_until += self._limits.help_seconds

    def _touched_page(self, touched: str) -> None:
        match self._phase:
            case Phase.HOME:
                self._activity()
                self._answer_touch(touched)
            case Phase.VISIT:
                self._activity()
                match touched:
                    case "leave":
                        self._advance(error=Leave())
                    case "back":
                        self._advance(error=Back())
                    case _:
                        self._answer_touch(touched)
            case Phase.NOTICE:
                if touched == "leave":
                    self._after_notice()
            case Phase.TAKE_CARD | Phase.OUT_OF_SERVICE:
                pass
            case _:
                assert_never(self._phase)

    def _answer_touch(self, touched: str) -> None:
        match self._visit.step:
            case Choose(options=options):
                for option in options:
                    if option.id == touched:
                        self._choose(option)
                        return
            case Show(actions=actions) | AwaitAny(actions=actions) if touched in actions:
                self._advance(touched)
            case _:
                pass

    def _choose(self, option: Option[Any]) -> None:
        reason = self._offer.reasons().get(option.id)
        if reason is None:
            self._begin_if_new()
            self._advance(option.value)
        elif reason == PLATFORM:
            self._begin_if_new()
            self._end(EndReason.FAILED, Failure(unreachable(option.value)))

    # --- the card and its reader ----------------------------------------------------------------

    def _slot_changed(self, news: SlotNews) -> None:
        match news:
            case SlotNews.CARD_CAME:
                self._station.record("card.inserted", outcome="ok", detail={})
                self._card_came()
            case SlotNews.CARD_WENT:
                self._station.record("card.removed", outcome="ok", detail={})
                self._card_went()
            case SlotNews.READER_CAME:
                self._station.record("device.back", outcome="ok", detail={"device": "reader"})
                self._look_again()
            case SlotNews.READER_WENT:
                self._station.record("device.lost", outcome="fault", detail={"device": "reader"})
                self._reader_went()
            case _:
                assert_never(news)

    def _card_came(self) -> None:
        if self._phase is Phase.HOME:
            self._begin_if_new()
            self._refresh_home()
        self._activity()
        if self._phase is Phase.VISIT and self._visit.awaits_card:
            self._advance(*self._visit.card_shown())

    def _card_went(self) -> None:
        if self._phase is Phase.VISIT and self._visit.needs_card:
            self._end(EndReason.CARD_REMOVED, Failure("card-removed"))
        elif self._phase is Phase.VISIT and isinstance(self._visit.step, Choose):
            self._end(EndReason.LEFT)
        elif self._phase is Phase.TAKE_CARD and not self._station.id_card_lies:
            self._go_home()

    def _id_card_seen(self) -> None:
        """The ID card was taken away, or lies there still."""
        if self._station.id_card_lies:
            self._station.watch_id_card(self._executor, self.post)
        elif self._phase is Phase.TAKE_CARD and not self._station.slot.present:
            self._go_home()

    def _reader_went(self) -> None:
        if self._phase is Phase.VISIT and self._visit.needs_reader:
            self._end(EndReason.FAILED, Failure("reader-gone"))
        elif self._phase is Phase.TAKE_CARD:
            self._go_home()
        else:
            self._look_again()

    # --- the flow -------------------------------------------------------------------------------

    def _fresh_visit(self) -> Visit:
        self._visits += 1
        session = Session(self._visits, self._station, self._station.record)
        return Visit(
            session,
            self._hall(session),
            executor=self._executor,
            post=self.post,
            slot=self._station.slot,
        )

    def _begin_if_new(self) -> None:
        if self._visit.begun_at is None:
            self._visit.begun_at = self._clock.monotonic()
            self._phase = Phase.VISIT
            self._timers = Timers()
            self._visit.session.record("visit.begun")

    def _advance(self, answer: Any = None, error: Exception | None = None) -> None:
        """Let the visit go on with an answer or an error, and time its next step."""
        ended = self._visit.advance(answer, error)
        if ended is not None:
            self._done_well = ended.failure is None
            self._end(ended.reason, ended.failure)
            return
        now, help_until = self._clock.monotonic(), self._timers.help_until
        self._timers = step_timers(self._visit.step, now, help_until=help_until)
        self._refresh_home()
        self._activity()

    # --- time -----------------------------------------------------------------------------------

    def _activity(self) -> None:
        """Somebody is there: the time without a touch starts anew."""
        now = self._clock.monotonic()
        match self._phase:
            case Phase.VISIT:
                limit = idle_limit(self._visit.step, self._limits)
                cap = (self._visit.begun_at or now) + self._limits.visit_cap_seconds
                self._timers.idle = None if limit is None else min(now + limit, cap)
                self._timers.warned_until = None
            case Phase.HOME:
                self._timers.attract = now + self._limits.attract_seconds
                if isinstance(self._visit.page, IdlePage):
                    self._refresh_home()
            case Phase.NOTICE | Phase.TAKE_CARD | Phase.OUT_OF_SERVICE:
                pass
            case _:
                assert_never(self._phase)

    def _on_time(self, due: Due) -> None:
        match due:
            case Due.DEADLINE:
                step = self._visit.step
                self._advance(error=NoAnswer(step.lane if isinstance(step, Run) else ""))
            case Due.EXPIRED:
                self._visit.session.record("timeout.expired", outcome="refused")
                self._end(EndReason.TIMED_OUT)
            case Due.WARN:
                self._timers.page_until = None
                self._timers.warned_until = self._clock.monotonic() + self._limits.warning_seconds
                self._visit.session.record("timeout.warned")
            case Due.PAGE_OVER:
                self._advance("elapsed")
            case Due.NOTICE_OVER:
                self._after_notice()
            case Due.HELP_OVER:
                pass
            case Due.ATTRACT:
                self._language = self._station.default_language
                self._visit.page = IdlePage()
            case Due.FORGOTTEN:
                self._station.record("card.forgotten", outcome="fault", detail={})
                self._station.alarm(AlarmKind.DEVICE_FAULT, "card.forgotten")
                if not self._station.slot.present:
                    # An ID card holds up nobody but who wants to lay another one there.
                    self._go_home()
            case Due.LOOK_AGAIN:
                self._look_again()
            case _:
                assert_never(due)

    # --- the end of a visit ---------------------------------------------------------------------

    def _end(self, reason: EndReason, failure: Failure | None = None) -> None:
        """Close the flow, give everything back, wipe, and say what comes next."""
        visit = self._visit
        visit.close()
        self._timers = Timers()
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
        self._station.watch_id_card(self._executor, self.post)
        self._visit = self._fresh_visit()
        self._wipe()
        if failure is not None:
            self._notice = NoticePage(failure.name, failure.reference)
            self._phase = Phase.NOTICE
            self._timers.notice_until = self._clock.monotonic() + self._limits.notice_seconds
        else:
            self._after_notice()

    def _after_notice(self) -> None:
        """Nobody is served until the slot is empty and no ID card was left behind."""
        self._timers = Timers()
        if self._station.slot.present or self._station.id_card_lies:
            self._phase = Phase.TAKE_CARD
            self._timers.forgotten = self._clock.monotonic() + self._limits.take_card_alarm
            self._station.record("card.reminded", outcome="ok", detail={})
            self._look_again()
        else:
            self._go_home()

    def _go_home(self) -> None:
        """Ready for the next person; the language was the last one's until now."""
        self._language = self._station.default_language
        self._done_well = False
        self._timers = Timers()
        self._phase = Phase.HOME
        self._look_again()
        if self._phase is Phase.HOME:
            self._refresh_home()
            self._activity()

    def _failsafe(self) -> None:
        """Something that must not happen did: record it, wipe, return the card, start over."""
        log.exception("failsafe")
        self._failsafes += 1
        if self._failsafes >= self._limits.failsafe_repeats:
            self._station.refusal = "unexpected"
        try:
            self._station.record("failsafe", outcome="fault", detail={"count": self._failsafes})
            self._end(EndReason.FAILSAFE, Failure("unexpected"))
        except Exception:
            log.exception("failsafe could not end the visit")
            self._visit = self._fresh_visit()
            self._wipe()
            self._timers = Timers()
            self._phase = Phase.OUT_OF_SERVICE

    # --- what can be served ---------------------------------------------------------------------

    def _look_at_devices(self) -> None:
        visiting = self._phase is Phase.VISIT
        self._station.devices.look(self._executor, self.post, visiting=visiting)

    def _look_again(self) -> None:
        """Move between serving and out of service, where nobody is being served."""
        self._station.look_at_slots(self._executor)
        self._station.watch_id_card(self._executor, self.post)
        again = self._clock.monotonic() + self._limits.device_retry
        if self._phase is Phase.TAKE_CARD:
            self._timers.look_again = again
        if self._phase not in (Phase.HOME, Phase.OUT_OF_SERVICE):
            return
        reason = self._offer.out_of_service()
        if reason is not None:
            if self._phase is Phase.HOME:
                self._station.record(
                    "terminal.out-of-service", outcome="fault", detail={"reason": reason}
                )
            self._phase = Phase.OUT_OF_SERVICE
            self._timers = Timers(look_again=again, help_until=self._timers.help_until)
            return
        if self._phase is Phase.OUT_OF_SERVICE:
            self._station.record("terminal.in-service", outcome="ok", detail={})
            self._phase = Phase.HOME
            self._after_notice()
            return
        self._timers.look_again = again
        if not isinstance(self._visit.page, IdlePage):
            self._refresh_home()

    def _refresh_home(self) -> None:
        home = self._offer.home(self._visit.step)
        if home is not None:
            self._visit.page = home
