"""Waiting for a good picture, with a camera whose pictures are scripted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from functools import cache

import cv2
import numpy as np
import pytest

from drivers.face.camera import FaceCamera, FaceCancelled, FaceSight, FaceTimeout, FaceTimes
from drivers.face.gates import FaceProblem
from drivers.frames import (
    CameraError,
    CameraGone,
    CameraStalled,
    CameraStatus,
    Frame,
    Picture,
)
from tests.drivers.face_scene import scene

QUICK = FaceTimes(pause=0.0, stalled=1.0, good=3)


@cache
def good() -> Picture:
    return scene()


@cache
def softer() -> Picture:
    return scene(blur=1.0)


@cache
def empty() -> Picture:
    return scene(width=0)


@cache
def far() -> Picture:
    return scene(width=105)


class ScriptedFrames:
    """Gives these pictures one after the other, raises what is an error; time stands still except
    that each call takes a tenth of a second."""

    def __init__(self, script: Iterable[Picture | CameraError]) -> None:
        self._script: Iterator[Picture | CameraError] = iter(script)
        self._number = 0
        self.now = 0.0
        self.closed = False
        self.on_call: Callable[[], None] = lambda: None

    def newest(self, after: int, timeout: float) -> Frame:
        assert timeout > 0
        self.on_call()
        self.now += 0.1
        assert after == self._number, "a picture that was seen is not asked for again"
        step = next(self._script)
        if isinstance(step, CameraError):
            raise step
        self._number += 1
        return Frame(step, self.now, self._number)

    @property
    def used(self) -> int:
        return self._number

    def status(self) -> CameraStatus:
        return CameraStatus(None)

    def close(self) -> None:
        self.closed = True


def camera(frames: ScriptedFrames, times: FaceTimes = QUICK) -> FaceCamera:
    return FaceCamera(frames, times=times, clock=lambda: frames.now)


def take(frames: ScriptedFrames, seconds: float = 60.0) -> tuple[bytes, list[FaceProblem | None]]:
    sights: list[FaceSight] = []
    still = camera(frames).take(threading.Event(), seconds, sights.append)
    return bytes(still.jpeg), [sight.problem for sight in sights]


def test_what_to_mend_is_told_each_time_that_it_changes() -> None:
    _, told = take(ScriptedFrames([empty(), empty(), far(), far(), good(), good(), good()]))
    assert told == [FaceProblem.NO_FACE, FaceProblem.TOO_FAR, None]


def test_good_pictures_must_follow_each_other() -> None:
    frames = ScriptedFrames([good(), good(), far(), good(), good(), good()])
    _, told = take(frames)
    assert told == [None, FaceProblem.TOO_FAR, None]
    assert frames.used == 6


def test_the_sharpest_is_taken_with_some_room_around_the_face() -> None:
    sharp, _ = take(ScriptedFrames([softer(), good(), softer()]))
    only_sharp, _ = take(ScriptedFrames([good(), good(), good()]))
    assert sharp == only_sharp
    picture = cv2.imdecode(np.frombuffer(sharp, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    # The face is some 220 wide; half of that on each side of it.
    assert 400 <= picture.shape[1] <= 480
    assert picture.shape[0] >= 330


def test_a_still_is_wiped_and_shows_nothing() -> None:
    still = camera(ScriptedFrames([good()] * 3)).take(threading.Event(), 9, lambda _: None)
    assert "jpeg" not in repr(still)
    assert any(still.jpeg)
    still.wipe()
    assert not any(still.jpeg)


def test_nobody_in_time() -> None:
    with pytest.raises(FaceTimeout) as timeout:
        take(ScriptedFrames([empty()] * 4 + [far()] * 50), seconds=0.95)
    assert timeout.value.last is FaceProblem.TOO_FAR


def test_cancelled_before_and_meanwhile() -> None:
    cancelled = threading.Event()
    frames = ScriptedFrames([good()] * 9)
    cancelled.set()
    with pytest.raises(FaceCancelled):
        camera(frames).take(cancelled, 9, lambda _: None)
    cancelled.clear()
    frames.on_call = cancelled.set
    with pytest.raises(FaceCancelled):
        camera(frames).take(cancelled, 9, lambda _: None)


def test_a_camera_that_pauses_is_waited_for_and_a_silent_one_has_stalled() -> None:
    pause = [CameraStalled()] * 5
    _, told = take(ScriptedFrames([good(), *pause, good(), *pause, good()]))
    assert told == [None]
    with pytest.raises(CameraStalled):
        take(ScriptedFrames([good(), *[CameraStalled()] * 40]))


def test_a_camera_that_is_gone_ends_it_at_once() -> None:
    with pytest.raises(CameraGone):
        take(ScriptedFrames([good(), CameraGone()]))


def test_the_camera_is_closed_and_asked_how_it_stands() -> None:
    frames = ScriptedFrames([])
    assert camera(frames).status() == CameraStatus(None)
    camera(frames).close()
    assert frames.closed
