"""The cards of a CRT-591 as readers of a `CardService`: its contacts, its antenna and its SAMs.

People's cards are taken in while the service reports; a card that stands at the gate counts as
present until it is taken or captured, so that nobody else is served before.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

from apdu.errors import CardError, ReaderGone
from drivers.card_service import CardConnection, ReaderState
from drivers.crt591.card import Crt591Connection
from drivers.crt591.contacts import Contacts, RfContacts, SamContacts
from drivers.crt591.device import Crt591
from drivers.dispenser import CardPlace, DispenserError, DispenserReason, NoCard
from drivers.events import CardInserted, CardMuted, CardTaken, Post, ReaderAttached, ReaderDetached

log = logging.getLogger(__name__)

CONTACT = "CRT-591 Contact"
ANTENNA = "CRT-591 Antenna"
SAM = "CRT-591 SAM"
"""Parts of the readers' names; a SAM's slot follows, counted from 1."""


@dataclass(frozen=True)
class Crt591CardTimes:
    """Delays in seconds.

    Attributes:
        poll: between two looks at the card.
        misses: looks without an answer after which the dispenser counts as gone.
        stop: how long `stop` waits for the thread.
    """

    poll: float = 0.4
    misses: int = 3
    stop: float = 1.0


class Crt591Cards:
    """`CardService` on a dispenser, which others may move cards with meanwhile.

    Args:
        takes_in: people insert their cards, and find them at the gate when the service stops; False
            where the dispenser only issues, or is only looked at.
        antenna: it has one.
        sams: its SAM slots are used.
    """

    def __init__(
        self,
        dispenser: Crt591,
        times: Crt591CardTimes | None = None,
        *,
        takes_in: bool = True,
        antenna: bool = False,
        sams: bool = True,
    ) -> None:
        self._dispenser = dispenser
        self._times = times or Crt591CardTimes()
        self._takes_in = takes_in
        self._contacts: dict[str, Contacts] = {CONTACT: dispenser.contacts}
        for number in range(1, dispenser.facts["sam"]["slots"] + 1 if sams else 1):
            self._contacts[f"{SAM} {number}"] = SamContacts(dispenser, number)
        if antenna:
            self._contacts[ANTENNA] = RfContacts(dispenser)
        self._states: dict[str, ReaderState] = {}
        self._place = CardPlace.UNKNOWN
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, post: Post) -> None:
        if self._thread is not None:
            raise RuntimeError("the service reports already")
        self._stopping.clear()
        self._thread = threading.Thread(
            target=self._watch, args=(post,), name="card dispenser", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(self._times.stop)

    def readers(self) -> tuple[ReaderState, ...]:
        with self._lock:
            return tuple(self._states.values())

    def connect(self, reader: str) -> CardConnection:
        contacts = self._contacts.get(reader)
        if contacts is None:
            raise ReaderGone(f"no reader {reader!r}")
        return Crt591Connection(reader, contacts)

    def answers(self, reader: str, seconds: float) -> bool:
        return reader not in self._contacts or self._dispenser.free_within(seconds)

    # --- looking ---------------------------------------------------------------------------------

    def _watch(self, post: Post) -> None:
        missed = 0
        while not self._stopping.is_set():
            try:
                status = self._dispenser.status()
                gone = status.reason is DispenserReason.GONE
                missed = missed + 1 if gone else 0
                if missed >= self._times.misses:
                    self._detach(post)
                elif not gone:
                    self._attach(post)
                    self._see(status.place, post)
                    if status.place is CardPlace.NONE and self._takes_in:
                        self._let_in()
            except (ReaderGone, DispenserError) as error:
                log.info("the dispenser did not show its card: %s", type(error).__name__)
            except Exception:
                # Whatever it was: a terminal that no longer sees cards must not stay so.
                log.exception("a look at the dispenser's card failed")
            self._stopping.wait(self._times.poll)
        if self._takes_in:
            self._end()

    def _end(self) -> None:
        """Nobody's card stays where no hand reaches it."""
        try:
            self._dispenser.allow_insertion(False)
            self._dispenser.hold_at_gate()
        except NoCard:
            return
        except DispenserError as error:
            log.info("the dispenser stays as it is: %s", type(error).__name__)

    def _attach(self, post: Post) -> None:
        if self._states:
            return
        for name in self._contacts:
            # A SAM is built in; whether it, or what is at the antenna, answers shows when it is
            # powered.
            self._note(ReaderState(name, name != CONTACT, False, b""))
            post(ReaderAttached(name))
        self._place = CardPlace.UNKNOWN

    def _detach(self, post: Post) -> None:
        for name in list(self._states):
            with self._lock:
                del self._states[name]
            post(ReaderDetached(name))

    def _see(self, place: CardPlace, post: Post) -> None:
        if place is self._place:
            return
        before = self._states[CONTACT]
        # A card that is seen first when the dispenser is.
        found = self._place is CardPlace.UNKNOWN
        match place:
            case CardPlace.NONE:
                self._note(ReaderState(CONTACT, False, False, b""))
                if before.present:
                    post(CardTaken(CONTACT, self._dispenser.kept))
            case CardPlace.INSIDE:
                atr = self._look_at_card()
                self._note(ReaderState(CONTACT, True, not atr, atr))
                if before.atr != atr or not before.present:
                    found = found and not before.present
                    came = CardInserted(CONTACT, atr, found) if atr else CardMuted(CONTACT, found)
                    post(came)
            case CardPlace.AT_GATE | CardPlace.UNKNOWN:
                # One that was used and is given back is not news; one that was there before us is,
                # and can't be powered where it stands.
                if not before.present:
                    self._note(ReaderState(CONTACT, True, True, b""))
                    post(CardMuted(CONTACT, found))
        self._place = place

    def _let_in(self) -> None:
        """Whoever gave a card back has forbidden it meanwhile."""
        if not self._dispenser.takes_cards:
            self._dispenser.allow_insertion(True)

    def _look_at_card(self) -> bytes:
        """Its ATR, empty where it gives none. Raises ReaderGone."""
        try:
            return self._dispenser.contacts.look()
        except ReaderGone:
            raise
        except CardError:
            return b""

    def _note(self, state: ReaderState) -> None:
        with self._lock:
            self._states[state.name] = state
