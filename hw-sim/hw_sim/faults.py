"""A schedule of what goes wrong on a wire: ``1:bad-xor``, ``2:drop,3:drop``, ``1:delay=500``.

The number counts the device's answers from the moment the schedule was given.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


class FaultSyntaxError(ValueError):
    """A schedule that can't be read; the text says what is wrong with it."""


@dataclass(frozen=True)
class Fault:
    """One thing to do to one answer.

    Attributes:
        value: what stands behind ``=``; its meaning is the fault's own.
    """

    name: str
    value: str = ""


class Schedule:
    """Faults waiting for their turn.

    Args:
        names: name -> True when the fault takes a value.
    """

    def __init__(self, names: dict[str, bool]) -> None:
        self._names = names
        self._waiting: dict[int, Fault] = {}
        self._count = 0

    @property
    def pending(self) -> int:
        """How many have not happened yet."""
        return len(self._waiting)

    @property
    def waiting(self) -> tuple[Fault, ...]:
        """Those that have not happened yet."""
        return tuple(self._waiting.values())

    def set(self, text: str) -> None:
        """Add the faults of ``N:what[=value][,...]``; ``none`` forgets all.

        Raises:
            FaultSyntaxError: it can't be read; nothing was added.
        """
        if text == "none":
            self._waiting.clear()
            return
        new = [self._parse(part) for part in text.split(",")]
        self._waiting = {turn - self._count: fault for turn, fault in self._waiting.items()}
        self._count = 0
        self._waiting.update(new)

    def next(self) -> Fault | None:
        """The fault of the answer that is about to be sent, if it has one."""
        self._count += 1
        return self._waiting.pop(self._count, None)

    def _parse(self, part: str) -> tuple[int, Fault]:
        turn, colon, rest = part.strip().partition(":")
        if not colon or not turn.isdecimal() or int(turn) < 1:
            raise FaultSyntaxError(f"{part!r}: a fault is written N:WHAT, N counted from 1")
        name, equals, value = rest.partition("=")
        if name not in self._names:
            raise FaultSyntaxError(f"{name!r}: this device knows {_listed(self._names)}")
        if self._names[name] != bool(equals):
            need = f"{name}=VALUE" if self._names[name] else name
            raise FaultSyntaxError(f"{part!r}: write {need}")
        return int(turn), Fault(name, value)


def _listed(names: Collection[str]) -> str:
    return ", ".join(sorted(names))
