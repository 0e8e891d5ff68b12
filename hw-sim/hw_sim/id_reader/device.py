"""The resident ID reader (身份证阅读器): a SAM-V module on its serial line, and what lies on it.

The module reads a card once: until that card has left, find says that there is none. While it
still lies there it can be selected anew (our assumption), which is how a host sees it.
"""

from __future__ import annotations

import contextlib
import os
import termios
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hw_sim.faults import Fault, Schedule
from hw_sim.id_reader.cards import IdCard
from hw_sim.id_reader.frames import Command, answer, unframe
from hw_sim.serial_device import Illegal, SerialDevice

FAULTS = {
    "unlicensed": False,  # 66: the module is not released for use
    "self-test": False,  # 60: the module is broken
    "word": True,  # another word, two hex digits
}
"""What strikes any answer beside the faults of the wire."""
READ_FAULTS = {
    "read-failed": False,  # 41: the card can't be read
    "read-taken": False,  # the card is taken away in the middle
    "read-damaged": False,  # the check sum of the card's content is wrong
    "read-drop": False,  # the card's content is lost on the line
}
"""What strikes the reading of a card; N counts these."""
_WORDS = {"unlicensed": 0x66, "self-test": 0x60}
_SPEEDS = {
    termios.B9600: 9600,
    termios.B19200: 19200,
    termios.B38400: 38400,
    termios.B57600: 57600,
    termios.B115200: 115200,
}
_OK, _FOUND, _NO_CARD, _NOT_SELECTED = 0x90, 0x9F, 0x80, 0x81
_READ_FAILED, _NO_SUCH_ITEM, _WRONG_CARD = 0x41, 0x91, 0x40
_SAM_NUMBER = ((5, 2), (3, 2), (20_260_101, 4), (429_900, 4), (1, 4))
_FINGERPRINTS = 1024


@dataclass
class Lying:
    """A card on the reader.

    Attributes:
        was_read: it must leave before find sees it again.
    """

    card: IdCard
    was_read: bool = False


class SamModule:
    """What the module knows and does (`hw_sim.serial_device.FarEnd`)."""

    def __init__(self, speed: int) -> None:
        self.speed = speed
        self.host_speed: Callable[[], int] = lambda: speed
        self.lying: Lying | None = None
        self.read_faults = Schedule(READ_FAULTS)
        self.cards_read = 0
        self._selected: bool | None = None

    def take(self, buffer: bytearray) -> Iterator[Command | Illegal]:
        if buffer and self.host_speed() != self.speed:
            # At another speed no byte is what it was.
            buffer.clear()
        yield from unframe(buffer)

    def obey(self, command: Command) -> bytes | Illegal:
        match command:
            case Command.RESET:
                self._forget()
                return answer(_OK)
            case Command.STATUS:
                return answer(_OK)
            case Command.SAM_ID:
                numbers = (value.to_bytes(size, "little") for value, size in _SAM_NUMBER)
                return answer(_OK, b"".join(numbers))
            case Command.FIND:
                seen = self.lying is not None and not self.lying.was_read
                return answer(_FOUND, bytes(4)) if seen else answer(_NO_CARD)
            case Command.SELECT:
                self._selected = self.lying is not None
                return answer(_OK, bytes(8)) if self._selected else answer(_NOT_SELECTED)
            case Command.READ_NEWEST_ADDRESS:
                return self._newest_address()
            case Command.READ_BASE | Command.READ_BASE_FINGERPRINT:
                return self._read(command)

    def _newest_address(self) -> bytes | Illegal:
        if self._selected is False:
            return Illegal("read without a card", Command.READ_NEWEST_ADDRESS.value)
        if self.lying is None:
            return answer(_READ_FAILED)
        text = self.lying.card.newest_address
        if not text:
            return answer(_NO_SUCH_ITEM)
        return answer(_OK, text.ljust(35).encode("utf-16-le"))

    def _read(self, command: Command) -> bytes | Illegal:
        # After a power failure nothing is selected, which the host cannot know.
        if self._selected is False:
            return Illegal("read without a card", command.value)
        fault = self.read_faults.next() or Fault("")
        if fault.name == "read-taken":
            self.lying = None
        lying, selected = self.lying, self._selected
        if lying is None or not selected or fault.name == "read-failed":
            return answer(_READ_FAILED)
        card = lying.card
        if not card.text:
            return answer(_WRONG_CARD)
        self._selected, lying.was_read = None, True
        self.cards_read += 1
        lengths, fingerprints = [len(card.text), len(card.photo)], b""
        if command is Command.READ_BASE_FINGERPRINT:
            fingerprints = b"\x46" * _FINGERPRINTS
            lengths.append(_FINGERPRINTS)
        counted = b"".join(length.to_bytes(2, "big") for length in lengths)
        sent = answer(_OK, counted + card.text + card.photo + fingerprints)
        if fault.name == "read-drop":
            return b""
        return self.bad_check(sent) if fault.name == "read-damaged" else sent

    def _forget(self) -> None:
        self._selected = None
        if self.lying is not None:
            self.lying.was_read = False

    def nak(self, command: Command) -> bytes:
        return answer(0x10)

    def busy(self, command: Command) -> bytes:
        return b""

    def bad_check(self, answer: bytes) -> bytes:
        return answer[:-1] + bytes([answer[-1] ^ 0x01])

    def tick(self) -> bytes:
        return b""

    def power_up(self) -> None:
        self._forget()


class IdReaderDevice(SerialDevice[Command]):
    """A reader that can be plugged in and out, and what lies on it.

    Args:
        speed: bits per second to which it is set; at another one it hears nothing.
    """

    far_end: SamModule

    def __init__(self, link: Path, *, speed: int = 115_200) -> None:
        super().__init__(link, "id reader", SamModule(speed), faults=FAULTS)
        self.far_end.host_speed = self._host_speed

    # --- people ---------------------------------------------------------------------------------

    def put(self, card: IdCard) -> None:
        """Lay a card on the reader, in place of another."""
        with self.lock:
            self.far_end.lying = Lying(card)

    def take_away(self) -> None:
        """Take the card away; nothing happens without one."""
        with self.lock:
            self.far_end.lying = None

    @property
    def lying(self) -> str:
        """The name of the card that lies there, empty without one."""
        lying = self.far_end.lying
        return "" if lying is None else lying.card.name

    @property
    def cards_read(self) -> int:
        """Cards that it has read since it was made."""
        return self.far_end.cards_read

    # --- faults ---------------------------------------------------------------------------------

    def set_fault(self, text: str) -> None:
        """Schedule faults of the wire, `FAULTS` and `READ_FAULTS`; ``none`` forgets all.

        Raises:
            FaultSyntaxError: the schedule can't be read; nothing was added.
        """
        reading = [part for part in text.split(",") if _name(part) in READ_FAULTS]
        others = [part for part in text.split(",") if part not in reading]
        Schedule(READ_FAULTS).set(",".join(reading) or "none")
        if others:
            super().set_fault(",".join(others))
        with self.lock:
            if reading or text == "none":
                self.far_end.read_faults.set(",".join(reading) or "none")

    @property
    def faults_pending(self) -> int:
        return super().faults_pending + self.far_end.read_faults.pending

    def strike(self, fault: Fault, command: Command) -> bytes | None:
        if fault.name == "word":
            with contextlib.suppress(ValueError):
                return answer(int(fault.value, 16) & 0xFF)
        return answer(_WORDS[fault.name]) if fault.name in _WORDS else None

    def _host_speed(self) -> int:
        """What the host has set its end to."""
        try:
            descriptor = os.open(self.link, os.O_RDWR | os.O_NOCTTY)
        except OSError:
            return 0
        try:
            return _SPEEDS.get(termios.tcgetattr(descriptor)[5], 0)
        finally:
            os.close(descriptor)


def _name(part: str) -> str:
    return part.partition(":")[2].partition("=")[0].strip()
