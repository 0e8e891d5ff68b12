"""The serial line of a CRT-591: its handshake of commands, answers and control bytes.

The device acknowledges a command, does it, answers, and is acknowledged. What is not acknowledged
or can't be read is sent again, as far as doing it twice is harmless: see `Again`.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import assert_never

from drivers.crt591.frames import (
    Answer,
    Bad,
    Control,
    Damaged,
    FrameReader,
    Good,
    Received,
    encode,
)
from drivers.pin_block import wipe
from drivers.serial_port import SerialPort

TRIES = 3
"""How often a command is sent, and a damaged answer asked for, at most."""


@dataclass(frozen=True)
class Crt591Times:
    """Delays in seconds.

    Attributes:
        ack: silence after which a command counts as lost (maker: 0.3).
        query: limit for the answer to a question.
        card: for that of a card; `kiosk` watches cards more closely.
        move: for a movement to end.
        init: for an initialisation to end.
        damaged: silence that ends a frame which was cut short.
        quiet: so long nothing may follow a NAK, or it was noise.
        resend: limit for an answer that was asked for again to begin.
        clear: limit for the device to say that the line is clear (maker: 0.3).
        write: limit for the line to take a frame.
        again: between two questions whether staff have put a trouble right.
    """

    ack: float = 0.3
    query: float = 2.0
    card: float = 30.0
    move: float = 12.0
    init: float = 20.0
    damaged: float = 0.1
    quiet: float = 0.02
    resend: float = 0.5
    clear: float = 0.3
    write: float = 1.0
    again: float = 30.0


class Again(Enum):
    """When a command may be sent again."""

    ALWAYS = "always"
    """A question: doing it twice is harmless."""
    NOT_TAKEN = "not-taken"
    """Only when the device said that it could not read it: a card counts its commands."""
    NEVER = "never"
    """A movement: who sent it looks first where the card is."""


class Silence(Enum):
    """There is no answer."""

    NOT_TAKEN = "not-taken"
    """The device could not read the command; it was not done."""
    LOST = "lost"
    """Whether it was done is not known."""


@dataclass(frozen=True)
class Request:
    """A command.

    Attributes:
        data: may carry a PIN to the card, so that it is not in the repr; the caller wipes it.
        seconds: limit for the answer.
    """

    cm: int
    pm: int
    seconds: float
    again: Again = Again.ALWAYS
    data: bytes | bytearray = field(default=b"", repr=False)


class Crt591Line:
    """The port and what came over it. Used by one thread at a time.

    Every method but `close` raises `drivers.serial_port.PortLost`.
    """

    def __init__(self, path: str, baud: int, address: int, times: Crt591Times) -> None:
        self._port = SerialPort(path, baud, "card dispenser")
        self._address = address
        self._times = times
        self._reader = FrameReader(address)
        self._received: deque[Received] = deque()
        self._owed = False
        """An answer was given up; it may still come, and must not pass for another's."""

    @property
    def is_open(self) -> bool:
        """The port is open, as far as we know."""
        return self._port.is_open

    def open(self) -> None:
        """Open the port and clear the line of what an earlier host left on it."""
        self._port.open()
        self._owed = True

    def close(self) -> None:
        """Let go of the port. Never raises; a second call does nothing."""
        self._forget()
        self._port.close()

    def exchange(self, request: Request) -> Answer | Silence:
        """Send a command and return its answer, which is acknowledged."""
        frame = encode(self._address, request.cm, request.pm, request.data)
        tries = 1 if request.again is Again.NEVER else TRIES
        outcome: Answer | Silence = Silence.LOST
        try:
            for _ in range(tries):
                self._clear_what_is_owed()
                self._drop_late_bytes()
                self._port.write(frame, self._times.write)
                outcome = self._listen(request)
                if isinstance(outcome, Good | Bad):
                    return outcome
                self._owed = outcome is Silence.LOST
                if outcome is Silence.LOST and request.again is not Again.ALWAYS:
                    break
            return outcome
        finally:
            wipe(frame)

    def _listen(self, request: Request) -> Answer | Silence:
        now = time.monotonic()
        end, lost = now + request.seconds, now + self._times.ack
        acknowledged = False
        first = True
        damaged = 0
        while True:
            # A command that may be sent again is, as soon as it counts as lost. The device may have
            # taken another one all the same: its answer tells.
            hurried = not acknowledged and request.again is Again.ALWAYS
            received = self._next(min(end, lost) if hurried else end)
            match received:
                case None:
                    return Silence.LOST
                case Control.ACK:
                    acknowledged = True
                case Control.NAK:
                    if first and self._falls_silent():
                        return Silence.NOT_TAKEN
                case Control.EOT:
                    return Silence.LOST
                case Damaged():
                    damaged += 1
                    if damaged == TRIES:
                        return Silence.LOST
                    acknowledged = True
                    self._say(Control.NAK)
                    end = time.monotonic() + self._times.resend
                case Good() | Bad():
                    self._say(Control.ACK)
                    if (received.cm, received.pm) == (request.cm, request.pm):
                        return received
                case _:
                    assert_never(received)
            first = False

    def _falls_silent(self) -> bool:
        """Nothing follows a NAK: the device waits for the command. Else it was noise."""
        return not self._received and not self._receive(self._times.quiet)

    def _clear_what_is_owed(self) -> None:
        """Tell the device to drop what it does, until it says that it has."""
        if not self._owed:
            return
        for _ in range(2):
            self._reader.give_up()
            self._say(Control.EOT)
            end = time.monotonic() + self._times.clear
            while (received := self._next(end)) is not None:
                if received is Control.EOT:
                    self._owed = False
                    return
                if isinstance(received, Good | Bad):
                    self._say(Control.ACK)
        # A device that knows no EOT: it said nothing for so long that nothing is on its way.
        self._owed = False

    def _drop_late_bytes(self) -> None:
        """A line that is never silent must not hold us up."""
        end = time.monotonic() + self._times.ack
        while self._port.receive(0) and time.monotonic() < end:
            pass
        self._forget()

    def _forget(self) -> None:
        self._reader.give_up()
        self._received.clear()

    def _next(self, end: float) -> Received | None:
        """What comes next, None when nothing does until the monotonic time `end`."""
        while not self._received:
            left = end - time.monotonic()
            if left <= 0:
                return None
            if self._reader.partial:
                if not self._receive(self._times.damaged):
                    self._reader.give_up()
                    return Damaged()
            else:
                self._receive(left)
        return self._received.popleft()

    def _receive(self, seconds: float) -> bool:
        data = self._port.receive(seconds)
        self._received += self._reader.feed(data)
        return bool(data)

    def _say(self, control: Control) -> None:
        self._port.write(control.octet, self._times.write)
