"""A desk with one card in the contact slot and a PSAM in its own, on either wire.

What a scenario may see of the far end (the card's memory, its PIN tries) is asked of whoever holds
the cards: the simulator in this process, or the process behind pcscd.
"""

from __future__ import annotations

from collections.abc import Mapping

from apdu.card import SocialSecurityCard
from apdu.custodian import Custodian
from apdu.transport import Transport
from drivers.card_service import find_reader
from kiosk.card_station import PsamInReader
from tests.kiosk.card_backends import CONTACT, PSAM, Backend

_TRIES = "pin.tries"
_COUNTERS = ".tries"


class Bench:
    """One card and its surroundings.

    Args:
        backend: the slots.
        name: of the card in the simulator's catalogue; it is put in.
        faults: of the contact slot (`hw_sim.cards.faults`), counted from the card's first command.
        psam_faults: of the PSAM slot, from its next command.

    Attributes:
        custodian: asks the PSAM, and opens its slot again after a fault.
        transport: the connection to the card.
    """

    def __init__(
        self, backend: Backend, name: str, faults: str = "", psam_faults: str = ""
    ) -> None:
        self._backend = backend
        self.name = name
        self._transport: Transport | None = None
        self._psam = PsamInReader(backend.service, PSAM)
        self.custodian: Custodian = self._psam
        backend.insert(name)
        self.faults(faults)
        self.psam_faults(psam_faults)

    @property
    def transport(self) -> Transport:
        if self._transport is None:
            self._transport = self._backend.service.connect(self._reader(CONTACT))
        return self._transport

    def open(self) -> SocialSecurityCard:
        """The card's application, selected."""
        return SocialSecurityCard.open(self.transport)

    def again(self) -> SocialSecurityCard:
        """The same, after a power cycle."""
        self.power_off()
        return self.open()

    def power_off(self) -> None:
        """Give the card back; it stays in its slot, and the next use powers it anew."""
        if self._transport is not None:
            self._transport.close()
        self._transport = None

    def put_in(self, name: str | None = None) -> None:
        """Take out what is in, and put in this card, or the same again; without faults."""
        self.power_off()
        self._backend.remove()
        self.name = name or self.name
        self._backend.insert(self.name)
        self.faults("")

    def take_out(self) -> None:
        self.power_off()
        self._backend.remove()

    def faults(self, text: str) -> None:
        """Another schedule, counted from the next command on."""
        self._backend.fault(text)

    def psam_faults(self, text: str) -> None:
        """The same for the PSAM."""
        self._backend.fault(text, PSAM)

    def take_psam(self) -> None:
        """Pull the PSAM, under whoever holds its connection."""
        self._backend.remove(PSAM)

    def put_psam(self) -> None:
        self._backend.insert("psam", PSAM)

    def memory(self, name: str | None = None) -> Mapping[str, bytes]:
        """What the card holds for good, without its counters."""
        words = self._backend.memory(name or self.name)
        return {word: value for word, value in words.items() if not word.endswith(_COUNTERS)}

    @property
    def counters(self) -> Mapping[str, int]:
        """Tries left, such as ``SSSE.key.0A.tries``, by word of the memory."""
        words = self._backend.memory(self.name)
        return {word: value[0] for word, value in words.items() if word.endswith(_COUNTERS)}

    @property
    def pin_tries(self) -> int:
        return self.counters[_TRIES]

    def close(self) -> None:
        """Give all back."""
        self.power_off()
        self._psam.close()

    def _reader(self, part: str) -> str:
        return find_reader(self._backend.service.readers(), part).name
