"""What setup.cfg does not list is silently left out of a wheel: compare it with the tree."""

from __future__ import annotations

from configparser import ConfigParser
from importlib.metadata import entry_points
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("apdu", "drivers", "kiosk", "offline_queue", "provisioning", "ui", "hw-sim/hw_sim")


def _setup() -> ConfigParser:
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def _packages() -> set[str]:
    found = set()
    for room in ROOMS:
        for init in (ROOT / room).rglob("__init__.py"):
            found.add(".".join(init.parent.relative_to(ROOT).parts).removeprefix("hw-sim."))
    return found


def test_every_package_is_listed_and_every_listed_one_exists() -> None:
    assert set(_setup()["options"]["packages"].split()) == _packages()


def test_every_room_is_typed() -> None:
    assert [room for room in ROOMS if not (ROOT / room / "py.typed").is_file()] == []


def test_every_data_file_is_covered_by_package_data() -> None:
    patterns = _setup()["options.package_data"]
    everywhere = [pattern.strip() for pattern in patterns["*"].split(",")]
    missed = []
    for package in sorted(_packages()):
        room = package.split(".")[0]
        own = patterns.get(room, "").replace("\n", ",").split(",")
        folder = ROOT / ("hw-sim/" if room == "hw_sim" else "") / package.replace(".", "/")
        for file in folder.iterdir():
            if not file.is_file() or file.suffix in (".py", ".pyc", ".md"):
                continue
            base = ROOT / ("hw-sim/" if room == "hw_sim" else "") / room
            covered = any(file.match(pattern) for pattern in everywhere) or any(
                file in base.glob(pattern.strip()) for pattern in own if pattern.strip()
            )
            if not covered:
                missed.append(str(file.relative_to(ROOT)))
    assert missed == []


def test_every_command_that_is_declared_can_be_loaded() -> None:
    names = {point.name: point.load().name for point in entry_points(group="yikatong.commands")}
    assert names
    assert all(declared == named for declared, named in names.items())
