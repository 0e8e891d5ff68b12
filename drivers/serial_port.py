"""A serial port that may be unplugged at any moment: 8N1, never blocking."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import termios
import time
from typing import NoReturn

import serial

log = logging.getLogger(__name__)


class PortLost(Exception):
    """The port cannot be opened, was unplugged, or takes no bytes."""


class SerialPort:
    """Opened on demand, closed when it is lost; used by one thread.

    Args:
        device: what is on the line, for logs and messages.
        hardware_flow: RTS and CTS hold bytes back.
    """

    def __init__(self, path: str, baud: int, device: str, *, hardware_flow: bool = False) -> None:
        self._path = path
        self._baud = baud
        self._device = device
        self._hardware_flow = hardware_flow
        self._port: serial.Serial | None = None

    @property
    def is_open(self) -> bool:
        """The port is open, as far as we know."""
        return self._port is not None

    def open(self) -> None:
        """Open the port for this process alone; nothing when it is open.

        Raises:
            PortLost: there is no such port, or another program holds it.
        """
        if self._port is not None:
            return
        try:
            self._port = serial.Serial(
                self._path, self._baud, timeout=0, rtscts=self._hardware_flow, exclusive=True
            )
        except (OSError, ValueError, termios.error) as error:
            raise PortLost(f"the port of the {self._device} cannot be opened") from error

    def hears_dsr(self) -> bool:
        """Whether the device holds DSR up; True of a line without modem signals (USB bridges,
        pseudo-terminals), which cannot tell.

        Raises:
            PortLost: the port is closed.
        """
        port = self._opened()
        try:
            return bool(port.dsr)
        except (OSError, termios.error):
            return True

    def receive(self, seconds: float) -> bytes:
        """The bytes that are there, or the first ones that come within so many seconds; empty
        when none do.

        Raises:
            PortLost: the port is closed or was unplugged.
        """
        port = self._opened()
        try:
            ready, _, _ = select.select([port.fileno()], [], [], max(0.0, seconds))
            if not ready:
                return b""
            data = os.read(port.fileno(), 4096)
        except (OSError, ValueError, termios.error) as error:
            self._lose(error)
        # An unplugged port is readable for ever and gives nothing.
        if not data:
            self._lose(None)
        return data

    def write(self, data: bytes | bytearray, seconds: float) -> None:
        """Write all of it within so many seconds. On the descriptor itself: pyserial would copy
        a key in a buffer to immutable bytes.

        Raises:
            PortLost: the port is closed, was unplugged, or takes no bytes.
        """
        port = self._opened()
        end = time.monotonic() + seconds
        rest = memoryview(data)
        try:
            while rest:
                wait = max(0.0, end - time.monotonic())
                _, ready, _ = select.select([], [port.fileno()], [], wait)
                if not ready:
                    raise TimeoutError("the line takes no bytes")
                rest = rest[os.write(port.fileno(), rest) :]
        except (OSError, ValueError, termios.error) as error:
            self._lose(error)
        finally:
            rest.release()

    def close(self) -> None:
        """Let go of the port. Never raises; a second call does nothing."""
        port, self._port = self._port, None
        if port is not None:
            # Bytes that the device has not taken would hold up close() for 30 s.
            with contextlib.suppress(OSError, termios.error):
                port.reset_output_buffer()
            with contextlib.suppress(OSError, termios.error):
                port.close()

    def _opened(self) -> serial.Serial:
        if self._port is None:
            raise PortLost(f"the port of the {self._device} is closed")
        return self._port

    def _lose(self, error: BaseException | None) -> NoReturn:
        log.info("%s lost: %s", self._device, type(error).__name__ if error else "end of file")
        self.close()
        raise PortLost(f"the {self._device} is unplugged") from error
