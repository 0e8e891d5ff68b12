"""kill -9 at random moments: what was acknowledged is there, and every effect is once."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kiosk.clock import SystemClock
from offline_queue.message import State
from offline_queue.queue import Queue
from tests.offline_queue import queue_process
from tests.offline_queue.queue_process import LIMITS
from tests.offline_queue.queue_world import DEVICE_KEY, body_of, stock

KILLS = 25
REPOSITORY = Path(__file__).parents[2]


def start(*arguments: object) -> subprocess.Popen[str]:
    program = [sys.executable, queue_process.__file__, *map(str, arguments)]
    process = subprocess.Popen(
        program,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env={"PYTHONPATH": "."},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    return process


def tell(process: subprocess.Popen[str], lines: str) -> None:
    assert process.stdin is not None
    process.stdin.write(lines)
    process.stdin.flush()


def finished(process: subprocess.Popen[str], lines: str = "go\ngo on\n") -> list[str]:
    """Let it work to its end."""
    said = process.communicate(lines)[0]
    assert process.returncode == 0
    return said.splitlines()


def killed(process: subprocess.Popen[str], rng: random.Random, lines: int) -> list[str]:
    """Let it say some lines and go on for a moment, kill it, return all that it has said."""
    assert process.stdin is not None
    assert process.stdout is not None
    tell(process, "go\ngo on\n")
    said = []
    for _ in range(rng.randrange(lines)):
        said.append(process.stdout.readline())
    time.sleep(rng.random() * 0.002)
    process.kill()
    said += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    process.stdin.close()
    # The last line may have been cut in the pipe; then it acknowledges nothing.
    return [line.strip() for line in said if line.endswith("\n")]


def test_what_a_killed_producer_acknowledged_is_there_once(tmp_path: Path) -> None:
    rng = random.Random(5)
    path = tmp_path / "queue.sqlite"
    acknowledged: list[str] = []
    following = 0
    for _ in range(KILLS):
        acknowledged += killed(start("produce", path, following), rng, 20)
        queue = Queue(path, DEVICE_KEY, SystemClock(), limits=LIMITS)
        rows = queue.rows(limit=10**6)
        keys = [row.key for row in rows]
        assert keys == [f"k-{number}" for number in range(len(keys))]
        assert set(acknowledged) <= set(keys)
        assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
        assert queue.mark("cursor") == (len(keys) - 1 if keys else None)
        following = len(keys)
        queue.close()
    assert len(acknowledged) > KILLS
    queue = Queue(path, DEVICE_KEY, SystemClock(), limits=LIMITS)
    delivered = []
    while (claim := queue.claim("test")) is not None:
        assert claim.body == body_of(claim.key)
        delivered.append(claim.key)
        queue.confirm(claim, "r-1")
    assert sorted(delivered) == sorted(f"k-{number}" for number in range(following))


def test_every_effect_is_once_although_workers_are_killed(tmp_path: Path) -> None:
    rng = random.Random(6)
    path, effects = tmp_path / "queue.sqlite", tmp_path / "effects"
    effects.mkdir()
    queue = Queue(path, DEVICE_KEY, SystemClock(), limits=LIMITS)
    keys = {f"k-{number}" for number in range(500)}
    stock(tmp_path, sorted(keys))
    sent: Counter[str] = Counter()
    done: set[str] = set()
    for number in range(KILLS):
        worker = start("work", path, effects, 0.001, f"w-{number}")
        for line in killed(worker, rng, 20):
            what, key, *_ = line.split()
            assert key not in done, "delivered again after its confirmation"
            if what == "sent":
                sent[key] += 1
            else:
                done.add(key)
        confirmed = {row.key for row in queue.rows(State.CONFIRMED, limit=10**6)}
        made = {effect.name for effect in effects.iterdir()}
        assert done <= confirmed <= made
    assert len(done) > KILLS
    said = finished(start("work", path, effects, 0.001, "survivor"))
    done |= {line.split()[1] for line in said if line.startswith("done")}
    confirmed = {row.key for row in queue.rows(State.CONFIRMED, limit=10**6)}
    assert done <= confirmed == keys == {effect.name for effect in effects.iterdir()}
    assert sum(sent.values()) + sum(line.startswith("sent") for line in said) <= len(keys) + KILLS
    assert queue.metrics().open == 0


def test_processes_side_by_side_never_hold_the_same_row(tmp_path: Path) -> None:
    path, effects = tmp_path / "queue.sqlite", tmp_path / "effects"
    effects.mkdir()
    Queue(path, DEVICE_KEY, SystemClock(), limits=LIMITS).close()
    keys = [f"k-{number}" for number in range(200)]
    for number in range(20):
        stock(tmp_path, keys[number::20], order=f"o-{number}")
    workers = [start("work", path, effects, 60, f"w-{number}") for number in range(3)]
    held = []
    for worker in workers:
        assert worker.stdout is not None
        tell(worker, "go\n")
        held.append(worker.stdout.readline().strip())
    with ThreadPoolExecutor(3) as together:
        said = list(together.map(lambda worker: finished(worker, "go on\n"), workers))
    sent = Counter(held + [line for lines in said for line in lines if line.startswith("sent")])
    assert sent == Counter(f"sent {key} 1" for key in keys)
