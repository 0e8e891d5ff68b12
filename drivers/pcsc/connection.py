"""One card in one PC/SC reader."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager

from apdu.errors import (
    CardError,
    CardMute,
    CardRemoved,
    CardReset,
    MalformedAnswer,
    ReaderBusy,
)
from drivers.card_service import Exclusively
from drivers.pcsc import scard as pcsc
from drivers.pcsc.codes import CONTROL_UNKNOWN, Code, Presence, card_error, name_of, unsigned
from drivers.pcsc.context import Contexts
from drivers.worker import given_up

log = logging.getLogger(__name__)

# pcscd polls slots every 400 ms.
NOTICE_MS = 600


class PcscConnection:
    """A `CardConnection` on `smartcard.scard`, opened SHARED.

    It works on the context of its thread: pcsc-lite serialises all calls of one context, and a
    stuck transmit must not stop anybody else. In PC/SC nothing can cancel a transmit; whoever owns
    the connection watches the time and gives it up (`drivers.worker`). When the transmit comes
    back after all, nothing more is sent.

    An error other than `CardReset` and `ReaderBusy` ends the connection: the same error answers
    every later call, and what comes next begins with a new connection.

    A PIN on its way to the card is copied by what lies below us: into the list that pyscard wants
    (emptied after the call), its C buffer, libpcsclite's socket message and pcscd's memory. None
    of these outlives the call by our doing, and none can be reached by us to be zeroed.
    """

    def __init__(self, reader: str, scard: pcsc.Scard, contexts: Contexts) -> None:
        """Connect and power the card; see `CardService.connect` for the errors."""
        self._reader = reader
        self._scard = scard
        self._contexts = contexts
        self._atr = b""
        self._over: type[CardError] | None = None
        self._in_transaction = False
        self._card: int | None = None
        self._open = True
        try:
            self._card = self._connect()
            self._atr = self._read_atr()
        except BaseException:
            self.close()
            raise

    def _connect(self) -> int:
        """The handle of the powered card; a context of a service that died is tried anew once."""
        code = Code.S_SUCCESS.value
        for _ in range(2):
            self._context = self._contexts.get()
            code, card, self._protocol = self._scard.SCardConnect(
                self._context, self._reader, pcsc.SHARE_SHARED, pcsc.PROTOCOL_ANY
            )
            if code == Code.S_SUCCESS:
                return card
            if not self._contexts.distrust(code, self._context):
                break
        raise card_error(code, "SCardConnect", connected=False, look=self._look)

    @property
    def reader(self) -> str:
        return self._reader

    @property
    def atr(self) -> bytes:
        return self._atr

    def transmit(self, command: bytes | bytearray) -> bytes:
        card = self._usable()
        octets = list(command)
        try:
            code, answer = self._scard.SCardTransmit(card, self._protocol, octets)
        finally:
            octets.clear()
        if code != Code.S_SUCCESS:
            self._fail(code, "SCardTransmit")
        if not answer:
            # A card torn in the middle of a command: success, and nothing (pcscd with vpcd).
            self._over = CardRemoved
            raise CardRemoved("SCardTransmit: success without an answer")
        if len(answer) < 2:
            raise MalformedAnswer("answer of 1 byte, no status word")
        return bytes(answer)

    def control(self, code: int, data: bytes) -> bytes | None:
        """Speak to the reader itself; the card stays as it is.

        Args:
            code: of one of the reader's features.

        Returns:
            What the reader said; None when its driver knows no such code.

        Raises:
            CardError: as `transmit`.
        """
        card = self._usable()
        found, answer = self._scard.SCardControl(card, code, list(data))
        if unsigned(found) in CONTROL_UNKNOWN:
            return None
        if found != Code.S_SUCCESS:
            self._fail(found, "SCardControl")
        return bytes(answer)

    def reset(self) -> bytes:
        card = self._usable()
        # Reconnecting would heal a connection whose card was swapped, on to somebody else's card.
        code, *_ = self._scard.SCardStatus(card)
        if unsigned(code) not in (Code.S_SUCCESS, Code.W_RESET_CARD):
            self._fail(code, "SCardStatus")
        code, self._protocol = self._scard.SCardReconnect(
            card, pcsc.SHARE_SHARED, pcsc.PROTOCOL_ANY, pcsc.RESET_CARD
        )
        if code != Code.S_SUCCESS:
            self._fail(code, "SCardReconnect")
        self._atr = self._read_atr()
        return self._atr

    def begin(self) -> None:
        if self._in_transaction:
            raise RuntimeError("a transaction is open already")
        code = self._scard.SCardBeginTransaction(self._usable())
        if code != Code.S_SUCCESS:
            self._fail(code, "SCardBeginTransaction")
        self._in_transaction = True

    def end(self) -> None:
        if not self._in_transaction or self._card is None:
            return
        self._in_transaction = False
        code = self._scard.SCardEndTransaction(self._card, pcsc.LEAVE_CARD)
        if code != Code.S_SUCCESS:
            log.info("SCardEndTransaction: %s", name_of(code))

    def transaction(self) -> AbstractContextManager[None]:
        return Exclusively(self)

    def close(self) -> None:
        if not self._open:
            return
        self._open = False
        self.end()
        card, self._card = self._card, None
        if card is not None:
            code = self._scard.SCardDisconnect(card, pcsc.UNPOWER_CARD)
            if code != Code.S_SUCCESS:
                log.info("SCardDisconnect: %s", name_of(code))
                self._contexts.distrust(code, self._context)

    def _usable(self) -> int:
        if self._card is None:
            raise RuntimeError("the connection is closed")
        if self._over is not None:
            raise self._over("the connection ended with an earlier call")
        if given_up():
            raise CardMute("no answer within the deadline")
        return self._card

    def _read_atr(self) -> bytes:
        assert self._card is not None
        code, _name, _state, _protocol, atr = self._scard.SCardStatus(self._card)
        if code != Code.S_SUCCESS:
            self._fail(code, "SCardStatus")
        if not atr:
            raise CardMute("no answer to reset")
        return bytes(atr)

    def _fail(self, code: int, call: str) -> None:
        self._contexts.distrust(code, self._context)
        error = card_error(code, call, connected=True, look=self._look)
        if not isinstance(error, CardReset | ReaderBusy):
            # Another card may be in the slot by now, unnoticed where it came between two polls;
            # the next command over this handle would reach it.
            self._over = type(error)
        raise error

    def _look(self) -> Presence:
        """Whether our card is still there.

        pcscd polls the slot: for up to 400 ms after a removal it says that the card is present.
        So a present card is watched for a little longer than that.
        """
        state = self._slot(pcsc.STATE_UNAWARE, 0)
        if state is None:
            return Presence.NO_READER
        if not state & pcsc.STATE_PRESENT:
            return Presence.EMPTY
        later = self._slot(state & ~pcsc.STATE_CHANGED, NOTICE_MS)
        if later is None:
            return Presence.NO_READER
        swapped = later >> 16 != state >> 16
        return Presence.CARD if later & pcsc.STATE_PRESENT and not swapped else Presence.EMPTY

    def _slot(self, known: int, wait_ms: int) -> int | None:
        """The slot's event state after at most this time, None without a reader."""
        code, states = self._scard.SCardGetStatusChange(
            self._context, wait_ms, [(self._reader, known)]
        )
        if unsigned(code) == Code.E_TIMEOUT:
            return known
        if code != Code.S_SUCCESS or not states:
            return None
        state = states[0][1]
        return None if state & (pcsc.STATE_UNKNOWN | pcsc.STATE_UNAVAILABLE) else state
