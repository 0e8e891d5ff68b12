"""Command chaining: one long command in several short ones (ISO/IEC 7816-4 §5.1.1).

A transport around a transport, for cards without extended lengths. Only a card that is known to
chain may be spoken to in this way: another one would run the first part as a command.
"""

from __future__ import annotations

from apdu.command import SHORT_NC, SHORT_NE, Layout
from apdu.transport import Transport

_MORE_FOLLOWS = 0x10
"""Bit 5 of CLA: this is not the last command of the chain."""
_OK = b"\x90\x00"
_LONGEST_SHORT = 4 + 1 + SHORT_NC + 1


class ChainedCommands:
    """Sends commands with more than 255 data bytes in parts; any other as it is.

    Every part but the last is a case 3 command: Le goes with the last one, as one byte, since
    what a card has beyond 256 bytes waits behind 61xx. The first part that is not answered with
    9000 ends the chain, and its answer is the command's.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def atr(self) -> bytes:
        """The card's answer to reset."""
        return self._transport.atr

    def reset(self) -> bytes:
        """Reset the card; see `Transport.reset`."""
        return self._transport.reset()

    def close(self) -> None:
        """Give the card back; see `Transport.close`."""
        self._transport.close()

    def transmit(self, command: bytes | bytearray) -> bytes:
        """Send `command`, in parts where it is too long; see `Transport.transmit`.

        Raises:
            ValueError: `command` is no command.
            CardError: whatever the inner transport raises.
        """
        if len(command) <= _LONGEST_SHORT:
            return self._transport.transmit(command)
        layout = Layout.of(command)
        end = layout.data_start + layout.nc
        for start in range(layout.data_start, end - SHORT_NC, SHORT_NC):
            answer = self._send(command, start, start + SHORT_NC, more=True)
            if answer != _OK:
                return answer
        last = (layout.nc - 1) // SHORT_NC * SHORT_NC
        return self._send(command, layout.data_start + last, end, ne=layout.ne)

    def _send(
        self,
        command: bytes | bytearray,
        start: int,
        end: int,
        *,
        more: bool = False,
        ne: int | None = None,
    ) -> bytes:
        part = bytearray(command[:4])
        part[0] |= _MORE_FOLLOWS if more else 0
        part.append(end - start)
        part += memoryview(command)[start:end]
        if ne is not None:
            part.append(min(ne, SHORT_NE) & 0xFF)
        try:
            return self._transport.transmit(part)
        finally:
            # What is written to a card may be a resident's: no copy of ours stays behind.
            part[:] = bytes(len(part))
