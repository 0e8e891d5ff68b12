"""Processes that must not outlive the one that started them."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class ChildEnded(Exception):
    """A child that should go on has ended; the text names it, its exit code and its log."""


def _die_with_parent() -> None:
    # prctl(2): cleared by nothing but exec of a set-user-ID program. SIGTERM, so that a child may
    # end its own children first.
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """One started process and its log.

    Args:
        name: names it in messages; its log is ``<name>.log``.
        command: program and arguments.
        logs: existing directory for the log.
        environment: what differs from ours.
        pass_fds: descriptors it inherits.

    The kernel sends it SIGTERM when the *thread* that started it ends, so start children from the
    main thread.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        logs: Path,
        environment: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("children are started from the main thread")
        self.name = name
        self.log = logs / f"{name}.log"
        with self.log.open("ab") as log:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                pass_fds=tuple(pass_fds),
                start_new_session=True,  # Ctrl-C reaches us alone; we end them in order
                preexec_fn=_die_with_parent,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """True once it is gone."""
        return self._process.poll() is not None

    @property
    def ended_well(self) -> bool:
        """True once it is gone with exit code 0."""
        return self._process.poll() == 0

    def check(self) -> None:
        """Raise `ChildEnded` when it is gone."""
        code = self._process.poll()
        if code is not None:
            tail = self.log.read_text(errors="replace").strip().splitlines()[-5:]
            told = "".join(f"\n  {line}" for line in tail)
            raise ChildEnded(f"{self.name} ended with {code}; its log is {self.log}{told}")

    def end(self, patience: float = 5.0) -> None:
        """SIGTERM, after so many seconds SIGKILL; returns when it is gone."""
        stdin: IO[bytes] | None = self._process.stdin
        if stdin is not None:
            with suppress(OSError):
                stdin.close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
