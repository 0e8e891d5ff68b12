"""The card slot of the hall: which card is in it, and the reader and service behind it.

Two ways to a terminal: the real ``pcscd`` with virtual readers, or, where that can't run, sockets
that the terminal itself listens on (the terminal's direct driver, demonstrations only).
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from hw_sim.cards.catalogue import UnknownCardError, canonical_name
from hw_sim.cards.faults import FaultSyntaxError, parse_faults
from hw_sim.cards.image import traps
from hw_sim.cards.slots import CONTACT, PSAM, SlotError, Slots
from hw_sim.hall.control import Refused
from hw_sim.pcscd import CONTACT_READER, PSAM_READER, PcscdUnavailable, PcscdWorld

T = TypeVar("T")
log = logging.getLogger(__name__)

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


class _Places(Protocol):
    """Where cards are put; `SlotsClient` over a wire, `_OwnSlots` in this process."""

    def insert(self, name: str, slot: str = ..., challenge_seed: int | None = ...) -> None: ...

    def remove(self, slot: str = ...) -> str: ...

    def fault(self, text: str, slot: str = ...) -> None: ...

    def status(self) -> dict[str, Any]: ...


class _OwnSlots(Slots):
    def fault(self, text: str, slot: str = CONTACT) -> None:
        self.set_faults(text, slot)


class CardSlot:
    """The slot for the residents' cards.

    Args:
        seed: of the cards' challenges; None draws them at random.
        direct: no pcscd.

    Attributes:
        csock_name: for ``PCSCLITE_CSOCK_NAME``; None without pcscd.
        contact_reader, psam_reader: PC/SC names.
        direct: addresses that the terminal listens on; None with pcscd.
        plugged: whether the reader is plugged in.

    A schedule of faults is for the card in the slot, or for the next one; it ends with that card.
    """

    contact_reader = CONTACT_READER
    psam_reader = PSAM_READER

    def __init__(self, seed: int | None, *, direct: bool) -> None:
        self._seed = seed
        self._world: PcscdWorld | None = None
        self._own: _OwnSlots | None = None
        self._faults = ""
        self._faults_met_card = False
        self.csock_name: str | None = None
        self.direct: dict[str, str] | None = None
        self.plugged = True
        if not direct:
            try:
                self._start_world()
            except PcscdUnavailable as error:
                log.warning(
                    "NO PCSCD: %s. Cards connect to the terminal's own sockets instead; that is "
                    "not how a terminal of the field reads cards.",
                    error,
                )
        if self._world is None:
            self._start_direct()

    def _start_world(self) -> None:
        world = PcscdWorld()
        world.start()
        self._world, self._places = world, world.slots
        self.csock_name = world.csock_name

    def _start_direct(self) -> None:
        contact, psam = _free_ports(2)
        self.direct = {"contact": f"127.0.0.1:{contact}", "psam": f"127.0.0.1:{psam}"}
        self._own = self._places = _OwnSlots(
            {CONTACT: ("127.0.0.1", contact), PSAM: ("127.0.0.1", psam)}
        )
        self._own.insert("psam", PSAM)

    _places: _Places

    @property
    def card(self) -> str | None:
        """Name of the card in the slot."""
        name = self._ask(self._places.status)["slots"][CONTACT]["card"]
        return None if name is None else str(name)

    @property
    def card_bugs(self) -> int:
        """How often a simulated card broke inside, and answered 6F00."""
        return int(self._ask(self._places.status)["bugs"])

    @property
    def service(self) -> str:
        """What is behind the reader: ``pcscd`` or ``direct``."""
        return "direct" if self._world is None else "pcscd"

    @property
    def faults_pending(self) -> int:
        """Entries of the schedule in force."""
        return len(parse_faults(self._faults))

    def insert(self, name: str) -> None:
        """Put a card in.

        Raises:
            Refused: no such card, or the slot is not empty.
        """
        name = _known(name)
        if self._faults_met_card and self.card is None:
            self._set(faults="")
        self._ask(lambda: self._places.insert(name, challenge_seed=self._seed))
        self._faults_met_card = True

    def remove(self) -> None:
        """Take the card out, or tear it out.

        Raises:
            Refused: there is none.
        """
        self._ask(self._places.remove)
        self._set(faults="")

    def set_fault(self, text: str) -> None:
        """Schedule faults (`hw_sim.cards.faults`); ``none`` forgets them.

        Raises:
            Refused: it can't be read.
        """
        self._set("" if text == "none" else text)
        self._faults_met_card = self.card is not None

    def _set(self, faults: str) -> None:
        if faults == self._faults == "":
            return
        self._ask(lambda: self._places.fault(faults))
        self._faults = faults
        self._faults_met_card = False

    def set_reader(self, *, plugged: bool) -> None:
        """Pull or push the reader's plug; nothing happens when it is so already.

        Raises:
            Refused: there is no pcscd.
        """
        world = self._with_world()
        if plugged != self.plugged:
            self._ask(world.plug_reader if plugged else world.unplug_reader)
            self.plugged = plugged

    def restart_service(self) -> None:
        """Kill pcscd and start it again; cards stay in their slots.

        Raises:
            Refused: there is no pcscd.
        """
        self._ask(self._with_world().restart_daemon)

    def close(self) -> None:
        """End everything."""
        if self._own is not None:
            self._own.close()
        if self._world is not None:
            self._world.stop()

    def _with_world(self) -> PcscdWorld:
        if self._world is None:
            raise Refused("there is no pcscd here; cards connect directly")
        return self._world

    @staticmethod
    def _ask(question: Callable[[], T]) -> T:
        try:
            return question()
        except (SlotError, FaultSyntaxError) as error:
            raise Refused(str(error)) from None
        except (PcscdUnavailable, OSError) as error:
            raise Refused(f"the card slots do not answer: {error}") from error


def listed() -> list[dict[str, str]]:
    """Every card, as the control socket tells it."""
    return [{"name": name, "zh": zh, "en": en} for name, zh, en in (*INSERTABLE, *FURTHER)]


def _known(name: str) -> str:
    try:
        found = canonical_name(name)
    except UnknownCardError:
        found = PSAM
    if found == PSAM:
        names = ", ".join(each for each, _, _ in (*INSERTABLE, *FURTHER))
        raise Refused(f"no card is called {name!r}; there is {names}")
    return found


def _free_ports(count: int) -> list[int]:
    # Held open together, so that they differ. Another program may still take one before the
    # terminal listens; it would say so.
    holders = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(holder.getsockname()[1]) for holder in holders]
    for holder in holders:
        holder.close()
    return ports
