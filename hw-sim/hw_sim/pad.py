"""The PIN pad (密码键盘) on its serial line: a pseudo-terminal, frames, faults and its plug.

Key presses are bare bytes between frames (`hw_sim.pad_frames`). What the pad answers is in
`hw_sim.epp`.
"""

from __future__ import annotations

import json
import logging
import os
import select
import threading
import time
import tty
from pathlib import Path

from hw_sim.epp import EntryState, PinPad
from hw_sim.epp_fields import PadRefused
from hw_sim.epp_keys import KeyType, PadKey
from hw_sim.faults import Fault, Schedule
from hw_sim.pad_frames import FAULTS, check_value, frame, spoiled, unframe

_log = logging.getLogger(__name__)

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
        self.link = link
        self._memory = memory
        self._pad = PinPad(_remembered(memory))
        self._remember()
        self._faults = Schedule(FAULTS)
        self._lock = threading.RLock()
        self._master: int | None = None
        self._slave: int | None = None
        self._thread: threading.Thread | None = None

    # --- the plug ------------------------------------------------------------------------------

    @property
    def plugged(self) -> bool:
        """True while the host could open it."""
        return self._master is not None

    def plug(self) -> None:
        """Power it up on a new terminal; nothing happens when it is plugged in."""
        with self._lock:
            if self._master is not None:
                return
            master, slave = os.openpty()
            tty.setraw(master)
            tty.setraw(slave)
            os.set_blocking(master, False)
            fresh = self.link.with_name(self.link.name + ".new")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(os.ttyname(slave))
            fresh.replace(self.link)
            # Our own slave descriptor keeps the master readable while no host has it open.
            self._master, self._slave = master, slave
            self._thread = threading.Thread(
                target=self._serve, args=(master,), name="pad", daemon=True
            )
            self._thread.start()

    def unplug(self) -> None:
        """Pull the plug: the terminal dies under the host, what was typed is gone."""
        with self._lock:
            self._let_go()
            thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _let_go(self) -> None:
        if self._master is None or self._slave is None:
            return
        self.link.unlink(missing_ok=True)
        master, slave = self._master, self._slave
        self._master = self._slave = None
        self._pad.power_cycle()
        os.close(slave)
        os.close(master)

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
                self._send(bare)
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

    def _serve(self, master: int) -> None:
        buffer = bytearray()
        heard_at = 0.0
        while self._master == master:
            try:
                readable, _, _ = select.select([master], [], [], _TURN)
                received = os.read(master, 4096) if readable else b""
            except (OSError, ValueError):
                return
            now = time.monotonic()
            if received:
                heard_at = now
                buffer += received
            elif buffer and now - heard_at > _SILENCE:
                buffer.clear()
            with self._lock:
                if self._master != master:
                    return
                self._send(self._pad.tick())
            for text in unframe(buffer):
                self._answer(master, text)

    def _answer(self, master: int, text: bytes) -> None:
        with self._lock:
            if self._master != master:
                return
            fault = self._faults.next() or Fault("")
            if fault.name == "unplug":
                self._let_go()
                return
            answer = frame(self._obey(text, fault))
        if fault.name == "delay":
            time.sleep(int(fault.value) / 1000)
        for piece in spoiled(answer, fault):
            with self._lock:
                if self._master != master:
                    return
                self._send(piece)
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

    def _send(self, data: bytes) -> None:
        if data and self._master is not None:
            try:
                os.write(self._master, data)
            except BlockingIOError:
                _log.warning("nobody reads the pad's line; %d bytes are lost", len(data))

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
