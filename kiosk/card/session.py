"""One card in one reader for one command: found, held by a worker of its own, given back.

Whatever touches the card runs on that worker, as a step with a deadline. When the time is up, or
the user presses Ctrl-C, the line to the card is cut: nothing more is sent, and the card is given
back as soon as it lets go.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from apdu.custodian import Custodian, FirstThatCan
from apdu.errors import CardAbsent, CardError, CardMute, ReaderGone
from apdu.psam import PsamCustodian, is_psam
from apdu.recording.stand_ins import StandIns
from apdu.trace import Sink
from drivers.card_service import CardConnection, CardService, ReaderState
from drivers.worker import Done, Worker
from kiosk.card.exits import explained
from kiosk.card.line import Line, save
from kiosk.commands import CommandFailed, Exit, complain

if TYPE_CHECKING:
    from kiosk.card.options import Wanted
    from kiosk.config import TerminalConfig

T = TypeVar("T")

DEADLINE_SECONDS = 8.0
"""A command answers within ten seconds, also on a card that never does; a long one so each part."""
_FIRST_LOOK_SECONDS = 1.0
_GIVE_BACK_SECONDS = 1.0


@dataclass
class Hand:
    """The card and what goes with it, for steps; used on the session's worker only.

    Attributes:
        reader: the reader's full name.
        line: the card.
        psams: those that were found in any reader.
        custodian: asks them.
        trace: where trace lines go; None traces nothing.
    """

    reader: str
    line: Line
    psams: tuple[Line, ...]
    custodian: Custodian
    trace: Sink | None

    def record(self) -> None:
        """Keep redacted transcripts from now on, of the card and its PSAM together."""
        stand_ins = StandIns()
        for line in (self.line, *self.psams):
            line.record(stand_ins)

    def stop_recording(self, file: Path) -> None:
        """Write the transcripts. Raises OSError."""
        try:
            save(file, self.line, self.psams)
        finally:
            for line in (self.line, *self.psams):
                line.recorder = None


class CardSession:
    """The card of one call. A context manager; entering finds the card.

    Raises (entering, and each step):
        CommandFailed: what a card or a reader did wrong, as its user reads it.
    """

    def __init__(self, call: Wanted) -> None:
        self._call = call
        self._cut = threading.Event()
        self._worker = Worker("card")
        self._held = ExitStack()
        self._hand: Hand | None = None
        self._until = 0.0

    def __enter__(self) -> Self:
        self.renew()
        try:
            self._hand = self._on_worker(self._open)
        except BaseException:
            self._give_back()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._give_back()

    def renew(self, seconds: float = DEADLINE_SECONDS) -> None:
        """A new part of a long command begins: it has the whole deadline again, or a longer one
        where its user must act at the reader."""
        self._until = time.monotonic() + seconds

    def reopen(self) -> None:
        """Find the card anew: it was taken out, or another program reset it."""

        def again() -> Hand:
            self._held.close()
            return self._open()

        self._hand = self._on_worker(again)

    def trace(self, on: bool) -> None:
        """Show each command from now on, or no more; whoever holds the old sink keeps it."""
        assert self._hand is not None, "outside of the session"
        self._hand.trace = _show_trace if on else None

    def keep(self, file: Path) -> None:
        """Write the transcript that `Hand.record` began. Raises CommandFailed."""
        assert self._hand is not None, "outside of the session"
        _keep(self._hand, file)

    def step(self, do: Callable[[Hand], T]) -> T:
        """Do this to the card, which is ours alone meanwhile."""
        hand = self._hand
        assert hand is not None, "a step outside of the session"

        def alone() -> T:
            with hand.line.connection.transaction():
                return do(hand)

        return self._on_worker(alone)

    def _on_worker(self, call: Callable[[], T]) -> T:
        over = threading.Event()
        outcome: list[Done[T]] = []

        def done(result: Done[T]) -> None:
            outcome.append(result)
            over.set()

        self._worker.submit(call, done)
        try:
            if not over.wait(max(0.0, self._until - time.monotonic())):
                raise CardMute("no answer in time")
            return outcome[0].result()
        except Exception as error:
            raise explained(error) from None

    def _give_back(self) -> None:
        """Whatever still runs sends nothing more; the worker gives the card back behind it."""
        self._cut.set()
        over = threading.Event()
        self._worker.submit(self._held.close, lambda _: over.set())
        over.wait(_GIVE_BACK_SECONDS)
        self._worker.close(timeout=0.1)
        if self._call.record is not None and self._hand is not None:
            _keep(self._hand, self._call.record)

    def _open(self) -> Hand:
        service = self._held.enter_context(started(self._call.config))
        states = _first_look(service)
        chosen = [state for state in states if (self._call.reader or "") in state.name]
        if not chosen:
            raise ReaderGone
        resident, found = self._tell_apart(service, states, chosen)
        if resident is None:
            raise CardAbsent
        custodian = FirstThatCan([PsamCustodian(line) for line in found])
        trace = _show_trace if self._call.trace else None
        hand = Hand(resident.reader, Line(resident, self._cut), found, custodian, trace)
        if self._call.record is not None:
            hand.record()
        return hand

    def _tell_apart(
        self, service: CardService, states: tuple[ReaderState, ...], chosen: list[ReaderState]
    ) -> tuple[CardConnection | None, tuple[Line, ...]]:
        """The resident's card, and the PSAMs found in any reader.

        A PSAM is known by its application; a mute card among those chosen is an error only when
        no other of them holds a resident's card.
        """
        resident: CardConnection | None = None
        mute: CardError | None = None
        found: list[Line] = []
        for state in states:
            # The monitor may not have looked into the slots yet: connecting tells.
            try:
                connection = service.connect(state.name)
            except CardAbsent:
                continue
            except CardMute as error:
                mute = error if state in chosen else mute
                continue
            self._held.callback(connection.close)
            if is_psam(connection):
                found.append(Line(connection, self._cut))
            elif state in chosen and resident is None:
                resident = connection
            else:
                connection.close()
        if resident is None and mute is not None:
            raise mute
        return resident, tuple(found)


@contextmanager
def started(config: TerminalConfig | None) -> Iterator[CardService]:
    """The card service of a configuration, or of this machine, reporting to nobody."""
    from drivers.pcsc.service import PcscService
    from kiosk.devices import open_readers

    service = open_readers(config.card).service if config is not None else PcscService()
    service.start(lambda _event: None)
    try:
        yield service
    finally:
        service.stop()


def _first_look(service: CardService) -> tuple[ReaderState, ...]:
    until = time.monotonic() + _FIRST_LOOK_SECONDS
    while not (states := service.readers()) and time.monotonic() < until:
        time.sleep(0.005)
    return states


def _show_trace(line: object) -> None:
    complain(str(line))


def _keep(hand: Hand, file: Path) -> None:
    try:
        hand.stop_recording(file)
    except OSError as problem:
        raise CommandFailed(
            Exit.FAILED, f"记录没有存成 the transcript was not kept: {problem.strerror} {file}"
        ) from None
    complain(f"记录已存 transcript kept: {file}")
