"""A far end that remembers what it heard, and terminals that speak to it."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable

SECONDS = 10
"""So long at most a test waits for what must happen."""


class EchoPlatform:
    """Answers a line of text with its connection's number before it; says ``bye`` at the end.

    Args:
        tls: of a server that speaks no plain text.

    Attributes:
        heard: the bytes of each connection, in the order in which they were accepted.
        ended: how each that is over ended, by its number: ``fin`` or ``reset``.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.heard: list[bytes] = []
        self.ended: dict[int, str] = {}
        self._listener = socket.create_server(("127.0.0.1", 0))
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> EchoPlatform:
        self._threads[0].start()
        return self

    def __exit__(self, *_exception: object) -> None:
        # Closing alone would not wake the thread that waits in accept.
        self._listener.shutdown(socket.SHUT_RDWR)
        for connection in self._open:
            connection.close()
        for thread in self._threads:
            thread.join(SECONDS)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            number = len(self.heard)
            self.heard.append(b"")
            connection.settimeout(SECONDS)
            self._threads.append(threading.Thread(target=self._talk, args=(number, connection)))
            self._threads[-1].start()

    def _talk(self, number: int, connection: socket.socket) -> None:
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True)
        with connection:
            line = b""
            try:
                while data := connection.recv(65_536):
                    self.heard[number] += data
                    *whole, line = (line + data).split(b"\n")
                    for each in whole:
                        connection.sendall(b"%d:%s\n" % (number, each))
                self.ended[number] = "fin"
                connection.sendall(b"bye\n")
            except OSError:
                self.ended.setdefault(number, "reset")


class SpeakingTerminal:
    """The near end of one connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)

    def __enter__(self) -> SpeakingTerminal:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.socket.close()

    def say(self, data: bytes) -> None:
        self.socket.sendall(data)

    def hear(self, count: int) -> bytes:
        """So many bytes, fewer if they end before."""
        heard = b""
        while len(heard) < count and (data := self.socket.recv(count - len(heard))):
            heard += data
        return heard

    def hear_all(self) -> bytes:
        """Until the end. Raises ConnectionResetError."""
        return self.hear(1 << 30)


def until(true: Callable[[], bool]) -> None:
    """Wait for what happens on other threads."""
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end
        time.sleep(0.002)
