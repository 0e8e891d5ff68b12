"""The stack between a card's commands and its transport.

Outermost first: `Channel` (values in, values out), `CompleteAnswers` (61xx, 6Cxx, the count),
tracing, the transport itself.
"""

from __future__ import annotations

from apdu.command import Command
from apdu.commands import Ins
from apdu.errors import MalformedAnswer
from apdu.get_response import CompleteAnswers
from apdu.response import Response
from apdu.trace import Sink, TracingTransport
from apdu.transport import Transport

_SECRET = frozenset(
    instruction.value
    for instruction in (
        Ins.VERIFY,
        Ins.CHANGE_PIN,
        Ins.INTERNAL_AUTHENTICATE,
        Ins.EXTERNAL_AUTHENTICATE,
    )
)


class Channel:
    """Commands to one card.

    Args:
        transport: the card.
        trace: receives one redacted line for each command; None traces nothing.
    """

    def __init__(self, transport: Transport, *, trace: Sink | None = None) -> None:
        inner = transport if trace is None else TracingTransport(transport, trace)
        self._transport = CompleteAnswers(inner)

    @property
    def atr(self) -> bytes:
        """The card's answer to reset."""
        return self._transport.atr

    @property
    def transmitted(self) -> int:
        """How many commands really went to the card so far."""
        return self._transport.transmitted

    def reset(self) -> bytes:
        """Reset the card; see `Transport.reset`."""
        return self._transport.reset()

    def send(self, command: Command) -> Response:
        """Send a command and return the whole answer, whatever its status word.

        Raises:
            MalformedAnswer: the answer has no status word, or more data than was asked for.
            CardError: whatever the transport raises.
        """
        buffer = command.encode()
        try:
            response = Response.parse(self._transport.transmit(buffer))
        finally:
            # Data in a `bytearray` are wiped by their owner; their copy here, by us.
            if command.ins in _SECRET or isinstance(command.data, bytearray):
                wipe(buffer)
        if len(response.data) > (command.ne or 0):
            raise MalformedAnswer("the card returned more than it was asked for")
        return response


def wipe(buffer: bytearray) -> None:
    """Overwrite a buffer with zeros, keeping its length."""
    buffer[:] = bytes(len(buffer))
