from __future__ import annotations

from dataclasses import replace

import pytest

from drivers.face.gates import FaceGates, FaceMeasures, FaceProblem, problem

GATES = FaceGates()
GOOD = FaceMeasures(
    faces=(0.3,),
    both_eyes=True,
    eyes_apart=0.45,
    brightness=150.0,
    contrast=50.0,
    sharpness=0.37,
)
WRONG = {
    FaceProblem.SEVERAL: {"faces": (0.3, 0.19)},
    FaceProblem.TOO_FAR: {"faces": (0.17,)},
    FaceProblem.TOO_NEAR: {"faces": (0.76,)},
    FaceProblem.OFF_CENTRE: {"off_centre": -0.36},
    FaceProblem.DARK: {"brightness": 59.0},
    FaceProblem.BRIGHT: {"brightness": 206.0},
    FaceProblem.TURNED: {"eyes_middle": 0.1},
    FaceProblem.TILTED: {"tilt": -15.5},
    FaceProblem.FLAT: {"contrast": 17.0},
    FaceProblem.BLURRED: {"sharpness": 0.14},
}


def test_a_good_picture_has_no_problem() -> None:
    assert problem(GOOD, GATES) is None


@pytest.mark.parametrize("expected", WRONG, ids=lambda each: each.value)
def test_each_gate_closes_alone(expected: FaceProblem) -> None:
    assert problem(replace(GOOD, **WRONG[expected]), GATES) is expected


def test_of_several_problems_the_first_in_order_is_told() -> None:
    worst = GOOD
    for expected in reversed(WRONG):
        worst = replace(worst, **WRONG[expected])
        # Too near and too far exclude each other; the width is that of the last one set.
        assert problem(worst, GATES) in (expected, FaceProblem.TOO_FAR)
    assert problem(worst, GATES) is FaceProblem.SEVERAL


def test_every_problem_can_be_told() -> None:
    nobody = {FaceProblem.NO_FACE}
    assert set(WRONG) | nobody == set(FaceProblem)
    assert [*WRONG] == [each for each in FaceProblem if each not in nobody]


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        (FaceMeasures(), FaceProblem.NO_FACE),
        (FaceMeasures(profile=True), FaceProblem.TURNED),
        (replace(GOOD, both_eyes=False), FaceProblem.TURNED),
        (replace(GOOD, eyes_apart=0.33), FaceProblem.TURNED),
        (replace(GOOD, faces=(0.3, 0.17)), None),
    ],
)
def test_what_eyes_and_other_faces_say(
    measured: FaceMeasures, expected: FaceProblem | None
) -> None:
    assert problem(measured, GATES) is expected
