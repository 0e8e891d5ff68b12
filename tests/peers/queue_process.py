"""A process of its own that works with one queue and does what it is told, line by line.

``python -m tests.peers.queue_process CANDIDATE FOLDER SECONDS-AHEAD`` opens the queue with all its
clocks ahead by so much: for it, that time has passed. Each line on stdin is a JSON list of a word
and its argument; each answer is one JSON object, ``{"said": ...}`` or ``{"refused": NAME}``.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.peers.queue_adapters import Adapter, Candidate, Connections, Held, Settings

REPOSITORY = Path(__file__).parents[2]

HOUR = 3600
"""Seconds; longer than any lease."""

_CLOCKS = {"time": 1, "monotonic": 1, "time_ns": 10**9, "monotonic_ns": 10**9}
"""Those of the module `time`, with their ticks a second."""


class Refused(Exception):
    """The candidate raised; the message is the name of its exception."""


class QueueProcess:
    """The handle of one such process. As a context manager it closes the queue at the end.

    Every method raises `Refused` when the candidate raises.
    """

    def __init__(self, candidate: Candidate, folder: Path, *, seconds_ahead: int = 0) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, candidate.value, str(folder), str(seconds_ahead)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
        )
        try:
            self._answer()
        except BaseException:
            self.kill()
            raise

    def __enter__(self) -> QueueProcess:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            try:
                self._ask("close")
            finally:
                self.kill()

    def put(self, body: bytes) -> None:
        self._ask("put", body.decode())

    def take(self) -> bytes | None:
        """The body of the next item; the process holds it from then on."""
        body = self._ask("take")
        return None if body is None else str(body).encode()

    def done(self) -> None:
        """Finish what was taken last."""
        self._ask("done")

    def ask(self) -> None:
        self._ask("ask")

    def unfinished(self) -> int:
        return int(self._ask("unfinished"))

    def settings(self) -> Settings:
        path, journal_mode, synchronous = self._ask("settings")
        return Settings(Path(path), journal_mode, synchronous)

    def kill(self) -> None:
        """SIGKILL: it can do nothing more about what it holds."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def _ask(self, word: str, argument: str | None = None) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([word, argument]) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        answer = json.loads(self._process.stdout.readline())
        if "refused" in answer:
            raise Refused(answer["refused"])
        return answer["said"]


def main(candidate: Candidate, folder: Path, seconds_ahead: int) -> None:
    _set_clocks_ahead(seconds_ahead)
    # What a candidate logs beside its answer is not compared.
    logging.disable()
    connections = Connections()
    with connections.watching():
        queue: list[Adapter] = []
        _answer(lambda: queue.append(candidate.open(folder)))
        words = _words(queue[0], connections)
        for line in sys.stdin:
            word, argument = json.loads(line)
            _answer(lambda word=word, argument=argument: words[word](argument))  # type: ignore[misc]


def _words(queue: Adapter, connections: Connections) -> dict[str, Callable[[Any], object]]:
    hand: list[Held] = []

    def take(_: object) -> str | None:
        held = queue.take()
        if held is None:
            return None
        hand.append(held)
        return held.body.decode()

    def settings(_: object) -> tuple[str, str, int]:
        path, journal_mode, synchronous = connections.settings()
        return str(path), journal_mode, synchronous

    return {
        "put": lambda body: queue.put(body.encode()),
        "take": take,
        "done": lambda _: queue.done(hand[-1]),
        "ask": lambda _: queue.ask(),
        "unfinished": lambda _: queue.unfinished(),
        "settings": settings,
        "close": lambda _: queue.close(),
    }


def _answer(work: Callable[[], object]) -> None:
    try:
        answer = {"said": work()}
    except Exception as error:
        answer = {"refused": type(error).__name__}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _set_clocks_ahead(seconds: int) -> None:
    """Before the candidate is imported: one of them keeps ``time.time_ns`` under its own name."""
    for name, second in _CLOCKS.items():
        clock, ahead = getattr(time, name), seconds * second
        setattr(time, name, lambda clock=clock, ahead=ahead: clock() + ahead)


if __name__ == "__main__":
    main(Candidate(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
