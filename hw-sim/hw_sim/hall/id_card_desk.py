"""The resident ID reader in the hall, and the cards that visitors lay on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from hw_sim.hall.client import Answer
from hw_sim.hall.control import Refused
from hw_sim.hall.desk import Fact, Press, Verb, Word
from hw_sim.hall.questions import Question, Questions, choice, here, text
from hw_sim.id_cards import id_card, names
from hw_sim.id_reader import FAULTS, READ_FAULTS, IdReaderDevice

_CARDS = {
    "citizen": "居民身份证",
    "expired": "过期身份证",
    "permit-hongkong": "港澳居住证",
    "foreigner": "外国人永居",
    "other": "其他卡",
}
"""On the dock; the others can be typed."""


class IdCardDesk:
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
            "id_reader",
            "plug the ID reader in or out",
            (Word("state", "what to do", ("plugged", "unplugged")),),
        ),
    )
    faults = f"{', '.join(FAULTS)}; counting what is read: {', '.join(READ_FAULTS)}"

    def __init__(self) -> None:
        self.reader: IdReaderDevice | None = None
        self.questions: Questions = {
            "idcard": self._put,
            "idcard-off": self._take_away,
            "id_reader": self._switch,
        }

    def open(self, run: Path, state: Path) -> Answer:
        self.reader = IdReaderDevice(run / "id-reader")
        self.reader.plug()
        return {"id_reader_port": str(self.reader.link)}

    def close(self) -> None:
        if self.reader is not None:
            self.reader.unplug()
            self.reader = None

    def status(self) -> Answer:
        reader = here(self.reader)
        return {
            "plugged": reader.plugged,
            "card": reader.lying,
            "cards_read": reader.cards_read,
            "illegal": list(reader.illegal),
        }

    def set_fault(self, text: str) -> None:
        here(self.reader).set_fault(text)

    @property
    def faults_pending(self) -> int:
        return here(self.reader).faults_pending

    def presses(self, status: Answer) -> Sequence[Press]:
        plugged, lying = bool(status["plugged"]), status["card"]
        cards = tuple(
            Press(label, "idcard", {"card": card}, chosen=card == lying, enabled=plugged)
            for card, label in _CARDS.items()
        )
        state = "unplugged" if plugged else "plugged"
        plug = Press(
            "拔下" if plugged else "插上", "id_reader", {"state": state}, wrong=not plugged
        )
        return (*cards, Press("拿走身份证", "idcard-off", enabled=bool(lying)), plug)

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
        here(self.reader).put(card)
        return {"card": name}

    def _take_away(self, question: Question) -> Answer:
        here(self.reader).take_away()
        return {}

    def _switch(self, question: Question) -> Answer:
        reader = here(self.reader)
        if choice(question, "state", "plugged unplugged") == "plugged":
            reader.plug()
        else:
            reader.unplug()
        return {}
