"""The far end of a TCP connection: a port on loopback, one host at a time, with a plug."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Callable
from pathlib import Path

_TURN = 0.02


class SocketLine:
    """Like `hw_sim.serial_line.SerialLine`, for devices with a network plug.

    Args:
        link: a file with the address (``host:port``) while it is plugged in; the port stays the
            same after every plug.
        name: of the line's thread.
        hear: called on the line's thread with the bytes that came, and with none about every
            20 ms while nothing comes. It may call `send` and `unplug`.
    """

    def __init__(self, link: Path, name: str, hear: Callable[[bytes], None]) -> None:
        self.link = link
        self._name = name
        self._hear = hear
        self._lock = threading.RLock()
        self._port = 0
        self._listener: socket.socket | None = None
        self._host: socket.socket | None = None
        self._thread: threading.Thread | None = None

    @property
    def plugged(self) -> bool:
        """True while a host could connect."""
        return self._listener is not None

    def plug(self) -> None:
        """Listen; nothing happens when it is plugged in."""
        with self._lock:
            if self._listener is not None:
                return
            listener = socket.create_server(("127.0.0.1", self._port))
            listener.setblocking(False)
            self._port = listener.getsockname()[1]
            fresh = self.link.with_name(self.link.name + ".new")
            fresh.write_text(f"127.0.0.1:{self._port}")
            fresh.replace(self.link)
            self._listener = listener
            self._thread = threading.Thread(
                target=self._serve, args=(listener,), name=self._name, daemon=True
            )
            self._thread.start()

    def unplug(self) -> None:
        """The connection breaks under the host; nothing happens when it is unplugged."""
        with self._lock:
            self.link.unlink(missing_ok=True)
            for end in (self._host, self._listener):
                if end is not None:
                    end.close()
            self._host = self._listener = None
            thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def send(self, data: bytes) -> None:
        """Send to the host; lost when nobody is connected."""
        with self._lock:
            if data and self._host is not None:
                with contextlib.suppress(OSError):
                    self._host.sendall(data)

    def _serve(self, listener: socket.socket) -> None:
        while self._listener is listener:
            host = self._host
            try:
                readable, _, _ = select.select([host or listener], [], [], _TURN)
            except (OSError, ValueError):
                continue
            received = b""
            if readable and host is None:
                self._accept(listener)
            elif readable and host is not None:
                received = self._receive(host)
            if self._listener is listener:
                self._hear(received)

    def _accept(self, listener: socket.socket) -> None:
        with self._lock, contextlib.suppress(OSError):
            if self._listener is listener:
                self._host, _ = listener.accept()

    def _receive(self, host: socket.socket) -> bytes:
        received = b""
        with contextlib.suppress(OSError):
            received = host.recv(4096)
        if not received:
            with self._lock:
                host.close()
                if self._host is host:
                    self._host = None
        return received
