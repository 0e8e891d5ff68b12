"""A far end that sends bytes as a test says, with no idea of HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Script = Callable[[socket.socket, threading.Event], object]
"""Told the connection, which is closed after it, and an event that ends all waiting."""


def drip(octets: bytes, every: float, *, at_once: bytes = b"") -> Script:
    """After the request sends one byte after the other, `every` seconds apart."""

    def script(connection: socket.socket, over: threading.Event) -> None:
        _take_request(connection)
        connection.sendall(at_once)
        for octet in octets:
            if over.wait(every):
                return
            connection.sendall(bytes([octet]))

    return script


def say(octets: bytes) -> Script:
    """Sends everything at once after the request."""
    return drip(b"", 0, at_once=octets)


def hang_up(connection: socket.socket, _over: threading.Event) -> None:
    """Takes the first bytes, whatever they are, and says nothing."""
    connection.recv(65_536)


def _take_request(connection: socket.socket) -> None:
    received = b""
    while b"\r\n\r\n" not in received:
        arrived = connection.recv(65_536)
        if not arrived:
            raise ConnectionResetError
        received += arrived


@contextmanager
def serving(*scripts: Script) -> Iterator[str]:
    """The URL of a server that plays one script a connection, the last one for all further ones."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()
    threads: list[threading.Thread] = []

    def play(connection: socket.socket, script: Script) -> None:
        with connection:
            try:
                script(connection, over)
            except OSError:
                return

    def accept() -> None:
        left = list(scripts)
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            script = left.pop(0) if len(left) > 1 else left[0]
            threads.append(threading.Thread(target=play, args=(connection, script)))
            threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
        for thread in threads:
            thread.join()
