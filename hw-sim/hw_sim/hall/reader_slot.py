"""A card slot of its own, a reader: behind the real ``pcscd`` with virtual readers or, where that
can't run, behind sockets that the terminal itself listens on (demonstrations only)."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from hw_sim.cards.faults import FaultSyntaxError
from hw_sim.cards.slots import CONTACT, PSAM, SlotError, Slots
from hw_sim.hall.control import Refused
from hw_sim.hall.slot import CardFaults, Way, known
from hw_sim.pcscd import CONTACT_READER, PSAM_READER, PcscdUnavailable, PcscdWorld

T = TypeVar("T")
log = logging.getLogger(__name__)


class _Places(Protocol):
    """Where cards are put; `SlotsClient` over a wire, `_OwnSlots` in this process."""

    def insert(self, name: str, slot: str = ..., challenge_seed: int | None = ...) -> None: ...

    def remove(self, slot: str = ...) -> str: ...

    def fault(self, text: str, slot: str = ...) -> None: ...

    def status(self) -> dict[str, Any]: ...


class _OwnSlots(Slots):
    def fault(self, text: str, slot: str = CONTACT) -> None:
        self.set_faults(text, slot)


class ReaderSlot:
    """`hw_sim.hall.slot.CardSlot` of a reader.

    Args:
        seed: of the cards' challenges; None draws them at random.
        direct: no pcscd.

    Attributes:
        csock_name: for ``PCSCLITE_CSOCK_NAME``; None without pcscd.
        direct: addresses that the terminal listens on; None with pcscd.
    """

    def __init__(self, seed: int | None, *, direct: bool) -> None:
        self._seed = seed
        self._world: PcscdWorld | None = None
        self._own: _OwnSlots | None = None
        self._faults = CardFaults(lambda text: self._ask(lambda: self._places.fault(text)))
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
        name = self._ask(self._places.status)["slots"][CONTACT]["card"]
        return None if name is None else str(name)

    @property
    def card_bugs(self) -> int:
        return int(self._ask(self._places.status)["bugs"])

    @property
    def way(self) -> Way:
        return Way.DIRECT if self._world is None else Way.PCSCD

    @property
    def announced(self) -> Mapping[str, object]:
        return {
            "csock_name": self.csock_name,
            "contact_reader": CONTACT_READER,
            "psam_reader": PSAM_READER,
            "direct": self.direct,
        }

    @property
    def faults_pending(self) -> int:
        return self._faults.pending

    def insert(self, name: str) -> None:
        name = known(name)
        if self.card is None:
            self._faults.card_comes()
        self._ask(lambda: self._places.insert(name, challenge_seed=self._seed))
        self._faults.card_came()

    def remove(self) -> None:
        self._ask(self._places.remove)
        self._faults.card_went()

    def set_fault(self, text: str) -> None:
        self._faults.set(text, card=self.card is not None)

    def set_reader(self, *, plugged: bool) -> None:
        """Refused where there is no pcscd."""
        world = self._with_world()
        if plugged != self.plugged:
            self._ask(world.plug_reader if plugged else world.unplug_reader)
            self.plugged = plugged

    def restart_service(self) -> None:
        self._ask(self._with_world().restart_daemon)

    def close(self) -> None:
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


def _free_ports(count: int) -> list[int]:
    # Held open together, so that they differ. Another program may still take one before the
    # terminal listens; it would say so.
    holders = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(holder.getsockname()[1]) for holder in holders]
    for holder in holders:
        holder.close()
    return ports
