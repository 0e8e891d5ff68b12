"""The stack between a card's commands and its transport.

Outermost first: `Channel` (values in, values out), `ChainedCommands` where the card chains,
`CompleteAnswers` (61xx, 6Cxx, the count), tracing, the transport itself: a reader, perhaps behind a
recorder, or a replayer. A layer that is not wanted is not there. Deadlines are no layer: in PC/SC
nothing can stop a transmit, so the reader's worker is watched from outside and given up whole
(`drivers.worker`), without a hop between threads for each command.
"""

from __future__ import annotations

from apdu.chaining import ChainedCommands
from apdu.command import Command
from apdu.commands import Ins
from apdu.errors import MalformedAnswer
from apdu.get_response import CompleteAnswers
from apdu.response import Response
from apdu.trace import Sink, TracingTransport
from apdu.transport import Transport

_HARMLESS = frozenset(
    instruction.value
    for instruction in (
        Ins.SELECT,
        Ins.READ_RECORD,
        Ins.READ_BINARY,
        Ins.GET_CHALLENGE,
        Ins.GET_RESPONSE,
    )
)
"""Instructions whose commands hold nothing to wipe."""


class Channel:
    """Commands to one card.

    Args:
        transport: the card.
        trace: receives one redacted line for each command; None traces nothing.
        chaining: whether the card is known to take long commands in parts; see `apdu.chaining`.
    """

    def __init__(
        self, transport: Transport, *, trace: Sink | None = None, chaining: bool = False
    ) -> None:
        inner = transport if trace is None else TracingTransport(transport, trace)
        self._complete = CompleteAnswers(inner)
        self._transport: Transport = ChainedCommands(self._complete) if chaining else self._complete

    @property
    def atr(self) -> bytes:
        """The card's answer to reset."""
        return self._transport.atr

    @property
    def transmitted(self) -> int:
        """How many commands really went to the card so far."""
        return self._complete.transmitted

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
            if command.ins not in _HARMLESS:
                wipe(buffer)
        if len(response.data) > (command.ne or 0):
            raise MalformedAnswer("the card returned more than it was asked for")
        return response


def wipe(buffer: bytearray) -> None:
    """Overwrite a buffer with zeros, keeping its length."""
    buffer[:] = bytes(len(buffer))
