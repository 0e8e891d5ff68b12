"""Card readers behind the PC/SC service of the machine."""

from __future__ import annotations

import threading

from drivers.card_service import CardConnection, ReaderState
from drivers.events import Post
from drivers.pcsc.codes import Code
from drivers.pcsc.connection import PcscConnection
from drivers.pcsc.context import Contexts
from drivers.pcsc.monitor import Monitor, MonitorTimes
from drivers.pcsc.scard import (
    ATTR_ATR_STRING,
    LEAVE_CARD,
    SCOPE_USER,
    SHARE_DIRECT,
    Scard,
    system_scard,
)


class PcscService:
    """`CardService` on pcsc-lite."""

    def __init__(self, scard: Scard | None = None, times: MonitorTimes | None = None) -> None:
        """Without arguments: pyscard, and the usual delays.

        Raises:
            ImportError: pyscard or libpcsclite is not installed.
        """
        self._scard = scard or system_scard()
        self._contexts = Contexts(self._scard)
        self._times = times
        self._monitor: Monitor | None = None

    def start(self, post: Post) -> None:
        if self._monitor is not None:
            raise RuntimeError("the service reports already")
        self._monitor = Monitor(post, self._scard, self._times)
        self._monitor.start()

    def stop(self) -> None:
        monitor, self._monitor = self._monitor, None
        if monitor is not None:
            monitor.stop()

    def readers(self) -> tuple[ReaderState, ...]:
        return () if self._monitor is None else self._monitor.readers()

    def connect(self, reader: str) -> CardConnection:
        return PcscConnection(reader, self._scard, self._contexts)

    def answers(self, reader: str, seconds: float) -> bool:
        """See `CardService.answers`. A look at a stuck slot leaves a thread behind, which ends
        with the call that holds the slot."""
        thread = threading.Thread(
            target=self._look_at, args=(reader,), name=f"look at {reader}", daemon=True
        )
        thread.start()
        thread.join(seconds)
        return not thread.is_alive()

    def _look_at(self, reader: str) -> None:
        code, context = self._scard.SCardEstablishContext(SCOPE_USER)
        if code != Code.S_SUCCESS:
            return
        # A direct connection leaves the card alone. It waits for the end of a transaction; where
        # there is none, pcscd answers it from memory, as it does SCardStatus. An attribute it asks
        # of the driver, which does one thing at a time. What the answer is does not matter.
        code, card, _protocol = self._scard.SCardConnect(context, reader, SHARE_DIRECT, 0)
        if code == Code.S_SUCCESS:
            self._scard.SCardGetAttrib(card, ATTR_ATR_STRING)
            self._scard.SCardDisconnect(card, LEAVE_CARD)
        self._scard.SCardReleaseContext(context)
