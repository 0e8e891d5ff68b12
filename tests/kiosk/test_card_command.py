"""``yikatong card read`` as a stranger types it: real readers, one clear line, an exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hw_sim.pcscd import PcscdWorld
from hw_sim.population import population
from kiosk.card.exits import CardExit
from tests.kiosk.card_backends import ThroughPcscd

pytestmark = pytest.mark.pcscd

YIKATONG = Path(sys.executable).with_name("yikatong")
READER = "Yikatong"
LIMIT = 15.0


def put_in(world: PcscdWorld, card: str, fault: str = "") -> None:
    world.slots.insert(card)
    if fault:
        world.slots.fault(fault)
    deadline = time.monotonic() + 5
    while not world.slots.status()["slots"]["contact"]["noticed"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def read(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(YIKATONG), "card", "read", "--reader", READER, *options],
        cwd=folder,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )


@pytest.mark.parametrize(("card", "index"), [("v3", 0), ("v2", 1), ("v1", 2)])
def test_json_is_masked_and_complete(
    pcscd_world: PcscdWorld, tmp_path: Path, card: str, index: int
) -> None:
    put_in(pcscd_world, card)
    done = read(tmp_path, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    shown = json.loads(done.stdout)
    person = population()[index]
    assert shown["profile"] == card
    assert shown["genuine"] is True
    assert shown["holder"]["name"][1:-1].strip("*") == ""
    assert shown["holder"]["social_security_number"].startswith("429***")
    assert person.number not in done.stdout
    assert person.name not in done.stdout
    assert person.card.card_number not in done.stdout
    assert {"atr", "issuer", "holder_unavailable", "apdus", "duration_ms"} <= shown.keys()


def test_the_psam_is_never_taken_for_the_residents_card(
    pcscd_world: PcscdWorld, tmp_path: Path
) -> None:
    # pcscd notices up to 400 ms later that the card of the test before is gone.
    ThroughPcscd(pcscd_world).service.stop()
    done = read(tmp_path)
    assert done.returncode == CardExit.NO_CARD


def test_a_clone_is_told(pcscd_world: PcscdWorld, tmp_path: Path) -> None:
    put_in(pcscd_world, "clone")
    done = read(tmp_path, "--json")
    shown = json.loads(done.stdout)
    assert (done.returncode, shown["genuine"]) == (1, False)
    assert shown["holder"] is None
    assert shown["holder_unavailable"] == "not-genuine"


@pytest.mark.parametrize(
    ("card", "fault", "code"),
    [
        ("unknown", "", CardExit.UNKNOWN_CARD),
        ("mute", "", CardExit.MUTE),
        ("v3", "3:tear", CardExit.TORN),
        ("silent", "", CardExit.MUTE),
    ],
)
def test_what_goes_wrong_is_one_line_and_a_code(
    pcscd_world: PcscdWorld, tmp_path: Path, card: str, fault: str, code: int
) -> None:
    put_in(pcscd_world, card, fault)
    done = read(tmp_path)
    assert done.returncode == code
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_full_needs_a_demo_configuration(pcscd_world: PcscdWorld, tmp_path: Path) -> None:
    put_in(pcscd_world, "v3")
    done = read(tmp_path, "--full")
    assert done.returncode == 7
    assert done.stdout == ""


def test_a_trace_shows_commands_and_nobody(pcscd_world: PcscdWorld, tmp_path: Path) -> None:
    put_in(pcscd_world, "v3")
    done = read(tmp_path, "--trace")
    assert done.returncode == 0
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 6
    assert "INTERNAL AUTHENTICATE" in done.stderr
    person = population()[0]
    for secret in (person.number.encode(), person.name.encode("gb18030"), person.card.card_id):
        assert secret.hex().upper() not in done.stderr


def test_an_unknown_reader_is_a_missing_device(pcscd_world: PcscdWorld, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(YIKATONG), "card", "read", "--reader", "No Such Reader"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 5
