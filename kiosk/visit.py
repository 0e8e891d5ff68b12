"""One visit as the runner drives it: the flow, its current step and the work done for it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from kiosk.events import Finished, Reported
from kiosk.executor import Executor, Job, Result, Work
from kiosk.failures import LaneBusy
from kiosk.pages import IdlePage, Page
from kiosk.session import Session
from kiosk.steps import Choose, Flow, Step, Watch

log = logging.getLogger(__name__)


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

    def __init__(self, session: Session, flow: Flow[None]) -> None:
        self.session = session
        self._flow = flow
        self._step_number = 0
        self._job: Job | None = None
        self.page: Page = IdlePage()
        self.uses_card = False
        self.begun_at: float | None = None
        step = flow.send(None)
        if not isinstance(step, Choose):
            raise TypeError("the root flow must begin with a choice")
        self.step: Step[Any] = step
        self.page = step.page

    @property
    def number(self) -> int:
        return self.session.number

    def ask(self, answer: Any, error: Exception | None) -> bool:
        """Give the flow its answer (or throw the error); False when the flow has ended.

        Raises:
            Exception: whatever the flow lets pass.
        """
        self.drop_work()
        self._step_number += 1
        try:
            self.step = self._flow.throw(error) if error else self._flow.send(answer)
        except StopIteration:
            return False
        return True

    def work(
        self,
        executor: Executor,
        post: Callable[[Reported | Finished], None],
        lane: str,
        work: Work,
    ) -> Exception | None:
        """Start work for the current step; returns why it can't be done."""
        if executor.stuck(lane):
            return LaneBusy(lane)
        number, step = self.number, self._step_number

        def report(value: Any) -> None:
            post(Reported(number, step, value))

        def done(result: Result) -> None:
            post(Finished(number, step, result))

        self._job = executor.start(lane, work, report, done)
        return None

    def concerns(self, event: Reported | Finished) -> bool:
        """Whether the event belongs to this visit's current step and its work."""
        return (
            self._job is not None and event.visit == self.number and event.step == self._step_number
        )

    def work_is_over(self) -> None:
        """The current work came back."""
        self._job = None

    def drop_work(self) -> None:
        """Nobody waits for the current step's work any more; a stream is told to stop."""
        if self._job is not None:
            self._job.abandon()
            self._job = None
            if isinstance(self.step, Watch):
                self.step.stream.cancel()

    def close(self) -> None:
        """End the flow wherever it stands, give everything back, forget the person."""
        self.drop_work()
        self._flow.close()
        for problem in self.session.close():
            log.error("giving back failed: %s", type(problem).__name__)
