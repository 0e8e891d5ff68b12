"""What somebody changes behind the queue's back is never delivered and stops nobody else."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from offline_queue.errors import RowForged
from offline_queue.message import State
from tests.offline_queue.queue_world import behind_its_back, claimed, drain, open_queue

Change = Callable[[sqlite3.Connection], object]


def flipped(at: int) -> Change:
    def change(file: sqlite3.Connection) -> None:
        (sealed,) = file.execute("SELECT sealed FROM body WHERE seq = 2").fetchone()
        spoiled = bytearray(sealed)
        spoiled[at] ^= 0x40
        file.execute("UPDATE body SET sealed = ? WHERE seq = 2", (bytes(spoiled),))

    return change


def sql(statement: str) -> Change:
    return lambda file: file.execute(statement)


CHANGES = {
    "nonce": flipped(0),
    "text": flipped(12),
    "tag": flipped(-1),
    "cut": sql("UPDATE body SET sealed = substr(sealed, 1, 27) WHERE seq = 2"),
    "emptied": sql("UPDATE body SET sealed = x'' WHERE seq = 2"),
    "no body": sql("DELETE FROM body WHERE seq = 2"),
    "old body": sql("UPDATE body SET sealed = (SELECT sealed FROM body WHERE seq = 1)"),
    "kind": sql("UPDATE message SET kind = 'audit' WHERE seq = 2"),
    "kind no text": sql("UPDATE message SET kind = CAST(x'ff41' AS TEXT) WHERE seq = 2"),
    "key": sql("UPDATE message SET key = 'k-9' WHERE seq = 2"),
    "order": sql("UPDATE message SET ordering = 'x' WHERE seq = 2"),
    "priority": sql("UPDATE message SET priority = 0 WHERE seq = 2"),
    "created": sql("UPDATE message SET created = created + 1 WHERE seq = 2"),
    "key version": sql("UPDATE message SET key_version = 2 WHERE seq = 2"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_row_is_buried_and_the_others_go_on(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    queue = open_queue(tmp_path)
    for number in (1, 2, 3):
        queue.enqueue("rating", b"body %d" % number, key=f"k-{number}")
    with behind_its_back(tmp_path) as file:
        CHANGES[name](file)
    with caplog.at_level(logging.WARNING):
        delivered = drain(queue)
    buried = queue.rows(State.DEAD)
    assert 2 in [row.seq for row in buried]
    assert delivered == [f"k-{n}" for n in (1, 2, 3) if n not in [row.seq for row in buried]]
    reason = "key-unknown" if name == "key version" else "seal-broken"
    assert {row.reason for row in buried} == {reason}
    assert queue.metrics().dead_reasons == {reason: len(buried)}
    assert f"row 2 is never delivered: {reason}" in caplog.text
    assert "body" not in caplog.text
    assert queue.next_due() is None


def test_swapped_bodies_are_both_noticed(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    for number in (1, 2, 3):
        queue.enqueue("rating", b"same length", key=f"k-{number}")
    with behind_its_back(tmp_path) as file:
        bodies = dict(file.execute("SELECT seq, sealed FROM body"))
        file.execute("UPDATE body SET sealed = ? WHERE seq = 1", (bodies[3],))
        file.execute("UPDATE body SET sealed = ? WHERE seq = 3", (bodies[1],))
    assert drain(queue) == ["k-2"]
    assert [row.seq for row in queue.rows(State.DEAD)] == [1, 3]


def test_rows_that_changed_places_are_both_noticed(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    queue.enqueue("rating", b"a", key="k-1")
    queue.enqueue("rating", b"b", key="k-2")
    with behind_its_back(tmp_path) as file:
        for table in ("message", "body"):
            file.execute(f"UPDATE {table} SET seq = 9 WHERE seq = 1")
            file.execute(f"UPDATE {table} SET seq = 1 WHERE seq = 2")
            file.execute(f"UPDATE {table} SET seq = 2 WHERE seq = 9")
    assert drain(queue) == []
    assert queue.metrics().dead_reasons == {"seal-broken": 2}


@pytest.mark.parametrize("forged", ["other", ""])
def test_a_forged_order_does_not_block_those_behind_it(tmp_path: Path, forged: str) -> None:
    queue = open_queue(tmp_path)
    for number in (1, 2, 3):
        queue.enqueue("rating", b"a", key=f"k-{number}", order="one")
    with behind_its_back(tmp_path) as file:
        file.execute("UPDATE message SET ordering = ? WHERE seq = 1", (forged,))
    assert drain(queue) == ["k-2", "k-3"]


def test_a_row_forged_into_an_order_does_not_disturb_it(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    for number in (1, 2):
        queue.enqueue("rating", b"a", key=f"k-{number}", order="one")
    queue.enqueue("rating", b"a", key="k-3")
    head = claimed(queue)
    with behind_its_back(tmp_path) as file:
        file.execute("UPDATE message SET ordering = 'one' WHERE seq = 3")
    assert queue.claim("worker") is None
    assert [row.state for row in queue.rows()] == [State.LEASED, State.BEHIND, State.DEAD]
    queue.confirm(head, "r-1")
    assert drain(queue) == ["k-2"]


@pytest.mark.parametrize("order", ["one", ""])
def test_a_row_taken_away_blocks_its_order_until_the_next_start_at_most(
    tmp_path: Path, order: str
) -> None:
    queue = open_queue(tmp_path)
    for number in (1, 2, 3, 4):
        queue.enqueue("rating", b"a", key=f"k-{number}", order=order)
    queue.confirm(claimed(queue), "r-1")
    with behind_its_back(tmp_path) as file:
        file.execute("UPDATE message SET state = 'behind' WHERE seq > 1")
        file.execute("DELETE FROM message WHERE seq = 2")
    queue.close()
    assert drain(open_queue(tmp_path)) == ["k-3", "k-4"]


def test_enqueueing_over_a_changed_row_says_so(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    queue.enqueue("rating", b"a", key="k-1")
    with behind_its_back(tmp_path) as file:
        file.execute("UPDATE message SET created = 0")
    with pytest.raises(RowForged):
        queue.enqueue("rating", b"a", key="k-1")
