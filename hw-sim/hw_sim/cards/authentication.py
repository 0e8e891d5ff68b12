"""INTERNAL and EXTERNAL AUTHENTICATE by the keys of one directory (domain facts §4.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hw_sim.cards import iso7816 as iso
from hw_sim.cards.application import Challenges
from hw_sim.cards.iso7816 import Command, Handler, SwError
from hw_sim.cards.keys import Algorithm, KeyName, authenticator
from hw_sim.cards.layout import KeySlot
from hw_sim.cards.memory import Memory
from hw_sim.cards.session import Session, Tries


class Authentication:
    """The keys of one directory.

    Args:
        name: of the directory; begins the words of its counters in the memory.
        subkey: the card's sub-key of a name, 16 bytes.
        tries: most wrong cryptograms in a row, for each key.
    """

    def __init__(
        self,
        memory: Memory,
        challenges: Challenges,
        session: Session,
        name: str,
        slots: Sequence[KeySlot],
        subkey: Callable[[KeyName], bytes],
        algorithm: Algorithm,
        *,
        tries: int,
    ) -> None:
        self._challenges = challenges
        self._session = session
        self._slots = {slot.kid: slot for slot in slots}
        self._subkey = subkey
        self._algorithm = algorithm
        self._tries = {
            slot.kid: Tries(memory, f"{name}.key.{slot.kid:02X}.tries", tries)
            for slot in slots
            if not slot.internal
        }
        self.handlers: Mapping[tuple[int, int], Handler] = {
            (0x00, 0x88): self._internal,
            (0x00, 0x82): self._external,
        }

    def issue(self) -> None:
        """All tries for every key."""
        for tries in self._tries.values():
            tries.left = tries.most

    def _internal(self, command: Command) -> bytes:
        """Data: factor(8), data(8) and optionally a key version."""
        slot = self._slot(command, internal=True)
        if len(command.data) not in (16, 17):
            raise SwError(iso.WRONG_LENGTH)
        factor, data = command.data[:8], command.data[8:16]
        return authenticator(self._subkey(slot.name), factor, data, self._algorithm)

    def _external(self, command: Command) -> bytes:
        """Data: cryptogram(8), original data(8); spends the latest challenge, right or wrong."""
        slot = self._slot(command, internal=False)
        if len(command.data) != 16:
            raise SwError(iso.WRONG_LENGTH)
        tries = self._tries[slot.kid]
        tries.need()
        challenge = self._challenges.spend(8)
        self._session.authenticated.discard(slot.kid)
        cryptogram, data = command.data[:8], command.data[8:]
        key = self._subkey(slot.name)
        tries.compare(cryptogram, authenticator(key, challenge, data, self._algorithm))
        self._session.authenticated.add(slot.kid)
        return b""

    def _slot(self, command: Command, *, internal: bool) -> KeySlot:
        if command.p1:
            raise SwError(iso.WRONG_P1_P2)
        slot = self._slots.get(command.p2)
        if slot is None or slot.internal is not internal:
            raise SwError(iso.REFERENCE_NOT_FOUND)
        return slot
