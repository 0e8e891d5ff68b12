"""The sensor board of the terminal's case: door, tamper loop, presence sensor, slot lights.

Its protocol belongs to the terminal's own documentation: lines ``$ number kind data * CRC CR LF``
of ASCII hex. This end is written from that description alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path

from hw_sim.serial_device import Illegal, SerialDevice

HEARTBEAT = 1.0
SLOTS = ("card", "receipt", "printer")
LIGHTS = ("off", "on", "blink")
_LONGEST = 40


class Inputs(IntFlag):
    """Bits of a report's first byte."""

    DOOR_OPEN = 0x01
    TAMPER_OPEN = 0x02
    PRESENT = 0x04
    FAULT = 0x80


@dataclass(frozen=True)
class Line:
    """A line that came.

    Attributes:
        good: its check sum is right.
    """

    number: int
    kind: str
    data: bytes
    good: bool


def check_sum(octets: bytes) -> int:
    """CRC-16 with polynomial 1021 and start FFFF, bit by bit."""
    value = 0xFFFF
    for octet in octets:
        value ^= octet << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021) & 0xFFFF if value & 0x8000 else value << 1
    return value


def line_of(number: int, kind: str, data: bytes) -> bytes:
    """A line with its check sum."""
    body = b"%02X%s%s" % (number, kind.encode(), data.hex().upper().encode())
    return b"$%s*%04X\r\n" % (body, check_sum(body))


class SensorMachine:
    """The `FarEnd` of the board."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._inputs = Inputs(0)
        self._openings = 0
        self._lights = 0
        self._number = 0
        self._started = self._told_at = 0.0
        self._told: tuple[Inputs, int] | None = None
        self.power_up()

    @property
    def inputs(self) -> Inputs:
        return self._inputs

    def set_input(self, which: Inputs, *, on: bool) -> None:
        """What happens to the case. Hold the device's lock."""
        if on and which & Inputs.TAMPER_OPEN and not self._inputs & Inputs.TAMPER_OPEN:
            self._openings = (self._openings + 1) % 256
        self._inputs = self._inputs | which if on else self._inputs & ~which

    @property
    def lights(self) -> dict[str, str]:
        """Slot -> what its light does."""
        return {slot: LIGHTS[self._lights >> 2 * place & 3] for place, slot in enumerate(SLOTS)}

    def take(self, buffer: bytearray) -> Iterator[Line | Illegal]:
        while buffer:
            start = buffer.find(b"$")
            if start:
                stray = bytes(buffer if start < 0 else buffer[:start])
                del buffer[: len(stray)]
                yield Illegal("outside of a line", stray)
                continue
            end = buffer.find(b"\r\n")
            if end < 0:
                if len(buffer) > _LONGEST:
                    yield Illegal("a line without end", bytes(buffer))
                    buffer.clear()
                return
            body = bytes(buffer[1:end])
            del buffer[: end + 2]
            yield _read(body)

    def obey(self, command: Line) -> bytes | Illegal:
        if not command.good:
            return self._refuse(command, 1)
        match command.kind:
            case "Q" if not command.data:
                return self.report()
            case "L" if len(command.data) == 1:
                if command.data[0] >= 0x40 or any(
                    command.data[0] >> 2 * place & 3 == 3 for place in range(len(SLOTS))
                ):
                    return Illegal("lights that there are not", command.data)
                self._lights = command.data[0]
                return self._line("A", bytes([command.number, self._lights]))
            case _:
                return Illegal("no command", f"{command.kind}{command.data.hex()}".encode())

    def report(self) -> bytes:
        """A report of how things stand."""
        since = int((self._clock() - self._started) * 1000)
        self._told, self._told_at = (self._inputs, self._openings), self._clock()
        data = bytes([self._inputs, self._openings, self._lights]) + since.to_bytes(5)
        return self._line("R", data)

    def nak(self, command: Line) -> bytes:
        return self._refuse(command, 1)

    def busy(self, command: Line) -> bytes:
        return self._refuse(command, 4)

    def bad_check(self, answer: bytes) -> bytes:
        last = answer[-3:-2]
        return answer[:-3] + (b"0" if last != b"0" else b"1") + answer[-2:]

    def tick(self) -> bytes:
        due = self._clock() - self._told_at >= HEARTBEAT
        return self.report() if due or self._told != (self._inputs, self._openings) else b""

    def power_up(self) -> None:
        self._started = self._told_at = self._clock()
        self._number = self._lights = 0
        self._openings = 1 if self._inputs & Inputs.TAMPER_OPEN else 0
        self._told = None

    def _refuse(self, command: Line, why: int) -> bytes:
        return self._line("N", bytes([command.number, why]))

    def _line(self, kind: str, data: bytes) -> bytes:
        self._number = (self._number + 1) % 256
        return line_of(self._number, kind, data)


class SensorDevice(SerialDevice[Line]):
    """A board that can be plugged in and out; N of its faults counts answers to commands."""

    def __init__(self, link: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.machine = SensorMachine(clock)
        super().__init__(link, "sensor board", self.machine, clock=clock)

    def set_input(self, which: Inputs, *, on: bool) -> None:
        """What happens to the case; told to the host at once."""
        with self.lock:
            self.machine.set_input(which, on=on)


def _read(body: bytes) -> Line | Illegal:
    text, star, check = body.partition(b"*")
    try:
        number, kind, data = int(text[:2], 16), text[2:3].decode(), bytes.fromhex(text[3:].decode())
        good = int(check, 16) == check_sum(text) and len(check) == 4
    except ValueError:
        return Illegal("no line", body)
    if not star or not kind.isupper():
        return Illegal("no line", body)
    return Line(number, kind, data, good)
