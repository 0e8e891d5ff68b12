"""A simulated card behind our transport protocol, in this process: no reader, no service, no time.

The card is asked by function calls; what a reader would wait for passes on a virtual clock. Other
tests use it wherever a real chain of pcscd and vpcd would prove nothing more.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from apdu.errors import CardMute, CardRemoved
from hw_sim.cards.catalogue import make_card
from hw_sim.cards.iso7816 import Card

CHALLENGE_SEED = 7
DEADLINE_SECONDS = 8.0
"""As long as the kiosk's watchdog waits for a card (`kiosk.limits`)."""


@dataclass
class VirtualTime:
    """Seconds that would have passed."""

    seconds: float = 0.0


class CardInProcess:
    """A `Transport` to one powered card.

    Attributes:
        card: the simulated card, for a look at its memory.
        pulled: it is out of the reader; every command ends in CardRemoved.
        commands: what reached the card.
    """

    def __init__(self, card: Card, time: VirtualTime | None = None) -> None:
        self.card = card
        self.time = time or VirtualTime()
        self.pulled = False
        self.closed = False
        self.commands: list[bytes] = []
        card.power_on()

    @property
    def atr(self) -> bytes:
        return self.card.atr

    def transmit(self, command: bytes | bytearray) -> bytes:
        """The card's answer. A card that stays silent costs the deadline, then it is mute."""
        self._present()
        self.commands.append(bytes(command))
        answer = self.card.execute(bytes(command))
        if answer is None:
            self.time.seconds += DEADLINE_SECONDS
            raise CardMute("no answer within the deadline")
        return answer

    def reset(self) -> bytes:
        self._present()
        self.card.reset()
        return self.card.atr

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.card.power_off()

    def pull(self) -> None:
        """The card leaves the reader between two commands."""
        self.pulled = True
        self.card.power_off()

    def tear(self, command: bytes | bytearray, at_write: int | None = None) -> None:
        """The card leaves the reader while it works on `command`: at its write of this number,
        from 1, or after its last."""
        self.commands.append(bytes(command))
        self.pulled = True
        self.card.tear(bytes(command), at_write)

    def _present(self) -> None:
        assert not self.closed, "a closed connection was used"
        if self.pulled:
            raise CardRemoved("the card is gone")


def insert(name: str, time: VirtualTime | None = None) -> CardInProcess:
    """A card of the simulator's catalogue, fresh from issuance, with its usual challenges."""
    return CardInProcess(make_card(name, challenge_seed=CHALLENGE_SEED), time)


@dataclass
class CountingRandom:
    """Our own "random" bytes: the same in each run, never twice the same in one."""

    drawn: int = field(default=0)

    def __call__(self, size: int) -> bytes:
        self.drawn += 1
        return bytes((self.drawn,)) * size
