"""The sensor board on a serial port.

Its bytes are in `drivers.sensor_board.frames`, what they mean in `sensor_board.toml`: ours both.
"""

from __future__ import annotations

import contextlib
import time
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any

from drivers.device import most_urgent
from drivers.sensor_board.frames import Frame, FrameReader, encode
from drivers.sensors import (
    Light,
    LightSlot,
    SensorsNote,
    SensorsReason,
    SensorsStatus,
    Settled,
    settled,
)
from drivers.serial_port import PortLost, SerialPort

_REPORT = 8
"""Bytes of a report's data."""
_LEVELS = {Light.OFF: 0, Light.ON: 1, Light.BLINK: 2}
_GONE = SensorsStatus(SensorsReason.GONE)


@dataclass(frozen=True)
class SensorBoardTimes:
    """Delays in seconds.

    Attributes:
        answer: silence after which a command is repeated, and after the second time given up.
        write: limit for the line to take a command.
    """

    answer: float = 0.5
    write: float = 1.0


def sensor_board_facts() -> dict[str, Any]:
    """The facts of `sensor_board.toml`, for a terminal that must change one of them."""
    text = resources.files("drivers.sensor_board").joinpath("sensor_board.toml").read_text("utf-8")
    return tomllib.loads(text)


@dataclass(frozen=True)
class _Report:
    """What the board says.

    Attributes:
        openings: of the tamper loop since the board was started, modulo 256.
        at: milliseconds since that start.
    """

    inputs: int
    openings: int
    lights: int
    at: int

    @classmethod
    def of(cls, data: bytes) -> _Report:
        return cls(data[0], data[1], data[2], int.from_bytes(data[3:]))


class SensorBoard:
    """`Sensors` on a serial port. The port is opened by the first command, and again after it was
    lost; reports that come unasked wait in it for the next look."""

    def __init__(
        self,
        port: str,
        baud: int | None = None,
        times: SensorBoardTimes | None = None,
        facts: dict[str, Any] | None = None,
    ) -> None:
        self._facts = facts or sensor_board_facts()
        self._times = times or SensorBoardTimes()
        self._port = SerialPort(port, baud or self._facts["frame"]["baud"], "sensor board")
        self._reader = FrameReader()
        self._number = 0
        self._wanted = dict.fromkeys(LightSlot, Light.OFF)
        self._last: _Report | None = None
        self._tampered = False
        self._door = self._present = Settled(False, False, 0.0)

    def status(self) -> SensorsStatus:
        try:
            report = self._ask()
            if report.lights != self._lights:
                # The board has lost its power since, or a command was lost.
                self._set_lights()
        except PortLost:
            # A loop that was seen open before stays told.
            return _GONE
        return self._status(report)

    def show(self, slot: LightSlot, light: Light) -> bool:
        self._wanted[slot] = light
        try:
            return self._set_lights()
        except PortLost:
            return False

    def close(self) -> None:
        if self._port.is_open:
            self._wanted = dict.fromkeys(LightSlot, Light.OFF)
            with contextlib.suppress(PortLost):
                self._set_lights()
        self._port.close()

    # --- what the board says ---------------------------------------------------------------------

    def _status(self, report: _Report) -> SensorsStatus:
        reasons = {SensorsReason.FAULT} if self._on(report, "fault") else set()
        if self._tampered:
            reasons.add(SensorsReason.TAMPERED)
        self._tampered = False
        return SensorsStatus(
            most_urgent(reasons, SensorsReason),
            frozenset({SensorsNote.DOOR_OPEN} if self._door.value else ()),
            self._present.value,
        )

    def _take(self, report: _Report) -> None:
        """Take in a report, asked for or not."""
        before, self._last = self._last, report
        door, present = self._on(report, "door_open"), self._on(report, "present")
        if before is None or report.at < before.at:
            # A board that we meet, or one that was started again: there is no earlier level.
            self._door = Settled(door, door, report.at)
            self._present = Settled(present, present, report.at)
            opened = before is not None and report.openings > 0
        else:
            times = self._facts["settle"]
            self._door = settled(
                self._door, door, report.at, times["door_rise"], times["door_fall"]
            )
            self._present = settled(
                self._present, present, report.at, times["present_rise"], times["present_fall"]
            )
            opened = report.openings != before.openings
        # The count tells of a loop that was open between two reports, even where one was lost.
        self._tampered = self._tampered or opened or self._on(report, "tampered")

    def _on(self, report: _Report, name: str) -> bool:
        return bool(report.inputs & self._facts["inputs"][name])

    @property
    def _lights(self) -> int:
        places = self._facts["lights"]
        return sum(_LEVELS[light] << places[slot.value] for slot, light in self._wanted.items())

    # --- commands --------------------------------------------------------------------------------

    def _ask(self) -> _Report:
        """Raises PortLost: no answer, no readable one, or a refusal."""
        if self._exchange("Q", b"", "R").kind == "N" or self._last is None:
            raise PortLost("the sensor board refuses to answer")
        return self._last

    def _set_lights(self) -> bool:
        """Whether the board has done it. Raises PortLost: no answer, or no readable one."""
        wanted = bytes([self._lights])
        frame = self._exchange("L", wanted, "A")
        return frame.kind == "A" and frame.data[1:] == wanted

    def _exchange(self, kind: str, data: bytes, answer: str) -> Frame:
        """Send a command until it is answered, twice at most; what else comes is taken in.

        Args:
            answer: the kind of its answer; the answer to a command that is refused twice is N.

        Raises:
            PortLost: no answer, or no readable one.
        """
        refused: Frame | None = None
        try:
            self._port.open()
            for _attempt in range(2):
                self._listen(0, "")
                self._number = (self._number + 1) % 256
                command = encode(Frame(self._number, kind, data))
                self._port.write(command, self._times.write)
                heard = self._listen(self._times.answer, answer)
                if heard is not None and heard.kind != "N":
                    return heard
                refused = heard or refused
        except PortLost:
            self._reader.give_up()
            raise
        if refused is not None:
            return refused
        self._reader.give_up()
        self._port.close()
        raise PortLost("no answer from the sensor board, or no readable one")

    def _listen(self, seconds: float, answer: str) -> Frame | None:
        """Take in what comes until the answer is there; with no seconds, what has come already."""
        begun = time.monotonic()
        while True:
            left = begun + seconds - time.monotonic()
            octets = self._port.receive(left)
            found = None
            for frame in self._reader.feed(octets):
                if isinstance(frame, Frame) and self._answers(frame, answer):
                    found = frame
            if found is not None:
                return found
            # A line that is never silent must not hold us up.
            if left <= 0 and (not octets or -left > self._times.answer):
                return None

    def _answers(self, frame: Frame, answer: str) -> bool:
        """Take a frame in; whether it is the answer that is waited for."""
        match frame.kind, len(frame.data):
            case "R", size if size == _REPORT:
                self._take(_Report.of(frame.data))
                return answer == "R"
            case ("A" | "N") as kind, 2 if answer:
                return kind in (answer, "N") and frame.data[0] == self._number
            case _:
                return False
