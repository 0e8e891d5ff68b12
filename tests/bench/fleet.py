"""The reference platform under a fleet of terminals, on SQLite and on PostgreSQL.

One platform process and one process of terminals; every event is signed and every answer signed
back. Each run has a new database, and ends with a count of what is in it: an event answered that
isn't there, or one that is there twice, fails the bench, and so does any answer but the one wished
for. That is not for show: some events are sent twice on purpose, and of some the platform drops
the answer after it has committed, so that the terminal has to send them again.

The peer of an event is ``GET /v1/status`` at the same server, signed too: it has the same
connection, the same two signatures, and the same commit of a nonce, so the ratio tells what an
event itself costs (its key looked up, checked, stored with its answer, committed) whatever the
machine's speed at SM2.

``python -m tests.bench.fleet --plot`` draws docs/fleet.png anew (see ``fleet_plot``; half an hour).
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple, assert_never

from sqlalchemy import select

from apdu.crypto import sm2
from hw_sim.platform.audit_ranges import range_key
from hw_sim.platform.model import Event, Terminal
from hw_sim.platform.store import Store
from tests.bench.figure import Figure
from tests.bench.fleet_terminals import EVENTS_A_BATCH, Ask, Outcome, Plan, drive
from tests.hw_sim.platform_process import PlatformProcess
from tests.hw_sim.postgres import postgresql

ROUNDS = 3
TERMINALS = 2_000
AT_ONCE = 64
"""Requests under way where the most events a second are looked for."""
CALM_S = 40.0
"""Between two events of a terminal where the time to the answer is looked at: more often than a
busy terminal sends (docs/fleet.md), and well below what one process can do."""
_MOST_A_SECOND = 250
"""More than one process can answer: so many requests are signed ahead."""
_AS_OF = date(2026, 11, 21)


@dataclass(frozen=True)
class Databases:
    """Where new databases come from.

    Attributes:
        new: a file, or a URL.
        processes: the database's own server, if it has one.
    """

    new: Callable[[], Path | str]
    processes: Mapping[str, int]


@contextmanager
def on_sqlite() -> Iterator[Databases]:
    """On a disk: /tmp is often none."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="yikatong-bench-") as folder:
        numbers = itertools.count(1)
        yield Databases(lambda: Path(folder) / f"{next(numbers)}.sqlite", {})


@contextmanager
def on_postgresql() -> Iterator[Databases]:
    with postgresql() as server:
        yield Databases(server.new_database, {"database": server.process.pid})


DATABASES: Mapping[str, Callable[[], AbstractContextManager[Databases]]] = {
    "platform.events_sqlite": on_sqlite,
    "platform.events_postgresql": on_postgresql,
}


class Load(NamedTuple):
    """What a fleet does in a run; see ``Plan``."""

    terminals: int
    interval: float
    seconds: float
    warm_up: float = 3
    at_once: int | None = None
    ask: Ask = Ask.EVENT
    repeated: float = 0.02


def figures() -> Iterator[Figure]:
    for figure, databases in DATABASES.items():
        with databases() as place:
            rounds = [_round(place) for _ in range(ROUNDS)]
        most = statistics.median(measured.most.rate for measured in rounds)
        peer = statistics.median(measured.status.rate for measured in rounds)
        p50 = statistics.median(measured.calm.percentile(0.5) for measured in rounds)
        p99 = statistics.median(measured.calm.percentile(0.99) for measured in rounds)
        kept = sum(len(run.numbers) for measured in rounds for run in measured)
        told = (
            f"signed GET /v1/status there; of {TERMINALS:,} terminals with an event each "
            f"{CALM_S:g} s p50 {p50:.0f} ms, p99 {p99:.0f} ms; 0 failed, 0 double of {kept:,}"
        )
        yield Figure.rate(figure, most, peer, told)


class _Round(NamedTuple):
    most: Outcome
    status: Outcome
    calm: Outcome


def _round(place: Databases) -> _Round:
    busy = Load(TERMINALS, 0, 10, at_once=AT_ONCE)
    return _Round(
        run(place, busy),
        run(place, busy._replace(ask=Ask.STATUS)),
        run(place, Load(TERMINALS, CALM_S, 15)),
    )


def run(place: Databases, load: Load) -> Outcome:
    """One run on a new database.

    Raises:
        AssertionError: something failed, was lost, or is there twice.
    """
    database = place.new()
    keys = dict(itertools.islice(_keys(load.terminals).items(), load.terminals))
    platform_key = _enrolled(database, keys)
    endpoint = load.ask.path.rpartition("/")[2]
    faults = ",".join(f"{endpoint}@{count}:drop-after-commit" for count in _dropped(load.ask))
    with PlatformProcess(database, "--faults", faults) as platform:
        plan = Plan(
            url=platform.url,
            platform_key=platform_key,
            terminals=keys,
            interval=load.interval,
            warm_up=load.warm_up,
            seconds=load.seconds,
            at_once=load.at_once or load.terminals,
            ask=load.ask,
            repeated=load.repeated,
            ahead=_ahead(load),
            processes={"platform": platform.process.pid, **place.processes},
        )
        # A process of its own, new for each run: nothing of one is in the next one's way.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as elsewhere:
            outcome = elsewhere.submit(drive, plan).result()
    check(outcome, effects(database), load.ask)
    return outcome


@functools.cache
def _keys(count: int) -> Mapping[str, sm2.PrivateKey]:
    return {f"T429900-{number:04d}": sm2.generate() for number in range(1, count + 1)}


def _enrolled(database: Path | str, keys: Mapping[str, sm2.PrivateKey]) -> sm2.PublicKey:
    """Put the terminals into a new database, as enrolments would; the platform's key."""
    store = Store.open(database, _AS_OF)
    try:
        with store.sessions.begin() as session:
            for name, key in keys.items():
                session.add(Terminal(name, f"429900-{name[-4:]}", key.xy.hex().upper(), 0))
        return sm2.PublicKey(store.key.public)
    finally:
        store.close()


def _dropped(ask: Ask) -> range:
    """Of these requests, by their count, the platform drops the answer."""
    match ask:
        case Ask.EVENT:
            return range(50, 5_000, 100)
        case Ask.BATCH:
            return range(10, 500, 50)
        case Ask.STATUS:
            return range(0)
        case _:
            assert_never(ask)


def _ahead(load: Load) -> int:
    """Requests worth signing ahead."""
    seconds = load.warm_up + load.seconds
    most = int(seconds * _MOST_A_SECOND)
    if load.ask is Ask.BATCH:
        most //= EVENTS_A_BATCH
    if not load.interval:
        return most
    return min(most, int(load.terminals * (seconds / load.interval + 1)))


def effects(database: Path | str) -> Mapping[str, list[str]]:
    """Numbers of the events in a database by the key that each came under.

    The key is read from the event itself, so that it doesn't rest on what the platform stores
    about keys.
    """
    store = Store.open(database, _AS_OF)
    found: dict[str, list[str]] = {}
    try:
        with store.sessions() as session:
            for row in session.execute(select(Event.id, Event.terminal_id, Event.kind, Event.body)):
                body = json.loads(row.body)
                match row.kind:
                    case "evaluation":
                        key = body["visit"]
                    case "print-outcome":
                        key = body["serial"]
                    case _:
                        key = range_key(row.terminal_id, body["first"], body["last"])
                found.setdefault(key, []).append(f"E-{row.id}")
    finally:
        store.close()
    return found


def check(outcome: Outcome, there: Mapping[str, list[str]], ask: Ask) -> None:
    """Every event sent was answered in the end, and is in the database, once, under that number.

    Raises:
        AssertionError: it isn't so, or an answer was another one than wished for.
    """
    wrong = Counter(outcome.failed)
    scripted = sum(count <= outcome.sent for count in _dropped(ask))
    wrong["connections broken"] = abs(outcome.cut - scripted)
    wrong["unanswered"] = outcome.begun - len(outcome.numbers)
    wrong["double"] = sum(len(numbers) - 1 for numbers in there.values())
    wrong["lost"] = sum(number not in there.get(key, []) for key, number in outcome.numbers.items())
    if +wrong or not outcome.latencies:
        raise AssertionError(f"of {outcome.sent} requests: {dict(+wrong)}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fleet")
    parser.add_argument("--plot", action="store_true", help="draw docs/fleet.png anew")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of the plot (%(default)s)")
    arguments = parser.parse_args()
    if arguments.plot:
        from tests.bench.fleet_plot import plot

        plot(DATABASES, arguments.rounds)
    else:
        for figure in figures():
            sys.stdout.write(figure.to_json() + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
