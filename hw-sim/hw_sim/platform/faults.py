"""Faults scripted at the platform's end of the wire.

A schedule is a list of rules separated by ``,`` or ``;``:

* ``[PATH@]WHEN:FAULT`` where PATH is the last part of an endpoint's path (``overviews``; for
  submissions the part before the key), WHEN is the number of the request counted from when the
  rule was set (``2``), a range (``2-4``) or ``*``, and FAULT is

  ========================  ======================================================================
  ``503`` (any problem)     that problem instead of the work
  ``drop``                  connection closed before the work, no reply
  ``drop-after-commit``     the effect is committed, then the connection is closed without a reply
  ``delay=300``             the reply is held back, milliseconds before the work
  ``half``                  half of the reply's body, then the connection is closed
  ``bad-signature``         the reply's signature is spoilt
  ``wrong-clock=+900``      the platform's clock is wrong by so many seconds during this request
  ========================  ======================================================================

* ``block:NAME=REASON``: that block of every overview is unavailable
  (``block:annuity=maintenance``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Lock
from typing import get_args

from hw_sim.platform.problems import BY_STATUS
from hw_sim.platform.wire import BlockName, GapReason

BLOCKS: Mapping[str, BlockName] = {name: name for name in get_args(BlockName)}
REASONS: Mapping[str, GapReason] = {reason: reason for reason in get_args(GapReason)}

_RULE = re.compile(
    r"(?:(?P<path>[a-z-]+)@)?(?P<when>\*|\d+(?:-\d+)?):(?P<name>[a-z0-9-]+?)(?:=(?P<value>[+-]?\d+))?"
)
_BLOCK = re.compile(r"block:(?P<name>[a-z_]+)=(?P<reason>[a-z-]+)")


class FaultScriptError(ValueError):
    """A schedule that is no schedule; the text says which rule."""


@dataclass(frozen=True)
class Faults:
    """What goes wrong with one request; the default is nothing."""

    status: int | None = None
    delay_ms: int = 0
    drop: bool = False
    drop_after_commit: bool = False
    half: bool = False
    bad_signature: bool = False
    clock_shift_s: int = 0


_Change = Callable[[Faults], Faults]


@dataclass
class _Rule:
    path: str | None
    first: int
    last: int | None
    change: _Change
    seen: int = field(default=0)

    def strikes(self, path: str) -> bool:
        if self.path is not None and self.path != path:
            return False
        self.seen += 1
        return self.first <= self.seen and (self.last is None or self.seen <= self.last)


def _change(rule: str, name: str, value: str | None) -> _Change:
    match name, value:
        case "drop", None:
            return partial(replace, drop=True)
        case "drop-after-commit", None:
            return partial(replace, drop_after_commit=True)
        case "half", None:
            return partial(replace, half=True)
        case "bad-signature", None:
            return partial(replace, bad_signature=True)
        case "delay", str(number) if int(number) >= 0:
            return partial(replace, delay_ms=int(number))
        case "wrong-clock", str(number):
            return partial(replace, clock_shift_s=int(number))
        case status, None if status.isdecimal() and int(status) in BY_STATUS:
            return partial(replace, status=int(status))
        case _:
            raise FaultScriptError(f"no such fault: {rule}")


def _rule(rule: str) -> _Rule:
    match = _RULE.fullmatch(rule)
    if match is None:
        raise FaultScriptError(f"not [PATH@]WHEN:FAULT: {rule}")
    first, last = 1, None
    if match["when"] != "*":
        start, _, end = match["when"].partition("-")
        first, last = int(start), int(end or start)
        if not 1 <= first <= last:
            raise FaultScriptError(f"requests are counted from 1: {rule}")
    return _Rule(match["path"], first, last, _change(rule, match["name"], match["value"]))


class FaultPlan:
    """The rules in force. Safe to change while the platform serves."""

    def __init__(self, script: str = "") -> None:
        self._lock = Lock()
        self._rules: list[_Rule] = []
        self._blocks: dict[BlockName, GapReason] = {}
        self._delay_ms = 0
        self.add(script)

    def add(self, script: str) -> None:
        """Add rules; each counts requests from now on.

        Raises:
            FaultScriptError: nothing of the script was added.
        """
        rules: list[_Rule] = []
        blocks: dict[BlockName, GapReason] = {}
        for part in filter(None, (part.strip() for part in re.split("[,;]", script))):
            block = _BLOCK.fullmatch(part)
            if block is None:
                rules.append(_rule(part))
                continue
            if block["name"] not in BLOCKS or block["reason"] not in REASONS:
                raise FaultScriptError(f"no such block or reason: {part}")
            blocks[BLOCKS[block["name"]]] = REASONS[block["reason"]]
        with self._lock:
            self._rules += rules
            self._blocks |= blocks

    def set(self, script: str) -> None:
        """Replace all rules.

        Raises:
            FaultScriptError: the old rules stay.
        """
        FaultPlan(script)
        self.clear()
        self.add(script)

    def clear(self) -> None:
        """No rule any more; a delay of ``set_delay`` stays."""
        with self._lock:
            self._rules.clear()
            self._blocks.clear()

    def set_delay(self, delay_ms: int) -> None:
        """Hold every request back, besides what the rules do; 0 ends it."""
        with self._lock:
            self._delay_ms = delay_ms

    def next(self, path: str) -> Faults:
        """Count one request to a URL's ``path``, and say what goes wrong with it."""
        parts = path.strip("/").split("/")
        name = "submissions" if parts[1:2] == ["submissions"] else parts[-1]
        with self._lock:
            faults = Faults(delay_ms=self._delay_ms)
            for rule in self._rules:
                if rule.strikes(name):
                    faults = rule.change(faults)
        return faults

    def block_gaps(self) -> Mapping[BlockName, GapReason]:
        """Blocks that are unavailable for everyone."""
        with self._lock:
            return dict(self._blocks)
