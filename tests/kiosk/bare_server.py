"""A far end that sends bytes as a test says, with no idea of HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Script = Callable[[socket.socket, threading.Event], object]
"""Told the connection, whose request has come, and an event that ends all waiting."""


def drip(octets: bytes, every: float) -> Script:
    """Sends one byte after the other, `every` seconds apart."""

    def script(connection: socket.socket, over: threading.Event) -> None:
        for octet in octets:
            if over.wait(every):
                return
            connection.sendall(bytes([octet]))

    return script


def say(octets: bytes) -> Script:
    """Sends everything at once."""
    return lambda connection, _over: connection.sendall(octets)


@contextmanager
def serving(*scripts: Script) -> Iterator[str]:
    """The URL of a server that plays one script a connection, the last one for all further ones."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()
    threads: list[threading.Thread] = []

    def play(connection: socket.socket, script: Script) -> None:
        with connection:
            try:
                received = b""
                while b"\r\n\r\n" not in received:
                    arrived = connection.recv(65_536)
                    if not arrived:
                        return
                    received += arrived
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
