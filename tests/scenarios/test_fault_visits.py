"""The matrix of faults and visits has a row for whatever can go wrong in a hall."""

from __future__ import annotations

from pathlib import Path

from hw_sim.hall.hall import _FAULTY, Hall, HallSettings
from tests.scenarios import (
    test_fault_visits_cards,
    test_fault_visits_dispenser,
    test_fault_visits_line,
    test_fault_visits_paper,
)
from tests.scenarios.fault_matrix import SAMPLE, WHOLE
from tests.scenarios.fault_rows import PARTS
from tests.scenarios.hand_rows import MISHAPS, NO_MISHAPS

WALKED = (
    *test_fault_visits_cards.PARTS,
    *test_fault_visits_dispenser.PARTS,
    *test_fault_visits_line.PARTS,
    *test_fault_visits_paper.PARTS,
)


def test_every_device_of_a_hall_is_walked(tmp_path: Path) -> None:
    hall = Hall(HallSettings(tmp_path / "run", tmp_path / "state"))
    devices = {*_FAULTY.split(), *hall._desks, "psam", "reader"}
    assert {row.part for row in WHOLE} == devices
    assert sorted(WALKED) == sorted(devices)


def test_whatever_people_can_do_to_a_hall_is_a_mishap_or_none(tmp_path: Path) -> None:
    hall = Hall(HallSettings(tmp_path / "run", tmp_path / "state"))
    assert set(hall._questions) == {mishap.do.do for mishap in MISHAPS} | NO_MISHAPS


def test_every_fault_is_in_the_sample_and_no_row_twice() -> None:
    sampled = {(part.name, fault) for part in PARTS if part.sampled for fault in part.faults}
    assert sampled == {(part.name, fault) for part in PARTS for fault in part.faults}
    names = [row.name for row in WHOLE]
    assert len(set(names)) == len(names)
    assert {row.name for row in SAMPLE} <= set(names)
