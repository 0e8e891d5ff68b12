"""What a visit has left behind in the hall: alarms, events and sheets since it began."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from hw_sim.hall.client import Answer


class Asked(Protocol):
    """Whoever answers questions about the hall."""

    def ask(self, do: str, **arguments: object) -> Answer: ...


class Evidence:
    """Counts from the moment of `begin`."""

    def __init__(self, hall: Asked) -> None:
        self._hall = hall
        self._before: dict[str, Any] = {}

    def begin(self) -> None:
        """A visit begins now."""
        self._before = self._hall.ask("status")

    def alarms(self) -> int:
        """New alarms at the platform."""
        return _alarms(self._hall.ask("status")) - _alarms(self._before)

    def events(self, kind: str) -> int:
        """New events of a kind at the platform."""
        return _events(self._hall.ask("status"), kind) - _events(self._before, kind)

    def sheets(self) -> int:
        """Sheets that came out of the printer."""
        return _sheets(self._hall.ask("status")) - _sheets(self._before)

    def drawn(self) -> bool:
        """Whether the printer has taken a sheet out of its tray."""
        return int(self._hall.ask("status")["printer"]["sheets"]) < int(
            self._before["printer"]["sheets"]
        )

    def slips(self) -> int:
        """Slips that came out of the receipt printer."""
        return int(self._hall.ask("status")["receipt"]["slips"]) - int(
            self._before["receipt"]["slips"]
        )

    def illegal(self) -> tuple[str, ...]:
        """What came over a device's wire that no correct host sends."""
        return tuple(
            f"{device}: {what}"
            for device, illegal in _illegal(self._hall.ask("status")).items()
            for what in illegal[len(_illegal(self._before)[device]) :]
        )

    def card_bugs(self) -> int:
        """How often a simulated card broke inside."""
        return int(self._hall.ask("status")["card_bugs"]) - int(self._before["card_bugs"])

    def newest_print(self) -> Path | None:
        """The document of the newest print that was completed, this visit's or an earlier one's."""
        prints = self._hall.ask("prints")["prints"]
        files = [job["file"] for job in prints if job["state"] == "completed"]
        return Path(files[-1]) if files else None


def _alarms(status: Answer) -> int:
    return int(status["platform"]["alarms"])


def _events(status: Answer, kind: str) -> int:
    return int(status["platform"]["events"].get(kind, 0))


def _sheets(status: Answer) -> int:
    return int(status["printer"]["sheets_out"])


def _illegal(status: Answer) -> dict[str, list[str]]:
    """By device, whatever devices the hall has."""
    return {
        device: part["illegal"]
        for device, part in status.items()
        if isinstance(part, dict) and "illegal" in part
    }
