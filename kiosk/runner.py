"""The one thread that touches flows: it answers steps, keeps time, and gives everything back.

Workers and monitors only post events into its mailbox. The runner tells the attendant
(`kiosk.attendant`) what they mean for the person in front of the terminal; a service knows of no
time-out, no way back, no help call and no card that is torn out.
"""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, assert_never

from drivers.device import DeviceKind
from kiosk.attendant import Attendant, Phase
from kiosk.capture import CardCaptured, CardNotReturned
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
from kiosk.failures import Failure
from kiosk.moment import Moment
from kiosk.platform.link import PlatformDown, PlatformUp
from kiosk.session import Session
from kiosk.slot import SlotNews
from kiosk.station import TAMPERED, Station
from kiosk.steps import AwaitAny, Back, Choose, Flow, Leave, Run, Show, Watch
from kiosk.visit import EndReason


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
        self._show = show
        self._wake = wake
        self._mail: SimpleQueue[Event] = SimpleQueue()
        self._shown: Moment | None = None
        self._attendant = Attendant(station, executor, hall=hall, wipe=wipe, post=self.post)

    # --- what others may call -----------------------------------------------------------------

    @property
    def phase(self) -> Phase:
        return self._attendant.phase

    @property
    def moment(self) -> Moment:
        """Everything that the screen depends on now."""
        return self._attendant.moment

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
        while (due := self._attendant.timers.take_due(self._clock.monotonic())) is not None:
            self._guarded(self._attendant.on_time, due)
        while (moment := self.moment) != self._shown:
            self._shown = moment
            self._guarded(self._show, moment)
        if self._station.lights is not None:
            self._station.lights.follow(moment.page, self._executor)

    def next_wake(self) -> float | None:
        """Seconds until something is due by time alone, None when nothing is."""
        visiting = self.phase is Phase.VISIT
        waits = (
            self._attendant.timers.next_wake(self._clock.monotonic()),
            self._station.devices.next_look(visiting=visiting),
        )
        return min((wait for wait in waits if wait is not None), default=None)

    def stop(self) -> None:
        """End the visit, whoever it is with; the process is about to stop. A card is still offered,
        and nobody waits until it counts as forgotten."""
        self._station.stopping.set()
        if self.phase is Phase.VISIT:
            self._attendant.end(EndReason.STOPPED)

    def _look_at_devices(self) -> None:
        visiting = self.phase is Phase.VISIT
        self._station.devices.look(self._executor, self.post, visiting=visiting)

    # --- events ---------------------------------------------------------------------------------

    def _guarded(self, call: Callable[..., None], *args: Any) -> None:
        """A bug is recorded, the visit is wiped, and the terminal goes on (or gives up)."""
        try:
            call(*args)
        except Exception:
            self._attendant.failsafe()

    def _handle(self, event: Event) -> None:
        match event:
            case Touch(id=touched):
                self._touched(touched)
            case Reported():
                self._reported(event)
            case Finished():
                if self._attendant.visit.concerns(event):
                    self._attendant.visit.work_is_over(event.lane)
                    self._finished(event.lane, event.result)
            case IdCardSeen():
                self._station.hear(event, self._executor, self.post)
                self._id_card_seen()
            case CardCaptured() | CardNotReturned():
                self._station.hear(event, self._executor, self.post)
                if self._station.out_of_reach:
                    self._attendant.tell_of_card("card-not-returned")
            case CatalogueSeen() | DeviceSeen() | QueueSeen() | PlatformUp() | PlatformDown():
                came = isinstance(event, DeviceSeen) and self._station.approached(event)
                self._station.hear(event, self._executor, self.post)
                if self.phase is Phase.VISIT and self._station.refusal == TAMPERED:
                    self._attendant.end(EndReason.FAILED, Failure("terminal-tampered"))
                self._attendant.look_again()
                if _dispenser_works(event):
                    self._attendant.offer_again()
                if came:
                    self._attendant.wake()
            case _:
                news = self._station.slot.hear(event)
                if news is not None:
                    self._slot_changed(news)

    def _reported(self, event: Reported) -> None:
        visit = self._attendant.visit
        if not visit.concerns(event):
            return
        match visit.step:
            case Watch(page=page):
                visit.page = page(event.value)
                self._attendant.activity()
            case Run(progress=progress) if progress is not None:
                visit.page = progress(event.value)
            case AwaitAny():
                self._station.id_card_lies = False
            case _:
                pass

    def _finished(self, lane: str, result: Result) -> None:
        visit = self._attendant.visit
        step = visit.step
        if not isinstance(step, AwaitAny):
            self._attendant.advance(result.value, result.error)
        elif result.error is None:
            self._station.source_works(lane)
            self._station.watch_id_card(self._executor, self.post)
            self._attendant.advance(step.shown(lane, result.value))
        else:
            # The other ways to go on stay; without this one.
            self._station.source_failed(lane, result.error)
            visit.source_failed()

    # --- touches --------------------------------------------------------------------------------

    def _touched(self, touched: str) -> None:
        attendant = self._attendant
        if touched == "language":
            attendant.language = self._station.next_language(attendant.language)
            attendant.activity()
        elif attendant.timers.warned_until is not None:
            self._touched_warning(touched)
        elif attendant.timers.help_until is not None:
            attendant.timers.help_until = None
            attendant.activity()
        elif touched == "help":
            self._call_help()
        else:
            self._touched_page(touched)

    def _touched_warning(self, touched: str) -> None:
        """While the warning shows, one touch of anything but the way out goes on."""
        if touched == "leave":
            self._attendant.end(EndReason.LEFT)
        else:
            self._attendant.visit.session.record("timeout.extended")
            self._attendant.activity()

    def _call_help(self) -> None:
        """Tell where help is, on every screen; a notice stays until that was read."""
        attendant = self._attendant
        number = attendant.visit.number if self.phase is Phase.VISIT else None
        self._station.record("help.called", outcome="ok", visit=number, detail={})
        attendant.activity()
        attendant.timers.help_until = self._clock.monotonic() + self._limits.help_seconds
        if attendant.timers.notice_until is not None:
            attendant.timers.notice_until += self._limits.help_seconds

    def _touched_page(self, touched: str) -> None:
        attendant = self._attendant
        match self.phase:
            case Phase.HOME:
                attendant.activity()
                self._answer_touch(touched)
            case Phase.VISIT:
                attendant.activity()
                match touched:
                    case "leave":
                        attendant.advance(error=Leave())
                    case "back":
                        attendant.advance(error=Back())
                    case _:
                        self._answer_touch(touched)
            case Phase.NOTICE:
                if touched == "leave":
                    attendant.after_notice()
            case Phase.TAKE_CARD | Phase.OUT_OF_SERVICE:
                pass
            case _:
                assert_never(self.phase)

    def _answer_touch(self, touched: str) -> None:
        match self._attendant.visit.step:
            case Choose(options=options):
                for option in options:
                    if option.id == touched:
                        self._attendant.choose(option)
                        return
            case Show(actions=actions) | AwaitAny(actions=actions) if touched in actions:
                self._attendant.advance(touched)
            case _:
                pass

    # --- the card and its reader ----------------------------------------------------------------

    def _slot_changed(self, news: SlotNews) -> None:
        self._station.out_of_reach = False
        match news:
            case SlotNews.CARD_CAME:
                self._station.record("card.inserted", outcome="ok", detail={})
                self._card_came()
            case SlotNews.CARD_FOUND:
                self._station.record("card.found", outcome="ok", detail={})
                self._attendant.give_back_found()
            case SlotNews.CARD_WENT:
                self._station.record("card.removed", outcome="ok", detail={})
                self._card_went()
            case SlotNews.CARD_KEPT:
                # Its audit line comes with `CardCaptured`, which counts it.
                self._attendant.tell_of_card("card-captured")
            case SlotNews.READER_CAME:
                self._station.record("device.back", outcome="ok", detail={"device": "reader"})
                self._attendant.look_again()
            case SlotNews.READER_WENT:
                self._station.record("device.lost", outcome="fault", detail={"device": "reader"})
                self._reader_went()
            case _:
                assert_never(news)

    def _card_came(self) -> None:
        attendant = self._attendant
        if self.phase is Phase.HOME:
            attendant.begin_if_new()
            attendant.refresh_home()
        elif self.phase is not Phase.VISIT and self._station.cards.gives_back:
            # Nobody can pull it out, and nobody is served who could be told to leave with it.
            self._station.release_card(self._executor)
        attendant.activity()
        if self.phase is Phase.VISIT and attendant.visit.awaits_card:
            attendant.advance(*attendant.visit.card_shown())

    def _card_went(self) -> None:
        attendant = self._attendant
        if self.phase is Phase.VISIT and attendant.visit.needs_card:
            attendant.end(EndReason.CARD_REMOVED, Failure("card-removed"))
        elif self.phase is Phase.VISIT and isinstance(attendant.visit.step, Choose):
            attendant.end(EndReason.LEFT)
        elif self.phase is Phase.TAKE_CARD and not self._station.id_card_lies:
            attendant.go_home()

    def _id_card_seen(self) -> None:
        """The ID card was taken away, or lies there still."""
        if self._station.id_card_lies:
            self._station.watch_id_card(self._executor, self.post)
        elif self.phase is Phase.TAKE_CARD and not self._station.slot.present:
            self._attendant.go_home()

    def _reader_went(self) -> None:
        attendant = self._attendant
        if self.phase is Phase.VISIT and attendant.visit.needs_reader:
            attendant.end(EndReason.FAILED, Failure("reader-gone"))
        elif self.phase is Phase.TAKE_CARD and self._card_was_inside:
            # It went with the card; whoever gives that back will know later, and tell staff.
            attendant.tell_of_card("card-not-returned")
        elif self.phase is Phase.TAKE_CARD:
            attendant.go_home()
        else:
            attendant.look_again()

    @property
    def _card_was_inside(self) -> bool:
        """It, and not an ID card that lies on its reader, was to be taken."""
        return self._station.cards.gives_back and not self._station.id_card_lies


def _dispenser_works(news: Event) -> bool:
    if not isinstance(news, DeviceSeen) or news.kind is not DeviceKind.DISPENSER:
        return False
    return news.status.reason is None
