"""What goes in: once, sealed, within the limits, and its cursor with it."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import pytest

from offline_queue.errors import KeyConflict, QueueFull
from offline_queue.message import Enqueued, Priority, State
from tests.offline_queue.queue_world import (
    LIMITS,
    behind_its_back,
    claimed,
    drain,
    open_queue,
    stock,
)

DIGITS = "42990019530615"
"""Fourteen digits in a row: what no word for staff may hold."""


def test_the_first_is_fresh_and_comes_out_as_it_went_in(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    assert queue.enqueue("rating", b"five stars", key="k-1") == Enqueued(1, fresh=True)
    claim = claimed(queue)
    assert (claim.seq, claim.kind, claim.key, claim.body) == (1, "rating", "k-1", b"five stars")
    assert (claim.order, claim.attempts, claim.epoch) == ("", 0, 1)


@pytest.mark.parametrize("body", [b"", b"\0" * 7, bytes(range(256)), b"x" * LIMITS.body_bytes])
def test_any_body_up_to_the_limit(tmp_path: Path, body: bytes) -> None:
    queue = open_queue(tmp_path)
    queue.enqueue("rating", body, key="k-1")
    queue.close()
    assert claimed(open_queue(tmp_path)).body == body


def test_the_same_again_changes_nothing_even_when_full_or_confirmed(tmp_path: Path) -> None:
    queue = open_queue(tmp_path, limits=dataclasses.replace(LIMITS, open_rows=1))
    queue.enqueue("rating", b"a", key="k-1")
    assert queue.enqueue("rating", b"a", key="k-1") == Enqueued(1, fresh=False)
    queue.confirm(claimed(queue), "r-1")
    assert queue.enqueue("rating", b"a", key="k-1") == Enqueued(1, fresh=False)
    assert queue.claim("worker") is None
    assert queue.enqueue("rating", b"b", key="k-2") == Enqueued(2, fresh=True)


@pytest.mark.parametrize(("kind", "body"), [("rating", b"b"), ("audit", b"a")])
def test_a_key_stands_for_one_message(tmp_path: Path, kind: str, body: bytes) -> None:
    queue = open_queue(tmp_path)
    queue.enqueue("rating", b"a", key="k-1")
    with pytest.raises(KeyConflict) as caught:
        queue.enqueue(kind, body, key="k-1", mark=("audit", 9))
    assert "k-1" not in str(caught.value)
    assert queue.mark("audit") is None
    assert [row.key for row in queue.rows()] == ["k-1"]


def test_the_file_does_not_show_the_body(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    queue.enqueue("rating", b"PLAIN TEXT OF A RESIDENT", key="k-1")
    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"k-1" in stored
    assert b"PLAIN TEXT" not in stored
    assert "PLAIN" not in repr(claimed(queue))


def test_each_row_has_its_own_nonce(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    for number in range(20):
        queue.enqueue("rating", b"same", key=f"k-{number}")
    with behind_its_back(tmp_path) as file:
        nonces = {sealed[:12] for (sealed,) in file.execute("SELECT sealed FROM body")}
    assert len(nonces) == 20


def test_full_refuses_whole_and_takes_again_when_one_is_settled(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    for number in range(LIMITS.open_rows):
        queue.enqueue("rating", b"a", key=f"k-{number}")
    for _ in range(2):
        with pytest.raises(QueueFull):
            queue.enqueue("rating", b"a", key="more", mark=("audit", 9))
    assert queue.mark("audit") is None
    assert queue.metrics().open == LIMITS.open_rows
    queue.confirm(claimed(queue), "r-1")
    queue.enqueue("rating", b"a", key="more")
    queue.bury(claimed(queue), "refused")
    queue.enqueue("rating", b"a", key="and-more")
    with pytest.raises(QueueFull):
        queue.enqueue("rating", b"a", key="too-many")


def test_full_is_full_after_a_restart(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    stock(tmp_path, [f"k-{number}" for number in range(LIMITS.open_rows)])
    queue.close()
    with pytest.raises(QueueFull):
        open_queue(tmp_path).enqueue("rating", b"a", key="more")


def test_full_counts_what_another_process_settled(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    for number in range(LIMITS.open_rows):
        queue.enqueue("rating", b"a", key=f"k-{number}")
    other = open_queue(tmp_path)
    other.confirm(claimed(other), "r-1")
    assert queue.enqueue("rating", b"a", key="more").fresh


def test_the_limit_holds_for_what_another_process_added(tmp_path: Path) -> None:
    queue = open_queue(tmp_path, limits=dataclasses.replace(LIMITS, open_rows=300))
    queue.enqueue("rating", b"a", key="counts-none-of-them")
    stock(tmp_path, [f"o-{number}" for number in range(299)])
    with pytest.raises(QueueFull):
        for number in range(300):
            queue.enqueue("rating", b"a", key=f"k-{number}")
    assert 300 < queue.metrics().open < 300 + 256


def test_the_cursor_moves_with_the_row_and_never_back(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    assert queue.mark("audit") is None
    queue.enqueue("audit", b"1..20", key="a-1", mark=("audit", 20))
    queue.enqueue("audit", b"21..30", key="a-2", mark=("audit", 30))
    queue.enqueue("audit", b"1..20", key="a-1", mark=("audit", 20))
    queue.enqueue("rating", b"x", key="k-1", mark=("ratings", -3))
    queue.close()
    queue = open_queue(tmp_path)
    assert (queue.mark("audit"), queue.mark("ratings")) == (30, -3)


@pytest.mark.parametrize(
    "words",
    [
        {"kind": ""},
        {"kind": "two words"},
        {"kind": "评价"},
        {"kind": "k" * 65},
        {"kind": DIGITS},
        {"key": ""},
        {"key": "k\n"},
        {"key": "k" * 65},
        {"order": "o" * 65},
        {"order": "o o"},
        {"mark": (f"audit-{DIGITS}", 1)},
        {"body": b"x" * (LIMITS.body_bytes + 1)},
    ],
    ids=lambda words: "-".join(words),
)
def test_what_is_no_word_is_refused_without_being_quoted(
    tmp_path: Path, words: dict[str, object]
) -> None:
    queue = open_queue(tmp_path)
    arguments: dict[str, object] = {"kind": "rating", "body": b"a", "key": "k-1"} | words
    with pytest.raises(ValueError, match=r"has|holds") as caught:
        queue.enqueue(**arguments)  # type: ignore[arg-type]
    assert DIGITS not in str(caught.value)
    assert queue.rows() == ()


def test_hashed_ids_with_many_digits_are_let_through(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    queue.enqueue("rating", b"a", key="0" * 32, order="1" * 64)
    assert drain(queue) == ["0" * 32]


def test_a_row_shows_no_body(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    queue.enqueue("rating", b"secret", key="k-1", priority=Priority.URGENT)
    (row,) = queue.rows(State.READY)
    assert (row.seq, row.kind, row.key, row.state, row.attempts) == (
        1, "rating", "k-1", State.READY, 0,
    )  # fmt: skip
    assert (row.owner, row.reason, row.receipt) == (None, None, None)
    assert "secret" not in repr(row)


def test_threads_share_one_queue(tmp_path: Path) -> None:
    queue = open_queue(tmp_path, limits=dataclasses.replace(LIMITS, open_rows=1_000))
    delivered: list[str] = []

    def produce(name: str) -> None:
        for number in range(40):
            queue.enqueue("rating", name.encode(), key=f"{name}-{number}")

    def consume(name: str) -> None:
        while len(delivered) < 120:
            claim = queue.claim(name)
            if claim is not None:
                delivered.append(claim.key)
                queue.confirm(claim, "r-1")

    threads = [threading.Thread(target=produce, args=(name,)) for name in "abc"]
    threads += [threading.Thread(target=consume, args=(name,)) for name in ("w1", "w2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(delivered) == sorted(f"{name}-{n}" for name in "abc" for n in range(40))
    assert queue.metrics().states[State.CONFIRMED] == 120
