"""What the runner is told, all of it through its mailbox.

Work and streams carry the number of the visit and of the step they belong to; an event of an
earlier visit or step is dropped, so a late result can never reach the next resident.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from drivers.events import DeviceEvent
from kiosk.capture import CaptureNews
from kiosk.device_watch import DeviceSeen
from kiosk.executor import Result
from kiosk.platform.link import LinkEvent
from offline_queue.room import Level


@dataclass(frozen=True)
class Touch:
    """Something on the screen was touched; the id is empty where nothing answers."""

    id: str


@dataclass(frozen=True)
class Reported:
    """Work that goes on said how far it is."""

    visit: int
    step: int
    value: Any


@dataclass(frozen=True)
class Finished:
    """Work on a lane ended."""

    visit: int
    step: int
    lane: str
    result: Result


@dataclass(frozen=True)
class CatalogueSeen:
    """The platform told which items it offers; ``paused`` are the codes that it does not."""

    paused: frozenset[str]


@dataclass(frozen=True)
class IdCardSeen:
    """It was looked whether the ID card that was read still lies on the reader."""

    lies: bool


@dataclass(frozen=True)
class QueueSeen:
    """So many messages wait for the platform, and so much room is left for others."""

    waiting: int
    level: Level


News = CatalogueSeen | DeviceSeen | IdCardSeen | QueueSeen | CaptureNews | LinkEvent
"""What concerns the terminal and no single visit."""

Event = Touch | Reported | Finished | News | DeviceEvent
