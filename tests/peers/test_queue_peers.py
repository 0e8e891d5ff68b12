"""Our queue and its peers in the same trouble: ours answers as promised, theirs as docs/queue.md
says, so that a new version of a peer that answers otherwise is noticed."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from enum import Enum
from pathlib import Path

import pytest

from tests.peers import queue_scenarios
from tests.peers.queue_adapters import Candidate
from tests.peers.queue_answers import (
    QUESTIONS,
    AfterCrash,
    Answers,
    DiskFull,
    FlippedBit,
    LateDone,
    OnDisk,
    WhileHeld,
    answer_table,
    between_markers,
)
from tests.peers.queue_costs import Beside, Growth, cost
from tests.peers.queue_process import HOUR, REPOSITORY, QueueProcess, Refused

pytestmark = pytest.mark.peer

ANSWERS = {
    Candidate.OURS: Answers(
        AfterCrash.AFTER_LEASE,
        WhileHeld.NOTHING,
        LateDone.REFUSED,
        OnDisk.AT_ONCE,
        DiskFull.SETTLES,
        FlippedBit.NOTICED,
        pending=Growth.SAME,
        finished=Growth.SAME,
    ),
    Candidate.LITEQUEUE: Answers(
        AfterCrash.WHEN_ASKED,
        WhileHeld.NOTHING,
        LateDone.ACCEPTED,
        OnDisk.AT_CHECKPOINT,
        DiskFull.WAITS,
        FlippedBit.GIVEN,
        pending=Growth.GROWS,
        finished=Growth.SAME,
    ),
    Candidate.PERSIST_QUEUE: Answers(
        AfterCrash.AT_OPEN,
        WhileHeld.THE_SAME,
        LateDone.ACCEPTED,
        OnDisk.AT_ONCE,
        DiskFull.WAITS,
        FlippedBit.GIVEN,
        pending=Growth.SAME,
        finished=Growth.GROWS,
    ),
    Candidate.PERSIST_QUEUE_ASKED: Answers(
        AfterCrash.WHEN_ASKED,
        WhileHeld.NOTHING,
        LateDone.ACCEPTED,
        OnDisk.AT_ONCE,
        DiskFull.WAITS,
        FlippedBit.GIVEN,
        pending=Growth.SAME,
        finished=Growth.GROWS,
    ),
    Candidate.HUEY: Answers(
        AfterCrash.NEVER,
        WhileHeld.NOTHING,
        LateDone.NO_OTHER,
        OnDisk.LEFT_TO_SYSTEM,
        DiskFull.WAITS,
        FlippedBit.GIVEN,
        pending=Growth.SAME,
        finished=Growth.SAME,
    ),
}

SCENARIOS: dict[str, Callable[[Candidate, Path], Enum]] = {
    "after_crash": queue_scenarios.after_crash,
    "while_held": queue_scenarios.while_held,
    "late_done": queue_scenarios.late_done,
    "on_disk": queue_scenarios.on_disk,
    "flipped_bit": queue_scenarios.flipped_bit,
}

candidates = pytest.mark.parametrize("candidate", Candidate, ids=lambda one: one.value)


@candidates
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_ends_as_the_page_says(
    tmp_path: Path, candidate: Candidate, scenario: str
) -> None:
    folder = tmp_path / "queue"
    folder.mkdir()
    assert SCENARIOS[scenario](candidate, folder) is getattr(ANSWERS[candidate], scenario)


@candidates
def test_a_full_disk(tmp_path: Path, candidate: Candidate) -> None:
    with queue_scenarios.small_disk(tmp_path / "disk") as disk:
        if disk is None and "CI" in os.environ:
            pytest.fail("a small tmpfs cannot be mounted")
        if disk is None:
            pytest.skip("a small tmpfs cannot be mounted here")
        assert queue_scenarios.disk_full(candidate, disk) is ANSWERS[candidate].disk_full


@candidates
@pytest.mark.parametrize("beside", Beside, ids=lambda one: one.value)
def test_many_rows_beside_the_one(tmp_path: Path, candidate: Candidate, beside: Beside) -> None:
    growth = cost(candidate, beside, tmp_path).growth
    assert growth is getattr(ANSWERS[candidate], beside.value)


def test_the_page_shows_these_answers() -> None:
    assert len(QUESTIONS) == len(Answers._fields)
    page = (REPOSITORY / "docs" / "queue.md").read_text()
    assert between_markers(page, "answers") == answer_table(ANSWERS)


def test_the_page_shows_costs_that_go_with_them() -> None:
    table = between_markers((REPOSITORY / "docs" / "queue.md").read_text(), "costs")
    for candidate, answers in ANSWERS.items():
        figures = re.search(
            rf"^\| {re.escape(candidate.label)} "
            r"\| [\d.]+ ms, [\d.]+x \| ([\d.]+)x \| [\d.]+ ms, [\d.]+x \| ([\d.]+)x \|$",
            table,
            re.MULTILINE,
        )
        assert figures is not None, candidate.label
        growths = [Growth.of(float(steps)) for steps in figures.groups()]
        assert growths == [answers.pending, answers.finished]


@candidates
def test_an_item_that_is_finished_is_not_given_again(tmp_path: Path, candidate: Candidate) -> None:
    with QueueProcess(candidate, tmp_path) as process:
        process.put(b"a parcel")
        assert process.unfinished() == 1
        assert process.take() == b"a parcel"
        process.done()
        assert process.unfinished() == 0
    with QueueProcess(candidate, tmp_path, seconds_ahead=HOUR) as process:
        process.ask()
        assert process.take() is None


def test_what_a_candidate_raises_is_told_by_its_name(tmp_path: Path) -> None:
    with QueueProcess(Candidate.OURS, tmp_path) as process:
        process.put(b"a parcel")
        process.take()
        process.done()
        with pytest.raises(Refused, match="LeaseLost"):
            process.done()
    with pytest.raises(Refused, match="OperationalError"):
        QueueProcess(Candidate.LITEQUEUE, tmp_path / "no-such-folder")
