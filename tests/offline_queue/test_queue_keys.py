"""The key ring: wrapped by the device key, turned without stopping, dropped when unneeded."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from offline_queue.errors import KeysWrong
from offline_queue.key_ring import KeyRing
from offline_queue.message import State
from tests.offline_queue.queue_world import (
    DEVICE_KEY,
    LIMITS,
    HandClock,
    behind_its_back,
    claimed,
    drain,
    open_queue,
)

OTHER_KEY = bytes(16)


def versions(path: Path) -> list[int]:
    with behind_its_back(path) as file:
        return [version for (version,) in file.execute("SELECT version FROM key_ring")]


def test_another_device_key_opens_nothing_and_buries_nothing(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    queue.enqueue("rating", b"a", key="k-1")
    queue.close()
    with pytest.raises(KeysWrong):
        open_queue(tmp_path, key=OTHER_KEY)
    assert claimed(open_queue(tmp_path)).body == b"a"


@pytest.mark.parametrize("key", [b"", bytes(15), bytes(32)])
def test_a_device_key_has_sixteen_bytes(tmp_path: Path, key: bytes) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        open_queue(tmp_path, key=key)
    queue = open_queue(tmp_path)
    with pytest.raises(ValueError, match="16 bytes"):
        queue.desk.rewrap(key)


def test_no_key_stands_in_the_file(tmp_path: Path) -> None:
    made: list[bytes] = []

    def random_bytes(size: int) -> bytes:
        made.append(bytes((len(made) + 1,)) * size)
        return made[-1]

    with behind_its_back(tmp_path) as file:
        file.execute("CREATE TABLE key_ring (version INTEGER PRIMARY KEY, wrapped BLOB)")
        ring = KeyRing(file, DEVICE_KEY, random_bytes)
        ring.follow(file, ring.rotate(file))
    stored = (tmp_path / "queue.sqlite").read_bytes()
    keys = [each for each in made if len(each) == 16]
    assert len(keys) == 3
    assert not any(key in stored for key in (*keys, DEVICE_KEY))
    assert repr(ring) == "KeyRing(versions=[1, 2], current=2)"


@pytest.mark.parametrize("gone", [0, 1])
def test_a_ring_without_one_of_its_keys_is_refused(tmp_path: Path, gone: int) -> None:
    open_queue(tmp_path).close()
    with behind_its_back(tmp_path) as file:
        file.execute("DELETE FROM key_ring WHERE version = ?", (gone,))
    with pytest.raises(KeysWrong):
        open_queue(tmp_path)


def test_keys_cannot_be_exchanged_for_each_other(tmp_path: Path) -> None:
    open_queue(tmp_path).close()
    with behind_its_back(tmp_path) as file:
        file.execute(
            "UPDATE key_ring SET wrapped = (SELECT wrapped FROM key_ring WHERE version = 0)"
        )
    with pytest.raises(KeysWrong):
        open_queue(tmp_path)


def test_a_rotation_reaches_every_process_and_loses_no_row(tmp_path: Path) -> None:
    one, other = open_queue(tmp_path), open_queue(tmp_path)
    one.enqueue("rating", b"a", key="k-1", order="o")
    assert one.desk.rotate() == 2
    other.enqueue("rating", b"b", key="k-2", order="o")
    one.enqueue("rating", b"c", key="k-3", order="o")
    with behind_its_back(tmp_path) as file:
        used = file.execute("SELECT key_version FROM message ORDER BY seq").fetchall()
    assert used == [(1,), (2,), (2,)]
    third = open_queue(tmp_path)
    assert third.desk.rotate() == 3
    third.enqueue("rating", b"d", key="k-4")
    drain(other)
    assert other.metrics().states[State.CONFIRMED] == 4
    assert one.desk.verify().whole


def test_a_key_goes_when_its_last_row_goes(tmp_path: Path) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    queue.enqueue("rating", b"a", key="k-1")
    queue.desk.rotate()
    queue.enqueue("rating", b"b", key="k-2")
    assert queue.purge() == 0
    assert versions(tmp_path) == [0, 1, 2]
    drain(queue)
    clock.pass_(LIMITS.retention_seconds + 1)
    assert queue.purge() == 1
    assert versions(tmp_path) == [0, 2]
    assert queue.desk.verify().whole


def test_another_device_key_can_take_over(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    queue.enqueue("rating", b"a", key="k-1")
    queue.desk.rotate()
    queue.desk.rewrap(OTHER_KEY)
    queue.enqueue("rating", b"b", key="k-2")
    queue.close()
    with pytest.raises(KeysWrong):
        open_queue(tmp_path)
    again = open_queue(tmp_path, key=OTHER_KEY)
    assert [claimed(again).body, claimed(again).body] == [b"a", b"b"]


def test_the_ordering_key_is_not_in_the_file(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    queue.enqueue("rating", b"a", key="k-1", order="whose-it-is")
    queue.enqueue("rating", b"b", key="k-2", order="whose-it-is")
    queue.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"k-1" in stored and b"whose-it-is" not in stored
    other = tmp_path / "other"
    other.mkdir()
    tags = set()
    for folder in (tmp_path, other):
        open_queue(folder).enqueue("rating", b"c", key="k-3", order="whose-it-is")
        with behind_its_back(folder) as file:
            tags |= set(file.execute("SELECT ordering FROM message").fetchall())
    # The same in one file, and another in every file.
    assert len(tags) == 2


def spare(path: Path) -> Path:
    return path / "queue.sqlite.keys"


def destroy_keys(path: Path) -> None:
    """Damage the page on which the keys stand."""
    with behind_its_back(path) as file:
        (page,) = file.execute(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'key_ring'"
        ).fetchone()
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    with (path / "queue.sqlite").open("r+b") as raw:
        raw.seek((page - 1) * 4096)
        raw.write(bytes(4096))


def test_the_spare_keys_prove_the_rows_of_a_file_that_lost_its_own(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    queue.enqueue("rating", b"a", key="k-1")
    queue.desk.rotate()
    queue.enqueue("rating", b"b", key="k-2")
    queue.close()
    destroy_keys(tmp_path)
    again = open_queue(tmp_path)
    assert again.salvage is not None and again.salvage.rows == 2
    assert [claimed(again).body, claimed(again).body] == [b"a", b"b"]


@pytest.mark.parametrize("text", ["", "1 zz\n", "x 00\n0\n", "\xff\xfe", "0 00\n1 00\n"])
def test_spare_keys_that_are_none_prove_nothing_and_lose_nothing(tmp_path: Path, text: str) -> None:
    queue = open_queue(tmp_path)
    queue.enqueue("rating", b"a", key="k-1")
    queue.close()
    good = spare(tmp_path).read_bytes()
    destroy_keys(tmp_path)
    spare(tmp_path).write_text(text, "latin-1")
    with pytest.raises(KeysWrong):
        open_queue(tmp_path)
    spare(tmp_path).write_bytes(good)
    assert claimed(open_queue(tmp_path)).body == b"a"


def test_the_spare_keys_follow_every_change(tmp_path: Path) -> None:
    clock = HandClock()
    queue = open_queue(tmp_path, clock)
    assert spare(tmp_path).stat().st_mode & 0o777 == 0o600

    def held() -> list[int]:
        return [int(line.split()[0]) for line in spare(tmp_path).read_text("ascii").splitlines()]

    queue.enqueue("rating", b"a", key="k-1")
    queue.desk.rotate()
    assert held() == [0, 1, 2]
    queue.enqueue("rating", b"b", key="k-2")
    drain(queue)
    clock.pass_(LIMITS.retention_seconds + 1)
    queue.purge()
    assert held() == versions(tmp_path) == [0, 2]
    before = spare(tmp_path).read_bytes()
    queue.desk.rewrap(OTHER_KEY)
    assert spare(tmp_path).read_bytes() != before
    queue.close()
    spare(tmp_path).unlink()
    open_queue(tmp_path, key=OTHER_KEY).close()
    assert held() == [0, 2], "opening makes a copy that was lost"


def test_a_rotation_that_fails_seals_nothing_by_a_key_that_is_not_there(tmp_path: Path) -> None:
    queue = open_queue(tmp_path)
    with behind_its_back(tmp_path) as file:
        file.execute(
            "CREATE TRIGGER no AFTER INSERT ON key_ring BEGIN SELECT RAISE(FAIL, 'no'); END"
        )
    for act in (queue.desk.rotate, lambda: queue.desk.rewrap(b"short")):
        with pytest.raises((sqlite3.IntegrityError, ValueError)):
            act()
    queue.enqueue("rating", b"a", key="k-1")
    queue.close()
    assert claimed(open_queue(tmp_path)).body == b"a"
