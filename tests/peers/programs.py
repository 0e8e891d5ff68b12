"""Programs that others wrote, run as anybody on this machine would run them."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from hw_sim.pcscd import PcscdWorld


def need(program: str) -> str:
    """The path of an installed program; its absence is a failure in CI, elsewhere a skip."""
    path = shutil.which(program)
    if path is None and "CI" in os.environ:
        pytest.fail(f"{program} is not installed")
    if path is None:
        pytest.skip(f"{program} is not installed")
    return path


def run(world: PcscdWorld, program: str, *arguments: str | Path, script: str = "") -> str:
    """What a program says that finds the world's readers; it must succeed."""
    done = subprocess.run(
        [need(program), *arguments],
        input=script,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **world.environment},
        check=False,
    )
    assert done.returncode == 0, f"{program}: {done.stderr}"
    return done.stdout


def insert(world: PcscdWorld, card: str) -> None:
    """Put a card in and wait until pcscd has noticed it."""
    world.slots.insert(card)
    deadline = time.monotonic() + 10
    while not world.slots.status()["slots"]["contact"]["noticed"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
