"""Transcripts: what went to a card and came back, as text that people read and programs replay.

The layout is that of apdu4j's dumps: a line that begins with ``#`` is a comment, and the other
lines, in hexadecimal, are by turns a command and its answer. Some comments carry meaning::

    # ATR: 3B6D0000...          answer to reset
    # PROTOCOL: T=0
    # 24ms                      how long the answer took that follows
    # 24ms CardMute: 00B2012D00 a command that got no answer: no line of its own, as lines alternate
    # RESET: 3B6D0000...        the card was reset here, and gave this answer
    # SYNTHETIC: 3132...        stands for the hidden bytes of the line that follows, in order

apdu4j itself writes a command that got no answer as a line of its own, and then a comment with the
time and what the reader said: that is read too, as a mute card.

A hidden byte is written ``**``. In a command it matches any byte. In an answer, or in an answer to
reset, a replay gives the synthetic bytes that stand before it, which are nobody's: they are part of
the file, so that whoever reads it sees all that a replay will answer, and nothing has to be
configured to replay somebody else's transcript.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from apdu.errors import (
    CardAbsent,
    CardError,
    CardMute,
    CardRemoved,
    CardReset,
    MalformedAnswer,
    ReaderBusy,
    ReaderGone,
)

FAILURES: dict[str, type[CardError]] = {
    error.__name__: error
    for error in (
        CardAbsent,
        CardMute,
        CardRemoved,
        CardReset,
        MalformedAnswer,
        ReaderBusy,
        ReaderGone,
    )
}
"""What a transport raises instead of an answer, by name."""
_HIDDEN = "**"
_BYTES = re.compile(r"(?:[0-9A-Fa-f]{2}|\*\*)+")
_TIME = re.compile(r"([0-9]{1,9})ms(?: (.*))?")
_FAILED = re.compile(r"(\w+): (\S+)")
_SHORTEST_COMMAND, _SHORTEST_ANSWER = 4, 2


class TranscriptError(ValueError):
    """A text is no transcript. Names the line, never its bytes."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line


@dataclass(frozen=True, repr=False)
class Redacted:
    """Bytes of which some are hidden.

    Attributes:
        shown: one entry a byte; None for a hidden one.
        synthetic: what stands for the hidden ones in a replay, in order; or empty.
    """

    shown: tuple[int | None, ...]
    synthetic: bytes = b""

    def __post_init__(self) -> None:
        if len(self.synthetic) not in (0, self.hidden):
            raise ValueError("there are not as many synthetic bytes as hidden ones")

    def __repr__(self) -> str:
        return f"Redacted({len(self.shown)} bytes, {self.hidden} hidden)"

    @classmethod
    def open(cls, data: bytes | bytearray) -> Redacted:
        """Bytes of which none is hidden."""
        return cls(tuple(data))

    @classmethod
    def parse(cls, text: str, synthetic: bytes = b"") -> Redacted:
        """The bytes that this text writes. Raises ValueError when it writes none."""
        if not _BYTES.fullmatch(text):
            raise ValueError("neither hexadecimal nor **")
        pairs = (text[at : at + 2] for at in range(0, len(text), 2))
        return cls(tuple(None if pair == _HIDDEN else int(pair, 16) for pair in pairs), synthetic)

    @property
    def text(self) -> str:
        """As a transcript writes them."""
        return "".join(_HIDDEN if byte is None else f"{byte:02X}" for byte in self.shown)

    @property
    def hidden(self) -> int:
        """How many bytes are hidden."""
        return self.shown.count(None)

    @property
    def replayable(self) -> bool:
        """Whether something stands for every hidden byte."""
        return len(self.synthetic) == self.hidden

    @property
    def filled(self) -> bytes:
        """The bytes with the synthetic ones in their places.

        Raises:
            ValueError: nothing stands for the hidden ones.
        """
        if not self.replayable:
            raise ValueError("nothing stands for the hidden bytes")
        left = iter(self.synthetic)
        return bytes(next(left) if byte is None else byte for byte in self.shown)

    def difference(self, data: bytes | bytearray) -> int | None:
        """Where `data` first differs, from 0; None when it matches. Hidden bytes match any."""
        for at, (mine, theirs) in enumerate(zip(self.shown, data, strict=False)):
            if mine is not None and mine != theirs:
                return at
        if len(self.shown) == len(data):
            return None
        return min(len(self.shown), len(data))


@dataclass(frozen=True)
class Exchange:
    """One command and what came of it.

    Attributes:
        command: as it went to the card.
        answer: as it came back with its status word, or the failure's class.
        milliseconds: how long that took.
        line: where the command stands in its text, from 1; 0 in one that was never a text.
    """

    command: Redacted
    answer: Redacted | type[CardError]
    milliseconds: int = 0
    line: int = 0


@dataclass(frozen=True)
class Reset:
    """The card was reset.

    Attributes:
        atr: its answer.
        line: where that stands in its text, from 1.
    """

    atr: Redacted
    line: int = 0


Event = Exchange | Reset


@dataclass(frozen=True)
class Transcript:
    """One card's session.

    Attributes:
        atr: the answer to reset with which it began.
        events: in order.
        protocol: ``T=0`` or ``T=1``.
    """

    atr: Redacted
    events: tuple[Event, ...]
    protocol: str = "T=0"

    def text(self) -> str:
        """The transcript as text; `parse` reads it back."""
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        yield from _with_synthetic(self.atr, f"# ATR: {self.atr.text}")
        yield f"# PROTOCOL: {self.protocol}"
        yield "#"
        for event in self.events:
            match event:
                case Reset(atr=atr):
                    yield from _with_synthetic(atr, f"# RESET: {atr.text}")
                case Exchange(command=command, answer=Redacted() as answer, milliseconds=taken):
                    yield command.text
                    yield f"# {taken}ms"
                    yield from _with_synthetic(answer, answer.text)
                case Exchange(command=command, answer=failure, milliseconds=taken):
                    assert isinstance(failure, type)
                    yield f"# {taken}ms {failure.__name__}: {command.text}"

    @classmethod
    def parse(cls, text: str) -> Transcript:
        """Read a transcript, ours or one of apdu4j.

        Raises:
            TranscriptError: there is no ATR, a command without an answer, a line that is neither
                comment nor bytes, or a last line without an end: where a file was torn, half an
                answer looks like a whole one.
        """
        return _Parser().parse(io.StringIO(text, newline=None))


def _with_synthetic(data: Redacted, line: str) -> Iterator[str]:
    if data.synthetic:
        yield f"# SYNTHETIC: {data.synthetic.hex().upper()}"
    yield line


class _Parser:
    def __init__(self) -> None:
        self._atr: Redacted | None = None
        self._protocol = "T=0"
        self._events: list[Event] = []
        self._command: tuple[Redacted, int] | None = None
        self._synthetic = b""
        self._taken = 0
        self._line = 0

    def parse(self, lines: Iterable[str]) -> Transcript:
        for self._line, line in enumerate(lines, 1):
            stripped = line.strip()
            if stripped and not line.endswith("\n"):
                raise TranscriptError(self._line, "the text ends within a line")
            if stripped.startswith("#"):
                self._comment(stripped[1:].strip())
            elif stripped:
                self._bytes(stripped)
        self._answered()
        self._nothing_stands()
        if self._atr is None:
            raise TranscriptError(self._line, "no answer to reset")
        return Transcript(self._atr, tuple(self._events), self._protocol)

    def _comment(self, text: str) -> None:
        word, colon, rest = text.partition(":")
        rest = rest.strip()
        match word if colon else "":
            case "ATR" if self._atr is None:
                self._atr = self._redacted(rest)
            case "PROTOCOL":
                self._protocol = rest
            case "SYNTHETIC":
                self._nothing_stands()
                self._synthetic = self._hex(rest)
            case "RESET":
                self._answered()
                self._events.append(Reset(self._redacted(rest), self._line))
            case _ if found := _TIME.fullmatch(text):
                self._taken = int(found[1])
                if found[2] is not None:
                    self._failed(found[2])

    def _failed(self, told: str) -> None:
        found = _FAILED.fullmatch(told)
        failure = None if found is None else FAILURES.get(found[1])
        if self._command is not None and failure is None:
            (command, line), self._command = self._command, None
            self._add(Exchange(command, CardMute, self._taken, line))
        elif found is not None:
            self._answered()
            if failure is None:
                raise TranscriptError(self._line, "an unknown failure")
            command = self._sent(found[2])
            self._add(Exchange(command, failure, self._taken, self._line))

    def _bytes(self, text: str) -> None:
        if self._command is None:
            self._command = self._sent(text), self._line
            return
        (command, line), self._command = self._command, None
        answer = self._redacted(text)
        if len(answer.shown) < _SHORTEST_ANSWER:
            raise TranscriptError(self._line, "an answer without a status word")
        self._add(Exchange(command, answer, self._taken, line))

    def _sent(self, text: str) -> Redacted:
        self._nothing_stands()
        command = self._redacted(text)
        if len(command.shown) < _SHORTEST_COMMAND:
            raise TranscriptError(self._line, "too short for a command")
        return command

    def _answered(self) -> None:
        if self._command is not None:
            raise TranscriptError(self._command[1], "a command without an answer")

    def _nothing_stands(self) -> None:
        """Synthetic bytes are an answer's, and stand right before it."""
        if self._synthetic:
            raise TranscriptError(self._line, "synthetic bytes that stand for nothing")

    def _add(self, exchange: Exchange) -> None:
        self._events.append(exchange)
        self._taken = 0

    def _redacted(self, text: str) -> Redacted:
        synthetic, self._synthetic = self._synthetic, b""
        try:
            return Redacted.parse(text, synthetic)
        except ValueError as problem:
            raise TranscriptError(self._line, str(problem)) from None

    def _hex(self, text: str) -> bytes:
        try:
            return bytes.fromhex(text)
        except ValueError:
            raise TranscriptError(self._line, "not hexadecimal") from None
