"""A sample of the soak in every test run; all of it is ``./run soak``."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.soak.__main__ import SAMPLE
from tests.soak.ledger import Ledger
from tests.soak.world import World


@pytest.mark.parametrize("seed", [1, 2])
def test_a_sample_of_kill_points_loses_and_doubles_nothing(tmp_path: Path, seed: int) -> None:
    result = World(tmp_path, seed).run(SAMPLE // 2)
    assert (result.lost, result.double) == (0, 0)
    assert result.kill_points >= SAMPLE // 2
    assert result.acknowledged > 20
    assert min(result.jobs.values()) > 0 and len(result.jobs) == 8


def test_the_command_ends_with_one_line_for_machines() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak", "--points", "3", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = done.stdout.splitlines()
    result = json.loads(line)
    assert result["kill_points"] >= 3 and result["lost"] == result["double"] == 0
    assert {"acknowledged", "jobs"} < set(result)


def test_the_ledger_sees_what_is_lost_and_what_is_double() -> None:
    ledger = Ledger(random.Random(1))
    ledger.patient = True
    ledger.hear("stored 1")
    ledger.hear("stored 2")
    assert ledger.lost == {1, 2}
    assert ledger.hear("ask k-1") == "none"
    receipt = ledger.hear("send k-1 1")
    assert ledger.hear("send k-1 1") == ledger.hear("ask k-1") == receipt
    assert (ledger.lost, ledger.double) == ({2}, set())
    ledger.hear("send k-9 1")
    assert ledger.double == {1}
