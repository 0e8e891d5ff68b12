"""The far end of a serial line: a pseudo-terminal behind a stable link, with a plug."""

from __future__ import annotations

import logging
import os
import select
import termios
import threading
import tty
from collections.abc import Callable
from pathlib import Path

_log = logging.getLogger(__name__)

_TURN = 0.02
_INPUT_SPEED, _OUTPUT_SPEED = 4, 5
"""Places in what `termios.tcgetattr` gives."""
_SPEEDS: dict[int, int] = {
    getattr(termios, f"B{baud}"): baud
    for baud in (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
}


class SerialLine:
    """A device's socket in the wall: plugged in, a host can open `link`.

    Args:
        link: points at the terminal while the device is plugged in; the same after every plug,
            like a udev rule's.
        name: of the line's thread.
        hear: called on the line's thread with the bytes that came, and with none about every
            20 ms while nothing comes. It may call `send` and `unplug`.

    Attributes:
        found_baud: bits per second that a host finds set which sets none itself.
    """

    def __init__(self, link: Path, name: str, hear: Callable[[bytes], None]) -> None:
        self.link = link
        self.found_baud = 9600
        self._name = name
        self._hear = hear
        self._lock = threading.RLock()
        self._master: int | None = None
        self._slave: int | None = None
        self._thread: threading.Thread | None = None

    @property
    def plugged(self) -> bool:
        """True while a host could open it."""
        return self._master is not None

    @property
    def baud(self) -> int:
        """Bits per second that the host has set, 0 while it is unplugged."""
        with self._lock:
            if self._slave is None:
                return 0
            return _SPEEDS.get(termios.tcgetattr(self._slave)[_OUTPUT_SPEED], 0)

    def plug(self) -> None:
        """Begin on a new terminal; nothing happens when it is plugged in."""
        with self._lock:
            if self._master is not None:
                return
            master, slave = os.openpty()
            tty.setraw(master)
            tty.setraw(slave)
            _set_speed(slave, self.found_baud)
            os.set_blocking(master, False)
            fresh = self.link.with_name(self.link.name + ".new")
            fresh.unlink(missing_ok=True)
            fresh.symlink_to(os.ttyname(slave))
            fresh.replace(self.link)
            # Our own slave descriptor keeps the master readable while no host has it open.
            self._master, self._slave = master, slave
            self._thread = threading.Thread(
                target=self._serve, args=(master,), name=self._name, daemon=True
            )
            self._thread.start()

    def unplug(self) -> None:
        """The terminal dies under the host; nothing happens when it is unplugged."""
        with self._lock:
            if self._master is not None and self._slave is not None:
                self.link.unlink(missing_ok=True)
                master, slave = self._master, self._slave
                self._master = self._slave = None
                os.close(slave)
                os.close(master)
            thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def send(self, data: bytes) -> None:
        """Send to the host; lost when it is unplugged, or when nobody reads for long."""
        with self._lock:
            if not data or self._master is None:
                return
            try:
                os.write(self._master, data)
            except BlockingIOError:
                _log.warning("nobody reads the line %s; %d bytes are lost", self._name, len(data))

    def _serve(self, master: int) -> None:
        while self._master == master:
            try:
                readable, _, _ = select.select([master], [], [], _TURN)
                received = os.read(master, 4096) if readable else b""
            except (OSError, ValueError):
                return
            if self._master == master:
                self._hear(received)


def _set_speed(terminal: int, baud: int) -> None:
    settings = termios.tcgetattr(terminal)
    speed = next(code for code, value in _SPEEDS.items() if value == baud)
    settings[_INPUT_SPEED] = settings[_OUTPUT_SPEED] = speed
    termios.tcsetattr(terminal, termios.TCSANOW, settings)
