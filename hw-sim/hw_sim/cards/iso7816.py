"""The operating system that every simulated card shares: commands, status words, starts and ends.

ISO/IEC 7816-4 short commands only; the social security cards know no extended length.
"""

from __future__ import annotations

import contextlib
import logging
import traceback
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Protocol

from hw_sim.cards.memory import Memory, PowerGone

log = logging.getLogger(__name__)

OK = 0x9000
END_OF_FILE = 0x6282
INVALIDATED = 0x6283
WRONG_LENGTH = 0x6700
WRONG_FILE_TYPE = 0x6981
SECURITY_STATUS = 0x6982
BLOCKED = 0x6983
CHALLENGE_MISSING = 0x6984
CONDITIONS = 0x6985
NO_CURRENT_FILE = 0x6986
MAC_MISSING = 0x6987
MAC_WRONG = 0x6988
WRONG_DATA = 0x6A80
NOT_SUPPORTED = 0x6A81
FILE_NOT_FOUND = 0x6A82
RECORD_NOT_FOUND = 0x6A83
NO_SPACE = 0x6A84
WRONG_P1_P2 = 0x6A86
REFERENCE_NOT_FOUND = 0x6A88
WRONG_OFFSET = 0x6B00
UNKNOWN_INSTRUCTION = 0x6D00
UNKNOWN_CLASS = 0x6E00
BUG = 0x6F00
APPLICATION_DEAD = 0x9303


class SwError(Exception):
    """A status word other than 9000, raised anywhere in a card and caught once."""

    def __init__(self, sw: int) -> None:
        super().__init__(f"{sw:04X}")
        self.sw = sw


def tries_left(count: int) -> SwError:
    """63Cx of a failed comparison with ``count`` tries left."""
    return SwError(0x63C0 | count)


@dataclass(frozen=True)
class Command:
    """A short command.

    Attributes:
        data: command data, empty in cases 1 and 2.
        ne: expected answer length 1..256, ``None`` where the command has no Le.
    """

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes
    ne: int | None

    @classmethod
    def parse(cls, raw: bytes) -> Command:
        """Cases 1 to 4 (ISO/IEC 7816-3 §12.1). Raises SwError(6700) for any other length."""
        if len(raw) < 4:
            raise SwError(WRONG_LENGTH)
        cla, ins, p1, p2 = raw[:4]
        body = raw[4:]
        if len(body) == 0:
            return cls(cla, ins, p1, p2, b"", None)
        if len(body) == 1:
            return cls(cla, ins, p1, p2, b"", body[0] or 256)
        lc = body[0]
        data, rest = body[1 : 1 + lc], body[1 + lc :]
        if lc == 0 or len(data) != lc or len(rest) > 1:
            raise SwError(WRONG_LENGTH)
        return cls(cla, ins, p1, p2, data, (rest[0] or 256) if rest else None)


@dataclass(frozen=True)
class Answer:
    """Data under another status word than 9000: a warning such as 6282 or 6283."""

    data: bytes
    sw: int


Handler = Callable[[Command], bytes | Answer]


class Card(Protocol):
    """What a slot holds: everything that the far end of the contacts can do."""

    @property
    def atr(self) -> bytes: ...

    @property
    def bugs(self) -> list[Exception]: ...

    def power_on(self) -> None: ...

    def power_off(self) -> None: ...

    def reset(self) -> None: ...

    def execute(self, command: bytes) -> bytes | None:
        """The answer with its status word; ``None`` where the card stays silent."""

    def tear(self, command: bytes, at_write: int | None = None) -> None:
        """Loses power in the middle of the command: at its write of this number, from 1, or
        between its last write and its answer."""


class CardSystem:
    """Base of the simulated cards.

    Args:
        atr: answer to reset, 2..33 bytes.
        t0: hold to the P3 rules of T=0 (ISO/IEC 7816-3 §12.2): the answer to a command with data
            waits for GET RESPONSE behind 61xx whatever Le came with it, four bytes are a P3 of
            00, and an Le that is not the answer's length gets 6Cxx. Otherwise the card answers
            as through a reader that does all that itself.
        memory: its non-volatile memory, a new one by default.

    Attributes:
        bugs: unexpected exceptions, each also logged; whoever tests a card looks that there is
            none.
    """

    def __init__(self, atr: bytes, *, t0: bool, memory: Memory | None = None) -> None:
        self._atr = atr
        self.t0 = t0
        self.memory = Memory() if memory is None else memory
        self.bugs: list[Exception] = []
        self._waiting = Answer(b"", OK)

    @property
    def atr(self) -> bytes:
        return self._atr

    @property
    @abstractmethod
    def handlers(self) -> Mapping[tuple[int, int], Handler]:
        """Handler of each (CLA, INS); it returns the answer's data or raises SwError."""

    @abstractmethod
    def drop_volatile_state(self) -> None:
        """Forgets selection, challenge and authentications."""

    def power_on(self) -> None:
        self._start()

    def power_off(self) -> None:
        self._start()

    def reset(self) -> None:
        self._start()

    def execute(self, command: bytes) -> bytes | None:
        """Answers one command; never raises."""
        answer = self._run(command)
        self.memory.commit()
        return answer

    def tear(self, command: bytes, at_write: int | None = None) -> None:
        """Runs the command up to that write; what it did not commit is lost with its answer."""
        self.memory.writes_left = None if at_write is None else at_write - 1
        with contextlib.suppress(PowerGone):
            self._run(command)
        self.memory.writes_left = None
        self.memory.roll_back()
        self._start()

    def _start(self) -> None:
        self._waiting = Answer(b"", OK)
        try:
            self.drop_volatile_state()
        except Exception as error:
            note_bug(self.bugs, error)

    def _run(self, raw: bytes) -> bytes:
        try:
            return self._answer(Command.parse(raw + b"\0" if self.t0 and len(raw) == 4 else raw))
        except SwError as error:
            self.memory.roll_back()
            return error.sw.to_bytes(2, "big")
        except Exception as error:
            # A card thread that dies would hang its slot for ever.
            note_bug(self.bugs, error)
            self.memory.roll_back()
            return BUG.to_bytes(2, "big")

    def _answer(self, command: Command) -> bytes:
        waiting, self._waiting = self._waiting, Answer(b"", OK)
        if (command.cla, command.ins) == (0x00, 0xC0):
            return self._get_response(command, waiting)
        handler = self.handlers.get((command.cla, command.ins))
        if handler is None:
            known = any(cla == command.cla for cla, _ in self.handlers)
            raise SwError(UNKNOWN_INSTRUCTION if known else UNKNOWN_CLASS)
        given = handler(command)
        answer = given if isinstance(given, Answer) else Answer(given, OK)
        length = len(answer.data)
        if not length:
            return answer.sw.to_bytes(2, "big")
        if command.ne is None or (command.data and self.t0):
            return self._wait(answer)
        if command.ne < min(length, 256) or (self.t0 and command.ne > length):
            raise SwError(0x6C00 | _length_byte(length))
        return self._part(answer, command.ne)

    def _get_response(self, command: Command, waiting: Answer) -> bytes:
        if not waiting.data:
            raise SwError(CONDITIONS)
        if command.data or command.p1 or command.p2:
            raise SwError(WRONG_P1_P2)
        ne = command.ne or 256
        if ne > len(waiting.data) and self.t0:
            self._waiting = waiting
            raise SwError(0x6C00 | len(waiting.data))
        return self._part(waiting, ne)

    def _part(self, answer: Answer, ne: int) -> bytes:
        """The first ``ne`` bytes and the status word, or 61xx while more wait."""
        first, rest = answer.data[:ne], answer.data[ne:]
        if not rest:
            return first + answer.sw.to_bytes(2, "big")
        return first + self._wait(Answer(rest, answer.sw))

    def _wait(self, answer: Answer) -> bytes:
        self._waiting = answer
        return bytes((0x61, _length_byte(len(answer.data))))


def note_bug(bugs: list[Exception], error: Exception) -> None:
    """Keeps an unexpected exception, and logs where it came from. Its text may hold what the card
    holds, and stays out of the log."""
    bugs.append(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    kind, file = type(error).__name__, PurePath(place.filename).name
    log.error("a bug of a simulated card: %s at %s:%s", kind, file, place.lineno)


def _length_byte(length: int) -> int:
    """SW2 of 61xx and 6Cxx: 00 stands for 256 and more."""
    return length if length < 256 else 0
