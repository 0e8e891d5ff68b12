"""The hall's card dispenser (发卡机): its stacker, its bin, and hands at its gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from hw_sim.cards.catalogue import UnknownCardError
from hw_sim.dispenser.device import DISPENSER_FAULTS, DispenserDevice
from hw_sim.dispenser.machine import CannotDo, Halt
from hw_sim.hall.client import Answer
from hw_sim.hall.control import Refused
from hw_sim.hall.desk import Fact, Press, Verb, Word
from hw_sim.hall.plugged_desk import PLUG, PluggedDesk, plug_press
from hw_sim.hall.questions import Question, Questions, choice, text

T = TypeVar("T")

_BIN = ("empty", "full")
_FIRST = 50
"""Blanks in the stacker of a hall that opens."""
_PLACES = {"NONE": "无卡", "GATE": "卡在出口", "INSIDE": "卡在机内"}


class DispenserDesk(PluggedDesk[DispenserDevice]):
    """`hw_sim.hall.desk.Desk` of the card dispenser.

    Attributes:
        seed: of its cards' challenges; None draws them at random. Set before it is opened.
    """

    name = "dispenser"
    title = "发卡机 · dispenser"
    verbs: Sequence[Verb] = (
        Verb("stack", "put more blanks into the stacker", (Word("count", "how many"),)),
        Verb("unstack", "empty the stacker"),
        Verb("take", "take the card at the dispenser's gate"),
        Verb("put", "insert a card at its gate", (Word("card", "as for insert"),)),
        Verb("stick", "let the card stick on its next way"),
        Verb("tear", "pull its card out by force; that ends a jam"),
        Verb("bin", "empty or fill its bin", (Word("state", "how it is then", _BIN),)),
        Verb("dispenser", "plug the dispenser in or out", (PLUG,)),
    )
    faults = f"N:{', N:'.join(DISPENSER_FAULTS)};\nN counts commands and the line's EOT"

    def __init__(self) -> None:
        self.seed: int | None = None
        self.questions: Questions = {
            "stack": self._stack,
            "unstack": lambda _question: self._do(lambda device: device.machine.stacker.clear()),
            "take": lambda _question: {"card": self._did(lambda device: device.machine.take())},
            "put": self._put,
            "stick": lambda _question: self._do(_stick),
            "tear": lambda _question: {"card": self._did(lambda device: device.machine.tear_out())},
            "bin": self._bin,
            "dispenser": self.switch,
        }

    def open(self, run: Path, state: Path) -> Answer:
        """Plug it in, with blanks in its stacker. It keeps nothing in `state`."""
        device = DispenserDevice(run.resolve() / "dispenser", seed=self.seed)
        device.machine.stack(_FIRST)
        device.plug()
        self._device = device
        return {"dispenser_port": str(device.link)}

    def status(self) -> Answer:
        """How it stands."""
        device = self.device
        machine = device.machine
        with device.lock:
            return {
                "plugged": device.plugged,
                "stacker": len(machine.stacker),
                "place": machine.spot.name,
                "card": machine.card,
                "jammed": machine.jammed,
                "sticks": machine.halt is Halt.JAM,
                "entry": machine.entry,
                "given": len(machine.given),
                "bin": len(machine.bin),
                "bin_full": len(machine.bin) >= machine.bin_room,
                "bugs": machine.bugs,
                "illegal": list(device.illegal),
            }

    def presses(self, status: Answer) -> Sequence[Press]:
        """A hand at its gate, its stacker, its bin and its plug."""
        on = bool(status["plugged"])
        free = on and status["entry"] and status["place"] == "NONE"
        return (
            Press("插三代卡", "put", {"card": "v3"}, enabled=free),
            Press("取走卡", "take", enabled=status["place"] == "GATE"),
            Press("强拔卡", "tear", wrong=bool(status["jammed"]), enabled=bool(status["card"])),
            Press("加十张卡", "stack", {"count": "10"}, wrong=not status["stacker"]),
            Press("清空卡箱", "unstack", enabled=bool(status["stacker"])),
            Press(
                "清废卡箱" if status["bin_full"] else "废卡箱满",
                "bin",
                {"state": _BIN[not status["bin_full"]]},
                wrong=bool(status["bin_full"]),
            ),
            Press("卡住", "stick", chosen=bool(status["sticks"]), enabled=on),
            plug_press("dispenser", status),
        )

    def facts(self, status: Answer) -> Sequence[Fact]:
        """Where a card is, and how many there are in stacker and bin."""
        if not status["plugged"]:
            return (Fact("已拔出 · unplugged", good=False),)
        place = "卡住 · jammed" if status["jammed"] else _PLACES[status["place"]]
        return (
            Fact(place, good=False if status["jammed"] else None),
            Fact(f"卡箱 {status['stacker']} · 废卡 {status['bin']} · 已发 {status['given']}"),
            *(Fact(str(each), good=False) for each in status["illegal"][-1:]),
        )

    def configuration(self, announced: Answer) -> Mapping[str, Mapping[str, object]]:
        """The terminal's ``[dispenser]``."""
        return {"dispenser": {"driver": "crt-591", "port": announced["dispenser_port"]}}

    # --- what people do --------------------------------------------------------------------------

    def _did(self, act: Callable[[DispenserDevice], T]) -> T:
        device = self.device
        with device.lock:
            try:
                return act(device)
            except (CannotDo, UnknownCardError) as error:
                raise Refused(str(error)) from None

    def _do(self, act: Callable[[DispenserDevice], object]) -> Answer:
        self._did(act)
        return {}

    def _stack(self, question: Question) -> Answer:
        count = text(question, "count")
        if not (count.isascii() and count.isdecimal() and 1 <= int(count) <= 200):
            raise Refused("stack needs 'count': 1 to 200")
        self._did(lambda device: device.machine.stack(int(count)))
        return {"stacker": len(self.device.machine.stacker)}

    def _put(self, question: Question) -> Answer:
        card = text(question, "card")
        return self._do(lambda device: device.machine.put(card))

    def _bin(self, question: Question) -> Answer:
        if choice(question, "state", " ".join(_BIN)) == "empty":
            return self._do(lambda device: device.machine.empty_bin())
        return self._do(lambda device: device.machine.fill_bin())


def _stick(device: DispenserDevice) -> None:
    device.machine.halt = Halt.JAM
