"""The card's end of the vpcd wire: how a virtual card is put into a reader.

The reader (pcscd's vpcd driver, or any server that speaks the same) listens; the card connects.
Messages are a length of two bytes, big endian, and that many bytes. A message of one byte is a
control: 00 power off, 01 power on, 02 reset, 04 give the ATR; only 04 has an answer.

Measured traps: without TCP_QUICKACK each APDU takes 44 ms; an answer of length 0 makes vpcd wait
for ever; a card that holds its socket open and is silent hangs its slot, so a card that leaves
closes the socket at once.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable

from hw_sim.cards.catalogue import make_card
from hw_sim.cards.faults import Fault, FaultyContacts
from hw_sim.cards.iso7816 import Card, note_bug

POWER_OFF, POWER_ON, RESET, GET_ATR = 0x00, 0x01, 0x02, 0x04
MAX_MESSAGE = 0xFFFF
_CONNECT_TIMEOUT = 0.15
"""Seconds. vpcd takes one card and its queue holds one more; a packet for a full queue is dropped
and only sent again after a second, so we rather begin anew."""
_RETRY_PAUSE = 0.02
HAND_SECONDS = 0.5
"""How long a slot stays empty between two cards. pcscd looks every 0.4 s; a card that is swapped
between two looks would go unnoticed, and no hand is that quick."""


class CardLink:
    """One card, put into a reader once.

    The thread connects, and connects again (the card loses power meanwhile) when the reader
    closes, until the card is removed or torn out by a fault.

    Args:
        host: where the reader listens.
        port: its TCP port.
        card: the card; used by this link's thread alone while it is inserted.
        faults: schedule from the first APDU on.
        make: the card that a swap brings, by its name.
    """

    def __init__(
        self,
        host: str,
        port: int,
        card: Card,
        faults: tuple[Fault, ...] = (),
        make: Callable[[str], Card] = make_card,
    ) -> None:
        self._address = (host, port)
        self._contacts = FaultyContacts(card, faults, make)
        self._gone = threading.Event()
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._apdus = 0
        self._noticed = False
        self._left_at = 0.0
        self._not_before = 0.0
        self._thread = threading.Thread(target=self._run, name=f"card {port}", daemon=True)

    @property
    def inserted(self) -> bool:
        """False before insert(), after remove() and after a tear."""
        return self._thread.ident is not None and not self._gone.is_set()

    @property
    def connected(self) -> bool:
        """Whether a reader holds the other end (it may still have to notice the card)."""
        with self._lock:
            return self._socket is not None

    @property
    def noticed(self) -> bool:
        """Whether a reader has asked for the ATR since the card was inserted."""
        return self._noticed

    @property
    def left_at(self) -> float:
        """time.monotonic() of when the card left its slot, 0 before."""
        return self._left_at

    @property
    def apdus(self) -> int:
        """Commands received since the card was inserted."""
        return self._apdus

    def insert(self, *, not_before: float = 0.0) -> None:
        """Puts the card in, at this time.monotonic() at the earliest. Raises RuntimeError when
        called twice."""
        self._not_before = not_before
        self._thread.start()

    def remove(self) -> None:
        """Pulls the card: the socket is closed when this returns."""
        self._leave()
        with self._lock:
            if self._socket is not None:
                _hang_up(self._socket)
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def schedule(self, faults: tuple[Fault, ...]) -> None:
        """Replaces the schedule of faults and counts from one again."""
        self._contacts.schedule(faults)

    def _leave(self) -> None:
        if not self._gone.is_set():
            self._left_at = time.monotonic()
            self._gone.set()

    def _run(self) -> None:
        self._gone.wait(max(0.0, self._not_before - time.monotonic()))
        while not self._gone.is_set():
            link = self._connect()
            if link is None:
                continue
            try:
                self._serve(link)
            except OSError:
                pass
            except Exception as error:
                # A thread that just died would leave a card in the slot that never answers.
                note_bug(self._contacts.card.bugs, error)
                self._leave()
            finally:
                with self._lock:
                    self._socket = None
                _hang_up(link)
                link.close()
                self._contacts.card.power_off()

    def _connect(self) -> socket.socket | None:
        try:
            link = socket.create_connection(self._address, _CONNECT_TIMEOUT)
            if link.getsockname() == link.getpeername():
                # Nobody listens and the kernel gave us that very port to connect from: held open,
                # it would keep the reader from ever listening there.
                _let_go(link)
                raise ConnectionRefusedError
        except OSError:
            self._gone.wait(_RETRY_PAUSE)
            return None
        link.settimeout(None)
        with self._lock:
            if self._gone.is_set():
                _hang_up(link)
                link.close()
                return None
            self._socket = link
        return link

    def _serve(self, link: socket.socket) -> None:
        while (message := _receive(link)) is not None:
            if len(message) == 0:
                return
            if len(message) == 1:
                self._control(link, message[0])
            elif not self._exchange(link, message):
                return

    def _control(self, link: socket.socket, control: int) -> None:
        if control == GET_ATR:
            self._noticed = True
            _send(link, self._contacts.card.atr)
        elif control == POWER_ON:
            self._contacts.card.power_on()
        elif control == POWER_OFF:
            self._contacts.card.power_off()
        elif control == RESET:
            self._contacts.card.reset()

    def _exchange(self, link: socket.socket, command: bytes) -> bool:
        """One APDU; false when the card is out afterwards."""
        self._apdus += 1
        reaction = self._contacts.exchange(command)
        if reaction.delay and self._gone.wait(reaction.delay):
            return False
        if reaction.pulled:
            self._leave()
            return False
        if reaction.answer is not None:
            _send(link, reaction.answer)
        return True


def _receive(link: socket.socket) -> bytes | None:
    """One message; ``None`` when the reader is gone."""
    header = _receive_exactly(link, 2)
    if header is None:
        return None
    return _receive_exactly(link, int.from_bytes(header, "big"))


def _receive_exactly(link: socket.socket, length: int) -> bytes | None:
    received = bytearray()
    while len(received) < length:
        # The kernel falls back to delayed acknowledgement by itself: ask before every call.
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        part = link.recv(length - len(received))
        if not part:
            return None
        received += part
    return bytes(received)


def _send(link: socket.socket, answer: bytes) -> None:
    if not 1 <= len(answer) <= MAX_MESSAGE:
        raise ValueError("an answer has 1 to 65535 bytes")
    link.sendall(len(answer).to_bytes(2, "big") + answer)


def _let_go(link: socket.socket) -> None:
    """Closes with a reset, which leaves the port free at once instead of a minute later."""
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    link.close()


def _hang_up(link: socket.socket) -> None:
    """Ends both directions at once; wakes a receive of another thread.

    Closing alone would reset a connection with unread bytes, and vpcd goes on with an undefined
    length after an error where it ends cleanly after the end of the stream.
    """
    with contextlib.suppress(OSError):
        link.shutdown(socket.SHUT_RDWR)
