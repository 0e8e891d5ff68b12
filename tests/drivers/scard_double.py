"""A smart card service in memory, with the functions of `smartcard.scard` that ours uses.

It behaves as pcsc-lite was measured to: contexts die with the service, a handle whose card left
answers REMOVED for ever, event counters sit in the upper half of a state.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

SUCCESS = 0
CANCELLED = 0x80100002
INVALID_HANDLE = 0x80100003
INVALID_PARAMETER = 0x80100004
UNKNOWN_READER = 0x80100009
TIMEOUT = 0x8010000A
NO_SMARTCARD = 0x8010000C
UNRESPONSIVE = 0x80100066
NO_SERVICE = 0x8010001D
UNSUPPORTED = 0x8010001F
NO_READERS = 0x8010002E
MOST_STATES = 16
DIRECT = 3
RESET_CARD = 0x80100068
REMOVED_CARD = 0x80100069
CHANGED, UNKNOWN, EMPTY, PRESENT, MUTE = 0x2, 0x4, 0x10, 0x20, 0x200
PNP = "\\\\?PnP?\\Notification"
ATR = bytes.fromhex("3B6D00000081000000860142990000000001")
OTHER_ATR = bytes.fromhex("3B6D00000081000000860142990000000002")


@dataclass
class Slot:
    atr: bytes | None = None
    mute: bool = False
    counter: int = 0
    card: int = 0

    @property
    def raw(self) -> int:
        flags = EMPTY if self.atr is None else PRESENT | (MUTE if self.mute else 0)
        return self.counter << 16 | flags


@dataclass
class Handle:
    context: int
    reader: str
    card: int
    resets: int = 0


@dataclass
class ScardDouble:
    """Give it to what takes an `Scard`; drive it with the methods in lower case."""

    answer: Callable[[bytes], tuple[int, list[int]]] = lambda command: (SUCCESS, [0x90, 0x00])
    control: Callable[[int, bytes], tuple[int, list[int]]] = lambda code, data: (UNSUPPORTED, [])
    pnp: bool = True
    slots: dict[str, Slot] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    commands: list[list[int]] = field(default_factory=list)
    connect_code: int = SUCCESS
    begin_code: int = SUCCESS
    wait_code: int = SUCCESS
    disposition: int | None = None

    def __post_init__(self) -> None:
        self.changed = threading.Condition()
        # What pcscd asks of a driver waits for the call before it; the double has one driver.
        self.driver = threading.Lock()
        self.contexts: set[int] = set()
        self.cancelled: set[int] = set()
        self.handles: dict[int, Handle] = {}
        self.numbers = itertools.count(1)
        self.running = True
        self.resets = 0
        self.waits = 0

    # --- what happens outside ------------------------------------------------------------------

    def plug(self, *readers: str) -> None:
        with self.changed:
            for reader in readers:
                self.slots[reader] = Slot()
            self.changed.notify_all()

    def unplug(self, reader: str) -> None:
        with self.changed:
            del self.slots[reader]
            self.changed.notify_all()

    def insert(
        self, reader: str, atr: bytes = ATR, mute: bool = False, *, counted: bool = True
    ) -> None:
        """Not counted: the service has written the state and not yet the count; see `count`."""
        with self.changed:
            slot = self.slots[reader]
            slot.atr, slot.mute = atr, mute
            slot.counter += counted
            slot.card = next(self.numbers)
            self.changed.notify_all()

    def remove(self, reader: str, *, counted: bool = True) -> None:
        """As `insert`."""
        with self.changed:
            slot = self.slots[reader]
            slot.atr, slot.mute = None, False
            slot.counter += counted
            self.changed.notify_all()

    def count(self, reader: str) -> None:
        """Count what was not counted before."""
        with self.changed:
            self.slots[reader].counter += 1
            self.changed.notify_all()

    def swap(self, reader: str, atr: bytes = ATR) -> None:
        """Out and in between two looks of whoever waits."""
        with self.changed:
            self.remove(reader)
            self.insert(reader, atr)

    def die(self) -> None:
        with self.changed:
            self.running = False
            self.contexts.clear()
            self.handles.clear()
            self.changed.notify_all()

    def live(self) -> None:
        with self.changed:
            self.running = True
            for slot in self.slots.values():
                slot.counter = 0 if slot.atr is None else 1

    # --- smartcard.scard -----------------------------------------------------------------------

    def SCardEstablishContext(self, scope: int) -> tuple[int, int]:
        with self.changed:
            self.calls.append("establish")
            if not self.running:
                return NO_SERVICE, 0
            context = next(self.numbers)
            self.contexts.add(context)
            return SUCCESS, context

    def SCardReleaseContext(self, context: int) -> int:
        with self.changed:
            self.calls.append("release")
            if context not in self.contexts:
                return INVALID_HANDLE
            self.contexts.discard(context)
            return SUCCESS

    def SCardListReaders(self, context: int, groups: list[str]) -> tuple[int, list[str]]:
        with self.changed:
            if context not in self.contexts:
                return NO_SERVICE, []
            return (SUCCESS, list(self.slots)) if self.slots else (NO_READERS, [])

    def SCardCancel(self, context: int) -> int:
        with self.changed:
            self.cancelled.add(context)
            self.changed.notify_all()
            return SUCCESS

    def SCardGetStatusChange(self, context, timeout_ms, states):  # type: ignore[no-untyped-def]
        end = time.monotonic() + timeout_ms / 1000
        with self.changed:
            self.waits += 1
            if self.wait_code != SUCCESS:
                return self.wait_code, []
            if len(states) > MOST_STATES:
                return INVALID_PARAMETER, []
            while True:
                if context not in self.contexts:
                    return NO_SERVICE, []
                if context in self.cancelled:
                    self.cancelled.discard(context)
                    return CANCELLED, []
                if not self.pnp and [name for name, _ in states] == [PNP]:
                    return UNKNOWN_READER, []
                seen = [self._seen(name, known) for name, known in states]
                if any(raw & CHANGED for _, raw, _ in seen):
                    return SUCCESS, seen
                left = end - time.monotonic()
                if left <= 0:
                    return TIMEOUT, seen
                self.changed.wait(left)

    def _seen(self, name: str, known: int) -> tuple[str, int, list[int]]:
        if name == PNP:
            raw = len(self.slots) << 16
            moved = self.pnp and raw != known & 0xFFFF0000
            return name, raw | (CHANGED if moved else 0), []
        slot = self.slots.get(name)
        if slot is None:
            return name, UNKNOWN | CHANGED, []
        atr = list(slot.atr) if slot.atr and not slot.mute else []
        return name, slot.raw | (CHANGED if slot.raw != known else 0), atr

    def SCardConnect(self, context: int, reader: str, share: int, protocols: int):  # type: ignore[no-untyped-def]
        with self.changed:
            self.calls.append(f"connect {share} {protocols}")
            if self.connect_code != SUCCESS:
                return self.connect_code, 0, 0
            slot = self.slots.get(reader)
            if slot is None:
                return UNKNOWN_READER, 0, 0
            if slot.atr is None and share != DIRECT:
                return NO_SMARTCARD, 0, 0
            if slot.mute:
                return UNRESPONSIVE, 0, 0
            number = next(self.numbers)
            self.handles[number] = Handle(context, reader, slot.card, self.resets)
            return SUCCESS, number, 1

    def _trouble(self, number: int) -> int:
        handle = self.handles.get(number)
        if not self.running:
            return NO_SERVICE
        if handle is None:
            return INVALID_HANDLE
        slot = self.slots.get(handle.reader)
        if slot is None or slot.atr is None or slot.card != handle.card:
            return REMOVED_CARD
        return RESET_CARD if handle.resets != self.resets else SUCCESS

    def SCardStatus(self, number: int) -> tuple[int, str, int, int, list[int]]:
        code = self._trouble(number)
        if code != SUCCESS:
            return code, "", 0, 0, []
        slot = self.slots[self.handles[number].reader]
        return SUCCESS, self.handles[number].reader, 0, 1, list(slot.atr or b"")

    def SCardReconnect(self, number: int, share: int, protocols: int, how: int) -> tuple[int, int]:
        self.calls.append(f"reconnect {how}")
        handle = self.handles[number]
        slot = self.slots.get(handle.reader)
        if not self.running or slot is None or slot.atr is None:
            return NO_SMARTCARD, 0
        # As pcsc-lite: it heals a handle even on to another card.
        handle.card = slot.card
        self.resets += 1
        handle.resets = self.resets
        return SUCCESS, 1

    def SCardDisconnect(self, number: int, disposition: int) -> int:
        self.calls.append("disconnect")
        self.disposition = disposition
        return SUCCESS if self.handles.pop(number, None) else INVALID_HANDLE

    def SCardGetAttrib(self, number: int, attribute: int) -> tuple[int, list[int]]:
        self.calls.append(f"attribute {attribute:#x}")
        with self.driver:
            return self._trouble(number), []

    def SCardTransmit(self, number: int, pci: int, command: list[int]) -> tuple[int, list[int]]:
        self.commands.append(command)
        with self.driver:
            code = self._trouble(number)
            return (code, []) if code != SUCCESS else self.answer(bytes(command))

    def SCardControl(self, number: int, code: int, data: list[int]) -> tuple[int, list[int]]:
        self.calls.append(f"control {code:#x}")
        with self.driver:
            trouble = self._trouble(number)
            return (trouble, []) if trouble != SUCCESS else self.control(code, bytes(data))

    def SCardBeginTransaction(self, number: int) -> int:
        self.calls.append("begin")
        code = self._trouble(number)
        return code if code != SUCCESS else self.begin_code

    def SCardEndTransaction(self, number: int, disposition: int) -> int:
        self.calls.append("end")
        return self._trouble(number)
