"""A line for each command that goes to a card, with everything personal left out.

Redaction knows instructions and files. Nothing is shown that is not listed: header, lengths,
status word and time always; a body only where its kind is known to be harmless.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from apdu import simple_tlv
from apdu.command import Layout
from apdu.commands import Ins
from apdu.errors import CardError, MalformedAnswer
from apdu.transport import Transport

SSSE_NAME = bytes.fromhex("7378312E73682EC9E7BBE1B1A3D5CF")
"""Name of the application "sx1.sh.社会保障" (SSSE)."""
_SSSE_FID = bytes.fromhex("DDF1")
_ISSUER_FILE, _ISSUER_FID = 5, bytes.fromhex("EF05")
_HARMLESS_ISSUER_TAGS = frozenset((0x02, 0x03, 0x04, 0x05, 0x06))
"""Card class, version, organisation and dates. Tags 01 (card id) and 07 (card number) name
one person's card."""
_HIDDEN = "··"
_NAMES = {instruction.value: instruction.label for instruction in Ins}


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


class _Content(Enum):
    """Kinds of answer, by what may be shown of them."""

    HIDDEN = "hidden"
    OPEN = "open"
    ISSUER = "issuer"


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
        self._in_ssse = False
        self._in_issuer_file = False
        self._pending = _Content.HIDDEN

    @property
    def atr(self) -> bytes:
        """The card's answer to reset."""
        return self._transport.atr

    def reset(self) -> bytes:
        """Reset the card; see `Transport.reset`."""
        self._in_ssse = self._in_issuer_file = False
        return self._transport.reset()

    def close(self) -> None:
        """Give the card back; see `Transport.close`."""
        self._transport.close()

    def transmit(self, command: bytes | bytearray) -> bytes:
        """Pass on and trace; see `Transport.transmit`."""
        layout = Layout.of(command)
        header = bytes(command[:4])
        selects = header[1] == Ins.SELECT.value
        data = bytes(command[layout.data_start :][: layout.nc]) if selects else b""
        content = self._content(header)
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
            if selects and sw is not None:
                self._follow_selection(header, data, sw)
            self._pending = content
            self._sink(
                TraceLine(
                    header=header,
                    name=_NAMES.get(header[1], f"{header[1]:02X}"),
                    nc=layout.nc,
                    ne=layout.ne,
                    sent=data.hex().upper() if selects else _HIDDEN,
                    nr=len(answer) - 2 if answered else None,
                    received=_shown(content, answer[:-2]),
                    sw=sw,
                    failure=failure if failure or answered else "no status word",
                    microseconds=elapsed,
                )
            )
        return answer

    def _content(self, header: bytes) -> _Content:
        """What may be shown of the answer to this command."""
        cla, ins, _, p2 = header
        if cla != 0:
            return _Content.HIDDEN
        if ins == Ins.SELECT.value:
            return _Content.OPEN
        if ins == Ins.GET_RESPONSE.value:
            return self._pending
        if ins == Ins.READ_RECORD.value and self._in_ssse:
            sfi = p2 >> 3
            if sfi == _ISSUER_FILE or (sfi == 0 and self._in_issuer_file):
                return _Content.ISSUER
        return _Content.HIDDEN

    def _follow_selection(self, header: bytes, data: bytes, sw: int) -> None:
        """Know whether the SSSE and its EF05 are selected; in doubt, they are not."""
        done = sw == 0x9000 or sw >> 8 in (0x61, 0x62)
        by_name = header[2] == 0x04
        if by_name or not data.startswith(b"\xef"):
            self._in_ssse = done and data in (SSSE_NAME, _SSSE_FID)
        self._in_issuer_file = done and data == _ISSUER_FID


def _shown(content: _Content, data: bytes) -> str:
    if not data:
        return ""
    match content:
        case _Content.HIDDEN:
            return _HIDDEN
        case _Content.OPEN:
            return data.hex().upper()
        case _Content.ISSUER:
            return _shown_issuer(data)
        case _:
            assert_never(content)


def _shown_issuer(data: bytes) -> str:
    try:
        records = simple_tlv.decode(data, skip_padding=True)
    except MalformedAnswer:
        return _HIDDEN
    return " ".join(
        f"{record.tag:02X}:"
        + (record.value.hex().upper() if record.tag in _HARMLESS_ISSUER_TAGS else _HIDDEN)
        for record in records
    )
