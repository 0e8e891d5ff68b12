"""The PIN pad (密码键盘) on its serial line: a pseudo-terminal, frames, faults and its plug.

Key presses are bare bytes between frames (`hw_sim.pad_frames`). What the pad answers is in
`hw_sim.epp`.
"""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path

from hw_sim.epp import EntryState, PinPad
from hw_sim.epp_fields import PadRefused
from hw_sim.epp_keys import KeyType, PadKey
from hw_sim.faults import Fault, Schedule
from hw_sim.pad_frames import FAULTS, check_value, frame, spoiled, unframe
from hw_sim.serial_line import SerialLine

KEYS = {
    **{digit: digit for digit in "0123456789"},
    "D": "00",
    "#": "enter",
    "C": "clear",
    "<": "erase",
    "X": "cancel",
}
"""What a person types for the keys of the pad."""

_SILENCE = 0.3
"""Seconds after which an unfinished frame is forgotten; a host repeats after 1 s (I)."""
_TURN = 0.05


class PadDevice:
    """A pad that can be plugged in and out.

    Args:
        link: a path that points at the pad's terminal while it is plugged in; the same after
            every plug, like a udev rule's.
        memory: file of its battery-backed key memory (0600), or None to begin blank each time.
    """

    def __init__(self, link: Path, memory: Path | None = None) -> None:
        self._memory = memory
        self._pad = PinPad(_remembered(memory))
        self._remember()
        self._faults = Schedule(FAULTS)
        self._lock = threading.RLock()
        self._line = SerialLine(link, "pad", self._hear)
        self._buffer = bytearray()
        self._heard_at = 0.0

    # --- the plug ------------------------------------------------------------------------------

    @property
    def link(self) -> Path:
        """Where a host opens it."""
        return self._line.link

    @property
    def plugged(self) -> bool:
        """True while the host could open it."""
        return self._line.plugged

    def plug(self) -> None:
        """Power it up on a new terminal; nothing happens when it is plugged in."""
        self._line.plug()

    def unplug(self) -> None:
        """Pull the plug: the terminal dies under the host, what was typed is gone."""
        with self._lock:
            self._pad.power_cycle()
            self._buffer.clear()
        self._line.unplug()

    # --- people --------------------------------------------------------------------------------

    def press(self, keys: str) -> int:
        """Press keys (`KEYS`) one after the other; returns how many bytes went to the host.

        Raises:
            ValueError: one of them isn't on the pad; none was pressed. The text names none.
        """
        if any(key not in KEYS for key in keys):
            raise ValueError(f"the pad's keys are {' '.join(KEYS)}")
        sent = 0
        with self._lock:
            for key in keys:
                bare = self._pad.press(KEYS[key])
                sent += len(bare)
                self._line.send(bare)
        return sent

    def set_fault(self, text: str) -> None:
        """Schedule faults (`FAULTS`) for coming answers.

        Raises:
            FaultSyntaxError: the schedule can't be read.
        """
        probe = Schedule(FAULTS)
        probe.set(text)
        while probe.pending:
            check_value(probe.next())
        with self._lock:
            self._faults.set(text)

    @property
    def faults_pending(self) -> int:
        """How many scheduled faults have not happened yet."""
        return self._faults.pending

    @property
    def entry(self) -> EntryState:
        """Where the PIN entry is."""
        return self._pad.entry

    @property
    def count(self) -> int:
        """How many digits are held; never which."""
        return self._pad.count

    def preload(self, number: int, value: bytes) -> None:
        """Load a master key (主密钥) as the key custodians did before the pad came to the hall.

        Raises:
            ValueError: a key has 8, 16 or 24 bytes.
        """
        if len(value) not in (8, 16, 24):
            raise ValueError("a key has 8, 16 or 24 bytes")
        with self._lock:
            self._pad.keys[number] = PadKey(KeyType.MASTER, value)
            self._remember()

    # --- the wire ------------------------------------------------------------------------------

    def _hear(self, received: bytes) -> None:
        now = time.monotonic()
        if received:
            self._heard_at = now
            self._buffer += received
        elif self._buffer and now - self._heard_at > _SILENCE:
            self._buffer.clear()
        with self._lock:
            self._line.send(self._pad.tick())
        for text in unframe(self._buffer):
            self._answer(text)

    def _answer(self, text: bytes) -> None:
        with self._lock:
            fault = self._faults.next() or Fault("")
            if fault.name != "unplug":
                answer = frame(self._obey(text, fault))
        if fault.name == "unplug":
            self.unplug()
            return
        if fault.name == "delay":
            time.sleep(int(fault.value) / 1000)
        for piece in spoiled(answer, fault):
            self._line.send(piece)
            if fault.name == "split":
                time.sleep(_TURN)

    def _obey(self, text: bytes, fault: Fault) -> bytes:
        if fault.name == "error":
            return bytes.fromhex(fault.value)
        try:
            answer = self._pad.command(text)
        except PadRefused as refusal:
            return bytes([refusal.code])
        if text[:1] in b"125":
            self._remember()
        return answer

    def _remember(self) -> None:
        if self._memory is None:
            return
        kept = {str(n): [key.type.value, key.value.hex()] for n, key in self._pad.keys.items()}
        fresh = self._memory.with_name(self._memory.name + ".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(kept, file)
        fresh.replace(self._memory)


def _remembered(memory: Path | None) -> dict[int, PadKey]:
    if memory is None or not memory.exists():
        return {}
    kept = json.loads(memory.read_text(encoding="ascii"))
    return {
        int(number): PadKey(KeyType(kind), bytes.fromhex(value))
        for number, (kind, value) in kept.items()
    }
