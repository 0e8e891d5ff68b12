"""A line for each command that goes to a card, with everything personal left out.

Header, lengths, status word and time always; a body only where `apdu.redaction` knows its kind
to be harmless.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from apdu.command import Layout
from apdu.commands import Ins
from apdu.errors import CardError
from apdu.redaction import SSSE_NAME as SSSE_NAME
from apdu.redaction import Content, Redactor, is_harmless, items
from apdu.transport import Transport

_HIDDEN = "··"
_NAMES = {instruction.value: instruction.label for instruction in Ins}
_FURTHER_NAMES = {
    (0x00, 0x22): "MANAGE SECURITY ENVIRONMENT",
    (0x00, 0x2A): "COMPUTE DIGITAL SIGNATURE",
    (0x80, 0x40): "GENERATE KEY PAIR",
    (0x80, 0x4A): "LOAD SESSION KEY",
    (0x80, 0x4E): "OPEN ENVELOPE",
    (0x80, 0xA8): "GET PROCESSING OPTIONS",
    (0x80, 0xC2): "IMPORT KEY",
    (0x80, 0xC4): "DIGEST PIN",
    (0x80, 0xC9): "EXPORT PUBLIC KEY",
    (0x80, 0xFA): "PSAM COMPUTE",
    (0x84, 0x5E): "CHANGE ADMIN PIN",
    (0x84, 0xD4): "WRITE KEY",
    (0xBF, 0xDE): "PSAM DERIVE",
}
"""By class and instruction: those of the PKI application, of payment and of the PSAM."""


@dataclass(frozen=True)
class TraceLine:
    """One exchange.

    Attributes:
        header: CLA INS P1 P2, 4 bytes.
        name: the instruction's name, or its number in hexadecimal.
        nc: command data bytes.
        ne: most bytes expected back, or None.
        sent: the command data in hexadecimal where harmless, else dots.
        nr: bytes returned; None when the card did not answer.
        received: the returned data, redacted as `sent`.
        sw: status word; None when the card did not answer.
        failure: the exception's name when the card did not answer.
        microseconds: how long the exchange took.
    """

    header: bytes
    name: str
    nc: int
    ne: int | None
    sent: str
    nr: int | None
    received: str
    sw: int | None
    failure: str | None
    microseconds: int

    def __str__(self) -> str:
        parts = [f"> {self.header.hex().upper()} {self.name}"]
        if self.nc:
            parts.append(f"[{self.nc}] {self.sent}")
        if self.ne is not None:
            parts.append(f"Ne={self.ne}")
        if self.sw is None:
            parts.append(f"< {self.failure}")
        else:
            parts.append(f"< {self.sw:04X}")
        if self.nr:
            parts.append(f"[{self.nr}] {self.received}")
        parts.append(f"{self.microseconds} us")
        return " ".join(parts)


Sink = Callable[[TraceLine], None]
"""Where trace lines go."""


class TracingTransport:
    """Passes commands on and tells the sink about each.

    Args:
        transport: the card.
        sink: called once for each exchange, also for one that failed.
        clock: nanoseconds, monotonic.
    """

    def __init__(
        self,
        transport: Transport,
        sink: Sink,
        *,
        clock: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self._transport = transport
        self._sink = sink
        self._clock = clock
        self._redactor = Redactor()

    @property
    def atr(self) -> bytes:
        """The card's answer to reset."""
        return self._transport.atr

    def reset(self) -> bytes:
        """Reset the card; see `Transport.reset`."""
        self._redactor.forget()
        return self._transport.reset()

    def close(self) -> None:
        """Give the card back; see `Transport.close`."""
        self._transport.close()

    def transmit(self, command: bytes | bytearray) -> bytes:
        """Pass on and trace; see `Transport.transmit`."""
        layout = Layout.of(command)
        header = bytes(command[:4])
        data, content = self._redactor.sending(command, layout)
        start = self._clock()
        answer, failure = b"", None
        try:
            answer = self._transport.transmit(command)
        except CardError as error:
            failure = type(error).__name__
            raise
        finally:
            elapsed = (self._clock() - start) // 1000
            answered = len(answer) >= 2
            sw = int.from_bytes(answer[-2:], "big") if answered else None
            if sw is not None:
                self._redactor.answered(sw, len(answer) - 2)
            self._sink(
                TraceLine(
                    header=header,
                    name=_name(header),
                    nc=layout.nc,
                    ne=layout.ne,
                    sent=_HIDDEN if data is None else data.hex().upper(),
                    nr=len(answer) - 2 if answered else None,
                    received=_shown(content, answer[:-2]),
                    sw=sw,
                    failure=failure if failure or answered else "no status word",
                    microseconds=elapsed,
                )
            )
        return answer


def _name(header: bytes) -> str:
    cla, ins = header[:2]
    return _FURTHER_NAMES.get((cla, ins)) or _NAMES.get(ins, f"{ins:02X}")


def _shown(content: Content, data: bytes) -> str:
    if not data:
        return ""
    match content:
        case Content.HIDDEN | Content.HOLDER | Content.PROOF:
            return _HIDDEN
        case Content.OPEN:
            return data.hex().upper()
        case Content.ISSUER:
            return _shown_issuer(data)
        case _:
            assert_never(content)


def _shown_issuer(data: bytes) -> str:
    records = items(Content.ISSUER, data)
    if records is None:
        return _HIDDEN
    return " ".join(
        f"{record.tag:02X}:" + (record.value.hex().upper() if is_harmless(record) else _HIDDEN)
        for record in records
    )
