"""The slot for the residents' cards: which cards there are, and what is asked of any slot.

Three ways to a terminal: the real ``pcscd`` with virtual readers, sockets that the terminal itself
listens on where that can't run (`hw_sim.hall.reader_slot`), and the gate of a dispenser that takes
cards in (`hw_sim.hall.dispenser_slot`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Protocol

from hw_sim.cards.catalogue import UnknownCardError, canonical_name
from hw_sim.cards.faults import parse_faults
from hw_sim.cards.image import traps
from hw_sim.cards.slots import PSAM
from hw_sim.hall.control import Refused

INSERTABLE: Sequence[tuple[str, str, str]] = (
    ("v3", "三代社保卡", "third-generation social security card"),
    ("v2", "二代社保卡", "second-generation card"),
    ("v1", "一代社保卡", "first-generation card"),
    ("pin-locked", "密码已锁的卡", "its PIN is locked"),
    ("lost", "已挂失的卡", "reported lost at the platform"),
    ("cancelled", "已注销的卡", "cancelled at the platform"),
    ("clone", "复制的假卡", "a copy of the files without the keys"),
    ("unknown", "银行卡", "a card of another application"),
    ("mute", "无应答的卡", "no answer to reset"),
    ("silent", "中途沉默的卡", "answers reset, then nothing"),
    ("resident:N", "第 N 位居民的卡", "the card of demo resident N, 0..199"),
)
"""Name, Chinese and English of what residents bring."""

FURTHER: Sequence[tuple[str, str, str]] = (
    ("blank", "白卡", "third-generation blank; also blank:N"),
    ("bank", "加载银行应用的卡", "a bank's application owns the MF"),
    ("pki", "加载证书应用的卡", "with the certificate application"),
    ("expired", "已过有效期的卡", "past its date"),
    ("blocked", "应用已锁定的卡", "its application is blocked for now"),
    ("dead", "应用永久锁定的卡", "its application is blocked for good"),
    ("locked", "卡片已锁定的卡", "the whole card is blocked"),
    ("damaged", "数据有错的卡", "old issuance left bad data"),
    *((f"NAME+{trap.name}", trap.zh, trap.en) for trap in traps()),
)
"""What else there is, for the counter, for the shell and for tests; any card takes any traps."""


class Way(Enum):
    """What is behind the slot, as the hall announces it."""

    PCSCD = "pcscd"
    DIRECT = "direct"
    DISPENSER = "dispenser"


class CardSlot(Protocol):
    """The slot for the residents' cards.

    A schedule of faults is for the card in the slot, or for the next one; it ends with that card.
    What can't be done raises `hw_sim.hall.control.Refused`.
    """

    @property
    def way(self) -> Way: ...

    @property
    def announced(self) -> Mapping[str, object]:
        """What ``hall.json`` says of it: how a terminal reaches its cards."""

    @property
    def plugged(self) -> bool:
        """Whether the reader is plugged in."""

    @property
    def card(self) -> str | None:
        """Name of the card in the slot."""

    @property
    def card_bugs(self) -> int:
        """How often a simulated card broke inside, and answered 6F00."""

    @property
    def faults_pending(self) -> int:
        """Entries of the schedule in force."""

    def insert(self, name: str) -> None:
        """Put a card in; refused where there is no such card, or the slot is not empty."""

    def remove(self) -> None:
        """Take the card out, or tear it out; refused where there is none."""

    def set_fault(self, text: str) -> None:
        """Schedule faults (`hw_sim.cards.faults`); ``none`` forgets them. Refused where it can't
        be read."""

    def set_reader(self, *, plugged: bool) -> None:
        """Pull or push the reader's plug; nothing happens when it is so already."""

    def restart_service(self) -> None:
        """Kill pcscd and start it again; cards stay in their slots. Refused without pcscd."""

    def close(self) -> None:
        """End everything."""


class CardFaults:
    """The schedule of a slot.

    Args:
        apply: hands it to the card in the slot, and to those after it.
    """

    def __init__(self, apply: Callable[[str], object]) -> None:
        self._apply = apply
        self._text = ""
        self._met_card = False

    @property
    def pending(self) -> int:
        """Entries of the schedule in force."""
        return len(parse_faults(self._text))

    def set(self, text: str, *, card: bool) -> None:
        """Another schedule; `card` tells whether one is there, or the next is meant."""
        self._set("" if text == "none" else text)
        self._met_card = card

    def card_comes(self) -> None:
        """Before a card is put into the empty slot."""
        if self._met_card:
            self._set("")

    def card_came(self) -> None:
        """The schedule is that card's now."""
        self._met_card = True

    def card_went(self) -> None:
        """The schedule went with it."""
        self._set("")

    def _set(self, text: str) -> None:
        if text == self._text == "":
            return
        self._apply(text)
        self._text = text
        self._met_card = False


def listed() -> list[dict[str, str]]:
    """Every card, as the control socket tells it."""
    return [{"name": name, "zh": zh, "en": en} for name, zh, en in (*INSERTABLE, *FURTHER)]


def known(name: str) -> str:
    """The card's own name; refused where residents have no such card."""
    try:
        found = canonical_name(name)
    except UnknownCardError:
        found = PSAM
    if found == PSAM:
        names = ", ".join(each for each, _, _ in (*INSERTABLE, *FURTHER))
        raise Refused(f"no card is called {name!r}; there is {names}")
    return found
