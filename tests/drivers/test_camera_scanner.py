"""A camera as a code scanner: on frames that are given by hand."""

import threading
import time

import cv2
import numpy as np
import pytest

from drivers.camera.scanner import CameraScanner, CameraScannerTimes
from drivers.code_scanner import (
    ScanCancelled,
    ScannerGone,
    ScannerNote,
    ScannerReason,
    ScannerStatus,
)
from drivers.frames import (
    CameraGone,
    CameraNote,
    CameraReason,
    CameraStalled,
    CameraStatus,
    Frame,
)
from tests.drivers.code_pictures import beside, code_picture

QUICK = CameraScannerTimes(look=0.01, pause=0.001, patience=0.1)
EMPTY = np.full((90, 160), 130, np.uint8)
CODE = b"SSC1:4299"


class FramesByHand:
    """Pictures and exceptions in turn, then none any more."""

    def __init__(self, *turns):
        self.turns = list(turns)
        self.asked = []
        self.closed = 0
        self.state = CameraStatus(None)
        self.trouble = CameraStalled

    def newest(self, after, timeout):
        self.asked.append((after, timeout))
        if not self.turns:
            time.sleep(timeout)
            raise self.trouble
        turn = self.turns.pop(0)
        if isinstance(turn, Exception):
            raise turn
        return Frame(turn, time.monotonic(), after + 1)

    def status(self):
        return self.state

    def close(self):
        self.closed += 1


def read(*turns, cancelled=None):
    frames = FramesByHand(*turns)
    scanner = CameraScanner(frames, QUICK)
    return scanner.read_code(cancelled or threading.Event()), frames


def test_the_first_picture_with_a_code():
    payload, frames = read(EMPTY, EMPTY, code_picture(CODE), code_picture(b"later"))
    assert payload == CODE
    assert [after for after, _ in frames.asked] == [0, 1, 2]
    assert len(frames.turns) == 1


@pytest.mark.parametrize("convert", [cv2.COLOR_GRAY2BGR, None])
def test_colours_and_grey(convert):
    image = code_picture(CODE)
    payload, _ = read(image if convert is None else cv2.cvtColor(image, convert))
    assert payload == CODE


def test_codes_that_are_refused_are_waited_over():
    two = beside(code_picture(CODE), code_picture(CODE + b"2"))
    payload, _ = read(two, two, code_picture(b"one"))
    assert payload == b"one"


@pytest.mark.parametrize("trouble", [CameraStalled, CameraGone])
def test_no_picture_for_a_moment_is_no_fault(trouble):
    payload, _ = read(trouble(), EMPTY, trouble(), code_picture(CODE))
    assert payload == CODE


@pytest.mark.parametrize("trouble", [CameraStalled, CameraGone])
def test_no_picture_for_long(trouble):
    frames = FramesByHand(EMPTY)
    frames.trouble = trouble
    with pytest.raises(ScannerGone, match="no picture") as caught:
        CameraScanner(frames, QUICK).read_code(threading.Event())
    assert isinstance(caught.value.__cause__, trouble)


def test_cancelled_before_it_looked():
    cancelled = threading.Event()
    cancelled.set()
    frames = FramesByHand(code_picture(CODE))
    with pytest.raises(ScanCancelled):
        CameraScanner(frames, QUICK).read_code(cancelled)
    assert frames.asked == []


def test_cancelled_while_it_rests_between_pictures():
    cancelled = threading.Event()
    scanner = CameraScanner(FramesByHand(EMPTY), CameraScannerTimes(look=0.01, pause=60))
    threading.Timer(0.05, cancelled.set).start()
    with pytest.raises(ScanCancelled):
        scanner.read_code(cancelled)


def test_cancelled_while_no_picture_comes():
    cancelled = threading.Event()
    frames = FramesByHand()
    threading.Timer(0.05, cancelled.set).start()
    with pytest.raises(ScanCancelled):
        CameraScanner(frames, CameraScannerTimes(look=0.01, patience=60)).read_code(cancelled)
    assert {timeout for _, timeout in frames.asked} == {0.01}


@pytest.mark.parametrize(
    ("camera", "scanner"),
    [
        (CameraStatus(None), ScannerStatus(None)),
        (CameraStatus(CameraReason.GONE), ScannerStatus(ScannerReason.GONE)),
        (CameraStatus(CameraReason.STALLED), ScannerStatus(ScannerReason.BLIND)),
        (CameraStatus(CameraReason.DARK), ScannerStatus(ScannerReason.BLIND)),
        (CameraStatus(CameraReason.COVERED), ScannerStatus(ScannerReason.BLIND)),
        (
            CameraStatus(None, frozenset({CameraNote.SLOW})),
            ScannerStatus(None, frozenset({ScannerNote.SLOW})),
        ),
    ],
)
def test_it_stands_as_its_camera_does(camera, scanner):
    frames = FramesByHand()
    frames.state = camera
    assert CameraScanner(frames).status() == scanner


def test_close_lets_the_camera_go():
    frames = FramesByHand()
    CameraScanner(frames).close()
    assert frames.closed == 1
