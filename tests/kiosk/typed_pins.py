"""Somebody at a terminal who types a PIN at each prompt."""

from __future__ import annotations

import contextlib
import os
import select
import termios
import threading
from collections.abc import Iterator

import pytest

PROMPT = "PIN"
_PATIENCE = 10.0


class Typist:
    """Types `lines` one after the other.

    Attributes:
        seen: what the terminal showed.
        silent: whether its echo was off each time.
    """

    def __init__(self, master: int, slave: int, lines: list[str]) -> None:
        self.seen = b""
        self.silent = True
        self._master = master
        self._slave = slave
        self._lines = lines
        self._thread = threading.Thread(target=self._type, daemon=True)
        self._thread.start()

    def _type(self) -> None:
        for number, line in enumerate(self._lines, 1):
            while self.seen.count(PROMPT.encode()) < number and self._look(_PATIENCE):
                pass
            self.silent &= not termios.tcgetattr(self._slave)[3] & termios.ECHO
            os.write(self._master, line.encode() + b"\n")

    def _look(self, seconds: float) -> bool:
        there = bool(select.select([self._master], [], [], seconds)[0])
        if there:
            self.seen += os.read(self._master, 4096)
        return there

    def finish(self) -> str:
        """All that was shown."""
        self._thread.join(_PATIENCE)
        while self._look(0.01):
            pass
        return self.seen.decode()


@contextlib.contextmanager
def typing(monkeypatch: pytest.MonkeyPatch, *lines: str) -> Iterator[Typist]:
    """Standard input and standard error are a terminal at which these lines are typed."""
    master, slave = os.openpty()
    with (
        open(os.dup(slave), encoding="utf-8") as stdin,  # noqa: PTH123
        open(os.dup(slave), "w", encoding="utf-8", buffering=1) as stderr,  # noqa: PTH123
    ):
        monkeypatch.setattr("sys.stdin", stdin)
        monkeypatch.setattr("sys.stderr", stderr)
        try:
            yield Typist(master, slave, list(lines))
        finally:
            stderr.flush()
            monkeypatch.undo()
            os.close(slave)
            os.close(master)
