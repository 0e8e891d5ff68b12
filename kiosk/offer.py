"""What the terminal can serve now, and why not the rest."""

from __future__ import annotations

from typing import assert_never

from kiosk.executor import Executor
from kiosk.identity import Leg
from kiosk.items import Item, OfflineClass
from kiosk.pages import HomePage
from kiosk.services import SERVICES, Need
from kiosk.services.hall import entry_id
from kiosk.station import Station
from kiosk.steps import Choose, Step
from offline_queue.room import Admission

PLATFORM = "platform"
"""The one reason that puts nothing out of service: an item says so itself when it is touched."""


def unreachable(entry: object) -> str:
    """The failure that tells why an entry of the menu can't be served without the platform."""
    unsealed = isinstance(entry, Item) and entry.offline is OfflineClass.NO_PRINT
    return "certificate-offline" if unsealed else "platform-unavailable"


class Offer:
    """Looks at the devices and the line each time it is asked. Reasons are message ids."""

    def __init__(self, station: Station, executor: Executor) -> None:
        self._station = station
        self._executor = executor

    def reasons(self) -> dict[str, str]:
        """Id on the screen -> reason, of every item that can't be served now."""
        found: dict[str, str] = {}
        for item in self._station.pack.items.values():
            reason = self._reason(item)
            if reason is not None:
                found[entry_id(item)] = reason
        return found

    def _reason(self, item: Item) -> str | None:
        needs = SERVICES[item.service].needs
        if item.code in self._station.paused:
            return "catalogue"
        reasons = (self._missing(need, item) for need in Need if need in needs)
        return next((reason for reason in reasons if reason is not None), None)

    def _missing(self, need: Need, item: Item) -> str | None:
        match need:
            case Need.CARD:
                return self._no_card()
            case Need.IDENTITY:
                # An e-card needs neither reader nor pad, a card no scanner, an ID card none.
                if self._no_scanner() is None or self._id_card_will_do(item):
                    return None
                return self._no_card() or self._no_pad()
            case Need.PRINTER:
                return self._no_printer()
            case Need.PLATFORM:
                return PLATFORM if self._station.line_up is False else None
            case _:
                assert_never(need)

    def _no_card(self) -> str | None:
        if not self._station.slot.attached:
            return "reader"
        if self._station.stuck is not None:
            return f"{self._station.stuck.kind.value}-stuck"
        return "reader-busy" if self._executor.stuck(self._station.cards.lane) else None

    def _no_pad(self) -> str | None:
        pad = self._station.pad
        return "pad" if pad.failed or self._executor.stuck(pad.lane) else None

    def _no_scanner(self) -> str | None:
        scanner = self._station.scanner
        if scanner is None or scanner.failed or self._executor.stuck(scanner.lane):
            return "scanner"
        return None

    def _id_card_will_do(self, item: Item) -> bool:
        reader = self._station.id_reader
        if reader is None or reader.failed or Leg.GENUINE_CARD in item.legs:
            return False
        return not self._executor.stuck(reader.lane)

    def _no_printer(self) -> str | None:
        printer = self._station.printer
        if printer is None:
            return "printer.gone"
        if self._executor.stuck(printer.lane):
            return "printer.busy"
        return None if printer.obstacle is None else f"printer.{printer.obstacle.value}"

    def out_of_service(self) -> str | None:
        """Why nobody can be served at all, or None (S5 6.4.5)."""
        station = self._station
        if station.refusal is not None:
            return station.refusal
        if station.free_bytes() < station.limits.free_bytes:
            return "disk"
        # How a print ended could not be kept for the platform.
        if not station.room.admits(Admission.CRITICAL):
            return "disk"
        broken = [reason for reason in self.reasons().values() if reason != PLATFORM]
        # What needs no device can't be broken, and is no reason to stay open either.
        needy = [item for item in station.pack.items.values() if SERVICES[item.service].needs]
        return broken[0] if broken and len(broken) == len(needy) else None

    def home(self, step: Step[object]) -> HomePage | None:
        """The menu as it is now; None where the step is not the home menu."""
        if not isinstance(step, Choose) or not isinstance(step.page, HomePage):
            return None
        return HomePage(
            step.page.first,
            step.page.entries,
            card_seen=self._station.slot.present,
            card_inside=self._station.slot.present and self._station.cards.gives_back,
            unavailable=tuple(sorted(self.reasons().items())),
        )
