"""The same simulated cards, reached twice: in process, and through pcscd with virtual readers."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

from apdu.errors import CardAbsent, CardMute, CardRemoved, MalformedAnswer
from drivers.card_service import CardConnection, CardService, ReaderState
from drivers.events import Post
from drivers.pcsc.service import PcscService
from hw_sim.cards.catalogue import make_card
from hw_sim.cards.faults import Fault, FaultyContacts, parse_faults
from hw_sim.cards.iso7816 import Card
from hw_sim.cards.social_security import SocialSecurityCard
from hw_sim.pcscd import CONTACT_READER, PSAM_READER, PcscdWorld

CONTACT, PSAM = "Contact Reader", "PSAM Slot"
_PATIENCE = 10.0


class _Slot(NamedTuple):
    """Names of a slot at its far end, and in PC/SC."""

    name: str
    reader: str


_SLOTS = {CONTACT: _Slot("contact", CONTACT_READER), PSAM: _Slot("psam", PSAM_READER)}


class Backend(Protocol):
    """A contact slot and a PSAM in its slot, and a look at their far end."""

    service: CardService

    def insert(self, name: str, reader: str = CONTACT) -> None: ...
    def remove(self, reader: str = CONTACT) -> None: ...
    def fault(self, text: str, reader: str = CONTACT) -> None: ...
    def memory(self, name: str) -> Mapping[str, bytes]: ...
    def bugs(self) -> int: ...


class _Connection:
    """A card held in the hand: the faults of its schedule, then the card itself."""

    def __init__(self, backend: InProcess, reader: str, faulty: FaultyContacts) -> None:
        self._backend = backend
        self._faulty = faulty
        self.reader = reader
        self._closed = False
        faulty.card.power_on()

    @property
    def atr(self) -> bytes:
        return self._faulty.card.atr

    def transmit(self, command: bytes | bytearray) -> bytes:
        if self._closed:
            raise RuntimeError("the connection is closed")
        if self._backend.there(self.reader) is not self._faulty:
            raise CardRemoved
        reaction = self._faulty.exchange(bytes(command))
        if reaction.pulled:
            self._backend.remove(self.reader)
            raise CardRemoved
        if reaction.answer is None:
            raise CardMute
        if len(reaction.answer) < 2:
            raise MalformedAnswer
        return reaction.answer

    def reset(self) -> bytes:
        if self._backend.there(self.reader) is not self._faulty:
            raise CardRemoved
        self._faulty.card.reset()
        return self.atr

    def begin(self) -> None:
        pass

    def end(self) -> None:
        pass

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        yield

    def close(self) -> None:
        self._closed = True
        self._faulty.card.power_off()


class InProcess:
    """`CardService` over the simulated cards themselves, without sockets."""

    def __init__(self) -> None:
        self.service: CardService = self
        self._known: dict[str, Card] = {}
        self._slots: dict[str, FaultyContacts] = {}
        self._faults: dict[str, tuple[Fault, ...]] = {}
        self.insert("psam", PSAM)

    def there(self, reader: str) -> FaultyContacts | None:
        return self._slots.get(reader)

    def insert(self, name: str, reader: str = CONTACT) -> None:
        card = self._known.setdefault(name, make_card(name))
        self._slots[reader] = FaultyContacts(card, self._faults.get(reader, ()))

    def remove(self, reader: str = CONTACT) -> None:
        self._slots.pop(reader, None)

    def fault(self, text: str, reader: str = CONTACT) -> None:
        self._faults[reader] = parse_faults(text)
        if reader in self._slots:
            self._slots[reader].schedule(self._faults[reader])

    def memory(self, name: str) -> Mapping[str, bytes]:
        card = self._known[name]
        assert isinstance(card, SocialSecurityCard)
        return card.memory.words()

    def bugs(self) -> int:
        cards = (*self._known.values(), *(slot.card for slot in self._slots.values()))
        return sum(len(card.bugs) for card in {id(card): card for card in cards}.values())

    def start(self, post: Post) -> None:
        pass

    def stop(self) -> None:
        pass

    def readers(self) -> tuple[ReaderState, ...]:
        return tuple(ReaderState(name, name in self._slots, False, b"") for name in (CONTACT, PSAM))

    def answers(self, reader: str, seconds: float) -> bool:
        return True

    def connect(self, reader: str) -> CardConnection:
        faulty = self._slots.get(reader)
        if faulty is None:
            raise CardAbsent
        if len(faulty.card.atr) > 33:
            raise CardMute
        return _Connection(self, reader, faulty)


class ThroughPcscd:
    """The real driver, the real daemon, virtual readers."""

    def __init__(self, world: PcscdWorld) -> None:
        self._slots = world.slots
        self.service: CardService = PcscService()
        self.service.start(lambda event: None)
        self._await(lambda: bool(self.service.readers()))
        self._await(lambda: self._present(PSAM_READER) and not self._present(CONTACT_READER))

    def insert(self, name: str, reader: str = CONTACT) -> None:
        slot = _SLOTS[reader]
        self._slots.insert(name, slot.name)
        self._await(lambda: self._slots.status()["slots"][slot.name]["noticed"])
        self.await_card(reader)

    def await_card(self, reader: str = CONTACT) -> None:
        """Until the service shows the card that is in."""
        self._await(lambda: self._present(_SLOTS[reader].reader))

    def remove(self, reader: str = CONTACT) -> None:
        slot = _SLOTS[reader]
        if self._slots.status()["slots"][slot.name]["card"] is not None:
            self._slots.remove(slot.name)
        self._await(lambda: not self._present(slot.reader))

    def fault(self, text: str, reader: str = CONTACT) -> None:
        self._slots.fault(text, _SLOTS[reader].name)

    def memory(self, name: str) -> Mapping[str, bytes]:
        return self._slots.memory(name)

    def bugs(self) -> int:
        return int(self._slots.status()["bugs"])

    def _present(self, name: str) -> bool:
        return any(state.name == name and state.present for state in self.service.readers())

    def _await(self, condition) -> None:  # type: ignore[no-untyped-def]
        deadline = time.monotonic() + _PATIENCE
        while not condition():
            assert time.monotonic() < deadline, "the reader did not notice in time"
            time.sleep(0.005)
