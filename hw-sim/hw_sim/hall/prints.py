"""The document printer of the hall: what can be done to it, and what came out of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hw_sim.hall.client import Answer
from hw_sim.hall.control import Refused
from hw_sim.hall.desk import Verb, Word
from hw_sim.hall.questions import Question, Questions, choice, here, text, whole
from hw_sim.printer.device import PrinterDevice
from hw_sim.printer.facts import facts
from hw_sim.printer.jobs import Job
from hw_sim.printer.machine import A4, LOW_SHEETS, TRAY_SHEETS, Toner

_TRAY = {"in": TRAY_SHEETS, "low": LOW_SHEETS // 2, "out": 0}


class PrintDesk:
    """The printer, and whoever fills its tray.

    Attributes:
        verbs: what can be typed beside the words that the command line knows by itself.
        questions: what can be asked about it.
        printer: None while the hall is closed.
    """

    def __init__(self) -> None:
        self.verbs: Sequence[Verb] = (
            Verb(
                "supply",
                "how much of a toner is left, or how full the printer's waste box is",
                (Word("name", "which", tuple(facts()["supply"])), Word("level", "percent, 0..100")),
            ),
            Verb(
                "complaint",
                "let the printer complain",
                (
                    Word("reason", "the word of IPP", tuple(facts()["complaint"])),
                    Word("state", "from now on, or no more", ("on", "off")),
                ),
            ),
        )
        self.printer: PrinterDevice | None = None
        self.questions: Questions = {
            "paper": self._paper,
            "jam": self._jam,
            "door": self._door,
            "toner": self._toner,
            "supply": self._supply,
            "complaint": self._complaint,
            "printer": self._switch,
            "prints": self._prints,
        }

    def open(self, prints: Path, page_seconds: float) -> None:
        """Switch the printer on; what it receives goes into this folder."""
        self.printer = PrinterDevice(prints, page_seconds=page_seconds).start()

    def close(self) -> None:
        """Switch it off; safe to call twice."""
        if self.printer is not None:
            self.printer.stop()
            self.printer = None

    def status(self) -> Answer:
        """How the printer stands."""
        printer = here(self.printer)
        machine = printer.machine
        paper = "out" if machine.sheets == 0 else "low" if machine.sheets <= LOW_SHEETS else "in"
        return {
            "on": printer.on,
            "state": machine.state.name.lower() if printer.on else "off",
            "reasons": list(machine.reasons),
            "accepting": machine.accepting,
            "paper": paper,
            "sheets": machine.sheets,
            "jam": machine.jammed,
            "door": "open" if machine.door_open else "closed",
            "toner": machine.toner.value,
            "media": machine.media,
            "supplies": dict(machine.supplies),
            "complaints": sorted(machine.complaints),
            "jobs": [_told(job) for job in machine.jobs if not job.over],
            "printed": sum(job.state.word == "completed" for job in machine.records),
            "sheets_out": sum(job.sheets_out for job in machine.records),
            "spoilt": sum(job.spoilt for job in machine.records),
            "illegal": list(printer.illegal),
        }

    def _paper(self, question: Question) -> Answer:
        machine = here(self.printer).machine
        state = choice(question, "state", "in low out") if "state" in question else "in"
        sizes = " ".join(facts()["media"])
        media = choice(question, "media", sizes) if "media" in question else A4
        if "sheets" in question:
            if state != "in":
                raise Refused(f"paper {state} says by itself how many sheets there are")
            machine.load(whole(question, "sheets", TRAY_SHEETS), media)
        elif "state" in question:
            machine.load(_TRAY[state], media)
        else:
            raise Refused("paper needs 'state' or 'sheets'")
        return {"sheets": machine.sheets}

    def _jam(self, question: Question) -> Answer:
        machine = here(self.printer).machine
        if choice(question, "state", "on clear") == "on":
            machine.jam()
        else:
            machine.clear_jam()
        return {}

    def _door(self, question: Question) -> Answer:
        machine = here(self.printer).machine
        if choice(question, "state", "open closed") == "open":
            machine.open_door()
        else:
            machine.close_door()
        return {}

    def _toner(self, question: Question) -> Answer:
        here(self.printer).machine.set_toner(Toner(choice(question, "state", "full low empty")))
        return {}

    def _supply(self, question: Question) -> Answer:
        machine = here(self.printer).machine
        name = choice(question, "name", " ".join(facts()["supply"]))
        level = text(question, "level")
        if not level.isdecimal() or int(level) > 100:
            raise Refused("supply needs 'level': a text of digits, 0 to 100")
        machine.set_supply(name, int(level))
        return {}

    def _complaint(self, question: Question) -> Answer:
        machine = here(self.printer).machine
        word = choice(question, "reason", " ".join(facts()["complaint"]))
        machine.complain(word, choice(question, "state", "on off") == "on")
        return {}

    def _switch(self, question: Question) -> Answer:
        printer = here(self.printer)
        match choice(question, "state", "on off accepting refusing"):
            case "on":
                try:
                    printer.switch_on()
                except OSError as error:
                    raise Refused(f"its port is taken: {error.strerror}") from None
            case "off":
                printer.switch_off()
            case state:
                printer.machine.accepting = state == "accepting"
        return {}

    def _prints(self, _question: Question) -> Answer:
        return {"prints": [_told(job) for job in here(self.printer).machine.records]}


def _told(job: Job) -> Answer:
    return {
        "number": job.number,
        "name": job.name,
        "file": None if job.file is None else str(job.file),
        "state": job.state.word,
        "reason": job.reason,
        "sheets": job.sheets,
        "sheets_out": job.sheets_out,
        "spoilt": job.spoilt,
    }
