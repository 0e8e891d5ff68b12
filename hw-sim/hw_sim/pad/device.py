"""The PIN pad (密码键盘) on its serial line, and people at it.

Key presses are bare bytes between frames (`hw_sim.pad.frames`). What the pad answers is in
`hw_sim.pad.epp`, plug and wire in `hw_sim.serial_device`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from hw_sim.faults import Fault, Schedule
from hw_sim.pad.epp import EntryState, PinPad
from hw_sim.pad.epp_fields import PadRefused
from hw_sim.pad.epp_keys import KeyType, PadKey
from hw_sim.pad.frames import FAULTS, bad_check, check_value, frame, spoiled, unframe
from hw_sim.serial_device import WIRE_FAULTS, Illegal, SerialDevice

KEYS = {
    **{digit: digit for digit in "0123456789"},
    "D": "00",
    "#": "enter",
    "C": "clear",
    "<": "erase",
    "X": "cancel",
}
"""What a person types for the keys of the pad."""

_KEPT = 50


class _FarEnd:
    """A pad behind its line: frames in, frames and bare bytes out."""

    def __init__(self, memory: Path | None) -> None:
        self._memory = memory
        self.pad = PinPad(_remembered(memory))
        self.illegal: list[str] = []
        self.remember()

    def take(self, buffer: bytearray) -> Iterator[bytes | Illegal]:
        return unframe(buffer)

    def obey(self, command: bytes) -> bytes:
        try:
            answer = self.pad.command(command)
        except PadRefused as refusal:
            if refusal.wrong:
                # Its first bytes: a key may stand behind them.
                self.illegal = [*self.illegal, str(Illegal(str(refusal), command[:4]))][-_KEPT:]
            answer = bytes([refusal.code])
        else:
            if command[:1] in b"125":
                self.remember()
        return frame(answer)

    def nak(self, command: bytes) -> bytes:
        # The protocol has no word for either: a pad that can't read or can't answer is silent.
        return b""

    def busy(self, command: bytes) -> bytes:
        return b""

    def bad_check(self, answer: bytes) -> bytes:
        return bad_check(answer)

    def tick(self) -> bytes:
        return self.pad.tick()

    def power_up(self) -> None:
        self.pad.power_cycle()

    def remember(self) -> None:
        if self._memory is None:
            return
        kept = {str(n): [key.type.value, key.value.hex()] for n, key in self.pad.keys.items()}
        fresh = self._memory.with_name(self._memory.name + ".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            json.dump(kept, file)
        fresh.replace(self._memory)


class PadDevice(SerialDevice[bytes]):
    """A pad that can be plugged in and out.

    Args:
        link: a path that points at the pad's terminal while it is plugged in; the same after
            every plug, like a udev rule's.
        memory: file of its battery-backed key memory (0600), or None to begin blank each time.
    """

    def __init__(self, link: Path, memory: Path | None = None) -> None:
        self._end = _FarEnd(memory)
        self._loaded: dict[int, PadKey] = {}
        super().__init__(link, "pad", self._end, faults=FAULTS)

    # --- people --------------------------------------------------------------------------------

    def press(self, keys: str) -> int:
        """Press keys (`KEYS`) one after the other; returns how many bytes went to the host.

        Raises:
            ValueError: one of them isn't on the pad; none was pressed. The text names none.
        """
        if any(key not in KEYS for key in keys):
            raise ValueError(f"the pad's keys are {' '.join(KEYS)}")
        sent = 0
        with self.lock:
            for key in keys:
                bare = self._end.pad.press(KEYS[key])
                sent += len(bare)
                self.send(bare)
        return sent

    @property
    def entry(self) -> EntryState:
        """Where the PIN entry is."""
        return self._end.pad.entry if self.plugged else EntryState.NONE

    @property
    def count(self) -> int:
        """How many digits are held; never which."""
        return self._end.pad.count if self.plugged else 0

    @property
    def sends_idle_keys(self) -> bool:
        """A pad that sends a byte for keys pressed while nobody is asked for a PIN."""
        return self._end.pad.sends_idle_keys

    @sends_idle_keys.setter
    def sends_idle_keys(self, yes: bool) -> None:
        with self.lock:
            self._end.pad.sends_idle_keys = yes

    # --- keys and housing ----------------------------------------------------------------------

    def preload(self, number: int, value: bytes) -> None:
        """Load a master key (主密钥) as the key custodians did before the pad came to the hall.

        Raises:
            ValueError: a key has 8, 16 or 24 bytes.
        """
        if len(value) not in (8, 16, 24):
            raise ValueError("a key has 8, 16 or 24 bytes")
        with self.lock:
            self._loaded[number] = PadKey(KeyType.MASTER, value)
            self._end.pad.keys[number] = self._loaded[number]
            self._end.remember()

    @property
    def opened(self) -> bool:
        """Its housing was opened, and nobody has put that right."""
        return self._end.pad.opened

    def open_housing(self) -> None:
        """Somebody opens it: its keys are destroyed, and it takes no others."""
        with self.lock:
            self._end.pad.open_housing()
            self._end.remember()

    def mend(self) -> None:
        """The maker closes it, and the custodians load what they had preloaded."""
        with self.lock:
            self._end.pad.opened = False
            self._end.pad.keys.update(self._loaded)
            self._end.remember()

    # --- the wire ------------------------------------------------------------------------------

    @property
    def illegal(self) -> tuple[str, ...]:
        """What no correct host sends, at most the last 50 of frames and of commands each."""
        return (*super().illegal, *self._end.illegal)

    def set_fault(self, text: str) -> None:
        """Schedule faults for coming answers, those of `FAULTS` too; ``none`` forgets all.

        Raises:
            FaultSyntaxError: the schedule can't be read; nothing was added.
        """
        probe = Schedule(WIRE_FAULTS | FAULTS)
        probe.set(text)
        for fault in probe.waiting:
            check_value(fault)
        super().set_fault(text)

    def strike(self, fault: Fault, command: bytes) -> bytes | None:
        match fault.name:
            case "error":
                return frame(bytes.fromhex(fault.value))
            case "opened":
                self.open_housing()
            case "mended":
                self.mend()
            case name if name not in FAULTS:
                return None
        return spoiled(self._end.obey(command), fault)


def _remembered(memory: Path | None) -> dict[int, PadKey]:
    if memory is None or not memory.exists():
        return {}
    kept = json.loads(memory.read_text(encoding="ascii"))
    return {
        int(number): PadKey(KeyType(kind), bytes.fromhex(value))
        for number, (kind, value) in kept.items()
    }
