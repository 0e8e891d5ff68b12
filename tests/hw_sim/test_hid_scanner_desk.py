"""The hall's desk of the keyboard scanner: what can be asked, pressed and broken."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_sim.faults import FaultSyntaxError
from hw_sim.hall.control import Refused
from hw_sim.hall.desk import Desk
from hw_sim.hall.hid_scanner_desk import HidScannerDesk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[HidScannerDesk]:
    made = HidScannerDesk()
    assert made.open(tmp_path, tmp_path) == {"hid_scanner": str(tmp_path / "hid-scanner")}
    yield made
    made.close()
    made.close()


def test_it_is_a_desk(desk: HidScannerDesk) -> None:
    a_desk: Desk = desk
    assert {verb.name for verb in a_desk.verbs} <= set(a_desk.questions)
    assert a_desk.configuration({"hid_scanner": "x"}) == {}


def test_a_code_is_typed_into_the_node(desk: HidScannerDesk, tmp_path: Path) -> None:
    node = os.open(tmp_path / "hid-scanner", os.O_RDONLY)
    assert desk.questions["hid-scan"]({"do": "hid-scan", "text": "ab"}) == {"characters": 2}
    assert os.read(node, 1)
    os.close(node)
    assert desk.status() == {"plugged": True, "codes_read": 1, "illegal": []}


def test_its_plug(desk: HidScannerDesk, tmp_path: Path) -> None:
    switch = desk.questions["hid-scanner"]
    switch({"do": "hid-scanner", "state": "unplugged"})
    assert not (tmp_path / "hid-scanner").exists()
    with pytest.raises(Refused, match="unplugged"):
        desk.questions["hid-scan"]({"do": "hid-scan", "text": "ab"})
    assert [fact.good for fact in desk.facts(desk.status())] == [False]
    switch({"do": "hid-scanner", "state": "plugged"})
    assert desk.status()["plugged"]


@pytest.mark.parametrize("plugged", [True, False])
def test_every_button_asks_what_it_can_answer(desk: HidScannerDesk, plugged: bool) -> None:
    for press in desk.presses({"plugged": plugged, "codes_read": 0, "illegal": []}):
        assert len(press.label) <= 6
        if press.do == "fault":
            desk.set_fault(press.arguments["what"])
        elif press.enabled:
            desk.questions[press.do]({"do": press.do, **press.arguments})
    assert desk.faults_pending == 1


def test_faults(desk: HidScannerDesk) -> None:
    for part in desk.faults.partition(";")[0].replace("\n", " ").split(", "):
        desk.set_fault(part.replace("N:", "1:").replace("KEY", "1").replace("MS", "1").strip())
    with pytest.raises(FaultSyntaxError):
        desk.set_fault("1:jam")
    desk.set_fault("none")
    assert desk.faults_pending == 0


def test_closed_it_says_so() -> None:
    desk = HidScannerDesk()
    desk.close()
    with pytest.raises(Refused):
        desk.status()
    assert desk.faults_pending == 0
