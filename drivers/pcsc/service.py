"""Card readers behind the PC/SC service of the machine."""

from __future__ import annotations

from drivers.card_service import CardConnection, ReaderState
from drivers.events import Post
from drivers.pcsc.connection import PcscConnection
from drivers.pcsc.context import Contexts
from drivers.pcsc.monitor import Monitor, MonitorTimes
from drivers.pcsc.scard import Scard, system_scard


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
