"""61xx and 6Cxx: what a card leaves to us because of T=0 (ISO/IEC 7816-3 §12.2).

A transport around a transport. Warnings (62xx, 63xx) are never taken for "more data": after a
VERIFY that would hide how many tries are left.
"""

from __future__ import annotations

from apdu.command import Layout
from apdu.errors import MalformedAnswer
from apdu.response import Response
from apdu.transport import Transport

_MORE_DATA, _WRONG_LE, _WRONG_LENGTH = 0x61, 0x6C, 0x6700
_GET_RESPONSE = bytes.fromhex("00C00000")
_SHORT_DATA_START = 5
"""Where data starts, or a case 2 command ends, when lengths take one byte."""
_UNFINISHED = frozenset((0x61, 0x6C, 0x67))
"""First status bytes that may leave something to do; nearly no answer has one of them."""
MAXIMUM_ROUNDS = 256
"""Most GET RESPONSE commands after one command: 64 KiB in pieces of 256 bytes."""


class CompleteAnswers:
    """Fetches waiting data and corrects Le, so that the caller sees one whole answer.

    Only for commands that expect data; an answer to another command is handed on as it is.

    - 61xx: GET RESPONSE with Ne = xx (00 is 256), until the card has no more.
    - 6Cxx: the command once more with Ne = xx, and never twice.
    - 6700 to a command that carries both data and Le: once more without Le, as some T=0 cards
      and readers want it; such a card is then spoken to in that way until it is reset.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._refuses_le = False
        self.transmitted = 0
        """Commands that really went to the card, GET RESPONSE and repetitions included."""

    @property
    def atr(self) -> bytes:
        """The card's answer to reset."""
        return self._transport.atr

    def reset(self) -> bytes:
        """Reset the card; see `Transport.reset`."""
        self._refuses_le = False
        return self._transport.reset()

    def close(self) -> None:
        """Give the card back; see `Transport.close`."""
        self._transport.close()

    def transmit(self, command: bytes | bytearray) -> bytes:
        """Send `command`, return its whole answer with the last status bytes.

        Raises:
            MalformedAnswer: more rounds than any answer needs, or a round without progress.
            ValueError: `command` is no command.
            CardError: whatever the inner transport raises.
        """
        if self._refuses_le:
            shorter = _without_le(command)
            if shorter is not None:
                return self._collect(self._send_copy(shorter))
        self.transmitted += 1
        raw = self._transport.transmit(command)
        if len(raw) >= 2 and raw[-2] not in _UNFINISHED:
            return raw
        answer = Response.parse(raw)
        # From here on errors are raised, and a traceback may show the variables of its frames:
        # data is held in `Response`, which never shows them.
        del raw
        layout = Layout.of(command)
        if layout.ne is None:
            return _raw(answer)
        if answer.sw >> 8 != _MORE_DATA:
            answer = self._corrected(command, layout, answer)
        return self._collect(answer)

    def _send(self, command: bytes | bytearray) -> bytes:
        self.transmitted += 1
        return self._transport.transmit(command)

    def _send_copy(self, command: bytearray) -> Response:
        """Send a copy of ours, which may hold a cryptogram, and overwrite it."""
        try:
            return Response.parse(self._send(command))
        finally:
            command[:] = bytes(len(command))

    def _corrected(self, command: bytes | bytearray, layout: Layout, answer: Response) -> Response:
        """The answer to the command with the Le that the card wants, where that was wrong."""
        # Corrected are short commands only: a card that needs it knows no extended ones.
        if layout.data_start != _SHORT_DATA_START:
            return answer
        if answer.sw >> 8 == _WRONG_LE:
            corrected = bytearray(command)
            corrected[-1] = answer.sw & 0xFF
            return self._send_copy(corrected)
        if answer.sw == _WRONG_LENGTH and layout.nc > 0:
            self._refuses_le = True
            return self._send_copy(bytearray(command[:-1]))
        return answer

    def _collect(self, answer: Response) -> bytes:
        """The whole answer that begins with this one."""
        parts = [answer]
        while answer.sw >> 8 == _MORE_DATA:
            if len(parts) > MAXIMUM_ROUNDS:
                raise MalformedAnswer("the card's answer never ends")
            answer = self._fetch(answer.sw & 0xFF)
            if answer.sw >> 8 == _MORE_DATA and not answer.data:
                raise MalformedAnswer("the card announces data and gives none")
            parts.append(answer)
        return b"".join([part.data for part in parts]) + answer.sw.to_bytes(2, "big")

    def _fetch(self, le: int) -> Response:
        answer = Response.parse(self._send(_GET_RESPONSE + bytes((le,))))
        if answer.sw >> 8 == _WRONG_LE:
            answer = Response.parse(self._send(_GET_RESPONSE + bytes((answer.sw & 0xFF,))))
        return answer


def _raw(answer: Response) -> bytes:
    return answer.data + answer.sw.to_bytes(2, "big")


def _without_le(command: bytes | bytearray) -> bytearray | None:
    """A copy of a short command that carries data and Le, without Le; None of any other."""
    layout = Layout.of(command)
    short = layout.data_start == _SHORT_DATA_START
    return bytearray(command[:-1]) if short and layout.nc and layout.ne is not None else None
