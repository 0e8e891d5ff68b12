"""A transcript in the place of a card: what was recorded answers again.

Nothing here is a card's doing, so nothing raised here is a `CardError`: a replay that does not fit
must never pass for a card that failed.
"""

from __future__ import annotations

from enum import Enum
from typing import assert_never

from apdu.recording.transcript import Event, Exchange, Redacted, Reset, Transcript, TranscriptError


class Mode(Enum):
    """What a command must be, for the next answer to be its answer."""

    STRICT = "strict"
    """The recorded command, hidden bytes aside; a reset where one was recorded."""
    ANSWERS = "answers"
    """Anything: the answers come in their order."""
    FORWARD = "forward"
    """One that is still to come; what lies between is left out."""


class ReplayError(Exception):
    """A replay does not fit its transcript. Names lines, never bytes.

    Attributes:
        line: the line of the transcript where the replay stood.
    """

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line


class ReplayDepleted(ReplayError):
    """The transcript holds nothing more."""


class ReplayMismatch(ReplayError):
    """Something else was recorded here."""


class ReplayTransport:
    """Replays one transcript.

    Args:
        transcript: what was recorded.
        mode: how closely the commands must follow it.

    Raises:
        TranscriptError: nothing stands for the hidden bytes of an answer.
    """

    def __init__(self, transcript: Transcript, *, mode: Mode = Mode.STRICT) -> None:
        _check(transcript)
        self._events = transcript.events
        self._mode = mode
        self._atr = transcript.atr.filled
        self._at = 0

    @property
    def atr(self) -> bytes:
        """The latest answer to reset, with its synthetic bytes."""
        return self._atr

    @property
    def depleted(self) -> bool:
        """Whether everything that was recorded has been asked for."""
        return self._at == len(self._events)

    def transmit(self, command: bytes | bytearray) -> bytes:
        """The recorded answer to `command`.

        Raises:
            ReplayDepleted, ReplayMismatch: it was not recorded here.
            CardError: what was recorded instead of an answer.
        """
        exchange = self._find(command)
        if isinstance(exchange.answer, Redacted):
            return exchange.answer.filled
        raise exchange.answer(f"replayed from line {exchange.line}")

    def reset(self) -> bytes:
        """The recorded answer to reset; the latest one where none was recorded and none has to be.

        Raises:
            ReplayDepleted, ReplayMismatch: in STRICT mode, no reset was recorded here.
        """
        match self._mode:
            case Mode.STRICT:
                event = self._next()
                if not isinstance(event, Reset):
                    raise ReplayMismatch(event.line, "a reset, where a command was recorded")
                self._reset(event)
            case Mode.ANSWERS | Mode.FORWARD:
                for at in range(self._at, len(self._events)):
                    event = self._events[at]
                    if isinstance(event, Reset):
                        self._at = at
                        self._reset(event)
                        break
                    if self._mode is Mode.ANSWERS:
                        break
            case _:
                assert_never(self._mode)
        return self._atr

    def close(self) -> None:
        """There is nothing to give back."""

    def _find(self, command: bytes | bytearray) -> Exchange:
        match self._mode:
            case Mode.STRICT:
                event = self._next()
                if isinstance(event, Reset):
                    raise ReplayMismatch(event.line, "a command, where a reset was recorded")
                at = event.command.difference(command)
                if at is not None:
                    raise ReplayMismatch(event.line, f"another command, from byte {at + 1} on")
                self._at += 1
                return event
            case Mode.ANSWERS:
                while isinstance(event := self._next(), Reset):
                    self._reset(event)
                self._at += 1
                return event
            case Mode.FORWARD:
                return self._search(command)
            case _:
                assert_never(self._mode)

    def _search(self, command: bytes | bytearray) -> Exchange:
        first = self._next()
        for at in range(self._at, len(self._events)):
            event = self._events[at]
            if isinstance(event, Exchange) and event.command.difference(command) is None:
                self._at = at + 1
                return event
        raise ReplayMismatch(first.line, "no such command from here on")

    def _next(self) -> Event:
        if self.depleted:
            line = self._events[-1].line if self._events else 0
            raise ReplayDepleted(line, "nothing was recorded after this")
        return self._events[self._at]

    def _reset(self, event: Reset) -> None:
        self._at += 1
        self._atr = event.atr.filled


def _check(transcript: Transcript) -> None:
    lines: list[tuple[int, Redacted]] = [(1, transcript.atr)]
    for event in transcript.events:
        match event:
            case Reset(atr=atr, line=line):
                lines.append((line, atr))
            case Exchange(answer=Redacted() as answer, line=line):
                lines.append((line, answer))
            case Exchange():
                pass
            case _:
                assert_never(event)
    for line, data in lines:
        if not data.replayable:
            raise TranscriptError(line, "hidden bytes for which nothing stands")
