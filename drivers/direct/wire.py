"""The socket of one inserted card: messages of a 2-byte big-endian length and that many bytes."""

from __future__ import annotations

import socket
import time

from apdu.errors import CardMute, CardRemoved
from drivers.pin_block import wipe


class CardWire:
    """One inserted card's socket, length-framed.

    A card that did not answer in time still owes its answer: it is read and dropped before the
    next exchange, so that it is never taken for the answer to another command.
    """

    def __init__(self, peer: socket.socket) -> None:
        self._peer = peer
        self._received = bytearray()
        self._owed = 0

    def tell(self, message: bytes) -> None:
        self._send(message)

    def ask(self, message: bytes | bytearray, seconds: float) -> bytes:
        """Send and return the answer; CardRemoved or CardMute as `Transport.transmit`."""
        end = time.monotonic() + seconds
        while self._owed:
            self._receive(end)
            self._owed -= 1
        self._send(message)
        self._owed += 1
        answer = self._receive(end)
        self._owed -= 1
        return answer

    def close(self) -> None:
        self._peer.close()

    def _send(self, message: bytes | bytearray) -> None:
        frame = bytearray(2 + len(message))
        frame[:2] = len(message).to_bytes(2, "big")
        frame[2:] = message
        try:
            self._peer.sendall(frame)
        except OSError as error:
            raise CardRemoved("the card's socket is closed") from error
        finally:
            # It may have carried a PIN to the card.
            wipe(frame)

    def _receive(self, end: float) -> bytes:
        self._fill(2, end)
        size = int.from_bytes(self._received[:2], "big")
        self._fill(2 + size, end)
        answer = bytes(self._received[2 : 2 + size])
        del self._received[: 2 + size]
        return answer

    def _fill(self, size: int, end: float) -> None:
        while len(self._received) < size:
            left = end - time.monotonic()
            if left <= 0:
                raise CardMute("no answer within the deadline")
            try:
                self._peer.settimeout(left)
                chunk = self._peer.recv(65537)
            except TimeoutError:
                continue
            except OSError as error:
                raise CardRemoved("the card's socket broke") from error
            if not chunk:
                raise CardRemoved("the card closed its socket")
            self._received += chunk
