"""Looking at devices again and again for somebody who watches."""

from __future__ import annotations

import queue
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import assert_never

from drivers.device import DeviceKind, Status
from drivers.watch import (
    Back,
    Change,
    Changed,
    Health,
    Lost,
    NoteAdded,
    NoteGone,
    WatchTimes,
)
from kiosk.bilingual import Bilingual
from kiosk.clock import Clock, SystemClock
from kiosk.configured_devices import ConfiguredDevice
from kiosk.device_watch import DeviceLane, DeviceSeen, DeviceWatch
from kiosk.executor import ThreadedExecutor
from kiosk.health_file import HEALTH_FILE, read_healths
from provisioning.devices.asking import DEADLINE
from provisioning.devices.in_use import Locks, holder
from provisioning.devices.vocabulary import vocabulary
from provisioning.devices.words import note, obstacle

_LONGEST = 1.0
"""Seconds between two looks at the clock: what is shown says for how long."""


class Occupied(Enum):
    """Why a device that another program holds can't be asked."""

    IN_USE = "in-use"


@dataclass(frozen=True)
class _Told:
    """How a device stands by the word of who holds it."""

    reason: Enum | None
    notes: frozenset[Enum] = frozenset()


class Polite:
    """A device that is let go of as soon as a terminal runs that wants it."""

    def __init__(self, device: ConfiguredDevice, state: Path, locks: Locks) -> None:
        self._device = device
        self._state = state
        self._locks = locks
        self._own = DeviceLane(device.kind, device.open)
        self._holds = False
        self.lane = self._own.lane

    def look(self) -> Status:
        """Ask it, or tell what the terminal says that has it."""
        kind = self._device.kind
        # Of a port that we hold ourselves the kernel would name us.
        address = "" if self._holds else self._device.address
        held = holder(self._device.driver, address, self._state, self._locks)
        if held is None:
            self._holds = True
            return self._own.look()
        self.close()
        view = read_healths(self._state / HEALTH_FILE).get(kind) if held.kiosk else None
        if view is None:
            return _Told(Occupied.IN_USE)
        words = vocabulary(kind)
        known = {member.value: member for member in (*words.reasons, *words.notes)}
        reason = None if view.reason is None else known.get(view.reason, Occupied.IN_USE)
        return _Told(reason, frozenset(known[each] for each in view.notes if each in known))

    def close(self) -> None:
        """Let go of it."""
        self._holds = False
        self._own.close()


@dataclass(frozen=True)
class Event:
    """What is told of a device.

    Attributes:
        word: serves, lost, changed, back, note-added, note-gone.
        reason, note: values of the kind's enums.
        after: seconds that it was away.
    """

    at: datetime
    kind: DeviceKind
    word: str
    reason: str | None = None
    note: str | None = None
    after: float | None = None

    @property
    def told(self) -> Bilingual:
        """In words."""
        if self.reason is not None:
            return obstacle(self.kind, self.reason).told
        if self.note is not None:
            found = note(self.kind, self.note).told
            if self.word == "note-gone":
                return Bilingual(f"已处理：{found.zh}", f"seen to: {found.en}")
            return found
        if self.after is not None:
            seconds = f"{self.after:.0f}"
            return Bilingual(f"恢复正常（{seconds} 秒）", f"serves again (after {seconds} s)")
        return Bilingual("正常", "serves")

    def for_machines(self) -> dict[str, object]:
        """As ``--json`` shows it; what does not apply is left out."""
        told = self.told
        shown: dict[str, object] = {
            "at": self.at.isoformat(timespec="milliseconds"),
            "device": self.kind.value,
            "event": self.word,
        }
        if self.reason is not None:
            shown["reason"] = self.reason
        if self.note is not None:
            shown["note"] = self.note
        if self.after is not None:
            shown["after_seconds"] = round(self.after, 1)
        return shown | {"zh": told.zh, "en": told.en}


class Rounds:
    """Watches devices on a worker each until it is closed; used by one thread."""

    def __init__(
        self,
        devices: Sequence[ConfiguredDevice],
        state: Path,
        *,
        clock: Clock | None = None,
        times: WatchTimes | None = None,
        locks: Locks | None = None,
        silence: float = DEADLINE,
    ) -> None:
        self.devices = devices
        self._clock = clock or SystemClock()
        self._lanes = {device.kind: Polite(device, state, locks or Locks()) for device in devices}
        self._watch = DeviceWatch(self._lanes, self._clock, times, silence=silence)
        self._executor = ThreadedExecutor()
        self._mail: queue.SimpleQueue[DeviceSeen] = queue.SimpleQueue()
        self._known: set[DeviceKind] = set()

    def next(self, longest: float = _LONGEST) -> list[Event]:
        """Wait at most so many seconds for looks; what they changed, oldest first."""
        self._watch.look(self._executor, self._mail.put)
        due = self._watch.next_look()
        try:
            first = self._mail.get(timeout=longest if due is None else min(due, longest))
        except queue.Empty:
            return []
        events = self._taken(first)
        while not self._mail.empty():
            events += self._taken(self._mail.get())
        return events

    def healths(self) -> Mapping[DeviceKind, Health | None]:
        """How each stands."""
        return self._watch.healths()

    def close(self) -> None:
        """Let go of all devices; one that hangs keeps its thread until the process ends."""
        self._executor.close()
        for lane in self._lanes.values():
            if not self._executor.stuck(lane.lane):
                lane.close()

    def _taken(self, seen: DeviceSeen) -> list[Event]:
        changes = self._watch.seen(seen)
        now = self._clock.local()
        events = [_event(now, seen.kind, change) for change in changes]
        if seen.kind not in self._known and self._watch.healths()[seen.kind] is not None:
            self._known.add(seen.kind)
            if not events:
                events.append(Event(now, seen.kind, "serves"))
        return events


def _event(at: datetime, kind: DeviceKind, change: Change) -> Event:
    match change:
        case Lost(reason):
            return Event(at, kind, "lost", reason=str(reason.value))
        case Changed(reason):
            return Event(at, kind, "changed", reason=str(reason.value))
        case Back(after):
            return Event(at, kind, "back", after=after)
        case NoteAdded(noted):
            return Event(at, kind, "note-added", note=str(noted.value))
        case NoteGone(noted):
            return Event(at, kind, "note-gone", note=str(noted.value))
        case _:
            assert_never(change)
