"""The hall's keyboard scanner (扫码枪): codes that are typed, and its plug."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hw_sim.hall.client import Answer
from hw_sim.hall.control import Refused
from hw_sim.hall.desk import Fact, Press, Verb, Word
from hw_sim.hall.plugged_desk import PLUG, PluggedDesk, plug_press
from hw_sim.hall.questions import Question, Questions, text
from hw_sim.hid_scanner.device import HidScannerDevice

_DEMO_CODE = "SSC1" + "x" * 40
"""What the dock's button holds to it: the form of an e-card, and nobody's."""


class HidScannerDesk(PluggedDesk[HidScannerDevice]):
    """A keyboard scanner beside the serial one; a terminal that wants it is configured by hand."""

    name = "hid_scanner"
    title = "扫码枪 · HID scanner"
    verbs: Sequence[Verb] = (
        Verb("hid-scan", "hold a code to the keyboard scanner", (Word("text", "what it says"),)),
        Verb(
            "hid-scanner",
            "plug the keyboard scanner in or out",
            (PLUG,),
        ),
    )
    faults = (
        "N:drop=KEY, N:corrupt=KEY, N:no-enter, N:slow, N:stall=MS, N:syn-dropped,\n"
        "N:split, N:repeat, N:lost, N:unplug; N counts codes"
    )

    def __init__(self) -> None:
        self.questions: Questions = {"hid-scan": self._scan, "hid-scanner": self.switch}

    def open(self, run: Path, state: Path) -> Answer:
        """Plug it in. It keeps nothing in `state`."""
        self._device = HidScannerDevice(run.resolve() / "hid-scanner")
        self._device.plug()
        return {"hid_scanner": str(self._device.node)}

    def status(self) -> Answer:
        """How it stands. A keyboard hears nothing, so nothing illegal can reach it."""
        device = self.device
        return {"plugged": device.plugged, "codes_read": device.codes_read, "illegal": []}

    def presses(self, status: Answer) -> Sequence[Press]:
        """Its plug, a code, and one that is typed too slowly."""
        on = bool(status["plugged"])
        return (
            Press("扫码", "hid-scan", {"text": _DEMO_CODE}, enabled=on),
            Press("丢按键", "fault", {"where": self.name, "what": "1:drop=5"}),
            Press("键盘溢出", "fault", {"where": self.name, "what": "1:syn-dropped"}),
            plug_press("hid-scanner", status),
        )

    def facts(self, status: Answer) -> Sequence[Fact]:
        """Whether it is plugged in, and how much it has read."""
        if not status["plugged"]:
            return (Fact("已拔出", good=False),)
        return (Fact(f"已读 {status['codes_read']} 个"),)

    def configuration(self, announced: Answer) -> Mapping[str, Mapping[str, object]]:
        """None: the hall's terminal reads codes by the serial scanner."""
        return {}

    def _scan(self, question: Question) -> Answer:
        device = self.device
        if not device.plugged:
            raise Refused("the keyboard scanner is unplugged")
        shown = text(question, "text")
        try:
            device.show(shown)
        except ValueError as error:
            raise Refused(str(error)) from None
        return {"characters": len(shown)}
