"""Cards on a plain socket, for machines where pcscd cannot run.

The wire is that between vpcd and its cards: each reader listens, the card connects when it is
inserted and closes when it is removed; a 2-byte big-endian length, then the bytes. A single
byte is control: 00 power off, 01 power on, 02 reset (no answer), 04 tell the ATR. Anything longer
is a command APDU. A field configuration refuses this driver: whoever reaches the port is a card.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from apdu.errors import (
    CardAbsent,
    CardError,
    CardMute,
    CardRemoved,
    CardReset,
    MalformedAnswer,
    ReaderGone,
)
from drivers.card_service import CardConnection, Exclusively, ReaderState
from drivers.direct.wire import CardWire
from drivers.events import CardInserted, CardMuted, CardTaken, Post, ReaderAttached, ReaderDetached
from drivers.worker import given_up

log = logging.getLogger(__name__)

_POWER_OFF = b"\x00"
_POWER_ON = b"\x01"
_RESET = b"\x02"
_TELL_ATR = b"\x04"


@dataclass(frozen=True)
class DirectTimes:
    """Delays in seconds.

    Attributes:
        poll: between two looks at the card; vpcd's clients poll as often.
        atr: limit for an ATR to arrive.
        transmit: limit for the answer to one command.
        stop: how long `stop` waits for each reader's thread.
    """

    poll: float = 0.4
    atr: float = 2.0
    transmit: float = 30.0
    stop: float = 1.0


class _Slot:
    """One listening reader: accepts cards, looks at them, tells the news."""

    def __init__(self, name: str, listener: socket.socket, post: Post, times: DirectTimes) -> None:
        self.name = name
        self.times = times
        # `turn` is held for a transaction, `wire_lock` for one exchange: the look at the card
        # goes on within a transaction.
        self.turn = threading.RLock()
        self.wire_lock = threading.Lock()
        self.wire: CardWire | None = None
        self.resets = 0
        self.state = ReaderState(name, False, False, b"")
        self._listener = listener
        self._post = post
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"slot {name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        # Wakes the thread that waits in accept(); close() alone does not on Linux.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        wire = self.wire
        if wire is not None:
            wire.close()
        self._thread.join(self.times.stop)

    def _run(self) -> None:
        self._post(ReaderAttached(self.name))
        while not self._stopping.is_set():
            try:
                peer, _address = self._listener.accept()
            except OSError:
                if not self._stopping.is_set():
                    log.exception("reader %s cannot accept cards", self.name)
                    self._post(ReaderDetached(self.name))
                return
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.wire_lock:
                self.wire = CardWire(peer)
            try:
                self._serve()
            finally:
                with self.wire_lock:
                    wire, self.wire = self.wire, None
                if wire is not None:
                    wire.close()
            self._note(ReaderState(self.name, False, False, b""))

    def _serve(self) -> None:
        """Look at the card until it leaves."""
        while not self._stopping.is_set():
            # An exchange of the connection proves the presence as well as a look.
            if self.wire_lock.acquire(timeout=self.times.poll):
                try:
                    if self.wire is None:
                        return
                    atr = self.wire.ask(_TELL_ATR, self.times.atr)
                except CardRemoved:
                    return
                except CardMute:
                    atr = b""
                finally:
                    self.wire_lock.release()
                atr = atr if _is_atr(atr) else b""
                self._note(ReaderState(self.name, True, not atr, atr))
            self._stopping.wait(self.times.poll)

    def _note(self, after: ReaderState) -> None:
        before, self.state = self.state, after
        if self._stopping.is_set() or before == after:
            return
        if before.present and not after.present:
            self._post(CardTaken(self.name))
        elif after.mute:
            self._post(CardMuted(self.name))
        elif after.present:
            self._post(CardInserted(self.name, after.atr))


class DirectConnection:
    """A `CardConnection` to the card that is now in a slot."""

    def __init__(self, slot: _Slot) -> None:
        self._slot = slot
        self._begun = False
        self._open = True
        self._atr = b""
        with slot.wire_lock:
            if slot.wire is None:
                raise CardAbsent("no card is connected")
            self._wire = slot.wire
        self._atr = self._power(_POWER_ON)

    @property
    def reader(self) -> str:
        return self._slot.name

    @property
    def atr(self) -> bytes:
        return self._atr

    def transmit(self, command: bytes | bytearray) -> bytes:
        with self._slot.turn, self._slot.wire_lock:
            wire = self._in_time()
            if self._resets != self._slot.resets:
                raise CardReset("the card was reset over another connection")
            answer = wire.ask(command, self._slot.times.transmit)
        if len(answer) < 2:
            raise MalformedAnswer(f"answer of {len(answer)} bytes, no status word")
        return answer

    def reset(self) -> bytes:
        self._atr = self._power(_RESET)
        return self._atr

    def begin(self) -> None:
        if self._begun:
            raise RuntimeError("a transaction is open already")
        self._slot.turn.acquire()
        try:
            with self._slot.wire_lock:
                self._usable()
        except BaseException:
            self._slot.turn.release()
            raise
        self._begun = True

    def end(self) -> None:
        if self._begun:
            self._begun = False
            self._slot.turn.release()

    def transaction(self) -> AbstractContextManager[None]:
        return Exclusively(self)

    def close(self) -> None:
        if not self._open:
            return
        with contextlib.suppress(CardError), self._slot.wire_lock:
            wire = self._usable()
            self._slot.resets += 1
            wire.tell(_POWER_OFF)
        self._open = False
        self.end()

    def _power(self, control: bytes) -> bytes:
        with self._slot.turn, self._slot.wire_lock:
            wire = self._in_time()
            wire.tell(control)
            self._slot.resets += 1
            self._resets = self._slot.resets
            atr = wire.ask(_TELL_ATR, self._slot.times.atr)
        if not _is_atr(atr):
            raise CardMute("no answer to reset")
        return atr

    def _in_time(self) -> CardWire:
        """To send over. Closing does without: a card is powered off for a late call too."""
        if given_up():
            raise CardMute("no answer within the deadline")
        return self._usable()

    def _usable(self) -> CardWire:
        if not self._open:
            raise RuntimeError("the connection is closed")
        if self._slot.wire is not self._wire:
            raise CardRemoved("the card of this connection is gone")
        return self._wire


class DirectService:
    """`CardService` on listening sockets, one a reader."""

    def __init__(
        self, readers: Mapping[str, tuple[str, int]], times: DirectTimes | None = None
    ) -> None:
        """`readers` maps a reader's name to the host and port to listen on; port 0 takes any."""
        self._wanted = dict(readers)
        self._times = times or DirectTimes()
        self._slots: dict[str, _Slot] = {}
        self.addresses: dict[str, tuple[str, int]] = {}

    def start(self, post: Post) -> None:
        """Listen.

        Raises:
            OSError: an address is taken or not ours; then no reader listens.
        """
        if self._slots:
            raise RuntimeError("the service reports already")
        listeners: dict[str, socket.socket] = {}
        try:
            for name, address in self._wanted.items():
                listeners[name] = socket.create_server(address, backlog=1)
        except OSError:
            for listener in listeners.values():
                listener.close()
            raise
        for name, listener in listeners.items():
            host, port = listener.getsockname()[:2]
            self.addresses[name] = (host, port)
            self._slots[name] = _Slot(name, listener, post, self._times)
        for slot in self._slots.values():
            slot.start()

    def stop(self) -> None:
        slots, self._slots = self._slots, {}
        for slot in slots.values():
            slot.stop()

    def readers(self) -> tuple[ReaderState, ...]:
        return tuple(slot.state for slot in self._slots.values())

    def connect(self, reader: str) -> CardConnection:
        slot = self._slots.get(reader)
        if slot is None:
            raise ReaderGone(f"no reader {reader!r}")
        return DirectConnection(slot)

    def answers(self, reader: str, seconds: float) -> bool:
        slot = self._slots.get(reader)
        if slot is None:
            return True
        free = slot.wire_lock.acquire(timeout=seconds)
        if free:
            slot.wire_lock.release()
        return free


def _is_atr(answer: bytes) -> bool:
    """An answer to reset has 2 to 33 bytes (ISO/IEC 7816-3 §8.2); anything else is none."""
    return 2 <= len(answer) <= 33
