"""The wire of a network camera: HTTP with a body of JPEG pictures that never ends.

The type multipart/x-mixed-replace is described nowhere but in Netscape's old server push notes;
each part has its type and its length, and a boundary before it.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

BOUNDARY = "yikatong-frame"
HEADER = (
    "HTTP/1.0 200 OK\r\n"
    "Cache-Control: no-store\r\n"
    f"Content-Type: multipart/x-mixed-replace; boundary={BOUNDARY}\r\n\r\n"
).encode()

_LONGEST_REQUEST = 4_096
_PATIENCE = 2.0
"""Seconds that a host may take to ask, and to take a picture."""


def part(jpeg: bytes, boundary: str = BOUNDARY) -> bytes:
    """One picture on the wire."""
    head = f"--{boundary}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode() + jpeg + b"\r\n"


class Watcher:
    """One host that looks at the camera."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        line.settimeout(_PATIENCE)

    def request(self) -> bytes:
        """What it asks, up to the empty line; shorter when it does not come to one."""
        asked = b""
        while b"\r\n\r\n" not in asked and len(asked) < _LONGEST_REQUEST:
            try:
                piece = self._line.recv(1024)
            except OSError:
                break
            if not piece:
                break
            asked += piece
        return asked

    def send(self, data: bytes) -> bool:
        """False when it is gone, or takes nothing."""
        try:
            self._line.sendall(data)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)
        self._line.close()


class StreamServer:
    """Listens on 127.0.0.1; every host is served on a thread of its own.

    Args:
        port: 0 for any; `port` says which, the same after every `open`.
        serve: called with each host; it is hung up afterwards.
    """

    def __init__(self, port: int, serve: Callable[[Watcher], None]) -> None:
        self.port = port
        self._serve = serve
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._watchers: set[Watcher] = set()

    @property
    def is_open(self) -> bool:
        """True while a host could connect."""
        return self._listener is not None

    @property
    def watchers(self) -> int:
        """How many hosts look."""
        return len(self._watchers)

    def open(self) -> None:
        """Begin to listen; nothing happens when it does."""
        with self._lock:
            if self._listener is not None:
                return
            listener = socket.create_server(("127.0.0.1", self.port))
            self.port = listener.getsockname()[1]
            self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), name="camera", daemon=True).start()

    def close(self) -> None:
        """Hang up on everybody and close the port; a second call does nothing."""
        with self._lock:
            listener, self._listener = self._listener, None
            watchers, self._watchers = self._watchers, set()
        if listener is not None:
            # Only a shutdown wakes the thread that accepts; a close leaves the port open with it.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for watcher in watchers:
            watcher.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            watcher = Watcher(line)
            with self._lock:
                if self._listener is not listener:
                    watcher.close()
                    return
                self._watchers.add(watcher)
            threading.Thread(
                target=self._attend, args=(watcher,), name="camera watcher", daemon=True
            ).start()

    def _attend(self, watcher: Watcher) -> None:
        try:
            self._serve(watcher)
        finally:
            with self._lock:
                self._watchers.discard(watcher)
            watcher.close()
