"""One visit as the runner drives it: the flow, its current step and the work done for it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from apdu.errors import CardMute
from kiosk.events import Finished, Reported
from kiosk.executor import Executor, Job, Result, Work
from kiosk.failures import Failure, LaneBusy, failure_of
from kiosk.pages import Page
from kiosk.session import Session
from kiosk.slot import Slot
from kiosk.steps import (
    AwaitAny,
    Back,
    CardShown,
    Choose,
    Flow,
    Leave,
    Run,
    Show,
    Step,
    Stream,
    Watch,
)

log = logging.getLogger(__name__)


class EndReason(Enum):
    """Why a visit ended; recorded in the audit log."""

    DONE = "done"
    LEFT = "left"
    FAILED = "failed"
    TIMED_OUT = "timed-out"
    CARD_REMOVED = "card-removed"
    FAILSAFE = "failsafe"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Ended:
    """The flow came to its end by itself, by the resident's wish, or by an expected failure."""

    reason: EndReason
    failure: Failure | None = None


class Visit:
    """A session and its root flow.

    A visit that has not begun stands at the menu and asks nothing of anybody; it begins with the
    first touch or card.

    Attributes:
        step: what the flow asks for now.
        page: what the screen shows for it; a device's news may change it within a step.
        uses_card: a card was taken into use, so its removal ends the visit.
        begun_at: monotonic seconds, None before it begins.
    """

    def __init__(
        self,
        session: Session,
        flow: Flow[None],
        *,
        executor: Executor,
        post: Callable[[Reported | Finished], None],
        slot: Slot,
    ) -> None:
        self.session = session
        self._flow = flow
        self._executor = executor
        self._post = post
        self._slot = slot
        self._step_number = 0
        self._jobs: dict[str, Job] = {}
        self._late: tuple[Stream[Any], ...] = ()
        self.uses_card = False
        self.begun_at: float | None = None
        step = flow.send(None)
        if not isinstance(step, Choose):
            raise TypeError("the root flow must begin with a choice")
        self.step: Step[Any] = step
        self.page: Page = step.page

    @property
    def number(self) -> int:
        return self.session.number

    def advance(self, answer: Any = None, error: Exception | None = None) -> Ended | None:
        """Give the flow its answer (or throw the error) until a step has to wait for something.

        Returns:
            How the flow ended, None when it goes on.

        Raises:
            Exception: a bug in the flow.
        """
        while True:
            self.drop_work()
            self._step_number += 1
            try:
                self.step = self._flow.throw(error) if error else self._flow.send(answer)
            except StopIteration:
                return Ended(EndReason.DONE)
            except (Leave, Back):
                return Ended(EndReason.LEFT)
            except Exception as raised:
                failure = failure_of(raised)
                if failure is None:
                    raise
                return Ended(EndReason.FAILED, failure)
            answer, error = None, None
            match self.step:
                case AwaitAny() as waiting if self.awaits_card and self._slot.present:
                    lanes = [stream.lane for stream in waiting.streams]
                    self.page = waiting.page(waiting.ready(lanes))
                    answer, error = self.card_shown()
                case step:
                    error = self._set_up(step)
                    if error is None:
                        return None

    @property
    def awaits_card(self) -> bool:
        """The current step would take a card as its answer."""
        return isinstance(self.step, AwaitAny) and self.step.card

    @property
    def needs_card(self) -> bool:
        """The card in the slot is in use: taking it ends the visit."""
        free = isinstance(self.step, Run | Show) and self.step.card_free
        return self.uses_card and not free

    @property
    def needs_reader(self) -> bool:
        """Without the reader the current step can't go on."""
        otherwise = isinstance(self.step, AwaitAny) and bool(self._jobs)
        return self.needs_card or (self.awaits_card and not otherwise)

    def card_shown(self) -> tuple[CardShown | None, Exception | None]:
        """Answer and error for a step that waits for a card, now that there is one."""
        self.uses_card = True
        return (None, CardMute()) if self._slot.mute else (CardShown(), None)

    def source_failed(self) -> None:
        """One of several ways is gone in this step; the others stay."""
        if isinstance(self.step, AwaitAny):
            self.page = self.step.page(self.step.ready(self._jobs))

    def _set_up(self, step: Step[Any]) -> Exception | None:
        """Show the step's page and start its work; returns why the work can't be done."""
        match step:
            case Choose(page=page) | Show(page=page):
                self.page = page
                return None
            case AwaitAny(streams=streams):
                self._late = streams
                self.watch_late()
                return None
            case Watch(stream=stream):
                self.page = step.page(None)
                return self._work(stream.lane, stream.run)
            case Run(page=page):
                self.page = page
                return self._work(step.lane, step.call)
            case _:
                raise TypeError(f"the flow yielded {type(step).__name__}, no step")

    @property
    def has_late(self) -> bool:
        """A source of the current step is still at a call that an earlier step gave up."""
        return bool(self._late)

    def watch_late(self) -> None:
        """Watch those sources that are free by now."""
        self._late = tuple(each for each in self._late if self._work(each.lane, each.run))
        self.source_failed()

    def _work(self, lane: str, work: Work) -> Exception | None:
        if self._executor.stuck(lane):
            return LaneBusy(lane)
        number, step = self.number, self._step_number

        def report(value: Any) -> None:
            self._post(Reported(number, step, value))

        def done(result: Result) -> None:
            self._post(Finished(number, step, lane, result))

        self._jobs[lane] = self._executor.start(lane, work, report, done)
        return None

    def concerns(self, event: Reported | Finished) -> bool:
        """Whether the event belongs to this visit's current step and its work."""
        working = not isinstance(event, Finished) or event.lane in self._jobs
        now = event.visit == self.number and event.step == self._step_number
        return bool(self._jobs) and working and now

    def work_is_over(self, lane: str) -> None:
        """The current work on a lane came back."""
        del self._jobs[lane]

    def drop_work(self) -> None:
        """Nobody waits for the current step's work any more; a stream is told to stop."""
        jobs, self._jobs, self._late = self._jobs, {}, ()
        for job in jobs.values():
            job.abandon()
        for stream in self._streams:
            if stream.lane in jobs:
                stream.cancel()

    @property
    def _streams(self) -> tuple[Stream[Any], ...]:
        match self.step:
            case Watch(stream=stream):
                return (stream,)
            case AwaitAny(streams=streams):
                return streams
            case _:
                return ()

    def close(self) -> None:
        """End the flow wherever it stands, give everything back, forget the person."""
        self.drop_work()
        self._flow.close()
        for problem in self.session.close():
            log.error("giving back failed: %s", type(problem).__name__)
