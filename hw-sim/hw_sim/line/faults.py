"""What goes wrong on the line between a terminal and its platform, as data.

A schedule is a list of rules ``WHEN:FAULT[=VALUE]``, separated by ``,`` or ``;``. WHEN is the
number of the exchange counted from when the rule was set (``2``), a range (``2-4``) or ``*``: every
one until the rule is lifted. FAULT is

======================  ======================================================================
``latency=300``         the request is held back, milliseconds; ``300~50``: 50 more or less,
                        by chance
``drip=200``            both ways carry so many bytes a second
``cut-request=N``       both sides see the connection closed after N bytes of the request
``cut-answer=N``        the same after N bytes of the answer
``fin-request=N``       half closed: after N bytes the platform sees the end of what the terminal
                        says, and may still answer
``fin-answer=N``        half closed: after N bytes the terminal sees the end of what the platform
                        says, and may still speak
``reset``               RST instead of taking the request
``reset-after-commit``  the request arrives whole; its answer is swallowed, the terminal gets RST
``duplicate-answer``    the answer's bytes twice, one behind the other
``stale-answer``        the answer's bytes once more, in front of the connection's next answer
``duplicate-request``   the request arrives by a connection of its own too, and is answered there
                        first; that answer is lost
``refuse``              the line is down until that is lifted: connections are reset and refused
                        (``3:refuse`` from the third exchange on, ``*:refuse`` at once)
``black-hole``          what the terminal sends is taken and goes nowhere
======================  ======================================================================

The line carries bytes and understands none: an exchange begins with a terminal's bytes at the start
of a connection, or behind bytes of the platform. That is a request of HTTP/1.1; under TLS the
turns of a handshake are exchanges too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from threading import Lock


class Kind(Enum):
    """The names of faults."""

    LATENCY = "latency"
    DRIP = "drip"
    CUT_REQUEST = "cut-request"
    CUT_ANSWER = "cut-answer"
    FIN_REQUEST = "fin-request"
    FIN_ANSWER = "fin-answer"
    RESET = "reset"
    RESET_AFTER_COMMIT = "reset-after-commit"
    DUPLICATE_ANSWER = "duplicate-answer"
    STALE_ANSWER = "stale-answer"
    DUPLICATE_REQUEST = "duplicate-request"
    REFUSE = "refuse"
    BLACK_HOLE = "black-hole"


_RULE = re.compile(
    r"(?P<when>\*|\d{1,6}(?:-\d{1,6})?):(?P<name>[a-z-]+)(?:=(?P<value>[\d~]+))?", re.ASCII
)
_COUNT = re.compile(r"(?P<amount>\d{1,9})", re.ASCII)
_RATE = re.compile(r"(?P<amount>[1-9]\d{0,8})", re.ASCII)
_TIME = re.compile(r"(?P<amount>\d{1,6})(?:~(?P<spread>\d{1,6}))?", re.ASCII)
_VALUES: Mapping[Kind, re.Pattern[str]] = {
    Kind.LATENCY: _TIME,
    Kind.DRIP: _RATE,
    Kind.CUT_REQUEST: _COUNT,
    Kind.CUT_ANSWER: _COUNT,
    Kind.FIN_REQUEST: _COUNT,
    Kind.FIN_ANSWER: _COUNT,
}
"""How the value of a kind is written; the others have none."""


class LineFaultError(ValueError):
    """A schedule that is no schedule; the text says which rule."""


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong with one exchange.

    Attributes:
        amount: bytes of a cut, milliseconds of latency, bytes a second of a drip; else 0.
        spread: milliseconds of latency by chance, more or less.
    """

    kind: Kind
    amount: int = 0
    spread: int = 0


@dataclass
class _Rule:
    first: int
    last: int | None
    fault: Fault
    seen: int = field(default=0)

    def strikes(self) -> bool:
        self.seen += 1
        return self.first <= self.seen and (self.last is None or self.seen <= self.last)

    @property
    def over(self) -> bool:
        return self.last is not None and self.seen >= self.last


def _rule(text: str) -> _Rule:
    match = _RULE.fullmatch(text)
    if match is None:
        raise LineFaultError(f"not WHEN:FAULT: {text}")
    fault = _fault(text, match["name"], match["value"])
    start, dash, end = match["when"].partition("-")
    if start == "*":
        return _Rule(0, None, fault)
    first, last = int(start), int(end or start)
    if not 1 <= first <= last:
        raise LineFaultError(f"exchanges are counted from 1: {text}")
    if fault.kind is not Kind.REFUSE:
        return _Rule(first, last, fault)
    if dash:
        raise LineFaultError(f"nobody can count what is refused: {text}")
    return _Rule(first, None, fault)


def _fault(text: str, name: str, value: str | None) -> Fault:
    try:
        kind = Kind(name)
    except ValueError:
        raise LineFaultError(f"no such fault: {text}") from None
    form = _VALUES.get(kind)
    if form is None or value is None:
        if form is not None or value is not None:
            raise LineFaultError(f"write {name}{'=VALUE' if form else ''}: {text}")
        return Fault(kind)
    measured = form.fullmatch(value)
    if measured is None:
        raise LineFaultError(f"not a value of {name}: {text}")
    return Fault(kind, int(measured["amount"]), int(measured.groupdict().get("spread") or 0))


class LinePlan:
    """The rules in force. Safe to change while the line carries."""

    def __init__(self, script: str = "") -> None:
        self._lock = Lock()
        self._rules: list[_Rule] = []
        self.add(script)

    def add(self, script: str) -> None:
        """Add rules; each counts exchanges from now on.

        Raises:
            LineFaultError: nothing of the script was added.
        """
        rules = [_rule(part) for part in map(str.strip, re.split("[,;]", script)) if part]
        with self._lock:
            self._rules += rules

    def clear(self) -> None:
        """No rule any more."""
        with self._lock:
            self._rules.clear()

    @property
    def pending(self) -> int:
        """How many rules still have something to do."""
        with self._lock:
            return sum(not rule.over for rule in self._rules)

    @property
    def refuses(self) -> bool:
        """Whether a rule keeps the line down at this moment."""
        with self._lock:
            return any(
                rule.fault.kind is Kind.REFUSE and rule.seen >= rule.first for rule in self._rules
            )

    def next(self) -> dict[Kind, Fault]:
        """Count one exchange, and say what goes wrong with it; of a kind the newest rule holds."""
        with self._lock:
            return {rule.fault.kind: rule.fault for rule in self._rules if rule.strikes()}
