"""Children of the demonstration end with it, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hw_sim.hall.children import Child, ChildEnded


def gone(pid: int, within: float = 10.0) -> bool:
    end = time.monotonic() + within
    while time.monotonic() < end:
        try:
            if "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text():
                return True
        except OSError:
            return True
        time.sleep(0.01)
    return False


def test_output_goes_to_the_log_and_the_environment_is_added_to(tmp_path: Path) -> None:
    code = "import os; print(os.environ['OURS'], os.environ['PATH'] != '')"
    child = Child("talker", [sys.executable, "-c", code], tmp_path, {"OURS": "here"})
    assert gone(child.pid)
    with pytest.raises(ChildEnded, match=r"talker ended with 0.*\n  here True"):
        child.check()
    child.end()


def test_end_asks_first_and_kills_who_does_not_listen(tmp_path: Path) -> None:
    polite = Child("polite", ["sleep", "60"], tmp_path)
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True)\n"
    deaf = Child("deaf", [sys.executable, "-c", code + "time.sleep(60)"], tmp_path)
    while "1" not in deaf.log.read_text():
        deaf.check()
        time.sleep(0.01)
    polite.check()
    polite.end()
    deaf.end(patience=0.1)
    assert polite.ended
    assert deaf.ended


def test_child_does_not_outlive_a_parent_that_was_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from hw_sim.hall.children import Child\n"
        "print(Child('c', ['sleep', '60'], Path(sys.argv[1])).pid, flush=True)\n"
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)
        parent.send_signal(signal.SIGKILL)
        parent.wait(10)
    assert gone(pid)
