"""The terminal that the demonstration puts into the hall: its configuration and its enrolment.

The terminal is a program like any other here: we know its command line and its configuration
file, nothing of its inside.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from hw_sim.hall.client import Answer
from hw_sim.hall.desks import desks
from hw_sim.population import DIVISION

PORTRAIT = (1080, 1920)
LANDSCAPE = (1920, 1080)
_DENSITY = 102.5
"""Pixels per inch of a 21.5 inch kiosk screen of those sizes."""

_WALK_LIMITS: Mapping[str, float] = {
    "idle_seconds": 20,
    "warning_seconds": 3,
    "sensitive_seconds": 5,
    "pin_seconds": 15,
    "notice_seconds": 8,
    "reveal_seconds": 3,
    "help_seconds": 10,
    "attract_seconds": 6,
    "take_sheet_seconds": 6,
    "rating_seconds": 6,
    "ship_seconds": 2,
    "print_deadline": 40,
    "card_deadline": 4,
    "platform_deadline": 5,
    "platform_connect": 1,
    "platform_retry": 0.5,
    "device_retry": 0.3,
    "card_offer_seconds": 8,
}
"""Limits of a walk: long enough for the autopilot's eyes, short enough to sit through."""

_WALK_PRINTER: Mapping[str, float] = {"patience": 3.0}


@dataclass(frozen=True)
class TerminalScreen:
    """The terminal's screen.

    Attributes:
        size: width and height in pixels.
        scale: 1.0 for a kiosk's own size; smaller where a window must fit a desk's display.
    """

    size: tuple[int, int]
    scale: float = 1.0
    fullscreen: bool = False

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height of the window."""
        return round(self.size[0] * self.scale), round(self.size[1] * self.scale)


def write_configuration(path: Path, hall: Answer, screen: TerminalScreen, *, walk: bool) -> None:
    """Write the terminal's configuration (TOML) for the hall that announced itself so.

    Args:
        walk: with the short limits of a walk instead of the terminal's own.
    """
    width, height = screen.pixels
    sections: dict[str, Mapping[str, object]] = {
        "": {
            "kind": "demo",
            "machine": 3,
            "division": DIVISION,
            "custodians": ["psam", "platform"],
            "state": "terminal",
        },
        "hall": {"zh": "江城市社会保障服务大厅", "en": "Jiangcheng Social Security Hall"},
        "place": {"zh": "一楼大厅", "en": "Ground floor"},
        "pack": {"name": "demo"},
        "screen": {
            "width": width,
            "height": height,
            "fullscreen": screen.fullscreen,
            "density_ppi": round(_DENSITY * screen.scale, 2),
        },
        "card": _card(hall),
        "pad": {
            "port": hall["pad"],
            "baud": 9600,
            "master_key_file": hall["pad_master_key_file"],
        },
        "scanner": {"port": hall["scanner"]},
        "printer": {"url": hall["printer"], **(_WALK_PRINTER if walk else {})},
        "platform": {"url": hall["platform"]},
        "limits": _WALK_LIMITS if walk else {},
    }
    for desk in desks():
        sections |= desk.configuration(hall)
    lines: list[str] = ["# Written anew at every start of the demonstration."]
    for name, values in sections.items():
        if name and values:
            lines += ["", f"[{name}]"]
        lines += [f"{key} = {_toml(value)}" for key, value in values.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _card(hall: Answer) -> Mapping[str, object]:
    if hall["way"] == "dispenser":
        return {"driver": "dispenser"}
    if hall["direct"] is not None:
        return {
            "driver": "direct",
            "contact_address": hall["direct"]["contact"],
            "psam_address": hall["direct"]["psam"],
        }
    readers = {"contact_reader": hall["contact_reader"], "psam_reader": hall["psam_reader"]}
    # So that commands typed beside the demonstration find its readers by themselves.
    own = {} if hall["csock_name"] is None else {"pcsc_socket": hall["csock_name"]}
    return {"driver": "pcsc", **readers, **own}


def _toml(value: object) -> str:
    # JSON's texts, numbers, booleans and lists of texts are TOML's too.
    return json.dumps(value, ensure_ascii=False)


def environment(hall: Answer) -> Mapping[str, str]:
    """What a terminal of this hall needs in its environment."""
    name = hall["csock_name"]
    return {} if name is None else {"PCSCLITE_CSOCK_NAME": str(name)}


_PROVINCE = (
    "population.py",
    "platform/model.py",
    "platform/seed.py",
    "platform/residents.toml",
)
"""What a platform's database is made from."""


class NotDemoState(Exception):
    """A folder that a demonstration must not wipe."""


class DemoState:
    """What outlives a demonstration: the hall's state and that of the terminal enrolled there.

    Both sides are wiped together: a platform of other people, or with another key, is not the one
    that the terminal was enrolled at.

    Attributes:
        hall, terminal: their state directories.
        configuration: the terminal's configuration file.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hall = folder / "hall"
        self.terminal = folder / "terminal"
        self.configuration = folder / "terminal.toml"
        self._mark = folder / "demo.json"

    def open(self) -> bool:
        """Make the directories.

        Returns:
            False when the demo province had changed since, so that they were begun anew.

        Raises:
            NotDemoState: the folder holds something that no demonstration made.
        """
        mark = self._read()
        if mark is None and (self.hall.exists() or self.terminal.exists()):
            raise NotDemoState(f"{self.folder} holds a state, but not of a demonstration")
        fits = mark is None or mark["province"] == _fingerprint()
        if mark is not None and not (fits and mark["enrolled"]):
            # Not enrolled: the last start ended half way, so neither side knows the other.
            for half in (self.hall, self.terminal):
                shutil.rmtree(half, ignore_errors=True)
        if mark is None or not fits:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._write(enrolled=False)
        self.terminal.mkdir(exist_ok=True)
        return fits

    @property
    def enrolled(self) -> bool:
        """True after `remember`."""
        mark = self._read()
        return mark is not None and bool(mark["enrolled"])

    def remember(self) -> None:
        """The terminal's own command said that it is enrolled."""
        self._write(enrolled=True)

    def _read(self) -> Mapping[str, Any] | None:
        try:
            mark = json.loads(self._mark.read_text(encoding="ascii"))
        except FileNotFoundError:
            return None
        return mark if isinstance(mark, dict) else None

    def _write(self, *, enrolled: bool) -> None:
        mark = {"province": _fingerprint(), "enrolled": enrolled}
        self._mark.write_text(json.dumps(mark), encoding="ascii")


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for name in _PROVINCE:
        digest.update(files("hw_sim").joinpath(*name.split("/")).read_bytes())
    return digest.hexdigest()
