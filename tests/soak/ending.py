"""Ways to die without a word: at one step of SQLite's machine, or at one moment of time."""

from __future__ import annotations

import os
import signal
import sqlite3
from dataclasses import dataclass
from typing import Any

EVERY = 8
"""Instructions of SQLite's virtual machine to a step."""


@dataclass(frozen=True)
class End:
    """When a process dies; with neither it lives.

    Attributes:
        step: at this step of SQLite's machine, counted from 1.
        microseconds: after this time, wherever it is then: in the middle of a commit, too.
    """

    step: int = 0
    microseconds: int = 0


class Steps:
    """Counts the steps of every connection that the process opens, and dies at the one wished."""

    def __init__(self, end: End) -> None:
        self.taken = 0
        self._end = end
        self._connect = sqlite3.connect
        sqlite3.connect = self._open  # type: ignore[assignment]

    def begin(self) -> None:
        """Count, and let the time run, from now on."""
        self.taken = 0
        if self._end.microseconds:
            # The timer's default action: the kernel ends the process on the spot, as SIGKILL does.
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, self._end.microseconds / 1e6)

    def _open(self, *args: Any, **named: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = self._connect(*args, **named)
        connection.set_progress_handler(self._step, EVERY)
        return connection

    def _step(self) -> int:
        self.taken += 1
        if self.taken == self._end.step:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0
