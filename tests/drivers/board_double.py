"""A sensor board on a pseudo-terminal, scripted by the test."""

from __future__ import annotations

from pathlib import Path

from drivers.sensor_board.board import SensorBoardTimes
from drivers.sensor_board.frames import Frame, FrameReader, encode
from tests.drivers.serial_double import SerialDouble

QUICK = SensorBoardTimes(answer=0.2, write=1)


class BoardDouble(SerialDouble):
    """It answers reports and lights; its clock is the test's.

    Attributes:
        inputs, openings, lights, milliseconds: what its reports say.
    """

    def __init__(self, link: Path) -> None:
        self.inputs = self.openings = self.lights = 0
        self.milliseconds = 1000
        super().__init__(link)

    def report(self) -> bytes:
        data = bytes([self.inputs, self.openings, self.lights])
        return encode(Frame(7, "R", data + self.milliseconds.to_bytes(5)))

    def usual(self, command: bytes) -> bytes | None:
        (frame,) = FrameReader().feed(command)
        assert isinstance(frame, Frame)
        if frame.kind == "Q":
            return self.report()
        self.lights = frame.data[0]
        return encode(Frame(9, "A", bytes([frame.number, self.lights])))

    def cut(self, held: bytes) -> tuple[bytes, bytes] | None:
        line, end, rest = held.partition(b"\r\n")
        return (line + end, rest) if end else None

    def kinds(self) -> str:
        """The kinds of the commands that came."""
        return "".join(chr(command[3]) for command in self.commands)
