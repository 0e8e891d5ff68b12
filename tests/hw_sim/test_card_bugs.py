"""A bug of a simulated card fails the test that met it, by whatever fixture it held the card.

Each test here runs pytest anew over tests that hold a card which breaks inside at GET CHALLENGE,
and that are content with the 6F00 it answers.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]

BROKEN = """
from hw_sim.cards.application import Challenges


def broken(*_):
    raise LookupError


Challenges.draw = broken
"""

IN_PROCESS = """
import broken
from apdu.channel import Channel
from apdu.command import Command
from hw_sim.cards.catalogue import make_card
from hw_sim.cards.faults import FaultyContacts
from tests.apdu.card_in_process import insert as in_process
from tests.hw_sim.conftest import ask
from tests.hw_sim.test_vpcd import insert, reader
from tests.kiosk.card_backends import CONTACT, InProcess

CHALLENGE = bytes.fromhex("0084000008")
BUG = bytes.fromhex("6F00")


def test_a_card_in_the_hand():
    assert make_card("v3").execute(CHALLENGE) == BUG


def test_a_card_that_a_fixture_asks(ask):
    assert ask(make_card("v3"), CHALLENGE.hex()) == (b"", 0x6F00)


def test_a_card_of_a_swap():
    contacts = FaultyContacts(make_card("mute"))
    contacts._swap("v3")
    assert contacts.exchange(CHALLENGE).answer == BUG


def test_a_card_behind_our_channel():
    assert Channel(in_process("v3")).send(Command(0, 0x84, 0, 0, ne=8)).sw == 0x6F00


def test_a_card_of_the_kiosk_s_backend():
    backend = InProcess()
    backend.insert("v3")
    assert backend.connect(CONTACT).transmit(CHALLENGE) == BUG


def test_a_card_on_a_wire(reader, insert):
    insert("v3")
    assert reader.ask(CHALLENGE) == BUG


def test_no_bug():
    assert make_card("v3").execute(bytes.fromhex("00A40000023F00"))[:1] == b"\\x61"
"""

OTHER_PROCESSES = """
import socket

import pytest
from hw_sim.hall.client import HallClient
from tests.hw_sim.running_hall import RunningHall
from tests.hw_sim.test_cards_host import bench, host

CHALLENGE = bytes.fromhex("0084000008")
BUG = bytes.fromhex("6F00")


@pytest.fixture
def hall(tmp_path):
    hall = RunningHall(tmp_path, "--direct")
    yield hall
    hall.close()


def test_a_card_of_the_slots_process(host, bench):
    host.insert("v3")
    assert bench.ask("contact", CHALLENGE) == [BUG]


def test_a_card_of_a_hall(hall):
    place, port = hall.told["direct"]["contact"].split(":")
    with socket.create_server((place, int(port))) as reader:
        reader.settimeout(10)
        HallClient(hall.run).ask("insert", card="v3")
        card, _ = reader.accept()
        with card:
            card.settimeout(10)
            card.sendall(bytes.fromhex("000101 0005") + CHALLENGE)
            assert card.recv(2) + card.recv(2) == b"\\0\\2" + BUG


def test_no_bug(host, hall):
    assert host.status()["bugs"] == 0
"""

OVER_PCSCD = """
import time

from drivers.pcsc.service import PcscService
from hw_sim.pcscd import CONTACT_READER


def test_a_card_behind_pcscd(pcscd_world):
    service = PcscService()
    service.start(lambda event: None)
    pcscd_world.slots.insert("v3")
    while not any(each.name == CONTACT_READER and each.present for each in service.readers()):
        time.sleep(0.01)
    assert service.connect(CONTACT_READER).transmit(bytes.fromhex("0084000008")) == b"\\x6f\\x00"
    service.stop()


def test_no_bug(pcscd_world):
    assert pcscd_world.slots.status()["bugs"] == 1, "counted, but not this test's"
"""


def outcomes(folder: Path, text: str) -> dict[str, set[str]]:
    """Passed, failed and broken tests, by pytest's word for it."""
    (folder / "test_within.py").write_text(text)
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-rA", "--import-mode=importlib"),
            *("-p", "tests.conftest", "-p", "no:cacheprovider", "--rootdir", str(folder)),
            *("-o", "pythonpath=", str(folder / "test_within.py")),
        ],
        cwd=_ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(_ROOT), *sys.path])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    found: dict[str, set[str]] = {}
    for line in run.stdout.splitlines():
        word, _, rest = line.partition(" ")
        if "::" in rest:
            found.setdefault(word, set()).add(rest.partition("::")[2].partition(" ")[0])
    assert found, run.stdout + run.stderr
    return found


def test_in_this_process(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)
    found = outcomes(tmp_path, IN_PROCESS)
    held = {
        "test_a_card_in_the_hand",
        "test_a_card_that_a_fixture_asks",
        "test_a_card_of_a_swap",
        "test_a_card_behind_our_channel",
        "test_a_card_of_the_kiosk_s_backend",
        "test_a_card_on_a_wire",
    }
    # pytest's word for what a fixture finds at its end.
    assert found == {"PASSED": {*held, "test_no_bug"}, "ERROR": held}


def test_in_other_processes(tmp_path: Path) -> None:
    # They take this in as they start.
    (tmp_path / "sitecustomize.py").write_text(BROKEN)
    found = outcomes(tmp_path, OTHER_PROCESSES)
    held = {"test_a_card_of_the_slots_process", "test_a_card_of_a_hall"}
    assert found == {"PASSED": {*held, "test_no_bug"}, "ERROR": held}


@pytest.mark.pcscd
def test_behind_pcscd(tmp_path: Path, shared_pcscd: object) -> None:
    (tmp_path / "sitecustomize.py").write_text(BROKEN)
    found = outcomes(tmp_path, OVER_PCSCD)
    held = {"test_a_card_behind_pcscd"}
    assert found == {"PASSED": {*held, "test_no_bug"}, "ERROR": held}
