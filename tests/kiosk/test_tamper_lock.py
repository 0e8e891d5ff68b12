"""The lock of a case that was opened: it outlives the process, and whatever stands in its file."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from kiosk.tamper_lock import FILE, TamperLock


def lock(folder: Path, now: float = 1_800_000_000.5) -> TamperLock:
    return TamperLock(folder, SimpleNamespace(time=lambda: now))  # type: ignore[arg-type]


def test_it_holds_over_a_restart_until_it_is_unlocked(tmp_path: Path) -> None:
    assert not lock(tmp_path).locked
    assert lock(tmp_path).since is None
    lock(tmp_path).lock()
    again = lock(tmp_path, 1_900_000_000)
    assert again.locked
    again.lock()
    assert again.since == 1_800_000_000
    again.unlock()
    assert not lock(tmp_path).locked
    again.unlock()


@pytest.mark.parametrize("left", [b"", b"18000", b"\xff\x00", b"never\n"])
def test_a_file_that_was_not_written_to_its_end_locks_too(tmp_path: Path, left: bytes) -> None:
    (tmp_path / FILE).write_bytes(left)
    assert lock(tmp_path).locked
    assert lock(tmp_path).since in (None, 18_000)


def test_a_disk_without_room_for_the_time_locks_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", full)
    lock(tmp_path).lock()
    assert lock(tmp_path).locked


def test_a_disk_that_takes_nothing_is_told_and_stops_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lock(tmp_path / "gone").lock()
    assert "can't be written down" in caplog.text
