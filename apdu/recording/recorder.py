"""Records what goes to a card and comes back, with everything personal left out.

A transport around a transport. It belongs next to the reader, below 61/6C handling and trace, so
that a replay of what it recorded needs both again. What is hidden is hidden at once: the recorder
never holds a secret byte of an exchange that is over.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import assert_never

from apdu.command import Layout
from apdu.errors import CardError, MalformedAnswer
from apdu.identity import CARD_ID_SIZE, Atr
from apdu.recording.stand_ins import StandIns
from apdu.recording.transcript import FAILURES, Event, Exchange, Redacted, Reset, Transcript
from apdu.redaction import Content, Redactor, is_harmless, items
from apdu.simple_tlv import Record
from apdu.transport import Transport

_CARD_ID = 0x01
_CARD_ID_OPEN = 8
"""Region and RID, which many cards share."""
_SERIAL_SIZE = 4
_LONG = 0xFF


class RecordingTransport:
    """Passes everything on and keeps a redacted transcript.

    Args:
        transport: the card.
        stand_ins: what is recorded for hidden bytes. Give the same ones to the recorders of a card
            and of the PSAM that is asked for it.
        clock: nanoseconds, monotonic.
    """

    def __init__(
        self,
        transport: Transport,
        stand_ins: StandIns | None = None,
        *,
        clock: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self._transport = transport
        self._stand_ins = stand_ins or StandIns()
        self._clock = clock
        self._redactor = Redactor()
        self._events: list[Event] = []
        self._first_atr = self._redacted_atr(transport.atr)

    @property
    def transcript(self) -> Transcript:
        """What was recorded so far."""
        protocol = _protocol(self._transport.atr)
        return Transcript(self._first_atr, tuple(self._events), protocol)

    @property
    def atr(self) -> bytes:
        """The card's answer to reset."""
        return self._transport.atr

    def reset(self) -> bytes:
        """Reset the card; see `Transport.reset`."""
        self._redactor.forget()
        atr = self._transport.reset()
        self._events.append(Reset(self._redacted_atr(atr)))
        return atr

    def close(self) -> None:
        """Give the card back; see `Transport.close`."""
        self._transport.close()

    def transmit(self, command: bytes | bytearray) -> bytes:
        """Pass on and record; see `Transport.transmit`."""
        layout = Layout.of(command)
        data, content = self._redactor.sending(command, layout)
        shown = _redacted_command(command, layout, hide=data is None)
        start = self._clock()
        try:
            answer = self._transport.transmit(command)
        except CardError as error:
            self._keep(shown, _failure(error), start)
            raise
        if len(answer) < 2:
            self._keep(shown, MalformedAnswer, start)
            return answer
        self._redactor.answered(int.from_bytes(answer[-2:], "big"), len(answer) - 2)
        self._keep(shown, self._redacted(content, answer), start)
        return answer

    def _keep(self, command: Redacted, answer: Redacted | type[CardError], start: int) -> None:
        taken = (self._clock() - start) // 1_000_000
        self._events.append(Exchange(command, answer, taken))

    def _redacted(self, content: Content, answer: bytes) -> Redacted:
        data, sw = answer[:-2], tuple(answer[-2:])
        match content:
            case Content.OPEN:
                return Redacted.open(answer)
            case Content.PROOF:
                return _hidden(len(data), self._stand_ins.equal(data), sw)
            case Content.HIDDEN:
                return _hidden(len(data), self._stand_ins.opaque(len(data)), sw)
            case Content.ISSUER | Content.HOLDER:
                records = self._redacted_items(content, data)
                if records is None:
                    return _hidden(len(data), self._stand_ins.opaque(len(data)), sw)
                return Redacted((*records.shown, *sw), records.synthetic)
            case _:
                assert_never(content)

    def _redacted_items(self, content: Content, data: bytes) -> Redacted | None:
        """Tags, lengths and harmless values shown; None when these bytes are no such items."""
        records = items(content, data)
        if records is None:
            return None
        shown: list[int | None] = list(data)
        synthetic, at = b"", 0
        for record in records:
            # Padding between the records is left out of `records`: look for the next tag.
            tag = data.index(record.tag, at)
            at = tag + (4 if data[tag + 1] == _LONG else 2)
            end = at + len(record.value)
            hidden, stands = self._redacted_item(content, record)
            shown[end - hidden : end] = [None] * hidden
            synthetic += stands
            at = end
        return Redacted(tuple(shown), synthetic)

    def _redacted_item(self, content: Content, record: Record) -> tuple[int, bytes]:
        """How many last bytes of an item's value are hidden, and what stands for them."""
        if content is Content.ISSUER:
            if is_harmless(record):
                return 0, b""
            if record.tag == _CARD_ID and len(record.value) == CARD_ID_SIZE:
                return CARD_ID_SIZE - _CARD_ID_OPEN, self._stand_ins.card_id(record.value)
        stands = self._stand_ins.item(record)
        return (0, b"") if stands is None else (len(stands), stands)

    def _redacted_atr(self, atr: bytes) -> Redacted:
        """The last historical bytes of a contact card are its serial number (mark I, strong)."""
        try:
            factor = Atr.parse(atr).card_factor
        except MalformedAnswer:
            return Redacted.open(atr)
        end = atr.rindex(factor) + len(factor)
        shown: list[int | None] = list(atr)
        shown[end - _SERIAL_SIZE : end] = [None] * _SERIAL_SIZE
        return Redacted(tuple(shown), self._stand_ins.equal(factor[-_SERIAL_SIZE:]))


def _redacted_command(command: bytes | bytearray, layout: Layout, *, hide: bool) -> Redacted:
    shown: list[int | None] = list(command)
    if hide:
        shown[layout.data_start : layout.data_start + layout.nc] = [None] * layout.nc
    return Redacted(tuple(shown))


def _hidden(size: int, stands: bytes, sw: tuple[int, ...]) -> Redacted:
    return Redacted((*[None] * size, *sw), stands)


def _failure(error: CardError) -> type[CardError]:
    """The failure of this name, or the one that it is a kind of; no answer, of any other kind."""
    for kind in type(error).__mro__:
        if kind.__name__ in FAILURES:
            return FAILURES[kind.__name__]
    return MalformedAnswer


def _protocol(atr: bytes) -> str:
    """The first protocol that the card offers (ISO/IEC 7816-3 §8.2.3); what the reader chose is
    not known here."""
    following, at = atr[1] >> 4 if len(atr) > 1 else 0, 2
    at += (following & 0b0111).bit_count()
    first = atr[at] & 0x0F if following & 0b1000 and at < len(atr) else 0
    return f"T={first}"
