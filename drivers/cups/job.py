"""A job in a CUPS queue, judged by the device's own record of it (docs/decisions/0023)."""

from __future__ import annotations

from collections.abc import Sequence

from drivers.document_printer import PrinterStatus
from drivers.ipp.answers import ExchangeFailed
from drivers.ipp.job import IppJob, JobState, JobView
from drivers.ipp.submission import named
from drivers.ipp.wire import IppWire

_LOOKS = 3
"""Looks for the job at the device, once the spooler has done with it, before it was never there."""

_IN_DEVICE = frozenset({"queued-in-device"})
"""RFC 8011 §5.3.8: what a spooler's "completed" says, and no more."""
_WAITING = (JobState.PENDING, JobState.HELD, JobState.STOPPED)


class CupsJob:
    """A job of a queue and, where the device speaks IPP, the job that it became there.

    Args:
        device: the printer itself, None where it speaks no IPP.
        serial: the job's name, which CUPS hands on to the device.
    """

    def __init__(self, queue: IppWire, number: int, device: IppWire | None, serial: str) -> None:
        self._spooled = IppJob(queue, number)
        self._device = device
        self._serial = serial
        self._own: dict[int, IppJob] = {}
        self._unseen = 0

    def look(self) -> JobView | None:
        """How the job stands at the device; before it is there, as the queue says without proof.

        Raises:
            Vanished: the queue or the device knows nothing of it any more.
        """
        spooled = self._spooled.look()
        if spooled is None:
            return None
        if spooled.begun and spooled.state in _WAITING:
            # It failed and is kept: CUPS would send it again, from its first sheet.
            self._spooled.cancel()
        try:
            own = self._at_device()
        except ExchangeFailed:
            return None
        return self._without_proof(spooled) if own is None else own

    def status(self) -> PrinterStatus | None:
        """How the device stands; the queue's word only where it speaks no IPP."""
        if self._device is None:
            return self._spooled.status()
        return IppJob(self._device, 0).status()

    def cancel(self) -> bool:
        """Cancel it in the queue, and at the device as well: CUPS may have let go of it."""
        taken = self._spooled.cancel()
        for own in self._own.values():
            own.cancel()
        return taken

    def take_back(self) -> bool:
        """Let nothing of it stay in the queue; True when it is over there."""
        return self._spooled.cancel()

    def _at_device(self) -> JobView | None:
        """The device's own record, None while there is none.

        Raises:
            ExchangeFailed: the device doesn't answer.
        """
        if self._device is None:
            return None
        found, _ = named(self._device, self._serial)
        for number in sorted(found - self._own.keys()):
            self._own[number] = IppJob(self._device, number)
        views = [own.look() for own in self._own.values()]
        told = [view for view in views if view is not None]
        if len(told) < len(views):
            raise ExchangeFailed("the device says nothing of the job")
        return _as_one(told) if told else None

    def _without_proof(self, spooled: JobView) -> JobView:
        if not spooled.state.over:
            return JobView(spooled.state, spooled.reasons, None, begun=spooled.begun)
        if spooled.state is not JobState.COMPLETED and not spooled.begun:
            # It was taken back before any of it left the queue.
            return JobView(spooled.state, spooled.reasons, 0)
        if self._device is not None and self._unseen < _LOOKS:
            self._unseen += 1
            return JobView(JobState.PROCESSING)
        reasons = _IN_DEVICE if spooled.state is JobState.COMPLETED else frozenset[str]()
        return JobView(spooled.state, reasons, None)


def _as_one(views: Sequence[JobView]) -> JobView:
    """The device's jobs, oldest first, as the one that they were meant to be: CUPS sends a document
    once more where the device refused it, or the connection broke.

    A sheet of any of them is a sheet of the job; done is only what needed no second attempt that
    moved paper.
    """
    *others, last = sorted(views, key=_weight)
    if all(view.pages == 0 for view in others):
        return last
    pages = [view.pages for view in views]
    most = None if None in pages else max(page for page in pages if page is not None)
    if last.state is JobState.COMPLETED:
        return JobView(last.state, _IN_DEVICE, None)
    return JobView(last.state, last.reasons, most)


def _weight(view: JobView) -> int:
    if view.state is JobState.COMPLETED:
        return 2
    return 0 if view.state.over else 1
