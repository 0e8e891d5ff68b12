"""A code scanner that types: a USB-HID keyboard, read through Linux evdev and grabbed.

Only visible ASCII and blanks can come that way: a keyboard has no other keys. A code with Chinese
in it is dropped, never handed on in part; a terminal whose codes hold Chinese needs the serial
module. Which keys are which characters is in `keys.toml`, what is a code in
`drivers.hid.bursts`.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import select
import stat
import struct
import threading
import time
from typing import NoReturn

from drivers.code_scanner import ScanCancelled, ScannerGone, ScannerReason, ScannerStatus
from drivers.hid.bursts import EVENT, BurstReader, HidTimes

log = logging.getLogger(__name__)

_INT = struct.Struct("@i")
# linux/input.h: _IOW('E', number, int).
_EVIOCGRAB = 0x4004_4590
_EVIOCSCLOCKID = 0x4004_45A0
_AT_ONCE = 64
"""Events a reading; the kernel keeps about as many for us."""


class HidScanner:
    """`CodeScanner` on ``/dev/input/by-id/…-event-kbd``, or a FIFO that carries the same events.

    The scanner reads whenever a code is before it; what it types while nobody waits is dropped.
    While the node is open it is grabbed, so nothing it types reaches a window: keep it open by
    asking for its status from start-up on. A node that another program holds is refused.
    """

    def __init__(self, path: str, times: HidTimes | None = None) -> None:
        self._path = path
        self._times = times or HidTimes()
        self._burst = BurstReader(self._times)
        self._node: int | None = None

    def read_code(self, cancelled: threading.Event) -> bytes:
        if cancelled.is_set():
            raise ScanCancelled
        self._open()
        end = time.monotonic() + self._times.drain
        while time.monotonic() < end and (late := self._receive(0)):
            self._burst.feed(late)
        self._burst.spoil_begun()
        while not cancelled.is_set():
            # What was typed behind a code came too early for the next reading.
            for code in self._burst.feed(self._receive(self._times.look)):
                return code
        raise ScanCancelled

    def status(self) -> ScannerStatus:
        try:
            node = self._open()
            for _node, state in _poll(node, select.POLLIN, 0.0):
                if state & (select.POLLHUP | select.POLLERR | select.POLLNVAL):
                    self._lose(None)
        except ScannerGone:
            return ScannerStatus(ScannerReason.GONE)
        return ScannerStatus(None)

    def close(self) -> None:
        node, self._node = self._node, None
        if node is not None:
            # The kernel releases the grab with it.
            with contextlib.suppress(OSError):
                os.close(node)

    def _open(self) -> int:
        if self._node is not None:
            return self._node
        try:
            node = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError as error:
            raise ScannerGone("the node of the code scanner cannot be opened") from error
        try:
            # A FIFO has nobody else to type to.
            if not stat.S_ISFIFO(os.fstat(node).st_mode):
                fcntl.ioctl(node, _EVIOCGRAB, 1)
                fcntl.ioctl(node, _EVIOCSCLOCKID, _INT.pack(time.CLOCK_MONOTONIC))
        except OSError as error:
            os.close(node)
            raise ScannerGone("the code scanner cannot be grabbed") from error
        self._node = node
        self._burst = BurstReader(self._times)
        self._burst.spoil(time.monotonic())
        return node

    def _receive(self, seconds: float) -> bytes:
        """The events that are there, or come within so many seconds; may be none."""
        node = self._open()
        try:
            if not _poll(node, select.POLLIN, seconds):
                return b""
            data = os.read(node, _AT_ONCE * EVENT.size)
        except BlockingIOError:
            return b""
        except OSError as error:
            self._lose(error)
        if not data:
            self._lose(None)
        return data

    def _lose(self, error: OSError | None) -> NoReturn:
        log.info("code scanner lost: %s", type(error).__name__ if error else "end of file")
        self.close()
        raise ScannerGone("the code scanner is unplugged") from error


def _poll(node: int, wanted: int, seconds: float) -> list[tuple[int, int]]:
    poll = select.poll()
    poll.register(node, wanted)
    return poll.poll(seconds * 1000)
