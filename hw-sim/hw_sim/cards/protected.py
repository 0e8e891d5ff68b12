"""Commands under secure messaging (domain facts §3.2): PIN unblock and reload, and the blocks.

The MAC is under a process key of the transport key (STK) and the card's latest challenge, which
is spent, right or wrong. APPLICATION BLOCK and CARD BLOCK are coded as PBOC does it [M].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hw_sim.cards import iso7816 as iso
from hw_sim.cards.application import Challenges
from hw_sim.cards.image import State
from hw_sim.cards.iso7816 import Command, Handler, SwError
from hw_sim.cards.keys import Algorithm, block_size, decrypt, mac, process_key
from hw_sim.cards.memory import Memory
from hw_sim.cards.pin import Pin
from hw_sim.cards.session import Session, Tries

PUK_KID = 0x06
_MAC = 4
_STATES = tuple(State)


class Lifecycle:
    """Whether the application and the card still serve."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    def issue(self, state: State, *, card_blocked: bool) -> None:
        """Writes the first state."""
        self.state = state
        self._memory.write("card.blocked", card_blocked)

    @property
    def state(self) -> State:
        return _STATES[self._memory.count("ssse.state")]

    @state.setter
    def state(self, state: State) -> None:
        self._memory.write("ssse.state", _STATES.index(state))

    @property
    def card_blocked(self) -> bool:
        return bool(self._memory.count("card.blocked"))

    def block_card(self) -> None:
        """For good."""
        self._memory.write("card.blocked", 1)


class ProtectedCommands:
    """The commands of the SSSE whose CLA is 84.

    Args:
        subkey: the card's STK_SSSE, 16 bytes.
        tries: most wrong MACs in a row.
    """

    def __init__(
        self,
        memory: Memory,
        challenges: Challenges,
        session: Session,
        pin: Pin,
        lifecycle: Lifecycle,
        subkey: Callable[[], bytes],
        algorithm: Algorithm,
        *,
        tries: int,
    ) -> None:
        self._challenges = challenges
        self._session = session
        self._pin = pin
        self._lifecycle = lifecycle
        self._subkey = subkey
        self._algorithm = algorithm
        self._tries = Tries(memory, "stk.tries", tries)
        self.handlers: Mapping[tuple[int, int], Handler] = {
            (0x84, 0x24): self._renew_pin,
            (0x84, 0x1E): self._block_application,
            (0x84, 0x16): self._block_card,
        }
        self.handlers_while_blocked: Mapping[tuple[int, int], Handler] = {
            (0x84, 0x18): self._unblock_application,
        }

    def issue(self) -> None:
        """All tries."""
        self._tries.left = self._tries.most

    def _renew_pin(self, command: Command) -> bytes:
        """84 24: P2 00 gives the old PIN its tries back, P2 01 loads a new one."""
        if command.p1 or command.p2 > 1:
            raise SwError(iso.WRONG_P1_P2)
        reloads = command.p2 == 1
        _need_length(command, block_size(self._algorithm) if reloads else 0)
        if PUK_KID not in self._session.authenticated:
            raise SwError(iso.SECURITY_STATUS)
        block = self._unwrapped(command)
        if reloads:
            self._pin.reload(block)
        else:
            self._pin.unblock()
        return b""

    def _block_application(self, command: Command) -> bytes:
        """84 1E: P2 00 until it is unblocked, P2 01 for good."""
        if command.p1 or command.p2 > 1:
            raise SwError(iso.WRONG_P1_P2)
        _need_length(command, 0)
        self._unwrapped(command)
        self._lifecycle.state = State.DEAD if command.p2 else State.BLOCKED
        return b""

    def _unblock_application(self, command: Command) -> bytes:
        if command.p1 or command.p2:
            raise SwError(iso.WRONG_P1_P2)
        _need_length(command, 0)
        self._unwrapped(command)
        self._lifecycle.state = State.ACTIVE
        return b""

    def _block_card(self, command: Command) -> bytes:
        if command.p1 or command.p2:
            raise SwError(iso.WRONG_P1_P2)
        _need_length(command, 0)
        self._unwrapped(command)
        self._lifecycle.block_card()
        return b""

    def _unwrapped(self, command: Command) -> bytes:
        """The plain data of a command whose MAC is right. Raises SwError(6983, 6984, 6988)."""
        self._tries.need()
        process = process_key(self._subkey(), self._challenges.spend(8), self._algorithm)
        enciphered, given = command.data[:-_MAC], command.data[-_MAC:]
        header = bytes((command.cla, command.ins, command.p1, command.p2, len(command.data)))
        zeros = bytes(block_size(self._algorithm))
        expected = mac(process, zeros, header + enciphered, self._algorithm)
        self._tries.compare(given, expected, wrong=iso.MAC_WRONG)
        return decrypt(process, enciphered, self._algorithm)


def _need_length(command: Command, enciphered: int) -> None:
    if not command.data:
        raise SwError(iso.MAC_MISSING)
    if len(command.data) != enciphered + _MAC:
        raise SwError(iso.WRONG_LENGTH)
