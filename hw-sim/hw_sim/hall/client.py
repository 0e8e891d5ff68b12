"""The near end of the simulated hall's control socket: one question, one answer, JSON lines."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

Answer = dict[str, Any]

SOCKET_NAME = "hall.sock"
ANNOUNCEMENT_NAME = "hall.json"


class HallNotRunning(Exception):
    """Nobody listens in the run directory."""


class HallRefused(Exception):
    """The hall answered that it can't do what was asked; the text says why."""


def default_run_directory() -> Path:
    """Where the hall of this user is found when nobody says otherwise."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime:
        return Path(runtime) / "yikatong-hall"
    return Path(f"/tmp/yikatong-hall-{os.getuid()}")


def announcement(run: Path) -> Answer:
    """What the hall published when it was ready (``hall.json``).

    Raises:
        HallNotRunning: there is no such file, or it isn't a hall's.
    """
    try:
        found = json.loads((run / ANNOUNCEMENT_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HallNotRunning(f"no hall has announced itself in {run}") from error
    if not isinstance(found, dict):
        raise HallNotRunning(f"{run / ANNOUNCEMENT_NAME} is not a hall's announcement")
    return found


class HallClient:
    """Asks the hall of one run directory; every question opens its own connection.

    Args:
        run: the hall's run directory.
        timeout: seconds until an unanswered question counts as "not running".
    """

    def __init__(self, run: Path, timeout: float = 30.0) -> None:
        self.run = run
        self._timeout = timeout

    def ask(self, do: str, **arguments: object) -> Answer:
        """Return the hall's answer.

        Raises:
            HallNotRunning: nothing listens, or it went away before it answered.
            HallRefused: it answered ``ok: false``.
        """
        question = json.dumps({"do": do, **arguments}, ensure_ascii=False) + "\n"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(self._timeout)
            try:
                line.connect(str(self.run / SOCKET_NAME))
                line.sendall(question.encode())
                with line.makefile("rb") as replies:
                    reply = replies.readline()
            except OSError as error:
                raise HallNotRunning(f"no hall answers in {self.run}") from error
        if not reply.endswith(b"\n"):
            raise HallNotRunning(f"the hall in {self.run} ended before it answered")
        answer = json.loads(reply)
        if not isinstance(answer, dict) or not answer.get("ok"):
            raise HallRefused(str(answer.get("error", "refused without a reason")))
        return answer

    def alive(self) -> bool:
        """True when somebody listens here, however busy."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(self._timeout)
            return line.connect_ex(str(self.run / SOCKET_NAME)) == 0
