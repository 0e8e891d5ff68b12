"""The chain: what was taken away, put in or changed is found; what was purged is no loss."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

import pytest

from offline_queue.chain import START, add_losses, link
from offline_queue.key_ring import KeyRing
from offline_queue.queue import Queue
from tests.offline_queue.queue_world import (
    DEVICE_KEY,
    LIMITS,
    HandClock,
    behind_its_back,
    claimed,
    drain,
    open_queue,
)


def filled(path: Path, rows: int, clock: HandClock | None = None) -> Queue:
    queue = open_queue(path, clock)
    for number in range(1, rows + 1):
        queue.enqueue("rating", b"b%d" % number, key=f"k-{number}")
    return queue


def test_a_link_is_sm3_over_what_was_before_the_header_the_nonce_and_the_tag() -> None:
    nonce, tag = bytes(range(12)), bytes(range(16))
    expected = hashlib.new("sm3", START + b"header" + nonce + tag).digest()
    assert link(START, b"header", nonce + b"body" + tag) == expected
    assert len(START) == len(expected) == 32


def test_an_untouched_file_is_whole(tmp_path: Path) -> None:
    queue = filled(tmp_path, 5)
    report = queue.desk.verify()
    assert report.whole
    assert report.as_json() == {
        "rows": 5,
        "purged": 0,
        "told": 0,
        "lost": [],
        "broken": [],
        "last": 5,
    }
    empty = open_queue_in(tmp_path / "empty").desk.verify()
    assert empty.whole and empty.last == 0


def open_queue_in(folder: Path) -> Queue:
    folder.mkdir()
    return open_queue(folder)


def test_rows_that_vanish_are_named_exactly(tmp_path: Path) -> None:
    queue = filled(tmp_path, 9)
    with behind_its_back(tmp_path) as file:
        file.execute("PRAGMA foreign_keys = ON")
        file.execute("DELETE FROM message WHERE seq IN (1, 4, 5, 8)")
    report = queue.desk.verify()
    assert report.lost == ((1, 1), (4, 5), (8, 8))
    assert report.broken == ()
    assert (report.rows, report.last) == (5, 9)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE body SET sealed = zeroblob(60) WHERE seq = 3",
        "UPDATE body SET chain = zeroblob(32) WHERE seq = 3",
        "UPDATE message SET wall = wall + 1 WHERE seq = 3",
        "DELETE FROM body WHERE seq = 3",
    ],
)
def test_a_changed_row_is_named(tmp_path: Path, change: str) -> None:
    queue = filled(tmp_path, 5)
    with behind_its_back(tmp_path) as file:
        file.execute(change)
    assert 3 in queue.desk.verify().broken


def test_two_rows_cannot_change_places(tmp_path: Path) -> None:
    queue = filled(tmp_path, 4)
    with behind_its_back(tmp_path) as file:
        file.execute(
            "WITH was AS MATERIALIZED (SELECT seq, sealed FROM body)"
            " UPDATE body SET sealed = (SELECT sealed FROM was WHERE was.seq = 5 - body.seq)"
            " WHERE seq IN (2, 3)"
        )
    assert set(queue.desk.verify().broken) >= {2, 3}


def purged(path: Path) -> list[tuple[int, int]]:
    with behind_its_back(path) as file:
        return file.execute("SELECT first, last FROM purged ORDER BY first").fetchall()


def test_what_is_purged_is_no_loss_and_ranges_grow_together(tmp_path: Path) -> None:
    clock = HandClock()
    queue = filled(tmp_path, 6, clock)
    dead = [claimed(queue) for _ in range(6)]
    for claim in dead:
        if claim.seq in (3, 5):
            queue.bury(claim, "refused")
        else:
            queue.confirm(claim, "r-1")
    clock.pass_(LIMITS.retention_seconds + 1)
    queue.enqueue("rating", b"last", key="k-7")
    assert queue.purge() == 4
    assert purged(tmp_path) == [(1, 2), (4, 4), (6, 6)]
    report = queue.desk.verify()
    assert report.whole and (report.rows, report.purged) == (3, 4)
    queue.desk.forget(3)
    queue.desk.replay(5, "k-8")
    drain(queue)
    clock.pass_(LIMITS.retention_seconds + 1)
    queue.purge()
    assert purged(tmp_path) == [(1, 7)]
    assert queue.desk.verify().whole


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE purged SET last = last + 1",
        "UPDATE purged SET chain = zeroblob(32)",
        "INSERT INTO purged SELECT 4, 4, chain, proof FROM purged",
    ],
)
def test_a_range_that_nobody_purged_is_named(tmp_path: Path, forgery: str) -> None:
    clock = HandClock()
    queue = filled(tmp_path, 3, clock)
    drain(queue)
    clock.pass_(LIMITS.retention_seconds + 1)
    for number in range(4, 8):
        queue.enqueue("rating", b"x", key=f"k-{number}")
    queue.purge()
    assert queue.desk.verify().whole
    with behind_its_back(tmp_path) as file:
        file.execute("PRAGMA foreign_keys = ON")
        file.execute("DELETE FROM message WHERE seq = 4")
        file.execute(forgery)
    report = queue.desk.verify()
    assert not report.whole
    assert report.broken


def test_after_a_purge_of_all_the_sequence_and_the_chain_go_on(tmp_path: Path) -> None:
    clock = HandClock()
    queue = filled(tmp_path, 4, clock)
    drain(queue)
    clock.pass_(LIMITS.retention_seconds + 1)
    assert queue.purge() == 3
    queue.close()
    again = open_queue(tmp_path, clock)
    assert again.enqueue("rating", b"x", key="k-9").seq == 5
    assert again.desk.verify().whole


def test_a_loss_that_was_told_is_no_news_and_its_numbers_are_never_given_again(
    tmp_path: Path,
) -> None:
    queue = filled(tmp_path, 8)
    queue.close()
    with behind_its_back(tmp_path) as file:
        file.execute("PRAGMA foreign_keys = ON")
        file.execute("DELETE FROM message WHERE seq IN (3, 7, 8)")
        ring = KeyRing(file, DEVICE_KEY, secrets.token_bytes)
        add_losses(file, ring, [(3, 3), (7, 8)])
    again = open_queue(tmp_path)
    assert again.enqueue("rating", b"x", key="k-9").seq == 9
    report = again.desk.verify()
    assert report.whole
    assert (report.rows, report.told, report.last) == (6, 3, 9)
    with behind_its_back(tmp_path) as file:
        file.execute("UPDATE purged SET last = 6, first = 6 WHERE first = 7")
    assert again.desk.verify().lost == ((7, 8),)


def test_a_purge_beside_a_loss_stays_a_range_of_its_own(tmp_path: Path) -> None:
    clock = HandClock()
    queue = filled(tmp_path, 4, clock)
    with behind_its_back(tmp_path) as file:
        file.execute("PRAGMA foreign_keys = ON")
        file.execute("DELETE FROM message WHERE seq = 2")
        add_losses(file, KeyRing(file, DEVICE_KEY, secrets.token_bytes), [(2, 2)])
    drain(queue)
    clock.pass_(LIMITS.retention_seconds + 1)
    queue.enqueue("rating", b"x", key="k-5")
    queue.purge()
    assert purged(tmp_path) == [(1, 1), (2, 2), (3, 4)]
    report = queue.desk.verify()
    assert report.whole and (report.purged, report.told) == (3, 1)
