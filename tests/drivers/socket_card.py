"""A card on a socket, as vpcd and the direct service know it: the far end for tests."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable

ATR = bytes.fromhex("3B6D00000081000000860142990000000001")
OTHER_ATR = bytes.fromhex("3B6D00000081000000860142990000000002")


class SocketCard:
    """Connects when inserted, closes when removed.

    `answer` gets each command APDU and gives the response, or None to stay silent.
    `controls` collects the power controls (0 off, 1 on, 2 reset).
    """

    def __init__(
        self,
        address: tuple[str, int],
        atr: bytes = ATR,
        answer: Callable[[bytes], bytes | None] = lambda command: b"\x90\x00",
    ) -> None:
        self.address = address
        self.atr = atr
        self.answer = answer
        self.controls: list[int] = []
        self.socket: socket.socket | None = None

    def insert(self) -> SocketCard:
        end = time.monotonic() + 10
        while True:
            try:
                self.socket = socket.create_connection(self.address, timeout=None)
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)
        threading.Thread(target=self._serve, args=(self.socket,), daemon=True).start()
        return self

    def remove(self) -> None:
        line, self.socket = self.socket, None
        if line is not None:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()

    def send(self, response: bytes) -> None:
        assert self.socket is not None
        self.socket.sendall(struct.pack(">H", len(response)) + response)

    def wait_for_control(self, control: int) -> None:
        """Until this is the last power control received: they have no answer to wait for."""
        end = time.monotonic() + 10
        while self.controls[-1:] != [control]:
            assert time.monotonic() < end
            time.sleep(0.001)

    def _serve(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError):
            while True:
                (size,) = struct.unpack(">H", self._read(line, 2))
                message = self._read(line, size)
                if message == b"\x04":
                    response: bytes | None = self.atr
                elif size == 1:
                    self.controls.append(message[0])
                    continue
                else:
                    response = self.answer(message)
                if response is not None:
                    line.sendall(struct.pack(">H", len(response)) + response)

    @staticmethod
    def _read(line: socket.socket, size: int) -> bytes:
        data = b""
        while len(data) < size:
            # Without this Nagle and delayed acknowledgement cost 44 ms an exchange with vpcd.
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            chunk = line.recv(size - len(data))
            if not chunk:
                raise EOFError
            data += chunk
        return data
