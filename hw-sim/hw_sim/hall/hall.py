"""The hall: one process that holds the far ends of all of a terminal's wires.

It announces itself in ``hall.json``, serves the control socket, and takes everything it started
with it when it ends.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hw_sim.faults import FaultSyntaxError
from hw_sim.hall.client import ANNOUNCEMENT_NAME, Answer
from hw_sim.hall.codes import CodeDesk
from hw_sim.hall.control import ControlServer, Refused
from hw_sim.hall.desk import Desk
from hw_sim.hall.desks import desks
from hw_sim.hall.dispenser_desk import DispenserDesk
from hw_sim.hall.dispenser_slot import DispenserSlot
from hw_sim.hall.prints import PrintDesk
from hw_sim.hall.questions import Question, choice, here, text
from hw_sim.hall.reader_slot import ReaderSlot
from hw_sim.hall.slot import CardSlot, listed
from hw_sim.line.faults import LineFaultError
from hw_sim.line.proxy import FaultyLine
from hw_sim.pad.device import PadDevice
from hw_sim.pad.epp import EntryState
from hw_sim.pad.epp_fields import facts
from hw_sim.platform.faults import FaultScriptError
from hw_sim.platform.server import PlatformServer
from hw_sim.printer.device import PAGE_SECONDS

_FAULTY = "card pad scanner printer line platform"


@dataclass(frozen=True)
class HallSettings:
    """How a hall is opened.

    Attributes:
        run: run directory, made when missing; only this user may look into it.
        state: what outlives the hall: the platform's database, the pad's key memory, and the
            documents that were printed.
        seed: of the cards' challenges; None draws them at random.
        port: where terminals reach the platform; 0 takes a free one.
        direct: cards connect to the terminal's own sockets; no pcscd.
        dispenser: the dispenser takes residents' cards in; no other reader.
        page_seconds: that the document printer takes for a side.
    """

    run: Path
    state: Path
    seed: int | None = None
    port: int = 0
    direct: bool = False
    dispenser: bool = False
    page_seconds: float = PAGE_SECONDS


class Hall:
    """A whole hall. `open` it from the main thread, `close` it on every way out.

    Attributes:
        closing: set when somebody asked over the control socket to close.
    """

    def __init__(self, settings: HallSettings) -> None:
        self._settings = settings
        self.closing = threading.Event()
        self._control = ControlServer(settings.run, self.serve)
        self._pad: PadDevice | None = None
        self._platform: PlatformServer | None = None
        self._line: FaultyLine | None = None
        self._slot: CardSlot | None = None
        self._codes = CodeDesk()
        self._prints = PrintDesk()
        self._dispenser = DispenserDesk()
        self._desks: dict[str, Desk] = {desk.name: desk for desk in desks()}
        self._desks[self._dispenser.name] = self._dispenser
        self._made_run = False
        self._line_state = "up"
        self._platform_faults = 0
        self._questions: dict[str, Callable[[Question], Answer]] = {
            "insert": self._insert,
            "remove": self._remove,
            "press": self._press,
            "platform": self._switch_platform,
            "fault": self._fault,
            "reader": self._switch_reader,
            "pcscd": self._restart_pcscd,
            "pad": self._switch_pad,
            "status": self._status,
            "cards": self._cards,
            "stop": self._stop,
            **self._codes.questions,
            **self._prints.questions,
        }
        for desk in self._desks.values():
            self._questions |= desk.questions

    def open(self) -> Answer:
        """Start everything; returns what ``hall.json`` says.

        Raises:
            AlreadyRunning: another hall has this run directory.
        """
        run, state = self._settings.run, self._settings.state
        self._made_run = not run.exists()
        for folder in (run, state):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if run.stat().st_uid != os.getuid() or stat.S_IMODE(run.stat().st_mode) & 0o077:
            raise PermissionError(f"{run} must belong to this user alone (mode 700)")
        # The socket first: it is the lock that keeps a second hall out.
        self._control.start()
        (run / ANNOUNCEMENT_NAME).unlink(missing_ok=True)
        with ThreadPoolExecutor(1) as beside:
            # The platform's imports and database take as long as pcscd does; side by side.
            platform = beside.submit(self._open_platform)
            self._slot = self._open_slot()
            self._platform = platform.result()
        self._line = FaultyLine(self._platform.url, self._settings.port).start()
        self._codes.open(run / "scanner", self._platform)
        self._prints.open(state / "prints", self._settings.page_seconds)
        key_file = self._open_pad()
        told: Answer = {}
        for desk in self._desks.values():
            told |= desk.open(run, state)
        return self._announce(key_file, told)

    def close(self) -> None:
        """End everything; safe to call at any time and twice."""
        (self._settings.run / ANNOUNCEMENT_NAME).unlink(missing_ok=True)
        self._control.stop()
        if self._slot is not None:
            self._slot.close()
            self._slot = None
        self._codes.close()
        self._prints.close()
        for desk in self._desks.values():
            desk.close()
        if self._pad is not None:
            self._pad.unplug()
            self._pad = None
        if self._line is not None:
            self._line.stop()
            self._line = None
        if self._platform is not None:
            self._platform.stop()
            self._platform = None
        (self._settings.run / "pad-tmk.hex").unlink(missing_ok=True)
        if self._made_run:
            with suppress(OSError):  # somebody else put something into it
                self._settings.run.rmdir()

    def _open_slot(self) -> CardSlot:
        seed = self._settings.seed
        self._dispenser.seed = seed
        if self._settings.dispenser:
            return DispenserSlot(lambda: self._dispenser.device)
        return ReaderSlot(seed, direct=self._settings.direct)

    def _open_platform(self) -> PlatformServer:
        return PlatformServer(self._settings.state / "platform.db").start()

    def _open_pad(self) -> Path:
        state, run = self._settings.state, self._settings.run
        kept = state / "pad-tmk.hex"
        if not kept.exists():
            _write_private(kept, secrets.token_bytes(16).hex().upper())
        key = kept.read_text(encoding="ascii").strip()
        shown = run / "pad-tmk.hex"
        _write_private(shown, key)
        self._pad = PadDevice(run / "pad", state / "pad-memory.json")
        self._pad.preload(facts()["keys"]["master"], bytes.fromhex(key))
        self._pad.plug()
        return shown

    def _announce(self, key_file: Path, told: Answer) -> Answer:
        slot, platform, run = here(self._slot), here(self._platform), self._settings.run
        found: Answer = {
            "pid": os.getpid(),
            "way": slot.way.value,
            **slot.announced,
            "pad": str(run.resolve() / "pad"),
            "scanner": str(run.resolve() / "scanner"),
            "printer": here(self._prints.printer).url,
            "platform": here(self._line).url,
            "enrolment_code": platform.enrolment_code,
            "pad_master_key_file": str(key_file.resolve()),
            **told,
        }
        fresh = run / f"{ANNOUNCEMENT_NAME}.new"
        _write_private(fresh, json.dumps(found, ensure_ascii=False, indent=1) + "\n")
        fresh.replace(run / ANNOUNCEMENT_NAME)
        return found

    # --- questions -----------------------------------------------------------------------------

    def serve(self, question: Question) -> Answer:
        """Answer one question of the control socket.

        Raises:
            Refused: it makes no sense, or not now.
        """
        do = question["do"]
        answer = self._questions.get(do)
        if answer is None:
            raise Refused(f"nothing is called {do!r}; there is {', '.join(self._questions)}")
        return answer(question)

    def _insert(self, question: Question) -> Answer:
        here(self._slot).insert(text(question, "card"))
        return {}

    def _remove(self, _question: Question) -> Answer:
        here(self._slot).remove()
        return {}

    def _press(self, question: Question) -> Answer:
        pad = here(self._pad)
        if not pad.plugged:
            raise Refused("the pad is unplugged")
        try:
            return {"sent": pad.press(text(question, "keys"))}
        except ValueError as error:
            raise Refused(str(error)) from None

    def _switch_platform(self, question: Question) -> Answer:
        state = choice(question, "state", "up down slow")
        here(self._platform).set_slow(state == "slow")
        here(self._line).set_down(state == "down")
        self._line_state = state
        return {}

    def _fault(self, question: Question) -> Answer:
        devices = [*_FAULTY.split(), *self._desks]
        where = choice(question, "where", " ".join([*devices, "all"]))
        what = text(question, "what")
        if where == "all" and what != "none":
            raise Refused("all of them can only forget their faults: none")
        try:
            for each in devices if where == "all" else [where]:
                self._set_fault(each, what)
        except (FaultSyntaxError, FaultScriptError, LineFaultError) as error:
            raise Refused(str(error)) from None
        return {}

    def _set_fault(self, where: str, what: str) -> None:
        match where:
            case "card":
                here(self._slot).set_fault(what)
            case "pad":
                here(self._pad).set_fault(what)
            case "scanner":
                here(self._codes.scanner).set_fault(what)
            case "printer":
                here(self._prints.printer).set_fault(what)
            case _ if where in self._desks:
                self._desks[where].set_fault(what)
            case "line" if what == "none":
                here(self._line).clear()
            case "line":
                here(self._line).add(what)
            case _ if what == "none":
                here(self._platform).faults.clear()
                self._platform_faults = 0
            case _:
                here(self._platform).faults.add(what)
                self._platform_faults += 1

    def _switch_reader(self, question: Question) -> Answer:
        plugged = choice(question, "state", "plugged unplugged") == "plugged"
        here(self._slot).set_reader(plugged=plugged)
        return {}

    def _restart_pcscd(self, question: Question) -> Answer:
        choice(question, "do2", "restart")
        here(self._slot).restart_service()
        return {}

    def _switch_pad(self, question: Question) -> Answer:
        pad = here(self._pad)
        if choice(question, "state", "plugged unplugged") == "plugged":
            pad.plug()
        else:
            pad.unplug()
        return {}

    def _status(self, _question: Question) -> Answer:
        slot, pad, platform, line = self._slot, self._pad, self._platform, self._line
        scanner, printer = self._codes.scanner, self._prints.printer
        if (
            slot is None or pad is None or scanner is None or printer is None
            or platform is None or line is None
        ):  # fmt: skip
            return {"opening": True, "pid": os.getpid()}
        return {
            "opening": False,
            "pid": os.getpid(),
            "card": slot.card,
            "card_bugs": slot.card_bugs,
            "reader": "plugged" if slot.plugged else "unplugged",
            "pcscd": slot.way.value,
            "pad": {
                "plugged": pad.plugged,
                "entry": pad.entry is EntryState.RUNNING,
                "count": pad.count,
            },
            "scanner": self._codes.status(),
            "printer": self._prints.status(),
            "platform": {
                "state": "down" if line.is_down else self._line_state,
                "url": line.url,
                "alarms": len(platform.alarms()),
                "events": Counter(event["kind"] for event in platform.events()),
                "terminals": list(platform.terminal_ids()),
            },
            **{name: desk.status() for name, desk in self._desks.items()},
            # The platform's rules may stand for ever ("*:503"): those set since the last "none".
            "faults": {
                "card": slot.faults_pending,
                "pad": pad.faults_pending,
                "scanner": scanner.faults_pending,
                "printer": printer.faults_pending,
                "line": line.faults_pending,
                "platform": self._platform_faults,
                **{name: desk.faults_pending for name, desk in self._desks.items()},
            },
        }

    def _cards(self, _question: Question) -> Answer:
        return {"cards": listed()}

    def _stop(self, _question: Question) -> Answer:
        self.closing.set()
        return {}


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
