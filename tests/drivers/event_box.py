"""Collects device events and waits for those that a test expects."""

from __future__ import annotations

import queue

from drivers.events import DeviceEvent


class EventBox:
    """Pass it as `Post`."""

    def __init__(self) -> None:
        self._events: queue.Queue[DeviceEvent] = queue.Queue()

    def __call__(self, event: DeviceEvent) -> None:
        self._events.put(event)

    def take(self, count: int, seconds: float = 10) -> list[DeviceEvent]:
        """The next events; fails by `queue.Empty` when they do not come."""
        return [self._events.get(timeout=seconds) for _ in range(count)]

    def rest(self) -> list[DeviceEvent]:
        """What was told and not taken."""
        return self.take(self._events.qsize())

    def nothing_more(self) -> bool:
        return self._events.empty()
