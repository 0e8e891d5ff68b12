"""The SAM-V module of resident ID readers on a serial line.

What is sent and what may come back follows `sam_v.toml`, where each assumption has its mark.
"""

from __future__ import annotations

import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from importlib import resources
from typing import Any

from drivers.id_card import decode_text
from drivers.id_reader import (
    PHOTO_LENGTH,
    TEXT_LENGTH,
    CardLeft,
    IdReaderBroken,
    IdReaderError,
    IdReaderGone,
    IdReaderNote,
    IdReaderReason,
    IdReaderStatus,
    LicenceMissing,
    NoCard,
    RawIdCard,
    ReadCancelled,
    ReadFailed,
)
from drivers.sam_v.frames import Answer, Damaged, encode, take_answer
from drivers.serial_port import PortLost, SerialPort

_FOUND = 0x9F
_SELECTED = 0x90
_NO_SUCH_ITEM = 0x91
_TRIES = 2
_SAM_ID = ((0, 2), (2, 2), (4, 4), (8, 4), (12, 4))
"""Offset and length of its numbers, low byte first (M)."""
_FRAME = 11
"""Bytes of an answer's frame around its data."""


@dataclass(frozen=True)
class SamVTimes:
    """Delays in seconds.

    Attributes:
        answer: silence after which a command is repeated, and after the second time given up;
            what the wire itself takes is added.
        read: the same for a card's content, which the card must be asked for first.
        probe: the same for each speed that is tried.
        damaged: how long a readable answer may still follow after a damaged one.
        look: longest wait before a cancellation is looked for again.
        pause: between two searches for a card.
        write: limit for the line to take a command.
    """

    answer: float = 1.0
    read: float = 3.0
    probe: float = 0.4
    damaged: float = 0.2
    look: float = 0.03
    pause: float = 0.15
    write: float = 1.0


class Meaning(Enum):
    """What an answer of the module means for us."""

    EXPECTED = "expected"
    """The command's own answer."""
    LATE = "late"
    """The answer to an earlier command, or bytes that make no sense."""
    AGAIN = "again"
    """The command did not arrive well."""
    REFUSED = "refused"
    UNLICENSED = "unlicensed"
    BROKEN = "broken"


_ERRORS: dict[Meaning, type[IdReaderError]] = {
    Meaning.REFUSED: ReadFailed,
    Meaning.UNLICENSED: LicenceMissing,
    Meaning.BROKEN: IdReaderBroken,
}
_REASONS = {
    Meaning.EXPECTED: None,
    Meaning.LATE: IdReaderReason.GONE,
    Meaning.AGAIN: IdReaderReason.GONE,
    Meaning.REFUSED: IdReaderReason.FAULT,
    Meaning.UNLICENSED: IdReaderReason.UNLICENSED,
    Meaning.BROKEN: IdReaderReason.SELF_TEST,
}


def sam_v_facts() -> dict[str, Any]:
    """The facts of `sam_v.toml`, for a terminal that must change one of them."""
    return tomllib.loads(resources.files("drivers.sam_v").joinpath("sam_v.toml").read_text("utf-8"))


def meaning_of(facts: dict[str, Any], command: str, answer: Answer) -> Meaning:
    """What an answer to this command means."""
    word = f"{answer.code:02X}"
    if len(answer.data) in facts["commands"][command]["answers"].get(word, ()):
        return Meaning.EXPECTED
    if not answer.data and word in facts["words"]:
        return Meaning(facts["words"][word]["means"])
    return Meaning.LATE


def reason_of(meaning: Meaning | None) -> IdReaderReason | None:
    """The obstacle that the answer to ``status`` tells; None stands for no answer at all."""
    return IdReaderReason.GONE if meaning is None else _REASONS[meaning]


class SamVReader:
    """`IdReader` on a serial port. The port is opened by the first call and again after it was
    lost, at the first speed at which the module answers: the configured one is tried first.

    Args:
        baud: bits per second, None for the maker's setting.
    """

    def __init__(
        self,
        port: str,
        baud: int | None = None,
        times: SamVTimes | None = None,
        facts: dict[str, Any] | None = None,
    ) -> None:
        self._facts = facts or sam_v_facts()
        self._times = times or SamVTimes()
        self._path = port
        line = self._facts["line"]
        self._configured: int = baud or line["baud"]
        known = (self._configured, line["baud"], *line["others"])
        # Once more at the end: the first question may have met with noise.
        self._speeds = (*dict.fromkeys(known), self._configured)
        self._baud = self._configured
        self._port = SerialPort(port, self._baud, "ID reader")
        self._held = bytearray()
        self._cancelled: threading.Event | None = None

    # --- the card -------------------------------------------------------------------------------

    def read_card(self, cancelled: threading.Event, seconds: float | None = None) -> RawIdCard:
        with self._call(cancelled):
            end = None if seconds is None else time.monotonic() + seconds
            while self._exchange("find").code != _FOUND:
                if end is not None and time.monotonic() >= end:
                    raise NoCard
                self._pause()
            return self._read_found()

    def wait_until_taken(self, cancelled: threading.Event) -> None:
        with self._call(cancelled):
            misses = 0
            while misses < _TRIES:
                misses = 0 if self._lies() else misses + 1
                self._pause()

    def newest_address(self) -> str | None:
        with self._call(None):
            self._select()
            answer = self._exchange("newest-address", self._times.read)
            if answer.code == _NO_SUCH_ITEM:
                return None
            try:
                return decode_text(answer.data)
            except ValueError:
                raise ReadFailed("the card's newest address is no text") from None

    def _read_found(self) -> RawIdCard:
        failed: ReadFailed | None = None
        for _attempt in range(_TRIES):
            # A card that answered once can only be read when it is selected anew.
            self._select()
            try:
                answer = self._once(self._facts["read"]["command"], self._times.read)
                if answer is not None:
                    return _base(answer.data)
            except ReadFailed as error:
                failed = error
        if failed is None:
            raise self._lost("no readable card data")
        self._select()
        raise failed

    def _select(self) -> None:
        if self._exchange("select").code != _SELECTED:
            raise CardLeft

    def _lies(self) -> bool:
        try:
            return self._exchange("select").code == _SELECTED
        except ReadFailed:
            return False

    # --- the module -----------------------------------------------------------------------------

    def sam_id(self) -> str:
        with self._call(None):
            data = self._exchange("sam-id").data
        numbers = [int.from_bytes(data[at : at + size], "little") for at, size in _SAM_ID]
        return "{:02d}.{:02d}-{:08d}-{:010d}-{:010d}".format(*numbers)

    def reset(self) -> None:
        with self._call(None):
            self._exchange("reset", self._times.read)

    def status(self) -> IdReaderStatus:
        try:
            with self._call(None):
                found = self._tried("status", self._times.answer)
        except IdReaderGone:
            found = None
        if found is None:
            self.close()
        reason = reason_of(found and found[0])
        if reason is not None:
            return IdReaderStatus(reason)
        other = self._baud != self._configured
        return IdReaderStatus(None, frozenset({IdReaderNote.OTHER_SPEED} if other else ()))

    def close(self) -> None:
        self._held.clear()
        self._port.close()

    # --- the wire -------------------------------------------------------------------------------

    @contextmanager
    def _call(self, cancelled: threading.Event | None) -> Iterator[None]:
        self._cancelled = cancelled
        try:
            self._open()
            yield
        except PortLost as lost:
            self.close()
            raise IdReaderGone(str(lost)) from lost
        finally:
            self._cancelled = None

    def _open(self) -> None:
        """Open the port at the first speed at which the module answers."""
        if self._port.is_open:
            return
        for baud in self._speeds:
            self._raise_if_cancelled()
            self._baud = baud
            self._port = SerialPort(self._path, baud, "ID reader")
            self._port.open()
            if self._tried("status", self._times.probe) is not None:
                return
            self.close()
        raise IdReaderGone("no answer from the ID reader at any speed")

    def _exchange(self, command: str, seconds: float | None = None) -> Answer:
        """The command's own answer; it is sent twice at most.

        Raises:
            IdReaderGone: no answer, or no readable one.
            IdReaderError: what else the module says of itself or of the card.
        """
        for _attempt in range(_TRIES):
            answer = self._once(command, seconds or self._times.answer)
            if answer is not None:
                return answer
        raise self._lost("no readable answer")

    def _once(self, command: str, seconds: float) -> Answer | None:
        """Send a command; its own answer, or None where it must be sent again."""
        found = self._tried(command, seconds)
        if found is None:
            return None
        meaning, answer = found
        if meaning in _ERRORS:
            raise _ERRORS[meaning](f"the ID reader answers {answer.code:02X}")
        return answer if meaning is Meaning.EXPECTED else None

    def _lost(self, reason: str) -> IdReaderGone:
        self.close()
        return IdReaderGone(f"{reason} from the ID reader")

    def _tried(self, command: str, seconds: float) -> tuple[Meaning, Answer] | None:
        """Send a command; what answers it, None where nothing readable does."""
        facts = self._facts["commands"][command]
        self._drop_late_bytes()
        self._port.write(encode(bytes.fromhex(facts["send"])), self._times.write)
        longest = _FRAME + max(size for sizes in facts["answers"].values() for size in sizes)
        end = time.monotonic() + seconds + 10 * longest / self._baud
        while (left := end - time.monotonic()) > 0:
            self._held += self._port.receive(min(left, self._times.look))
            while (found := take_answer(self._held)) is not None:
                if isinstance(found, Damaged):
                    # Noise before the answer looks like this too: the answer may still come.
                    end = min(end, time.monotonic() + self._times.damaged)
                    continue
                meaning = meaning_of(self._facts, command, found)
                if meaning is not Meaning.LATE:
                    return meaning, found
            self._raise_if_cancelled()
        return None

    def _drop_late_bytes(self) -> None:
        """What an earlier command left; a line that is never silent must not hold us up."""
        end = time.monotonic() + self._times.answer
        while self._port.receive(0) and time.monotonic() < end:
            self._raise_if_cancelled()
        self._held.clear()

    def _pause(self) -> None:
        if self._cancelled is not None:
            self._cancelled.wait(self._times.pause)
        self._raise_if_cancelled()

    def _raise_if_cancelled(self) -> None:
        if self._cancelled is not None and self._cancelled.is_set():
            raise ReadCancelled


def _base(data: bytes) -> RawIdCard:
    """Text and photo of a card. Raises ReadFailed: they have other lengths."""
    # Where fingerprints were asked for their length stands third, and they come last; they are
    # left where they are.
    lengths = 4 if len(data) == 4 + TEXT_LENGTH + PHOTO_LENGTH else 6
    text, photo = (int.from_bytes(data[at : at + 2], "big") for at in (0, 2))
    if (text, photo) != (TEXT_LENGTH, PHOTO_LENGTH):
        raise ReadFailed("the card's text or photo has another length")
    end = lengths + TEXT_LENGTH
    return RawIdCard(data[lengths:end], data[end : end + PHOTO_LENGTH])
