"""The case of the hall's terminal: who opens it, who stands before it, and what its lights show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hw_sim.hall.client import Answer
from hw_sim.hall.desk import Fact, Press, Verb, Word
from hw_sim.hall.plugged_desk import PLUG, PluggedDesk, plug_press, toggle
from hw_sim.hall.questions import Question, Questions, choice
from hw_sim.sensors import LIGHTS, SLOTS, Inputs, SensorDevice

_SHOWN = dict(zip(LIGHTS, ("灭", "亮", "闪"), strict=True))
_SLOTS = dict(zip(SLOTS, ("卡口", "凭条口", "证明口"), strict=True))


class SensorsDesk(PluggedDesk[SensorDevice]):
    """The sensor board, and what happens to the case."""

    name = "sensors"
    title = "机箱与灯 · case"
    verbs: Sequence[Verb] = (
        Verb(
            "case-door",
            "open or close the service door",
            (Word("state", "how", ("open", "closed")),),
        ),
        Verb("tamper", "open or close the tamper loop", (Word("state", "how", ("on", "off")),)),
        Verb("presence", "somebody comes, or goes", (Word("state", "how", ("on", "off")),)),
        Verb("sensors", "the board's plug", (PLUG,)),
    )
    faults = "sensors: N counts its answers to commands; the words of every wire"

    def __init__(self) -> None:
        self.questions: Questions = {
            "case-door": lambda asked: self._input(asked, Inputs.DOOR_OPEN, "open closed"),
            "tamper": lambda asked: self._input(asked, Inputs.TAMPER_OPEN, "on off"),
            "presence": lambda asked: self._input(asked, Inputs.PRESENT, "on off"),
            "sensors": self.switch,
        }

    def open(self, run: Path, state: Path) -> Answer:
        self._device = SensorDevice(run / "sensors")
        self.device.plug()
        return {"sensors_port": str(self.device.link)}

    def status(self) -> Answer:
        device = self.device
        inputs = device.machine.inputs
        return {
            "plugged": device.plugged,
            "door": "open" if inputs & Inputs.DOOR_OPEN else "closed",
            "tamper": "on" if inputs & Inputs.TAMPER_OPEN else "off",
            "presence": "on" if inputs & Inputs.PRESENT else "off",
            "lights": device.machine.lights,
            "illegal": list(device.illegal),
        }

    def presses(self, status: Answer) -> Sequence[Press]:
        open_, tamper, here_ = (
            status["door"] == "open", status["tamper"] == "on", status["presence"] == "on"
        )  # fmt: skip
        return (
            Press("来人" if not here_ else "离开", "presence",
                  {"state": "off" if here_ else "on"}, chosen=here_),
            toggle("case-door", open_, ("open", "打开检修门"), ("closed", "关上检修门")),
            toggle("tamper", tamper, ("on", "撬开机箱"), ("off", "机箱复原")),
            plug_press("sensors", status),
        )  # fmt: skip

    def facts(self, status: Answer) -> Sequence[Fact]:
        wrong = [
            words
            for words, there in (
                ("传感器已拔掉", not status["plugged"]),
                ("机箱被撬开", status["tamper"] == "on"),
                ("检修门开着", status["door"] == "open"),
            )
            if there
        ]
        lights = "  ".join(
            f"{_SLOTS[slot]} {_SHOWN[light]}" for slot, light in status["lights"].items()
        )
        return (Fact("  ".join(wrong) or "正常", not wrong), Fact(f"灯  {lights}"))

    def configuration(self, announced: Answer) -> Mapping[str, Mapping[str, object]]:
        return {"sensors": {"port": announced["sensors_port"]}}

    def _input(self, question: Question, which: Inputs, states: str) -> Answer:
        on = choice(question, "state", states) == states.split()[0]
        self.device.set_input(which, on=on)
        return {}
