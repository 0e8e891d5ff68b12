"""Independent PC/SC programs against our card."""

from __future__ import annotations

import os
import shutil
import subprocess
import time

import pytest

from hw_sim.pcscd import CONTACT_READER, PSAM_READER, PcscdWorld

pytestmark = [pytest.mark.pcscd, pytest.mark.peer]

SSSE = "00A404000F7378312E73682EC9E7BBE1B1A3D5CF"


def run(world: PcscdWorld, program: str, *arguments: str, script: str = "") -> str:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    done = subprocess.run(
        [program, *arguments],
        input=script,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **world.environment},
        check=False,
    )
    return done.stdout


def insert(world: PcscdWorld, card: str) -> None:
    world.slots.insert(card)
    deadline = time.monotonic() + 10
    while not world.slots.status()["slots"]["contact"]["noticed"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def opensc(world: PcscdWorld, *commands: str) -> list[str]:
    """opensc-tool's status words; it does GET RESPONSE by itself."""
    sent = [part for command in commands for part in ("-s", command)]
    out = run(world, "opensc-tool", "-r", CONTACT_READER, "-c", "default", *sent)
    return [
        line.partition("SW1=")[2].replace("0x", "").replace(", SW2=", "")[:4]
        for line in out.splitlines()
        if line.startswith("Received")
    ]


def test_opensc_lists_both_readers(pcscd_world: PcscdWorld) -> None:
    listed = run(pcscd_world, "opensc-tool", "-l")
    assert CONTACT_READER in listed
    assert PSAM_READER in listed


@pytest.mark.parametrize("card", ["v1", "v2", "v3"])
def test_opensc_reads_and_counts(pcscd_world: PcscdWorld, card: str) -> None:
    insert(pcscd_world, card)
    tries = "63C2" if card == "v3" else "63C5"
    words = opensc(pcscd_world, SSSE + "00", "00B2012C12", "00B2082C00", "0020000003000000")
    assert words == ["9000", "9000", "6A83", tries]


def test_scriptor_sees_the_raw_answers_of_a_t0_card(pcscd_world: PcscdWorld) -> None:
    insert(pcscd_world, "v2")
    out = run(pcscd_world, "scriptor", "-r", CONTACT_READER, script=f"reset\n{SSSE}\n00B2012C00\n")
    assert "61 1E" in out
    assert "6C 12" in out


def test_probe_storm_spends_no_try_and_finds_no_bug(pcscd_world: PcscdWorld) -> None:
    insert(pcscd_world, "v3")
    run(pcscd_world, "pkcs11-tool", "-L")
    run(pcscd_world, "opensc-tool", "-r", CONTACT_READER, "-n")
    status = pcscd_world.slots.status()
    assert status["slots"]["contact"]["apdus"] > 20
    assert status["pin_tries"] == {"v3": 3}
    assert status["bugs"] == 0
