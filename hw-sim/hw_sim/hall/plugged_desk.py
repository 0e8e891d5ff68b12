"""What the desks of devices with a plug have in common (`hw_sim.hall.desk.Desk`)."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from hw_sim.hall.client import Answer
from hw_sim.hall.desk import Press, Word
from hw_sim.hall.questions import Question, choice, here

PLUG = Word("state", "its plug", ("plugged", "unplugged"))
"""What is typed after the verb of a plug."""


class Plugged(Protocol):
    """A device that can be plugged in and out, and takes fault schedules."""

    @property
    def plugged(self) -> bool: ...
    def plug(self) -> None: ...
    def unplug(self) -> None: ...
    def set_fault(self, text: str, /) -> None: ...
    @property
    def faults_pending(self) -> int: ...


D = TypeVar("D", bound=Plugged)


class PluggedDesk(Generic[D]):
    """A desk makes its device in `open` and puts it into `_device`."""

    _device: D | None = None

    @property
    def device(self) -> D:
        """Refused before it is opened."""
        return here(self._device)

    def close(self) -> None:
        """Unplug it; safe at any time and twice."""
        if self._device is not None:
            self._device.unplug()
            self._device = None

    def set_fault(self, text: str) -> None:
        """Schedule what goes wrong; ``none`` forgets all. Raises FaultSyntaxError."""
        self.device.set_fault(text)

    @property
    def faults_pending(self) -> int:
        """How many scheduled faults have not happened yet."""
        return 0 if self._device is None else self._device.faults_pending

    def switch(self, question: Question) -> Answer:
        """Answer the question about its plug."""
        if choice(question, "state", " ".join(PLUG.choices)) == "plugged":
            self.device.plug()
        else:
            self.device.unplug()
        return {}


def toggle(do: str, wrong: bool, breaks: tuple[str, str], mends: tuple[str, str]) -> Press:
    """The dock's button that breaks what is well and mends what is not.

    Args:
        breaks, mends: the state that is asked for, and the button's label.
    """
    state, label = mends if wrong else breaks
    return Press(label, do, {"state": state}, wrong=wrong)


def plug_press(do: str, status: Answer) -> Press:
    """The dock's button for a plug."""
    return toggle(do, not status["plugged"], ("unplugged", "拔掉"), ("plugged", "插上"))
