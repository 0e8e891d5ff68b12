"""Looks at all devices again and again, each on its own lane, and tells what changed of each.

Whoever owns it calls `look` when `next_look` says so, and gives what is posted to `seen`; nothing
here blocks, and a device whose call hangs costs the others nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Generic, Protocol, TypeVar

from drivers.device import Device, DeviceKind, Status
from drivers.watch import Change, Health, Instant, Silent, Watch, WatchTimes
from kiosk.clock import Clock
from kiosk.executor import Executor, Job, Result
from kiosk.steps import Reporter

log = logging.getLogger(__name__)

SILENCE = 30.0
"""Seconds after which a look is given up; each driver has deadlines of its own before that."""
IN_VISITS = frozenset({DeviceKind.SENSORS})
"""What is looked at while somebody is served too: nothing a visit waits for is on its lane."""

D_co = TypeVar("D_co", bound=Device, covariant=True)


@dataclass(frozen=True)
class DeviceSeen:
    """A device was looked at, or did not come back from a look."""

    kind: DeviceKind
    status: Status


class Watched(Protocol):
    """A device as the worker of its lane looks at it."""

    @property
    def lane(self) -> str: ...

    def look(self) -> Status:
        """Ask how it stands; on its worker."""


class DeviceLane(Generic[D_co]):
    """A device and its lane, opened at its first use."""

    def __init__(self, kind: DeviceKind, open_device: Callable[[], D_co]) -> None:
        self.lane = kind.value
        self._open = open_device
        self._device: D_co | None = None

    @property
    def device(self) -> D_co:
        """The driver; on its worker."""
        if self._device is None:
            self._device = self._open()
        return self._device

    def look(self) -> Status:
        """Ask how it stands; on its worker."""
        return self.device.status()

    def close(self) -> None:
        """Close the device. Never raises; a second call does nothing."""
        device, self._device = self._device, None
        if device is not None:
            device.close()


@dataclass
class _Entry:
    """What is known of one device, and its look that is under way."""

    watched: Watched
    watch: Watch
    due: float
    job: Job | None = None
    hung: bool = False
    last: Status | None = field(default=None, repr=False)


class DeviceWatch:
    """Watches devices; used by one thread.

    Args:
        seldom: what is asked at longer intervals while it serves, and its seconds.
        silence: seconds after which a look is given up.
    """

    def __init__(
        self,
        watched: Mapping[DeviceKind, Watched],
        clock: Clock,
        times: WatchTimes | None = None,
        *,
        seldom: Mapping[DeviceKind, float] | None = None,
        silence: float = SILENCE,
    ) -> None:
        self._clock = clock
        self._silence = silence
        usual, rare, now = times or WatchTimes(), seldom or {}, clock.monotonic()
        self._steady = usual.steady
        self._entries = {
            kind: _Entry(
                device, Watch(replace(usual, steady=rare.get(kind, usual.steady))), due=now
            )
            for kind, device in watched.items()
        }

    def look(
        self, executor: Executor, post: Callable[[DeviceSeen], None], *, visiting: bool = False
    ) -> None:
        """Start the looks that are due; `post` may be called from any thread.

        Args:
            visiting: somebody is being served; see `IN_VISITS`.
        """
        now = self._clock.monotonic()
        for kind, entry in self._entries.items():
            if now < entry.due:
                continue
            if entry.job is not None:
                entry.job.abandon()
                entry.job, entry.hung = None, True
                self._silent(kind, entry, post)
            elif visiting and kind not in IN_VISITS:
                continue
            elif not executor.stuck(entry.watched.lane):
                entry.hung = False
                entry.due = now + self._silence
                entry.job = executor.start(
                    entry.watched.lane,
                    partial(_look, entry.watched),
                    _ignore,
                    partial(_tell, kind, post),
                )
            elif entry.hung:
                self._silent(kind, entry, post)
            else:
                # Work of an earlier visit still runs there: the device is busy, not silent.
                entry.due = now + self._steady

    def seen(self, news: DeviceSeen) -> tuple[Change, ...]:
        """Take a look's outcome in; returns what changed, see `drivers.watch.Watch.seen`."""
        entry = self._entries.get(news.kind)
        if entry is None:
            return ()
        entry.job = None
        entry.last = news.status
        now = self._clock.monotonic()
        changes = entry.watch.seen(news.status, Instant(now, self._clock.time()))
        entry.due = now + entry.watch.wait
        return changes

    def next_look(self, *, visiting: bool = False) -> float | None:
        """Seconds until `look` has something to do, None when it has nothing before a look that
        is under way comes back."""
        now = self._clock.monotonic()
        dues = [
            entry.due
            for kind, entry in self._entries.items()
            if entry.job is not None or not visiting or kind in IN_VISITS
        ]
        return max(0.0, min(dues) - now) if dues else None

    def last(self, kind: DeviceKind) -> Status | None:
        """How it was seen last; None before."""
        entry = self._entries.get(kind)
        return None if entry is None else entry.last

    def healths(self) -> Mapping[DeviceKind, Health | None]:
        """How each stands, flickers left out; None before that is certain."""
        return {kind: entry.watch.health for kind, entry in self._entries.items()}

    def _silent(self, kind: DeviceKind, entry: _Entry, post: Callable[[DeviceSeen], None]) -> None:
        entry.due = self._clock.monotonic() + self._steady
        post(DeviceSeen(kind, Silent()))


def _look(watched: Watched, _report: Reporter) -> Status:
    return watched.look()


def _ignore(_progress: object) -> None:
    """A look reports nothing on its way."""


def _tell(kind: DeviceKind, post: Callable[[DeviceSeen], None], result: Result) -> None:
    if result.error is not None:
        log.error("looking at the %s failed", kind.value, exc_info=result.error)
    post(DeviceSeen(kind, Silent() if result.error is not None else result.value))
