"""The gates on pictures of one public face that were made worse, one thing at a time."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from drivers.face.finder import FaceFinder
from drivers.face.gates import FaceGates, FaceProblem, problem
from drivers.frames import Picture
from tests.drivers.face_scene import COLUMNS, ROWS, scene


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    cv2.setNumThreads(1)
    return FaceFinder()


def judged(finder: FaceFinder, picture: Picture) -> FaceProblem | None:
    return problem(finder.measure(picture)[0], FaceGates())


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"width": 150},
        {"width": 400},
        {"beside": 180},
        {"tilt": 9},
        {"gain": 0.5},
        {"noise": 20},
    ],
    ids=str,
)
def test_a_good_picture(finder: FaceFinder, changes: dict[str, float]) -> None:
    assert judged(finder, scene(**changes)) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"width": 0}, FaceProblem.NO_FACE),
        ({"width": 105}, FaceProblem.TOO_FAR),
        ({"beside": 400}, FaceProblem.OFF_CENTRE),
        ({"persons": 2}, FaceProblem.SEVERAL),
        ({"gain": 0.3}, FaceProblem.DARK),
        ({"gain": 0.5, "offset": 145}, FaceProblem.BRIGHT),
        ({"gain": 0.25, "offset": 80}, FaceProblem.FLAT),
        ({"tilt": 20}, FaceProblem.TILTED),
        ({"blur": 4}, FaceProblem.BLURRED),
        ({"blur": 6, "noise": 20}, FaceProblem.BLURRED),
    ],
    ids=str,
)
def test_what_is_wrong_is_told(
    finder: FaceFinder, changes: dict[str, float], expected: FaceProblem
) -> None:
    assert judged(finder, scene(**changes)) is expected  # type: ignore[arg-type]


def test_an_eye_that_is_hidden_is_not_looking_at_the_camera(finder: FaceFinder) -> None:
    picture = scene()
    _, box = finder.measure(picture)
    assert box is not None
    x, y, width, height = box
    eye = picture[y + height // 4 : y + height // 2, x + width // 8 : x + int(width * 0.45)]
    eye[:] = cv2.GaussianBlur(eye, (0, 0), 18)
    assert judged(finder, picture) is FaceProblem.TURNED


def test_the_face_is_where_it_was_put(finder: FaceFinder) -> None:
    measures, box = finder.measure(scene(width=220, beside=100))
    assert box is not None
    assert measures.faces[0] == pytest.approx(220 / ROWS, rel=0.15)
    assert box[2] == pytest.approx(measures.faces[0] * ROWS, abs=2)
    assert box[0] + box[2] / 2 == pytest.approx(COLUMNS / 2 + 100, abs=40)


def test_a_grey_picture_is_judged_as_its_colours(finder: FaceFinder) -> None:
    picture = scene()
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.uint8)
    assert finder.measure(grey) == finder.measure(picture)


@pytest.mark.parametrize("shape", [(1, 1), (40, 40), (8, 4000), (2000, 3)], ids=str)
def test_pictures_too_small_for_a_face_show_none(
    finder: FaceFinder, shape: tuple[int, int]
) -> None:
    assert judged(finder, np.zeros(shape, np.uint8)) is FaceProblem.NO_FACE
