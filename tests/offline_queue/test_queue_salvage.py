"""What comes over from a damaged queue, and what is told of the rest."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from offline_queue.damage.losses import gaps
from offline_queue.damage.recovery import open_recovered
from offline_queue.database import open_durable
from offline_queue.schema import MIGRATIONS
from tests.offline_queue.damaged_files import (
    NAME,
    Stocked,
    destroy,
    keyring,
    reopened,
    roots,
    rows_by_page,
    salvaged,
    stocked,
)
from tests.offline_queue.queue_world import (
    LIMITS,
    HandClock,
    behind_its_back,
    body_of,
    claimed,
    open_queue,
    stock,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Stocked:
    """Rows of every state, all in the file."""
    return stocked(tmp_path_factory.mktemp("made"), 400, wal=False)


def messages(path: Path) -> list[dict[str, object]]:
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.row_factory = sqlite3.Row
        return [dict(row) for row in file.execute("SELECT * FROM message ORDER BY seq")]


def test_every_row_comes_over_as_it_was(tmp_path: Path, made: Stocked) -> None:
    path = made.copy(tmp_path / "damaged")
    expected = messages(path)
    held = 0
    for row in expected:
        if row["state"] == "leased":
            row |= {"state": "ready", "owner": None, "due": 0, "unsure": 1}
            held += 1
    states = [row["state"] for row in expected]
    assert held > 10
    assert {"ready", "behind", "waiting", "confirmed", "dead"} == set(states)
    destroy(path, roots(path)["message"], 1)
    report = salvaged(path, made.keys)
    assert report.recovered == {state: states.count(state) for state in states}
    assert report.unsure == held
    assert (report.unprovable, report.lost) == ((), ())
    assert messages(path) == expected


def test_what_the_small_tables_hold_comes_over(tmp_path: Path) -> None:
    clock = HandClock()
    with contextlib.closing(open_queue(tmp_path, clock)) as queue:
        queue.enqueue("rating", b"x" * 900, key="k-1", mark=("cursor", 7))
        queue.pause("other", "refused", 30)
        queue.desk.rotate()
        queue.enqueue("rating", b"x" * 900, key="k-2")
        clock.pass_(5_000)
        queue.confirm(claimed(queue), "r-1")
    path = tmp_path / NAME
    tables = ("mark", "lane", "key_ring", "clock")
    with contextlib.closing(sqlite3.connect(path)) as file:
        before = [file.execute(f"SELECT * FROM {name}").fetchall() for name in tables]
    destroy(path, 1, roots(path)["message"])
    connection, report = open_recovered(path, migrations=MIGRATIONS, keyring=keyring)
    with contextlib.closing(connection):
        after = [connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables]
    assert after == before
    assert report is not None
    with contextlib.closing(open_queue(tmp_path)) as queue:
        assert queue.mark("cursor") == 7


def test_losses_are_told_exactly(tmp_path: Path, made: Stocked) -> None:
    path = made.copy(tmp_path / "damaged")
    by_page = rows_by_page(made.copy(tmp_path / "whole"))
    in_message = {number: rows for number, rows in by_page.items() if len(rows) > 8}
    first, *_, last = sorted(in_message, key=lambda number: min(in_message[number]))
    gone = in_message[first] | in_message[last]
    destroy(path, *(number for number, rows in by_page.items() if rows & gone))
    report = salvaged(path, made.keys)
    lost = {seq for begin, end in report.lost for seq in range(begin, end + 1)}
    unprovable = {seq for begin, end in report.unprovable for seq in range(begin, end + 1)}
    assert gone <= lost
    assert lost | unprovable == set(made.keys) - {int(str(row["seq"])) for row in messages(path)}
    assert report.last_seen == len(made.keys)


def test_what_was_purged_is_no_loss(tmp_path: Path) -> None:
    clock = HandClock()
    keys = {seq: f"k-{seq - 1}" for seq in range(1, 41)}
    with contextlib.closing(open_queue(tmp_path, clock)) as queue:
        stock(tmp_path, list(keys.values()))
        for _ in range(20):
            queue.confirm(claimed(queue), "r-1")
        clock.pass_(LIMITS.retention_seconds + 1)
        assert queue.purge() == 20
    path = tmp_path / NAME
    destroy(path, roots(path)["message_open"])
    report = salvaged(path, keys)
    assert (report.rows, report.purged, report.lost) == (20, 20, ())
    with contextlib.closing(open_queue(tmp_path)) as queue:
        assert queue.desk.verify().whole


def test_what_was_purged_does_not_come_back_from_a_stale_page(tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    clock = HandClock()
    keys = {seq: f"k-{seq - 1}" for seq in range(1, 41)}
    open_queue(made, clock).close()
    stock(made, list(keys.values()))
    with contextlib.closing(open_queue(made, clock)) as queue:
        for _ in range(20):
            queue.confirm(claimed(queue), "r-1")
    with behind_its_back(made) as kept:
        kept.execute("SELECT count(*) FROM message").fetchone()
        clock.pass_(LIMITS.retention_seconds + 1)
        with contextlib.closing(open_queue(made, clock)) as queue:
            assert queue.purge() == 20
        path = Stocked(made, keys).copy(tmp_path / "damaged")
    assert b"k-19" in path.read_bytes()
    path.with_name(f"{NAME}-shm").unlink()
    wal = path.with_name(f"{NAME}-wal")
    wal.write_bytes(bytes(32) + wal.read_bytes()[32:])
    report = salvaged(path, keys)
    assert (report.rows, report.purged, report.lost) == (20, 20, ())


@pytest.mark.parametrize("destroyed", ["message_open", "sqlite_schema"])
def test_a_file_that_was_upgraded_has_its_tables_elsewhere(tmp_path: Path, destroyed: str) -> None:
    path = tmp_path / NAME
    with contextlib.closing(open_durable(path, migrations=MIGRATIONS[:1])) as file:
        for seq in range(1, 31):
            file.execute(
                "INSERT INTO message (seq, kind, key, ordering, priority, created, key_version,"
                " state) VALUES (?, 'rating', ?, '', 20, 1, 1, 'ready')",
                (seq, f"old-{seq}"),
            )
            file.execute("INSERT INTO body VALUES (?, zeroblob(3000))", (seq,))
    with contextlib.closing(open_queue(tmp_path)) as queue:
        queue.enqueue("rating", body_of("k-1"), key="k-1", mark=("cursor", 7))
    tables = roots(path) | {"sqlite_schema": 1}
    with contextlib.closing(open_durable(tmp_path / "new", migrations=MIGRATIONS)):
        assert roots(tmp_path / "new")["key_ring"] != tables["key_ring"]
    destroy(path, tables[destroyed])
    report = salvaged(path, {31: "k-1"})
    assert (report.recovered, report.unprovable) == ({"ready": 1}, ((1, 30),))
    with contextlib.closing(open_queue(tmp_path)) as queue:
        assert claimed(queue).body == body_of("k-1")
        assert destroyed == "sqlite_schema" or queue.mark("cursor") == 7


def test_a_purge_that_the_queue_did_not_note_is_not_believed(tmp_path: Path) -> None:
    keys = {seq: f"k-{seq - 1}" for seq in range(1, 41)}
    open_queue(tmp_path).close()
    stock(tmp_path, list(keys.values()))
    with behind_its_back(tmp_path) as file:
        file.execute("DELETE FROM body WHERE seq <= 10")
        file.execute("DELETE FROM message WHERE seq <= 10")
        file.execute("PRAGMA secure_delete = ON")
        file.execute("INSERT INTO purged VALUES (1, 10, zeroblob(32), zeroblob(16))")
    path = tmp_path / NAME
    destroy(path, roots(path)["message_open"])
    report = salvaged(path, keys)
    assert (report.purged, report.lost) == (0, ((1, 10),))


def test_a_row_is_what_it_was_last(tmp_path: Path) -> None:
    """In the file it is ready, in the WAL confirmed: nothing already confirmed goes out again."""
    made = tmp_path / "made"
    made.mkdir()
    keys = {seq: f"k-{seq - 1}" for seq in range(1, 21)}
    open_queue(made).close()
    stock(made, list(keys.values()))
    with behind_its_back(made) as kept:
        kept.execute("SELECT count(*) FROM message").fetchone()
        with contextlib.closing(open_queue(made)) as queue:
            for _ in range(5):
                queue.confirm(claimed(queue), "r-1")
        path = Stocked(made, keys).copy(tmp_path / "damaged")
    path.with_name(f"{NAME}-shm").unlink()
    with contextlib.closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as file:
        assert file.execute("SELECT DISTINCT state FROM message").fetchall() == [("ready",)]
    destroy(path, 1)
    wal = path.with_name(f"{NAME}-wal")
    wal.write_bytes(bytes(32) + wal.read_bytes()[32:])
    assert salvaged(path, keys).recovered == {"confirmed": 5, "ready": 15}


def test_in_an_order_only_the_first_is_ready(tmp_path: Path) -> None:
    open_queue(tmp_path).close()
    keys = {seq: f"k-{seq - 1}" for seq in range(1, 4)}
    stock(tmp_path, list(keys.values()), order="o-1")
    with behind_its_back(tmp_path) as file:
        file.execute("UPDATE message SET state = 'ready'")
    destroy(tmp_path / NAME, roots(tmp_path / NAME)["message_open"])
    assert salvaged(tmp_path / NAME, keys).recovered == {"ready": 1, "behind": 2}


def test_a_proven_row_in_no_possible_state_is_ready_and_unsure(tmp_path: Path) -> None:
    open_queue(tmp_path).close()
    stock(tmp_path, ["k-0", "k-1"])
    with behind_its_back(tmp_path) as file:
        file.execute("PRAGMA ignore_check_constraints = ON")
        file.execute("UPDATE message SET state = 'confirmed' WHERE seq = 1")
    report = salvaged(tmp_path / NAME, {1: "k-0", 2: "k-1"})
    assert (report.recovered, report.unsure) == ({"ready": 2}, 1)
    with contextlib.closing(open_queue(tmp_path)) as queue:
        assert [claimed(queue).unsure for _ in range(2)] == [True, False]


def test_no_fewer_rows_than_bisecting_their_range_brings_back(
    tmp_path: Path, made: Stocked
) -> None:
    """SQLite's own way to what is left: it stops at the first destroyed page above a row."""
    whole = made.copy(tmp_path / "whole")
    tables, leaves = roots(whole), sorted(rows_by_page(whole))
    sealed = bisect(whole, "body")
    for destroyed in ([leaves[3]], leaves[::9], [tables["body"]], [tables["message"], leaves[0]]):
        path = made.copy(tmp_path / str(destroyed[0]))
        destroy(path, *destroyed)
        bodies, headers = bisect(path, "body"), bisect(path, "message")
        bisected = {seq for seq in headers if bodies.get(seq) == sealed[seq]}
        rows = reopened(path, made.keys).rows
        assert bisected <= rows
        assert tables["body"] not in destroyed or (bisected, len(rows)) == (set(), 400)


def bisect(path: Path, table: str) -> dict[int, object]:
    """The last column of every row that can be reached."""
    uri = f"file:{path}?mode=ro&immutable=1"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as file:

        def within(first: int, last: int) -> dict[int, object]:
            try:
                found = file.execute(
                    f"SELECT * FROM {table} WHERE seq BETWEEN ? AND ?", (first, last)
                ).fetchall()
            except sqlite3.DatabaseError:
                if first == last:
                    return {}
                middle = (first + last) // 2
                return within(first, middle) | within(middle + 1, last)
            return {row[0]: row[-1] for row in found}

        return within(1, 400)


@pytest.mark.parametrize(
    ("present", "last", "missing"),
    [
        ([], 0, []),
        ([], 3, [(1, 3)]),
        ([(2, 3), (5, 5)], 7, [(1, 1), (4, 4), (6, 7)]),
        ([(4, 9), (1, 5)], 9, []),
        ([(20, 30)], 9, [(1, 9)]),
    ],
)
def test_gaps(present: list[tuple[int, int]], last: int, missing: list[tuple[int, int]]) -> None:
    assert list(gaps(present, last)) == missing


MEMORY = """
import resource, sys
from pathlib import Path
from offline_queue.damage.recovery import open_recovered
from offline_queue.schema import MIGRATIONS
from tests.offline_queue.damaged_files import keyring
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
connection, report = open_recovered(Path(sys.argv[1]), migrations=MIGRATIONS, keyring=keyring)
connection.close()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, report.rows)
"""


@pytest.mark.slow
def test_a_large_file_is_salvaged_in_little_memory(tmp_path: Path) -> None:
    rows = 100_000
    open_queue(tmp_path).close()
    for at in range(0, rows, 10_000):
        stock(tmp_path, [f"k-{number}" for number in range(at, at + 10_000)])
    destroy(tmp_path / NAME, roots(tmp_path / NAME)["body"], 1)
    command = [sys.executable, "-c", MEMORY, str(tmp_path / NAME)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    kibibytes, recovered = map(int, done.stdout.split())
    assert recovered == rows
    assert kibibytes < 64 * 1024 < (tmp_path / NAME).stat().st_size / 1024
