"""Processes that the tests kill: ``produce FILE FIRST``, ``work FILE EFFECTS LEASE NAME``.

They say ``open``, wait for a line, and then acknowledge what is durable already line by line. A
worker waits for a second line with its first row in hand.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

from kiosk.clock import SystemClock
from offline_queue.message import QueueLimits
from offline_queue.queue import Queue
from tests.offline_queue.queue_world import DEVICE_KEY, body_of

LIMITS = QueueLimits(lease_seconds=60)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def produce(path: Path, first: int) -> None:
    """Enqueue for ever, with a cursor, and say each key."""
    queue = Queue(path, DEVICE_KEY, SystemClock(), limits=LIMITS)
    say("open")
    sys.stdin.readline()
    for number in range(first, sys.maxsize):
        key = f"k-{number}"
        order = "one" if number % 3 == 0 else ""
        queue.enqueue("rating", body_of(key), key=key, order=order, mark=("cursor", number))
        say(key)


def work(path: Path, effects: Path, lease: float, name: str) -> None:
    """Deliver until nothing is left: an effect is a file that is made once.

    Says ``sent KEY EPOCH`` before the effect and ``done KEY`` after the confirmation.
    """
    limits = dataclasses.replace(LIMITS, lease_seconds=lease)
    queue = Queue(path, DEVICE_KEY, SystemClock(), limits=limits)
    say("open")
    sys.stdin.readline()
    waits = True
    while (due := queue.next_due()) is not None:
        claim = queue.claim(name) if due == 0 else None
        if claim is None:
            continue
        assert claim.body == body_of(claim.key)
        say(f"sent {claim.key} {claim.epoch}")
        if waits:
            sys.stdin.readline()
            waits = False
        (effects / claim.key).touch()
        queue.confirm(claim, f"r-{claim.key}")
        say(f"done {claim.key}")


if __name__ == "__main__":
    if sys.argv[1] == "produce":
        produce(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        work(Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4]), sys.argv[5])
