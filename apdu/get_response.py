"""61xx and 6Cxx: what a card leaves to us because of T=0 (ISO/IEC 7816-3 §12.2).

A transport around a transport. Warnings (62xx, 63xx) are never taken for "more data": after a
VERIFY that would hide how many tries are left.
"""

from __future__ import annotations

from apdu.command import Layout
from apdu.commands import get_response
from apdu.errors import MalformedAnswer
from apdu.response import Response
from apdu.transport import Transport

_MORE_DATA, _WRONG_LE, _WRONG_LENGTH = 0x61, 0x6C, 0x6700
_SHORT_NE = 256
_SHORT_DATA_START = 5
"""Where data starts, or a case 2 command ends, when lengths take one byte."""
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
        layout = Layout.of(command)
        if not layout.case.expects_data:
            return self._transport.transmit(command)
        raw = self._first(command, layout)
        if Response.parse(raw).sw >> 8 != _MORE_DATA:
            return raw
        return self._collect(raw)

    def _first(self, command: bytes | bytearray, layout: Layout) -> bytes:
        # Corrected are short commands only: a card that needs it knows no extended ones.
        short = layout.data_start == _SHORT_DATA_START
        strippable = short and layout.nc > 0
        if strippable and self._refuses_le:
            return self._transport.transmit(command[:-1])
        raw = self._transport.transmit(command)
        sw = Response.parse(raw).sw
        if short and sw >> 8 == _WRONG_LE:
            corrected = bytearray(command)
            corrected[-1] = sw & 0xFF
            return self._transport.transmit(corrected)
        if strippable and sw == _WRONG_LENGTH:
            self._refuses_le = True
            return self._transport.transmit(command[:-1])
        return raw

    def _collect(self, raw: bytes) -> bytes:
        """Everything from a first 61xx on."""
        answer = Response.parse(raw)
        data = bytearray(answer.data)
        for _ in range(MAXIMUM_ROUNDS):
            ne = answer.sw & 0xFF or _SHORT_NE
            answer = self._fetch(ne)
            data += answer.data
            if answer.sw >> 8 != _MORE_DATA:
                return bytes(data) + answer.sw.to_bytes(2, "big")
            if not answer.data:
                raise MalformedAnswer("the card announces data and gives none")
        raise MalformedAnswer("the card's answer never ends")

    def _fetch(self, ne: int) -> Response:
        answer = Response.parse(self._transport.transmit(get_response(ne).encode()))
        if answer.sw >> 8 == _WRONG_LE:
            again = get_response(answer.sw & 0xFF or _SHORT_NE)
            answer = Response.parse(self._transport.transmit(again.encode()))
        return answer
