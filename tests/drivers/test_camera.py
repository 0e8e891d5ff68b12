"""The camera's threads and deadlines, on a camera that hangs and lies."""

import threading
import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from drivers.camera.live import Camera, CameraTimes, obstacles
from drivers.frames import (
    CameraError,
    CameraGone,
    CameraNote,
    CameraReason,
    CameraStalled,
    CameraStatus,
)
from tests.drivers.capture_double import PICTURE, CameraDouble

QUICK = CameraTimes(
    open=0.15,
    read=0.1,
    fresh=0.05,
    pace=0.002,
    idle=60,
    first_pause=0.02,
    longest_pause=0.05,
    status=1.0,
)
LONG = 5.0
"""Nobody waits so long unless something is wrong."""


@pytest.fixture
def double():
    made = CameraDouble()
    yield made
    made.let_hanging_calls_return()


@pytest.fixture
def camera(double):
    made = Camera("/dev/video7", QUICK, opener=double.open)
    yield made
    made.close()


def until(condition):
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def threads():
    return [each for each in threading.enumerate() if each.name == "camera"]


@pytest.mark.parametrize("source", ["", "video0", "0", "rtsp://x", "https://x", "file:///x"])
def test_what_is_no_camera(source):
    with pytest.raises(ValueError, match="camera"):
        Camera(source)


def test_opened_by_the_first_look_only(double, camera):
    assert double.opened == 0
    first = camera.newest(0, LONG)
    assert first.number == 1
    assert np.array_equal(first.image, PICTURE)
    assert double.limits == ("/dev/video7", QUICK.open, QUICK.read)
    assert camera.newest(first.number, LONG).number > first.number
    assert double.opened == 1


def test_a_picture_is_nobody_s_to_write_and_shows_in_no_text(camera):
    frame = camera.newest(0, LONG)
    with pytest.raises(ValueError, match="read-only"):
        frame.image[0, 0] = 0
    assert repr(frame) == f"Frame(taken_at={frame.taken_at!r}, number=1)"


def test_always_the_newest(double, camera):
    values = iter(range(1, 10_000))

    def grab():
        time.sleep(0.005)
        double.picture = np.full((4, 4, 3), next(values) % 256, np.uint8)
        return True

    double.grab = grab
    first = camera.newest(0, LONG)
    until(lambda: camera._count > first.number + 5)
    asked = time.monotonic()
    later = camera.newest(first.number, LONG)
    assert later.number > first.number + 5
    assert later.taken_at >= asked - QUICK.fresh


def test_an_old_picture_is_not_handed_to_somebody_who_has_just_come(double, camera):
    first = camera.newest(0, LONG)
    double.grab = double.slowly_nothing
    time.sleep(QUICK.fresh * 1.5)
    with pytest.raises(CameraStalled):
        camera.newest(0, 0)
    assert first.number >= 1


def test_no_camera_is_told_at_once_and_tried_again(double, camera):
    double.there = False
    began = time.monotonic()
    with pytest.raises(CameraGone):
        camera.newest(0, LONG)
    assert time.monotonic() - began < LONG
    double.there = True
    assert camera.newest(0, LONG).number == 1


def test_a_camera_that_is_silent_while_it_is_opened_has_stalled(double, camera):
    double.there = False
    camera._opener = lambda *limits: time.sleep(QUICK.open) or double.open(*limits)
    with pytest.raises(CameraStalled):
        camera.newest(0, LONG)


def test_tries_come_with_pauses(double, camera):
    double.there = False
    tries = []
    real = double.open
    camera._opener = lambda *limits: tries.append(time.monotonic()) or real(*limits)
    for _ in range(5):
        with pytest.raises(CameraGone):
            camera.newest(0, LONG)
    pauses = [b - a for a, b in pairwise(tries)]
    assert pauses[0] >= QUICK.first_pause * 0.9
    assert all(pause >= QUICK.longest_pause * 0.75 for pause in pauses[1:])


def test_stalled_after_pictures(double, camera):
    camera.newest(0, LONG)
    double.grab = double.slowly_nothing
    with pytest.raises(CameraStalled):
        camera.newest(camera._count + 50, LONG)
    assert double.released >= 1
    last = camera._count
    double.grab = double.at_a_rate
    assert camera.newest(last, LONG).number == last + 1


def test_damaged_pictures_between_good_ones_cost_nothing(double, camera):
    turn = iter(range(10**6))

    def grab():
        time.sleep(0.003)
        return next(turn) % 3 != 1

    double.grab = grab
    number = 0
    for _ in range(10):
        number = camera.newest(number, LONG).number
    assert double.opened == 1


def test_a_stream_that_ended_is_opened_anew_at_once(double):
    camera = Camera("/dev/video7", replace(QUICK, read=60), opener=double.open)
    camera.newest(0, LONG)
    double.grab = double.nothing
    until(lambda: double.opened > 1)
    double.grab = double.at_a_rate
    last = camera._count
    assert camera.newest(last, LONG).number == last + 1
    camera.close()


def test_a_stream_that_ended_for_good_is_gone(double, camera):
    camera.newest(0, LONG)
    double.there = False
    double.grab = double.nothing
    with pytest.raises(CameraGone):
        camera.newest(camera._count + 50, LONG)


def test_a_stream_that_ends_whenever_it_is_opened_is_no_loop(double, camera):
    double.grab = double.nothing
    with pytest.raises(CameraStalled):
        camera.newest(0, LONG)
    assert double.opened == 1
    assert double.released == 1


@pytest.mark.parametrize("where", ["grab", "open"])
def test_a_call_that_hangs_holds_nobody(double, camera, where):
    if where == "grab":
        double.grab = double.hang
    else:
        double.opening.clear()
    began = time.monotonic()
    with pytest.raises(CameraStalled):
        camera.newest(0, 0.05)
    with pytest.raises(CameraError):
        camera.newest(0, LONG)
    assert time.monotonic() - began < LONG


def test_a_hanging_reader_is_replaced_and_ends_when_its_call_returns(double, camera):
    first = camera.newest(0, LONG)
    double.grab = double.hang
    with pytest.raises(CameraError):
        camera.newest(first.number + 100, LONG)
    double.grab = double.at_a_rate
    until(lambda: camera._hanging)
    frame = camera.newest(0, LONG)
    assert len(camera._hanging) == 1
    double.let_hanging_calls_return()
    until(lambda: double.released >= 1)
    until(lambda: len(threads()) == 1)
    assert camera.newest(frame.number, LONG).number > frame.number


def test_a_picture_of_a_reader_that_was_given_up_is_dropped(camera):
    camera.newest(0, LONG)
    given_up = camera._reader
    camera.close()
    camera.came(given_up, PICTURE.copy())
    assert camera._frame is None


def test_hanging_threads_do_not_pile_up(double, camera):
    double.grab = double.hang
    before = len(threads())
    for _ in range(12):
        with pytest.raises(CameraStalled):
            camera.newest(0, 0.15)
    assert len(threads()) - before == 2
    double.let_hanging_calls_return()
    double.grab = double.at_a_rate
    until(lambda: double.released >= 2)
    end = time.monotonic() + LONG
    while True:
        try:
            camera.newest(0, LONG)
            return
        except CameraError:
            assert time.monotonic() < end


def test_let_go_when_nobody_looks_and_opened_again(double):
    times = replace(QUICK, idle=0.05)
    camera = Camera("/dev/video7", times, opener=double.open)
    first = camera.newest(0, LONG)
    until(lambda: double.released == 1)
    until(lambda: threads() == [])
    assert camera._frame is None
    assert camera.newest(first.number, LONG).number > first.number
    camera.close()


def test_not_let_go_while_somebody_waits(double):
    times = replace(QUICK, idle=0.15, pace=0.1)
    camera = Camera("/dev/video7", times, opener=double.open)
    number = 0
    for _ in range(5):
        number = camera.newest(number, LONG).number
    assert double.opened == 1
    camera.close()


def test_close_frees_the_camera_twice_and_a_look_opens_it_again(double, camera):
    camera.newest(0, LONG)
    camera.close()
    assert double.released == 1
    camera.close()
    assert camera.newest(0, LONG)
    assert double.opened == 2


def test_several_look_at_once(camera):
    seen: list[int] = []

    def look():
        number = 0
        for _ in range(10):
            number = camera.newest(number, LONG).number
        seen.append(number)

    lookers = [threading.Thread(target=look) for _ in range(4)]
    for each in lookers:
        each.start()
    for each in lookers:
        each.join(LONG)
    assert len(seen) == 4


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (np.full((72, 128, 3), 3, np.uint8), CameraReason.DARK),
        (np.full((72, 128, 3), 120, np.uint8), CameraReason.COVERED),
        (np.full((72, 128), 200, np.uint8), CameraReason.COVERED),
        (np.linspace(0, 255, 72 * 128).reshape(72, 128).astype(np.uint8), None),
    ],
)
def test_what_keeps_a_picture_from_being_of_use(double, camera, picture, reason):
    noise = np.random.default_rng(3).integers(0, 6, picture.shape, dtype=np.uint8)
    double.picture = np.minimum(picture, 249) + noise
    assert camera.status() == CameraStatus(reason, frozenset(), (128, 72))


def test_dark_is_told_before_covered():
    assert list(obstacles(np.zeros((9, 16), np.uint8))) == [
        CameraReason.DARK,
        CameraReason.COVERED,
    ]


def test_a_lamp_in_a_dark_hall_is_not_darkness():
    hall = np.full((72, 128, 3), 5, np.uint8)
    hall[10:20, 20:40] = 200
    assert list(obstacles(hall)) == []


def test_status_never_raises(double, camera):
    double.there = False
    assert camera.status().reason is CameraReason.GONE
    double.there, double.grab = True, double.slowly_nothing
    until(lambda: camera.status().reason is CameraReason.STALLED)
    double.grab = double.at_a_rate
    until(lambda: camera.status().reason is CameraReason.COVERED)


def test_slow_pictures_are_noted(double):
    times = replace(QUICK, open=2.0, read=2.0)
    camera = Camera("/dev/video7", times, opener=double.open)
    double.grab = lambda: time.sleep(0.3) or True
    first = camera.newest(0, LONG)
    camera.newest(first.number, LONG)
    assert camera.status().notes == {CameraNote.SLOW}
    camera.close()


def test_a_bug_in_opencv_is_a_camera_that_is_gone(camera):
    import cv2

    def fail(*_limits):
        raise cv2.error("inside")

    camera._opener = fail
    with pytest.raises(CameraGone):
        camera.newest(0, LONG)


def test_a_device_that_is_not_there():
    camera = Camera("/dev/video-of-nobody", QUICK)
    with pytest.raises(CameraGone):
        camera.newest(0, LONG)
    camera.close()
