"""A file of schema version 1 goes on as one of version 2: every row, its state and its order."""

from __future__ import annotations

from pathlib import Path

import pytest

from offline_queue.database import open_durable
from offline_queue.errors import KeysWrong
from offline_queue.message import State
from offline_queue.schema import MIGRATIONS
from tests.offline_queue.first_schema import old_file
from tests.offline_queue.queue_world import (
    HandClock,
    behind_its_back,
    claimed,
    drain,
    open_queue,
)


def test_every_row_goes_on_where_it_stood(tmp_path: Path) -> None:
    old_file(tmp_path)
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    assert {row.key: row.state for row in queue.rows()} == {
        "k-1": State.CONFIRMED,
        "k-2": State.DEAD,
        "k-3": State.READY,
        "k-4": State.BEHIND,
        "k-5": State.WAITING,
        "k-6": State.LEASED,
    }
    assert queue.mark("audit") == 17
    assert queue.desk.verify().whole
    queue.enqueue("rating", b"k-7", key="k-7", order="one")
    assert queue.metrics().states[State.BEHIND] == 2
    clock.pass_(60)
    found = [claimed(queue) for _ in range(3)]
    assert {(claim.key, claim.body, claim.attempts, claim.unsure) for claim in found} == {
        ("k-3", b"k-3", 0, False),
        ("k-5", b"k-5", 3, False),
        ("k-6", b"k-6", 0, True),
    }
    for claim in found:
        queue.confirm(claim, "r-2")
    assert drain(queue) == ["k-4", "k-7"]
    assert queue.desk.replay(2, "k-8").seq == 8
    assert claimed(queue).body == b"k-2"


def test_the_old_file_is_kept_beside_it(tmp_path: Path) -> None:
    old_file(tmp_path)
    open_queue(tmp_path).close()
    old = open_durable(tmp_path / "queue.sqlite.v1", migrations=MIGRATIONS[:1])
    assert old.execute("SELECT count(*) FROM message").fetchone() == (6,)
    old.close()


def test_another_device_key_changes_nothing(tmp_path: Path) -> None:
    old_file(tmp_path)
    with pytest.raises(KeysWrong):
        open_queue(tmp_path, key=bytes(16))
    assert claimed(open_queue(tmp_path)).body == b"k-3"


def test_a_kill_between_the_schema_and_the_seals_is_made_good(tmp_path: Path) -> None:
    old_file(tmp_path)
    open_durable(tmp_path / "queue.sqlite", migrations=MIGRATIONS).close()
    queue = open_queue(tmp_path)
    assert claimed(queue).body == b"k-3"
    assert queue.desk.verify().whole
    with behind_its_back(tmp_path) as file:
        assert (
            file.execute("SELECT name FROM sqlite_schema WHERE name = 'seal_key'").fetchall() == []
        )


def test_a_row_that_was_forged_before_is_noticed_after(tmp_path: Path) -> None:
    old_file(tmp_path)
    with behind_its_back(tmp_path) as file:
        file.execute("UPDATE message SET kind = 'audit' WHERE seq = 3")
    queue = open_queue(tmp_path)
    assert claimed(queue).key == "k-4"
    (dead,) = [row for row in queue.rows(State.DEAD) if row.seq == 3]
    assert dead.reason == "seal-broken"
