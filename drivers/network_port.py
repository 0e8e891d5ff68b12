"""A byte stream over TCP that may break at any moment, with the face of a serial port."""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import time
from typing import NoReturn

from drivers.serial_port import PortLost

log = logging.getLogger(__name__)


class NetworkPort:
    """Connected on demand, closed when it is lost; used by one thread.

    Args:
        connect: seconds for a connection to come about.
        device: what is at the other end, for logs and messages.
    """

    def __init__(self, host: str, port: int, connect: float, device: str) -> None:
        self._address = (host, port)
        self._connect = connect
        self._device = device
        self._socket: socket.socket | None = None

    @property
    def is_open(self) -> bool:
        """The connection stands, as far as we know."""
        return self._socket is not None

    def open(self) -> None:
        """Connect; nothing when it is connected.

        Raises:
            PortLost: nobody listens there, or does not answer in time.
        """
        if self._socket is not None:
            return
        try:
            made = socket.create_connection(self._address, self._connect)
        except OSError as error:
            raise PortLost(f"the {self._device} does not take a connection") from error
        made.setblocking(False)
        # Status questions are 3 bytes and must not wait for more.
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = made

    def receive(self, seconds: float) -> bytes:
        """The bytes that are there, or the first ones that come within so many seconds; empty
        when none do.

        Raises:
            PortLost: there is no connection, or the other end closed it.
        """
        made = self._connected()
        try:
            ready, _, _ = select.select([made], [], [], max(0.0, seconds))
            if not ready:
                return b""
            data = made.recv(4096)
        except OSError as error:
            self._lose(error)
        if not data:
            self._lose(None)
        return data

    def write(self, data: bytes, seconds: float) -> None:
        """Write all of it within so many seconds.

        Raises:
            PortLost: there is no connection, it broke, or the other end takes no bytes.
        """
        made = self._connected()
        end = time.monotonic() + seconds
        try:
            while data:
                wait = max(0.0, end - time.monotonic())
                _, ready, _ = select.select([], [made], [], wait)
                if not ready:
                    raise TimeoutError("the connection takes no bytes")
                data = data[made.send(data) :]
        except OSError as error:
            self._lose(error)

    def close(self) -> None:
        """Drop the connection. Never raises; a second call does nothing."""
        made, self._socket = self._socket, None
        if made is not None:
            with contextlib.suppress(OSError):
                made.close()

    def _connected(self) -> socket.socket:
        if self._socket is None:
            raise PortLost(f"there is no connection to the {self._device}")
        return self._socket

    def _lose(self, error: BaseException | None) -> NoReturn:
        log.info("%s lost: %s", self._device, type(error).__name__ if error else "end of file")
        self.close()
        raise PortLost(f"the connection to the {self._device} broke") from error
