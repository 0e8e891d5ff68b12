"""The state directory: closed to others, one kiosk at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kiosk.state import StateDirectory, StateInUse, StateUnusable


def test_everything_is_closed_to_others(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir(mode=0o755)
    state = StateDirectory(tmp_path / "s")
    folders = [state.path, state.audit, state.keys, state.cache, state.logs]
    assert {folder.stat().st_mode & 0o777 for folder in folders} == {0o700}
    assert state.audit_log.parent == state.audit
    assert state.intents.parent == state.path


def test_two_kiosks_cannot_share_it(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    with state.lock(), pytest.raises(StateInUse) as caught:
        state.lock()
    assert caught.value.pid == os.getpid()
    state.lock().release()


def test_the_lock_of_a_dead_kiosk_is_free(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from kiosk.state import StateDirectory;"
        "lock = StateDirectory(Path(sys.argv[1])).lock(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path], check=False)
    assert (tmp_path / "lock").read_text().strip().isdigit()
    StateDirectory(tmp_path).lock().release()


def test_a_file_in_its_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("")
    with pytest.raises(StateUnusable):
        StateDirectory(tmp_path / "s")


def test_free_space_is_that_of_the_file_system(tmp_path: Path) -> None:
    space = os.statvfs(tmp_path)
    free = StateDirectory(tmp_path).free_bytes()
    assert 0 < free <= space.f_blocks * space.f_frsize


def test_a_lock_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    (tmp_path / "lock").mkdir()
    with pytest.raises(StateUnusable, match="lock"):
        state.lock()
