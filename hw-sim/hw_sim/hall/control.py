"""The far end of the control socket: accepts questions and hands them to the hall, one at a time.

Anyone who can open the socket can insert cards and cut lines; it is kept to its owner (0600).
"""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hw_sim.hall.client import SOCKET_NAME, Answer, HallClient

_log = logging.getLogger(__name__)

_LONGEST_QUESTION = 64 * 1024
_LONGEST_PATH = 107
"""sun_path of a Unix socket address is 108 bytes with its NUL (unix(7))."""


class Refused(Exception):
    """The question can't be served; its text is the answer's ``error``."""


class AlreadyRunning(Exception):
    """Another hall answers on this socket."""


class ControlServer:
    """Serves the control socket of a run directory.

    Args:
        run: existing directory that gets ``hall.sock``.
        serve: called with the parsed question, one call at a time; returns what goes into the
            answer beside ``ok``. It raises `Refused` for what it won't do.
    """

    def __init__(self, run: Path, serve: Callable[[Mapping[str, Any]], Answer]) -> None:
        self.path = run / SOCKET_NAME
        self._serve = serve
        self._turn = threading.Lock()
        self._listener: socket.socket | None = None

    def start(self) -> None:
        """Listen.

        Raises:
            AlreadyRunning: another hall answers here.
            ValueError: the path is too long for a socket address.
        """
        if len(str(self.path).encode()) > _LONGEST_PATH:
            raise ValueError(f"the run directory's path is too long for a socket: {self.path}")
        if self.path.exists():
            if HallClient(self.path.parent).alive():
                raise AlreadyRunning(f"a hall is already running in {self.path.parent}")
            self.path.unlink()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(self.path))
        self.path.chmod(0o600)
        listener.listen(16)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), name="control", daemon=True).start()

    def stop(self) -> None:
        """Close the socket and remove it; questions under way still get their answer."""
        if self._listener is None:
            return
        listener, self._listener = self._listener, None
        listener.close()
        self.path.unlink(missing_ok=True)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(
                target=self._talk, args=(connection,), name="control-talk", daemon=True
            ).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as questions:
            try:
                while line := questions.readline(_LONGEST_QUESTION):
                    answer = self._answer(line)
                    connection.sendall(json.dumps(answer, ensure_ascii=False).encode() + b"\n")
            except OSError:
                return

    def _answer(self, line: bytes) -> Answer:
        try:
            question = json.loads(line)
        except ValueError:
            return {"ok": False, "error": "the question is not one line of JSON"}
        if not isinstance(question, dict) or not isinstance(question.get("do"), str):
            return {"ok": False, "error": 'a question is an object with a text "do"'}
        try:
            with self._turn:
                return {"ok": True, **self._serve(question)}
        except Refused as refusal:
            return {"ok": False, "error": str(refusal)}
        except Exception as error:
            # The person at the other end must see that something broke; the log has where.
            _log.exception("the question %r failed", question.get("do"))
            return {"ok": False, "error": f"the hall failed: {type(error).__name__}"}
