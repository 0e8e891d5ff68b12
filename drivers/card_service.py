"""The seam between the terminal and whatever gives it cards: PC/SC or a direct socket."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from apdu.errors import ReaderGone
from apdu.transport import Transport
from drivers.events import Post


@dataclass(frozen=True)
class ReaderState:
    """One reader as last seen.

    Attributes:
        name: full name, as `CardService.connect` takes it.
        present: something is in the slot.
        mute: it is in the slot and does not answer.
        atr: answer to reset, 2 to 33 bytes; empty without an answering card.
    """

    name: str
    present: bool
    mute: bool
    atr: bytes


class CardConnection(Transport, Protocol):
    """One powered card in one reader, owned by the thread that opened it."""

    @property
    def reader(self) -> str:
        """The reader's full name."""

    def begin(self) -> None:
        """Keep other programs away for one business step; waits while one holds the card.

        Never held while a resident types: a step is milliseconds.

        Raises:
            CardRemoved, CardReset, CardMute, ReaderGone: see `apdu.errors`.
            RuntimeError: begun already.
        """

    def end(self) -> None:
        """Let others in again. Never raises: a card that left took its transaction along."""

    def transaction(self) -> AbstractContextManager[None]:
        """`begin` and `end` around a block."""


class CardService(Protocol):
    """Readers, their news, and connections to their cards."""

    def start(self, post: Post) -> None:
        """Start to report; what is already there is reported first."""

    def stop(self) -> None:
        """Stop to report, within one second. A second call does nothing."""

    def readers(self) -> tuple[ReaderState, ...]:
        """The readers as last seen; empty before `start` has had its first look."""

    def connect(self, reader: str) -> CardConnection:
        """Power the card in this reader and return the connection to it.

        Raises:
            CardAbsent: the slot is empty.
            CardMute: the card gives no answer to reset.
            ReaderGone: no such reader, or no smart card service.
            ReaderBusy: another program holds the reader Exclusively.
        """

    def answers(self, reader: str, seconds: float) -> bool:
        """Whether the slot is free within this time: False while a call or a transaction is under
        way in it, ours or another program's. True of a slot that is empty or gone; False of
        any while the service itself hangs. The card is neither powered nor reset nor sent
        anything."""


class Exclusively(AbstractContextManager[None]):
    """`begin` at the start of a block, `end` however it ends."""

    def __init__(self, connection: CardConnection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.begin()

    def __exit__(self, *_: object) -> None:
        self._connection.end()


def find_reader(states: Iterable[ReaderState], name_part: str) -> ReaderState:
    """The first reader whose name contains this part.

    PC/SC adds slot numbers to a reader's name (``... 00 00``), so a configuration names a part.

    Raises:
        ReaderGone: none does.
    """
    for state in states:
        if name_part in state.name:
            return state
    raise ReaderGone(f"no reader is named like {name_part!r}")
