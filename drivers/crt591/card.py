"""One powered card in a CRT-591, as another transport under the same channel."""

from __future__ import annotations

from contextlib import AbstractContextManager

from apdu.errors import CardError, CardMute, CardRemoved, CardReset, MalformedAnswer
from drivers.card_service import Exclusively
from drivers.crt591.contacts import Contacts
from drivers.worker import given_up


class Crt591Connection:
    """A `CardConnection`. The dispenser is used by this terminal alone, so that a transaction keeps
    nobody away but says where one begins.

    A PIN on its way to the card is copied to the frame, which is wiped, and by the system's own
    buffers below the serial port, which are out of our reach.

    An error other than `CardReset` and `MalformedAnswer` ends the connection: the same error
    answers every later call.
    """

    def __init__(self, reader: str, contacts: Contacts) -> None:
        """Power the card; see `CardService.connect` for the errors."""
        self._reader = reader
        self._contacts = contacts
        self._over: type[CardError] | None = None
        self._open = True
        self._in_transaction = False
        self._atr = self._contacts.power()
        self._remember()

    @property
    def reader(self) -> str:
        return self._reader

    @property
    def atr(self) -> bytes:
        return self._atr

    def transmit(self, command: bytes | bytearray) -> bytes:
        self._usable()
        if self._contacts.resets != self._resets:
            raise CardReset("the card was reset over another connection")
        try:
            return self._contacts.exchange(command)
        except (CardReset, MalformedAnswer):
            raise
        except CardError as error:
            self._over = type(error)
            raise

    def reset(self) -> bytes:
        self._usable()
        try:
            self._atr = self._contacts.warm()
        except CardError as error:
            self._over = type(error)
            raise
        self._remember()
        return self._atr

    def begin(self) -> None:
        if self._in_transaction:
            raise RuntimeError("a transaction is open already")
        self._usable()
        self._in_transaction = True

    def end(self) -> None:
        self._in_transaction = False

    def transaction(self) -> AbstractContextManager[None]:
        return Exclusively(self)

    def close(self) -> None:
        if not self._open:
            return
        self._open = False
        self.end()
        # A card that another connection has powered since is not ours any more.
        if (self._contacts.resets, self._contacts.moves) == (self._resets, self._moves):
            self._contacts.off()

    def _remember(self) -> None:
        self._resets, self._moves = self._contacts.resets, self._contacts.moves

    def _usable(self) -> None:
        if not self._open:
            raise RuntimeError("the connection is closed")
        if self._over is not None:
            raise self._over("the connection ended with an earlier call")
        if given_up():
            raise CardMute("no answer within the deadline")
        if self._contacts.moves != self._moves:
            raise CardRemoved("the card of this connection was moved away")
