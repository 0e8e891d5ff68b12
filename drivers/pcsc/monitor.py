"""Watches readers and slots and posts what happens there.

One thread with a context of its own, which never talks to a card. Written on the bare functions
because a restart of pcscd must be survived: an old context keeps answering NO_SERVICE for ever,
only a new one works.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, replace

from drivers.card_service import ReaderState
from drivers.events import (
    CardInserted,
    CardMuted,
    CardTaken,
    Post,
    ReaderAttached,
    ReaderDetached,
    ServiceLost,
    ServiceRestored,
)
from drivers.pcsc import scard as pcsc
from drivers.pcsc.codes import READER_GONE, Code, name_of, unsigned

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MonitorTimes:
    """Delays in seconds.

    Attributes:
        look: longest wait before the list of readers is read again although nothing was reported;
            finds plugged readers where the PnP pseudo-reader does not work.
        retry_first, retry_last: pause before a new context; doubled from the first to the last.
        quiet: pause after a wake-up that brought no news, so that no driver can make us spin.
        settle: how long a state that contradicts itself must stay before it is believed.
        stop: how long `stop` waits for the thread.
    """

    look: float = 5.0
    retry_first: float = 0.2
    retry_last: float = 5.0
    quiet: float = 0.05
    settle: float = 0.5
    stop: float = 1.0


@dataclass(frozen=True)
class _Slot:
    """A reader, and the event states that the service gave: the last one that was believed, -1
    before the first look, and the one in doubt, with the moment at which it was first seen."""

    state: ReaderState
    raw: int
    doubted: int = -1
    since: float = 0.0


class _ContextLostError(Exception):
    """The service stopped to answer on this context."""


class Monitor:
    """The watching thread. `start` once, `stop` once."""

    def __init__(self, post: Post, scard: pcsc.Scard, times: MonitorTimes | None = None) -> None:
        self._post = post
        self._scard = scard
        self._times = times or MonitorTimes()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._context: int | None = None
        self._slots: dict[str, _Slot] = {}
        self._down = False
        self._pnp = True
        self._thread = threading.Thread(target=self._run, name="pcsc-monitor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop within `MonitorTimes.stop` seconds; a thread that the service holds is left."""
        self._stopping.set()
        # A service that hangs may hold whoever cancels, too.
        threading.Thread(target=self._cancel, name="pcsc-cancel", daemon=True).start()
        self._thread.join(self._times.stop)
        if self._thread.is_alive():
            log.warning("the smart card service holds the monitor")

    def _cancel(self) -> None:
        """End the wait of the watching thread; a cancel that comes before it begins is lost, so
        that it is repeated."""
        while self._thread.is_alive():
            with self._lock:
                if self._context is not None:
                    self._scard.SCardCancel(self._context)
            self._thread.join(0.02)

    def readers(self) -> tuple[ReaderState, ...]:
        with self._lock:
            return tuple(slot.state for slot in self._slots.values())

    def _run(self) -> None:
        pause = self._times.retry_first
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._watch()
            except _ContextLostError as error:
                log.info("smart card service: %s", error)
            except Exception:
                # Whatever it was: a terminal that no longer sees cards must not stay so.
                log.exception("the monitor's round ended")
            if self._stopping.is_set():
                break
            self._lose_service()
            if time.monotonic() - began > self._times.retry_last:
                pause = self._times.retry_first
            self._stopping.wait(pause)
            pause = min(2 * pause, self._times.retry_last)

    def _watch(self) -> None:
        """Report over one context, until told to stop.

        Raises:
            _ContextLostError: the service does not answer.
        """
        code, context = self._scard.SCardEstablishContext(pcsc.SCOPE_USER)
        if code != Code.S_SUCCESS:
            raise _ContextLostError(f"SCardEstablishContext {name_of(code)}")
        with self._lock:
            self._context = context
        try:
            names = self._list(context)
            if self._down:
                self._down = False
                self._post(ServiceRestored())
            while not self._stopping.is_set():
                self._attach(names)
                if self._wait(context):
                    names = self._list(context)
        finally:
            with self._lock:
                self._context = None
            self._scard.SCardReleaseContext(context)

    def _list(self, context: int) -> list[str]:
        code, names = self._scard.SCardListReaders(context, [])
        if unsigned(code) in READER_GONE:
            return []
        if code != Code.S_SUCCESS:
            raise _ContextLostError(f"SCardListReaders {name_of(code)}")
        return names

    def _attach(self, names: list[str]) -> None:
        """Make the known readers those of this list."""
        for gone in [name for name in self._slots if name not in names]:
            with self._lock:
                del self._slots[gone]
            self._post(ReaderDetached(gone))
        for name in names:
            if name not in self._slots:
                with self._lock:
                    self._slots[name] = _Slot(ReaderState(name, False, False, b""), -1)
                self._post(ReaderAttached(name))

    def _wait(self, context: int) -> bool:
        """Wait for news and report it; true when the list of readers may have changed."""
        known = [
            (name, pcsc.STATE_UNAWARE if slot.raw < 0 else slot.raw)
            for name, slot in self._slots.items()
        ]
        # With all the readers that the service can have, the pseudo-reader would be one too many;
        # then none can come, and one that goes is told by its own state.
        if self._pnp and len(known) < pcsc.STATES_AT_ONCE:
            # Its state counts the readers and asks to be told when that number changes.
            known.append((pcsc.PNP_NOTIFICATION, len(self._slots) << 16))
        if not known:
            self._stopping.wait(self._times.look)
            return True
        code, states = self._scard.SCardGetStatusChange(
            context, round(self._times.look * 1000), known
        )
        match unsigned(code):
            case Code.S_SUCCESS:
                pass
            case Code.E_TIMEOUT:
                return True
            case Code.E_CANCELLED:
                return False
            case found if found in READER_GONE:
                if self._pnp and not self._slots:
                    log.info("no PnP notification here: readers are listed anew now and then")
                    self._pnp = False
                self._stopping.wait(self._times.quiet)
                return True
            case _:
                raise _ContextLostError(f"SCardGetStatusChange {name_of(code)}")
        relist = False
        news = False
        for name, raw, atr in states:
            if name == pcsc.PNP_NOTIFICATION:
                relist |= bool(raw & pcsc.STATE_CHANGED)
            elif raw & (pcsc.STATE_UNKNOWN | pcsc.STATE_UNAVAILABLE):
                relist = True
            else:
                news |= self._report(name, raw & ~pcsc.STATE_CHANGED, bytes(atr))
        if not news:
            self._stopping.wait(self._times.quiet)
        return relist

    def _report(self, name: str, raw: int, atr: bytes) -> bool:
        """Post what this reader's new state means; false when it is the state we knew."""
        slot = self._slots[name]
        if raw == slot.raw:
            return False
        before = slot.state
        present = bool(raw & pcsc.STATE_PRESENT)
        # The upper half counts insertions and removals.
        odd = bool((raw ^ slot.raw) >> 16 & 1)
        if slot.raw >= 0 and odd != (present != before.present) and self._doubt(slot, raw):
            return False
        # Less than two bytes are no answer to reset (ISO 7816-3): TS and T0 at least.
        mute = present and (bool(raw & pcsc.STATE_MUTE) or len(atr) < 2)
        after = replace(before, present=present, mute=mute, atr=b"" if mute or not present else atr)
        # A card swapped between two looks shows as present before, present now, and a count that
        # moved by an even number.
        swapped = slot.raw >= 0 and slot.raw >> 16 != raw >> 16 and not odd
        swapped |= bool(before.atr and after.atr and before.atr != after.atr)
        with self._lock:
            self._slots[name] = _Slot(after, raw)
        if before.present and (swapped or not present):
            self._post(CardTaken(name))
        if mute and (swapped or not before.mute):
            self._post(CardMuted(name))
        elif present and not mute and (swapped or before.mute or not before.present):
            self._post(CardInserted(name, after.atr))
        return True

    def _doubt(self, slot: _Slot, raw: int) -> bool:
        """Note a state in which presence and count do not fit each other; false when it has stayed
        long enough to be believed.

        pcscd tells first that a card came or went, then counts it, and somebody may look in
        between. Believed, half a change would be followed by another one that never was: a card
        taken and put in again.
        """
        now = time.monotonic()
        if raw != slot.doubted:
            with self._lock:
                self._slots[slot.state.name] = replace(slot, doubted=raw, since=now)
            return True
        return now - slot.since < self._times.settle

    def _lose_service(self) -> None:
        with self._lock:
            names = list(self._slots)
            self._slots.clear()
        for name in names:
            self._post(ReaderDetached(name))
        if not self._down:
            self._down = True
            self._post(ServiceLost())
