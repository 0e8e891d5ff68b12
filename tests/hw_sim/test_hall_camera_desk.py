"""The hall's desk of the camera: what can be asked, pressed and broken."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from hw_sim.camera.device import FAULTS
from hw_sim.faults import FaultSyntaxError
from hw_sim.hall.camera_desk import CameraDesk
from hw_sim.hall.client import Answer
from hw_sim.hall.control import Refused
from hw_sim.hall.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[CameraDesk]:
    made = CameraDesk()
    announced = made.open(tmp_path, tmp_path)
    assert announced["camera_url"].startswith("http://127.0.0.1:")
    yield made
    made.close()
    made.close()


def ask(desk: CameraDesk, do: str, **arguments: object) -> Answer:
    return desk.questions[do]({"do": do, **arguments})


def test_it_is_a_desk(desk: CameraDesk) -> None:
    a_desk: Desk = desk
    assert {verb.name for verb in a_desk.verbs} == set(a_desk.questions)
    assert a_desk.configuration({"camera_url": "x"}) == {
        "camera": {"driver": "opencv", "source": "x"}
    }


def test_its_help_names_every_fault(desk: CameraDesk) -> None:
    assert {part.split("=")[0] for part in desk.faults.replace(",", " ").replace(";", " ").split()
            if part.startswith("N:")} == {f"N:{name}" for name in FAULTS}  # fmt: skip


def test_codes_are_held_up(desk: CameraDesk) -> None:
    assert ask(desk, "camera-code", text="社保") == {"bytes": [6]}
    assert desk.status()["shows"]
    assert ask(desk, "camera-code", text="a", second="bc", size="200", turn="30") == {
        "bytes": [1, 2]
    }
    assert ask(desk, "camera-code", text="hostile", size="700")["bytes"][0] > 2_800
    ask(desk, "camera-sees", sight="hall")
    assert not desk.status()["shows"]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"text": ""},
        {"text": "x" * 3_000},
        {"text": "a", "second": "y" * 3_000},
        {"text": "a", "size": "59"},
        {"text": "a", "size": "large"},
        {"text": "a", "lean": "91"},
        {"text": "a", "blur": "-1"},
    ],
)
def test_codes_that_cannot_be_held_up(desk: CameraDesk, wrong: dict[str, object]) -> None:
    with pytest.raises(Refused):
        ask(desk, "camera-code", **wrong)
    assert not desk.status()["shows"]


def test_pictures_are_held_up(desk: CameraDesk, tmp_path: Path) -> None:
    assert ask(desk, "camera-picture", image="face") == {"rows": 290, "columns": 270}
    own = tmp_path / "own.png"
    cv2.imwrite(str(own), np.zeros((20, 30, 3), np.uint8))
    assert ask(desk, "camera-picture", image=str(own)) == {"rows": 20, "columns": 30}


@pytest.mark.parametrize("content", [None, b"", b"no picture"])
def test_what_is_no_picture(desk: CameraDesk, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Refused, match="read"):
        ask(desk, "camera-picture", image=str(path))


def test_its_plug_and_its_lens(desk: CameraDesk) -> None:
    ask(desk, "camera-sees", sight="dark")
    assert desk.status()["dark"]
    assert False in [fact.good for fact in desk.facts(desk.status())]
    ask(desk, "camera", state="unplugged")
    assert [fact.good for fact in desk.facts(desk.status())] == [False]
    for do, arguments in (
        ("camera-code", {"text": "a"}),
        ("camera-picture", {"image": "face"}),
        ("camera-sees", {"sight": "hall"}),
    ):
        with pytest.raises(Refused, match="unplugged"):
            ask(desk, do, **arguments)
    ask(desk, "camera", state="plugged")
    assert desk.status()["plugged"]


def test_a_closed_hall_has_no_camera(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="opening"):
        CameraDesk().status()
    assert CameraDesk().faults_pending == 0


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize("plugged", [True, False])
def test_every_button_asks_what_it_can_answer(desk: CameraDesk, plugged: bool, dark: bool) -> None:
    standing = {**desk.status(), "plugged": plugged, "dark": dark}
    faults = 0
    for press in desk.presses(standing):
        assert len(press.label) <= 6
        if press.do == "fault":
            assert press.arguments["where"] == "camera"
            desk.set_fault(press.arguments["what"])
            faults += 1
        elif press.enabled:
            ask(desk, "camera", state="plugged")
            ask(desk, press.do, **press.arguments)
    assert desk.faults_pending == faults == 1


def test_a_schedule_that_cannot_be_read(desk: CameraDesk) -> None:
    with pytest.raises(FaultSyntaxError):
        desk.set_fault("1:fire")
    desk.set_fault("5:stall")
    desk.set_fault("none")
    assert desk.faults_pending == 0


def test_a_command_that_only_lists_desks_loads_no_opencv() -> None:
    loads = "import sys, hw_sim.hall.camera_desk; sys.exit('cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", loads], check=False).returncode == 0
