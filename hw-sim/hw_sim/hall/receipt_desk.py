"""The receipt printer of the hall: its paper and cover, and the slips that came out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hw_sim.hall.client import Answer
from hw_sim.hall.control import Refused
from hw_sim.hall.desk import Fact, Press, Verb, Word
from hw_sim.hall.plugged_desk import PLUG, PluggedDesk, plug_press, toggle
from hw_sim.hall.questions import Question, Questions, choice, whole
from hw_sim.receipt.device import CutSlip, ReceiptDevice
from hw_sim.receipt.machine import LOW_LINES, ROLL_LINES

_PAPER = {"in": ROLL_LINES, "low": LOW_LINES // 2, "out": 0}
_FONT = Path(__file__).parents[3] / "ui" / "fonts" / "YikatongSans-Regular.otf"
"""The terminal's own font, where the simulator runs beside its sources."""


class ReceiptDesk(PluggedDesk[ReceiptDevice]):
    """The receipt printer, and whoever puts paper in."""

    name = "receipt"
    title = "凭条打印机 · receipts"
    verbs: Sequence[Verb] = (
        Verb(
            "slip-paper",
            "put a roll in, one that is nearly used up, or none",
            (
                Word("state", "how much", ("in", "low", "out")),
                Word("lines", "so many lines until it is used up", option=True),
            ),
        ),
        Verb("slip-cover", "open or close its cover", (Word("state", "how", ("open", "closed")),)),
        Verb("slip-cutter", "block or free its cutter", (Word("state", "how", ("jam", "clear")),)),
        Verb("slip-head", "make it break down, or run hot", (
            Word("state", "how", ("well", "hot", "broken")),
        )),
        Verb("slip-printer", "its plug", (PLUG,)),
        Verb("slips", "the slips that came out"),
    )  # fmt: skip
    faults = (
        "receipt: N counts its answers; the words of every wire, and paper-out and cover: the "
        "paper ends or the cover comes open right before that answer"
    )

    def __init__(self, *, network: bool = False) -> None:
        self._network = network
        self.questions: Questions = {
            "slip-paper": self._paper,
            "slip-cover": self._cover,
            "slip-cutter": self._cutter,
            "slip-head": self._head,
            "slip-printer": self.switch,
            "slips": self._slips,
        }

    def open(self, run: Path, state: Path) -> Answer:
        self._device = ReceiptDevice(
            run / "receipt",
            state / "slips",
            network=self._network,
            font=_FONT if _FONT.is_file() else None,
        )
        self.device.plug()
        return {"receipt_port": self.device.address, "receipt_slips": str(state / "slips")}

    def status(self) -> Answer:
        device = self.device
        machine = device.machine
        paper = "out" if machine.lines <= 0 else "low" if machine.lines <= LOW_LINES else "in"
        return {
            "plugged": device.plugged,
            "paper": paper,
            "lines": machine.lines,
            "cover": "open" if machine.cover_open else "closed",
            "cutter": "jam" if machine.jammed else "clear",
            "head": "broken" if machine.broken else "hot" if machine.hot else "well",
            "hanging": machine.hanging,
            "slips": device.slips[-1].number if device.slips else 0,
            "illegal": list(device.illegal),
        }

    def presses(self, status: Answer) -> Sequence[Press]:
        paper, cover, cutter = status["paper"], status["cover"], status["cutter"]
        return (
            *(
                Press(label, "slip-paper", {"state": state}, chosen=paper == state)
                for state, label in (("in", "有纸"), ("low", "纸少"), ("out", "缺纸"))
            ),
            toggle("slip-cover", cover == "open", ("open", "打开机盖"), ("closed", "合上机盖")),
            toggle("slip-cutter", cutter == "jam", ("jam", "卡住切刀"), ("clear", "松开切刀")),
            plug_press("slip-printer", status),
        )

    def facts(self, status: Answer) -> Sequence[Fact]:
        wrong = [
            words
            for words, there in (
                ("已拔掉", not status["plugged"]),
                ("机盖开着", status["cover"] == "open"),
                ("缺纸", status["paper"] == "out"),
                ("切刀卡住", status["cutter"] == "jam"),
                ("过热", status["head"] == "hot"),
                ("损坏", status["head"] == "broken"),
            )
            if there
        ]
        hanging = "    纸上有未切的字" if status["hanging"] else ""
        return (
            Fact("  ".join(wrong) or "正常", not wrong),
            Fact(f"出凭条 {status['slips']} 张    余纸 {status['lines']} 行{hanging}"),
        )

    def configuration(self, announced: Answer) -> Mapping[str, Mapping[str, object]]:
        return {"receipt": {"address": announced["receipt_port"]}}

    def _paper(self, question: Question) -> Answer:
        machine = self.device.machine
        state = choice(question, "state", "in low out")
        if question.get("lines") is None:
            machine.load(_PAPER[state])
        elif state == "out":
            raise Refused("no paper has no lines")
        else:
            typed = question["lines"]
            asked = int(typed) if isinstance(typed, str) and typed.isdecimal() else typed
            machine.load(whole({**question, "lines": asked}, "lines", ROLL_LINES))
        return {"lines": machine.lines}

    def _cover(self, question: Question) -> Answer:
        is_open = choice(question, "state", "open closed") == "open"
        self.device.machine.set_cover(is_open=is_open)
        return {}

    def _cutter(self, question: Question) -> Answer:
        jammed = choice(question, "state", "jam clear") == "jam"
        self.device.machine.set_jam(jammed=jammed)
        return {}

    def _head(self, question: Question) -> Answer:
        machine = self.device.machine
        state = choice(question, "state", "well hot broken")
        machine.set_hot(hot=state == "hot")
        machine.set_broken(broken=state == "broken")
        return {}

    def _slips(self, _question: Question) -> Answer:
        return {"slips": [_told(slip) for slip in self.device.slips]}


def _told(slip: CutSlip) -> Answer:
    return {"number": slip.number, "file": str(slip.file), "text": list(slip.text)}
