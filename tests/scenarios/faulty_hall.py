"""A hall whose devices fail, and the terminal in it, both in this process.

The terminal is the real one from its configuration to its main loop, on a thread of its own; only
its window is a `Glass`, and its delays are short.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hw_sim.cards.slots import CONTACT, PSAM, SlotError
from hw_sim.hall.control import Refused
from hw_sim.hall.hall import Hall, HallSettings
from hw_sim.hall.slot import Way
from hw_sim.hall.terminal import PORTRAIT, TerminalScreen, write_configuration
from hw_sim.pad.device import PadDevice
from hw_sim.pad.epp import EntryState
from hw_sim.pcscd import PcscdWorld
from kiosk.config import load
from kiosk.health_file import HEALTH_FILE, read_healths
from kiosk.main import _serve
from kiosk.state import StateDirectory
from provisioning.command import COMMAND as PROVISION
from provisioning.devices.command import COMMAND as DEVICES
from tests.scenarios.glass import Glass
from tests.scenarios.rows import Ask, Row, Setup
from tests.scenarios.short_delays import shorten

SETTLED = 8.0
"""Seconds within which a terminal is well again, and staff were told."""
_PAGE_SECONDS = 0.03
_MOVE_SECONDS = 0.05
_PLUGS = {
    "pad": Ask("pad", {"state": "unplugged"}),
    "scanner": Ask("scanner", {"state": "unplugged"}),
    "id_reader": Ask("id-reader", {"state": "unplugged"}),
    "sensors": Ask("sensors", {"state": "unplugged"}),
    "dispenser": Ask("dispenser", {"state": "unplugged"}),
    "receipt": Ask("slip-printer", {"state": "unplugged"}),
    "hid_scanner": Ask("hid-scanner", {"state": "unplugged"}),
    "camera": Ask("camera", {"state": "unplugged"}),
    "printer": Ask("printer", {"state": "off"}),
}
"""How each part loses its power."""
_ON_THEIR_WAY = 0.3
"""So long the last pictures of a code need from the camera to the terminal; nobody follows the one
before them sooner."""
_OPPOSITE = {"unplugged": "plugged", "off": "on"}
_OUR_LOGS = ("kiosk", "drivers", "offline_queue", "apdu", "ui", "hw_sim")


class _Errors(logging.Handler):
    """What the terminal or the hall logs as an error, and what broke on a thread."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []
        self._format = logging.Formatter("%(name)s: %(message)s")

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.split(".")[0] in _OUR_LOGS:
            self.found.append(self._format.format(record))

    def broken(self, hook: threading.ExceptHookArgs) -> None:
        name = "?" if hook.thread is None else hook.thread.name
        self.found.append(f"thread {name}: {hook.exc_type.__name__}: {hook.exc_value}")


@dataclass(frozen=True)
class AuditLine:
    event: str
    outcome: str
    detail: Mapping[str, Any]


class FaultyHall:
    """One hall, and one terminal in it.

    Args:
        pcscd: the one of this process, for the setup that needs it.

    Attributes:
        glass: the terminal's window.
    """

    glass: Glass

    def __init__(self, folder: Path, setup: Setup, pcscd: PcscdWorld | None = None) -> None:
        self.setup = setup
        self._folder = folder
        self._pcscd = pcscd
        self._hall = Hall(
            HallSettings(
                folder / "run",
                folder / "hall",
                seed=7,
                direct=setup.way is Way.DIRECT,
                dispenser=setup.way is Way.DISPENSER,
                page_seconds=_PAGE_SECONDS,
            )
        )
        self._patches = pytest.MonkeyPatch()
        self._handler = _Errors()
        self._audited = 0
        self._thread: threading.Thread | None = None

    # --- beginning and end ---------------------------------------------------------------------

    def open(self) -> None:
        """Open the hall, enrol the terminal, start it."""
        self._patch()
        told = self._hall.open()
        if self.setup is Setup.DISPENSER:
            self._hall._dispenser.device.machine.moving = partial(time.sleep, _MOVE_SECONDS)
        configuration = self._folder / "terminal.toml"
        write_configuration(configuration, told, TerminalScreen(PORTRAIT, 0.5), walk=True)
        self._choose_scanner(configuration, told)
        self._enrol(configuration, told["enrolment_code"])
        logging.getLogger().addHandler(self._handler)
        self._config = load(configuration)
        self.start()

    def start(self) -> None:
        """Start the terminal."""
        made: list[Glass] = []

        def window(*args: Any, **kwargs: Any) -> Glass:
            made.append(Glass(*args, **kwargs))
            return made[0]

        self._patches.setattr("ui.window.Window", window)
        state = StateDirectory(self.state)
        self._thread = threading.Thread(
            target=_serve, args=(self._config, state, None), name="terminal", daemon=True
        )
        self._thread.start()
        while not made or not made[0].seen:
            assert self._thread.is_alive(), self.errors
            self._thread.join(0.01)
        self.glass = made[0]

    def unlock(self) -> None:
        """An engineer has looked at the opened case; the terminal does not run."""
        parser = argparse.ArgumentParser()
        DEVICES.add_arguments(parser)
        words = ["unlock", "--config", str(self._config.file), "--state", str(self.state)]
        with contextlib.redirect_stdout(io.StringIO()):
            assert DEVICES.run(parser.parse_args(words)) == 0

    def stop(self) -> None:
        """End the terminal as the system does."""
        if self._thread is not None:
            self.glass.close_it()
            self._thread.join(SETTLED)
            assert not self._thread.is_alive(), "the terminal does not stop"
            self._thread = None

    def close(self) -> None:
        """End both."""
        try:
            self.stop()
        finally:
            self._hall.close()
            logging.getLogger().removeHandler(self._handler)
            self._patches.undo()

    def _choose_scanner(self, configuration: Path, told: Mapping[str, Any]) -> None:
        tables = {
            "hid": f'driver = "hid"\ndevice = "{told["hid_scanner"]}"',
            "camera": 'driver = "camera"',
        }
        usual = f'port = "{told["scanner"]}"'
        text = configuration.read_text("utf-8")
        assert usual in text
        table = tables.get(self.setup.scanner, usual)
        configuration.write_text(text.replace(usual, table), "utf-8")

    def _enrol(self, configuration: Path, code: str) -> None:
        parser = argparse.ArgumentParser()
        PROVISION.add_arguments(parser)
        words = ["enrol", "--config", str(configuration), "--state", str(self.state)]
        with contextlib.redirect_stdout(io.StringIO()):
            PROVISION.run(parser.parse_args([*words, "--code", code]))

    def _patch(self) -> None:
        patch = self._patches.setattr
        patch("hw_sim.hall.reader_slot.PcscdWorld", lambda: _Lent(self._pcscd))
        patch("kiosk.main._stopped_by_signals", _no_signals)
        patch("threading.excepthook", self._handler.broken)
        shorten(self._patches)

    # --- the hall ------------------------------------------------------------------------------

    def ask(self, do: str, **arguments: str) -> Mapping[str, Any]:
        """A question of the hall's control socket; of the PSAM's faults too."""
        if do == "fault" and arguments["where"] == PSAM:
            what = arguments["what"]
            self._places.fault("" if what == "none" else what, PSAM)
            return {}
        return self._hall.serve({"do": do, **arguments})

    def ask_if_possible(self, do: str, **arguments: str) -> None:
        """Nobody can show anything to a device that is not there, nor push in a second card."""
        with contextlib.suppress(Refused):
            self.ask(do, **arguments)

    def refill(self) -> None:
        """Nothing runs out over many rows."""
        self.ask("paper", state="in")
        self.ask("slip-paper", state="in")
        if self.setup is Setup.DISPENSER:
            self.ask("bin", state="empty")

    def show_ecard(self) -> None:
        """Hold a fresh e-card of the demo resident to whatever reads codes."""
        match self.setup.scanner:
            case "hid":
                self.ask_if_possible("hid-scan", text=self._fresh_code())
            case "camera":
                self.ask_if_possible("camera-code", text=self._fresh_code())
            case _:
                self.ask_if_possible("ecard", card="v3", state="fresh")

    def take_phone_away(self) -> None:
        """Nothing is before a camera any more; other scanners look only where they are asked to."""
        self.ask_if_possible("camera-sees", sight="hall")
        if self.setup.scanner == "camera":
            time.sleep(_ON_THEIR_WAY)

    def _fresh_code(self) -> str:
        return str(self.ask("ecard", card="v3", state="fresh")["text"])

    @property
    def card(self) -> str | None:
        """The card in the residents' slot."""
        assert self._hall._slot is not None
        return self._hall._slot.card

    @property
    def card_can_be_taken(self) -> bool:
        if self.setup is Setup.DISPENSER:
            return bool(self.stands("dispenser")["place"] == "GATE")
        return self.card is not None

    @property
    def pad_takes_keys(self) -> bool:
        return self._pad.entry is EntryState.RUNNING

    def illegal(self) -> list[str]:
        """What any device received that no correct host sends."""
        told = {name: self.stands(name)["illegal"] for name in self._tellers}
        told["pad"] = self._pad.illegal
        return [f"{name}: {what}" for name, each in told.items() for what in each]

    def stands(self, part: str) -> Mapping[str, Any]:
        """How a device stands, as the hall's status has it: the whole of that takes long where
        much has happened."""
        found: Mapping[str, Any] = self._tellers[part].status()
        return found

    @property
    def _tellers(self) -> Mapping[str, Any]:
        return {"scanner": self._hall._codes, "printer": self._hall._prints, **self._hall._desks}

    @property
    def alarms(self) -> int:
        """That have reached the platform."""
        assert self._hall._platform is not None
        return len(self._hall._platform.alarms())

    @property
    def card_bugs(self) -> int:
        assert self._hall._slot is not None
        return self._hall._slot.card_bugs

    def exchanged(self, part: str) -> int:
        """Commands that the PSAM, or the card that is in now, has received; 0 of other parts."""
        if part == "card" and self.setup is Setup.DISPENSER:
            return self._hall._dispenser.device.machine.contacts.apdus
        slot = {"card": CONTACT, PSAM: PSAM}.get(part)
        return 0 if slot is None else int(self._places.status()["slots"][slot]["apdus"])

    def struck(self, row: Row, before: int) -> bool:
        """Whether a scheduled fault has happened.

        Args:
            before: `exchanged` before the visit.
        """
        when = row.moment.when.partition(":")[0]
        match row.part:
            case _ if when in ("", "*"):
                return True
            case "psam":
                return self.exchanged(PSAM) >= before + int(when)
            case "card":
                return self.exchanged("card") >= int(when)
            case "platform":
                assert self._hall._platform is not None
                rules = self._hall._platform.faults._rules
                return all(rule.seen >= rule.first for rule in rules)
            case part:
                return bool(self.ask("status")["faults"][part] == 0)

    def mend(self, part: str, *, lasts: bool, seen: Callable[[], object] = lambda: None) -> None:
        """Nothing goes wrong any more; what lasts is powered anew, with time for `seen`."""
        self.ask("fault", where="all", what="none")
        self.await_that(lambda: lasts or self._has_power(part), f"{part} stays without power")
        if part in _PLUGS and lasts:
            plug = _PLUGS[part]
            self.ask(plug.do, **plug.arguments)
            seen()
            self.ask(plug.do, state=_OPPOSITE[plug.arguments["state"]])
        match part:
            case "card" if self.setup is not Setup.DISPENSER:
                self._places.renew()
            case "psam":
                self.ask("fault", where=PSAM, what="none")
                if lasts:
                    with contextlib.suppress(SlotError):
                        self._places.remove(PSAM)
                    self._places.insert("psam", PSAM)
            case "pad":
                self._pad.mend()
            case "hid_scanner":
                # A code that is typed slowly is typed to its end.
                desk: Any = self._hall._desks["hid_scanner"]
                desk.device.settle()
            case "receipt":
                self.ask("slip-paper", state="in")
                self.ask("slip-cover", state="closed")
                self.ask("slip-cutter", state="clear")
            case "dispenser" if self.stands("dispenser")["jammed"]:
                self.ask("tear")
            case _:
                pass

    def _has_power(self, part: str) -> bool:
        """A power failure ends by itself."""
        return part not in self._tellers or bool(self.stands(part).get("plugged", True))

    def put_right(self) -> None:
        """After a row that failed: all is mended, and the terminal started anew."""
        for part in (*_PLUGS, "card"):
            self.mend(part, lasts=True)
        if self.setup.way is Way.DIRECT:
            self.mend("psam", lasts=True)
        self.ask_if_possible("remove")
        self.ask("idcard-off")
        self.stop()
        self.unlock()
        self.start()

    @property
    def _places(self) -> Any:
        slot: Any = self._hall._slot
        return slot._places

    @property
    def _pad(self) -> PadDevice:
        assert self._hall._pad is not None
        return self._hall._pad

    # --- the terminal --------------------------------------------------------------------------

    @property
    def state(self) -> Path:
        """Its state directory."""
        return self._folder / "terminal"

    @property
    def errors(self) -> list[str]:
        """What went wrong inside it, in words."""
        return self._handler.found

    def healths(self) -> Mapping[str, str | None]:
        """Why each device does not serve, as the terminal sees it, by kind."""
        found = read_healths(self.state / HEALTH_FILE)
        return {kind.value: view.reason for kind, view in found.items()}

    def await_that(self, condition: Callable[[], bool], otherwise: str) -> None:
        """AssertionError where something does not come true in time."""
        assert self.glass.await_that(condition, SETTLED), otherwise

    def await_home(self, *items: str) -> None:
        """Wait for the menu; with items that are offered, and then nothing wrong about it."""

        def at_home() -> bool:
            latest = self.glass.latest
            if latest.name == "idle":
                self.glass.touch("start")
            well = not items or (latest.well and latest.ids >= set(items))
            return latest.name == "home" and well

        self.await_that(at_home, f"the menu does not come back with {items}")

    def audit(self) -> list[AuditLine]:
        """The audit lines since the last call."""
        with StateDirectory(self.state).audit_log.open("rb") as log:
            log.seek(self._audited)
            new = log.read()
        whole = new[: new.rfind(b"\n") + 1]
        self._audited += len(whole)
        lines = map(json.loads, whole.splitlines())
        return [AuditLine(each["event"], each["outcome"], each["detail"]) for each in lines]


class _Lent:
    """The pcscd of this process, which others go on using."""

    def __init__(self, world: PcscdWorld | None) -> None:
        assert world is not None
        self._world = world

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world, name)

    def start(self) -> None:
        self._world.slots.renew()

    def stop(self) -> None:
        self._world.slots.renew()


@contextlib.contextmanager
def _no_signals() -> Iterator[list[int]]:
    """Signals belong to the main thread, which is the test's."""
    yield []
