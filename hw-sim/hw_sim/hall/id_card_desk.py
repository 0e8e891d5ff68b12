"""The resident ID reader in the hall, and the cards that visitors lay on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hw_sim.hall.client import Answer
from hw_sim.hall.control import Refused
from hw_sim.hall.desk import Fact, Press, Verb, Word
from hw_sim.hall.plugged_desk import PLUG, PluggedDesk, plug_press
from hw_sim.hall.questions import Question, Questions, text
from hw_sim.id_reader.cards import id_card, names
from hw_sim.id_reader.device import FAULTS, READ_FAULTS, IdReaderDevice

_CARDS = {
    "citizen": "居民身份证",
    "expired": "过期身份证",
    "permit-hongkong": "港澳居住证",
    "foreigner": "外国人永居",
    "other": "其他卡",
}
"""On the dock; the others can be typed."""


class IdCardDesk(PluggedDesk[IdReaderDevice]):
    """`hw_sim.hall.desk.Desk` of the ID reader."""

    name = "id_reader"
    title = "身份证 · ID reader"
    verbs: Sequence[Verb] = (
        Verb(
            "idcard",
            "lay an ID card on the reader",
            (Word("card", f"resident:N, {', '.join(names())}"),),
        ),
        Verb("idcard-off", "take the ID card away"),
        Verb(
            "id-reader",
            "plug the ID reader in or out",
            (PLUG,),
        ),
    )
    faults = f"{', '.join(FAULTS)}; counting what is read: {', '.join(READ_FAULTS)}"

    def __init__(self) -> None:
        self.questions: Questions = {
            "idcard": self._put,
            "idcard-off": self._take_away,
            "id-reader": self.switch,
        }

    def open(self, run: Path, state: Path) -> Answer:
        self._device = IdReaderDevice(run / "id-reader")
        self._device.plug()
        return {"id_reader_port": str(self._device.link)}

    def status(self) -> Answer:
        reader = self.device
        return {
            "plugged": reader.plugged,
            "card": reader.lying,
            "cards_read": reader.cards_read,
            "illegal": list(reader.illegal),
        }

    def presses(self, status: Answer) -> Sequence[Press]:
        plugged, lying = bool(status["plugged"]), status["card"]
        cards = tuple(
            Press(label, "idcard", {"card": card}, chosen=card == lying, enabled=plugged)
            for card, label in _CARDS.items()
        )
        return (
            *cards,
            Press("拿走身份证", "idcard-off", enabled=bool(lying)),
            plug_press("id-reader", status),
        )

    def facts(self, status: Answer) -> Sequence[Fact]:
        if not status["plugged"]:
            return (Fact("未连接 · unplugged", good=False),)
        lying = status["card"] or "空 · empty"
        read = Fact(f"{lying} · 已读 {status['cards_read']}")
        return (read, *(Fact(str(each), good=False) for each in status["illegal"][-1:]))

    def configuration(self, announced: Answer) -> Mapping[str, Mapping[str, object]]:
        return {"id_reader": {"driver": "sam-v", "port": announced["id_reader_port"]}}

    def _put(self, question: Question) -> Answer:
        name = text(question, "card")
        try:
            card = id_card(name)
        except LookupError:
            raise Refused(f"{name!r} is no ID card; citizen is one") from None
        self.device.put(card)
        return {"card": name}

    def _take_away(self, question: Question) -> Answer:
        self.device.take_away()
        return {}
