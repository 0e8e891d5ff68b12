"""How the running terminal sees its devices, in a file for whoever asks meanwhile.

It opens its ports for itself alone, so an engineer's command can't ask them; this says what it
would find.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from drivers.device import DeviceKind
from drivers.watch import Health

HEALTH_FILE = "devices.json"
"""In the state directory."""


@dataclass(frozen=True)
class KioskView:
    """How the terminal sees a device.

    Attributes:
        reason: a value of its kind's reasons, None while it serves.
        since: Unix time in seconds.
        notes: values of its kind's notes.
    """

    reason: str | None
    since: float
    notes: tuple[str, ...]


def write_healths(file: Path, healths: Mapping[DeviceKind, Health | None]) -> None:
    """Replace the file at once. Devices of which nothing is certain yet are left out.

    Raises:
        OSError: the disk.
    """
    seen = {
        kind.value: {
            "reason": None if health.reason is None else health.reason.value,
            "since": health.since.wall,
            "notes": sorted(str(note.value) for note in health.notes),
        }
        for kind, health in healths.items()
        if health is not None
    }
    fresh = file.with_name(f"{file.name}.new")
    fresh.write_text(json.dumps(seen), "utf-8")
    fresh.replace(file)


def read_healths(file: Path) -> Mapping[DeviceKind, KioskView]:
    """What the file says; empty where there is none or it can't be read."""
    try:
        seen = json.loads(file.read_text("utf-8"))
        return {
            DeviceKind(kind): KioskView(
                view["reason"], float(view["since"]), tuple(map(str, view["notes"]))
            )
            for kind, view in seen.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
