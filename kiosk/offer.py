"""What the terminal can serve now, and why not the rest."""

from __future__ import annotations

from kiosk.executor import Executor
from kiosk.pages import HomePage
from kiosk.services import SERVICES
from kiosk.services.hall import entry_id
from kiosk.station import Station
from kiosk.steps import Choose, Step

PLATFORM = "platform"
"""The one reason that puts nothing out of service: an item says so itself when it is touched."""


class Offer:
    """Looks at the devices and the line each time it is asked. Reasons are message ids."""

    def __init__(self, station: Station, executor: Executor) -> None:
        self._station = station
        self._executor = executor

    def reasons(self) -> dict[str, str]:
        """Id on the screen -> reason, of every item that can't be served now."""
        found: dict[str, str] = {}
        for item in self._station.pack.items.values():
            reason = self._reason(item.code, item.service)
            if reason is not None:
                found[entry_id(item)] = reason
        return found

    def _reason(self, code: str, service: str) -> str | None:
        station, stuck = self._station, self._executor.stuck
        needs = SERVICES[service].needs
        if code in station.paused:
            return "catalogue"
        if "card" in needs and not station.slot.attached:
            return "reader"
        if "card" in needs and stuck(station.cards.lane):
            return "reader-busy"
        if "pad" in needs and stuck(station.pad.lane):
            return "pad"
        if "platform" in needs and station.line_up is False:
            return PLATFORM
        return None

    def out_of_service(self) -> str | None:
        """Why nobody can be served at all, or None (S5 6.4.5)."""
        station = self._station
        if station.refusal is not None:
            return station.refusal
        if station.free_bytes() < station.limits.free_bytes:
            return "disk"
        broken = [reason for reason in self.reasons().values() if reason != PLATFORM]
        return broken[0] if broken and len(broken) == len(station.pack.items) else None

    def home(self, step: Step[object]) -> HomePage | None:
        """The menu as it is now; None where the step is not the home menu."""
        if not isinstance(step, Choose) or not isinstance(step.page, HomePage):
            return None
        return HomePage(
            step.page.first,
            step.page.entries,
            card_seen=self._station.slot.present,
            unavailable=tuple(sorted(self.reasons().items())),
        )
