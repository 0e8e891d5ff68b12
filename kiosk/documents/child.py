"""The composing process as the kiosk sees it: started, asked, and ended."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from enum import Enum

from kiosk.documents import frames

COMMAND = (sys.executable, "-I", "-B", "-m", "kiosk.documents.composing")
"""Isolated from the environment and the working directory; writes no bytecode."""
GRACE_SECONDS = 2.0
"""How much later than the kiosk's deadline the process gives up by itself."""
_ENVIRONMENT = {"LC_ALL": "C.UTF-8"}


class ComposeProblem(Enum):
    """Why no document came."""

    NO_START = "no-start"
    """The composing process can't be started, or not in time."""
    DEADLINE = "deadline"
    CRASHED = "crashed"
    """The composing process ended."""
    GARBAGE = "garbage"
    """It answered something that is no document."""
    TEMPLATE = "template"
    """The pack's template can't be compiled with this certificate, or not without a warning."""
    CLOSED = "closed"


class ComposeFailed(Exception):
    """No document was made. The text has nothing of the certificate.

    Attributes:
        where: line and column of the template with TEMPLATE, else empty.
    """

    def __init__(self, problem: ComposeProblem, where: str = "") -> None:
        super().__init__(f"no document was composed: {problem.value} {where}".rstrip())
        self.problem = problem
        self.where = where


class Child:
    """One composing process and our end of the socket to it."""

    def __init__(self, command: Sequence[str]) -> None:
        self.ready = False
        self._line, theirs = socket.socketpair()
        with theirs:
            try:
                # Its own session: Ctrl-C at a developer's terminal is the kiosk's to handle.
                self._process = subprocess.Popen(
                    command,
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=_ENVIRONMENT,
                    cwd="/",
                    start_new_session=True,
                )
            except OSError:
                self._line.close()
                raise ComposeFailed(ComposeProblem.NO_START) from None

    @property
    def process_id(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(
        self, header: dict[str, object], blobs: Sequence[bytes], deadline: float
    ) -> frames.Frame:
        """Send one frame and await the answer, `deadline` seconds in all. Raises ComposeFailed."""
        end = time.monotonic() + deadline

        def arm() -> None:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._line.settimeout(left)

        try:
            arm()
            frames.send(self._line, header, blobs)
            answer = frames.receive(self._line, arm)
        except TimeoutError:
            raise ComposeFailed(ComposeProblem.DEADLINE) from None
        except (OSError, frames.FrameCut):
            answer = None
        except frames.FrameBroken:
            raise ComposeFailed(ComposeProblem.GARBAGE) from None
        if answer is None:
            raise ComposeFailed(ComposeProblem.CRASHED)
        return answer

    def end(self) -> None:
        """Kill it and let go of the socket; a second call does nothing more."""
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits in `ask`
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE_SECONDS)
        self._line.close()
