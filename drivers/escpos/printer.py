"""An ESC/POS receipt printer on a serial port or TCP 9100.

A slip goes out in parts. Each is followed by a question that the printer answers in its turn, so
the answer says that the part is worked off; while that is awaited the real-time status is asked,
which a printer answers even when it can't print. What is sent follows `escpos.toml`.
"""

from __future__ import annotations

import contextlib
import logging
import time
import tomllib
from collections import deque
from dataclasses import dataclass, field
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from drivers.document_printer import PrintEnd
from drivers.escpos.encoding import parts
from drivers.escpos.status import Answer, Question, kind_of, paper_end, status_of
from drivers.network_port import NetworkPort
from drivers.receipt_printer import ReceiptReason, ReceiptStatus, Slip, SlipOutcome
from drivers.serial_port import PortLost, SerialPort
from drivers.worker import given_up

log = logging.getLogger(__name__)

_GONE = ReceiptStatus(ReceiptReason.GONE)
_PASSING = (None, ReceiptReason.RECOVERING, ReceiptReason.OFFLINE)
"""With these in the way a printer goes on by itself, and on the same piece of paper."""


@dataclass(frozen=True)
class EscposTimes:
    """Delays in seconds.

    Attributes:
        answer: silence after which a status question is repeated, and after the second time
            given up.
        connect: limit for a TCP connection.
        look: while a part is awaited, the time between two looks at the status.
        part: longest that a part may take; a picture at 9600 bits per second is the slowest.
        slip: longest for a whole slip.
        write: limit for the line to take a part.
    """

    answer: float = 0.5
    connect: float = 2.0
    look: float = 0.2
    part: float = 6.0
    slip: float = 40.0
    write: float = 3.0


def escpos_facts() -> dict[str, Any]:
    """The facts of `escpos.toml`, for a terminal that must change one of them."""
    text = resources.files("drivers.escpos").joinpath("escpos.toml").read_text("utf-8")
    return tomllib.loads(text)


class _Stopped(Exception):
    """The slip can't go on, and why."""

    def __init__(self, reason: ReceiptReason | None) -> None:
        self.reason = reason


@dataclass
class _Heard:
    """What came from the printer, sorted by its fixed bits.

    Attributes:
        reached: answers to the question behind a part.
        paper_end: one of them says that the paper has ended.
    """

    statuses: deque[int] = field(default_factory=deque)
    reached: int = 0
    paper_end: bool = False
    damaged: int = 0

    def take(self, octets: bytes) -> None:
        for octet in octets:
            match kind_of(octet):
                case Answer.STATUS:
                    self.statuses.append(octet)
                case Answer.REACHED:
                    self.reached += 1
                    self.paper_end = self.paper_end or paper_end(octet)
                case Answer.DAMAGED:
                    self.damaged += 1


class EscposPrinter:
    """`ReceiptPrinter`. The port is opened by the first question, and again after it was lost.

    Args:
        address: a serial device's path, or ``tcp://host:9100``.
        baud: bits per second of a serial device, None for that of the facts.
    """

    def __init__(
        self,
        address: str,
        times: EscposTimes | None = None,
        facts: dict[str, Any] | None = None,
        *,
        baud: int | None = None,
    ) -> None:
        self._facts = facts or escpos_facts()
        self._times = times or EscposTimes()
        self._port: SerialPort | NetworkPort
        if address.startswith("tcp://"):
            url = urlsplit(address)
            if not url.hostname or not url.port or url.path or url.query or url.username:
                raise ValueError("a receipt printer's address is tcp://host:port or a device")
            connect = self._times.connect
            self._port = NetworkPort(url.hostname, url.port, connect, "receipt printer")
        else:
            speed = baud or self._facts["line"]["baud"]
            self._port = SerialPort(address, speed, "receipt printer")
        self._holds_rest = False

    def status(self) -> ReceiptStatus:
        try:
            self._port.open()
            if self._holds_rest:
                self._forget_slip()
            status = self._ask()
            if status.reason is ReceiptReason.CUTTER_ERROR:
                # It tries its cutter again, which helps once the jam is gone. What it held of an
                # earlier slip it forgets.
                self._send(self._facts["recover"]["command"])
            return status
        except PortLost:
            return _GONE

    def print_slip(self, slip: Slip) -> SlipOutcome:
        waiting = parts(slip, self._facts)
        status = self.status()
        if status.reason is not None or given_up():
            return SlipOutcome(PrintEnd.FAILED, status.reason)
        outcome = self._print(waiting)
        reason = outcome.reason.value if outcome.reason else "none"
        log.info("slip ended: %s, obstacle: %s", outcome.end.value, reason)
        return outcome

    def close(self) -> None:
        self._port.close()

    # --- a slip ----------------------------------------------------------------------------------

    def _print(self, waiting: tuple[bytes, ...]) -> SlipOutcome:
        end = time.monotonic() + self._times.slip
        try:
            for part in waiting:
                if given_up() or time.monotonic() >= end:
                    raise _Stopped(None)
                self._print_part(part)
        except PortLost:
            self._holds_rest = True
            return SlipOutcome(PrintEnd.UNKNOWN, ReceiptReason.GONE)
        except _Stopped as stopped:
            self._forget_slip()
            return SlipOutcome(PrintEnd.UNKNOWN, stopped.reason)
        return SlipOutcome(PrintEnd.DONE)

    def _forget_slip(self) -> None:
        """The rest of a slip must not come out when paper is put in, for whoever stands there."""
        self._holds_rest = True
        with contextlib.suppress(PortLost):
            self._send(self._facts["forget"]["command"])
            self._holds_rest = False

    def _print_part(self, part: bytes) -> None:
        """Send a part, wait until it is worked off, and see that nothing is in the way now.

        The question behind it is not sent again when no answer comes: a printer that has lost
        the part with its power would answer that. For the same reason an answer among damaged
        bytes counts for nothing.

        Raises:
            _Stopped: something is in the way, or no answer came in time.
            PortLost: the line broke, or the printer says nothing any more.
        """
        self._drop_late_bytes()
        self._port.write(part + bytes.fromhex(self._facts["reached"]["ask"]), self._times.write)
        heard = _Heard()
        end = time.monotonic() + self._times.part
        seen: ReceiptReason | None = None
        while not heard.reached and (left := end - time.monotonic()) > 0:
            heard.take(self._port.receive(min(left, self._times.look)))
            if not heard.reached:
                seen = self._ask(heard).reason
                if seen not in _PASSING:
                    raise _Stopped(seen)
        if not heard.reached:
            raise _Stopped(seen)
        # Was the last line still on the paper that has just run out? Nobody knows.
        after = self._ask(heard).reason
        if after is not None or heard.paper_end or heard.damaged or heard.reached > 1:
            raise _Stopped(after or (ReceiptReason.PAPER_OUT if heard.paper_end else None))

    # --- status ----------------------------------------------------------------------------------

    def _ask(self, heard: _Heard | None = None) -> ReceiptStatus:
        """Ask all four questions, each twice at most.

        Args:
            heard: takes in what else comes; None where nothing else is awaited.

        Raises:
            PortLost: one has no answer, or no readable one.
        """
        answers = {question: self._answer(question, heard) for question in Question}
        status = status_of(answers)
        assert status is not None
        return status

    def _answer(self, question: Question, heard: _Heard | None) -> int:
        """Raises PortLost: no answer, or no readable one."""
        reason = ""
        for _attempt in range(2):
            if heard is None:
                self._drop_late_bytes()
            mine = heard or _Heard()
            mine.statuses.clear()
            before = mine.damaged
            self._port.write(b"\x10\x04" + bytes([question]), self._times.write)
            end = time.monotonic() + self._times.answer
            while not mine.statuses and (left := end - time.monotonic()) > 0:
                mine.take(self._port.receive(left))
            if mine.statuses:
                return mine.statuses.popleft()
            reason = "damaged answers" if mine.damaged > before else "no answer"
        self.close()
        raise PortLost(f"{reason} from the receipt printer")

    def _drop_late_bytes(self) -> None:
        """What came late for an earlier question; a line that is never silent must not hold us."""
        end = time.monotonic() + self._times.answer
        while self._port.receive(0) and time.monotonic() < end:
            pass

    def _send(self, command: str) -> None:
        if command:
            self._port.write(bytes.fromhex(command), self._times.write)
