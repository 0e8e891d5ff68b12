"""The seam between a card and its applications, and the card that holds several of them.

An application is built with the card's `Memory` and `Challenges`; it writes under keys that begin
with a word of its own and spends the challenges that the card gave. The card itself answers
SELECT of a directory and GET CHALLENGE; every other command goes to the current application.
"""

from __future__ import annotations

import random
import secrets
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Protocol

from hw_sim.cards import iso7816 as iso
from hw_sim.cards.iso7816 import Answer, CardSystem, Command, Handler, SwError
from hw_sim.cards.memory import Memory

RandomSource = Callable[[int], bytes]


class Application(Protocol):
    """One directory of a card: the MF, a DDF, a DF or an ADF."""

    @property
    @abstractmethod
    def aid(self) -> bytes:
        """DF name for SELECT by name, 1 to 16 bytes."""

    @property
    @abstractmethod
    def fid(self) -> int | None:
        """File identifier; ``None`` where only the name selects it."""

    @abstractmethod
    def select(self) -> bytes | Answer:
        """Becomes the current application and gives its FCI.

        Ends what an earlier selection allowed. Raises SwError where it cannot be selected; then
        the current application stays.
        """

    @property
    @abstractmethod
    def handlers(self) -> Mapping[tuple[int, int], Handler]:
        """Handler of each (CLA, INS) while it is the current one; it returns the answer's data
        or raises SwError. SELECT (00, A4) comes here where it names no directory of the card."""

    @abstractmethod
    def drop_volatile_state(self) -> None:
        """Power went or the card was reset."""


class Challenges:
    """The latest answer to GET CHALLENGE, good for one use.

    Args:
        random_bytes: source of the challenges without a seed; takes a length.
        seed: the same challenges after each power-on, for benchmarks.
    """

    def __init__(
        self, random_bytes: RandomSource = secrets.token_bytes, seed: int | None = None
    ) -> None:
        self._source = random_bytes
        self.seed = seed
        self.restart()

    def restart(self) -> None:
        """Forgets the latest one, and begins a seeded sequence anew."""
        self._latest: bytes | None = None
        seed = self.seed
        self._random_bytes = self._source if seed is None else random.Random(seed).randbytes

    def draw(self, length: int) -> bytes:
        """A new one, which replaces the latest."""
        self._latest = self._random_bytes(length)
        return self._latest

    @property
    def latest(self) -> bytes | None:
        """The challenge that has not been spent yet."""
        return self._latest

    def spend(self, length: int) -> bytes:
        """The latest challenge, which is gone then. Raises SwError(6984): there is none of that
        length; one of another length is gone too."""
        latest, self._latest = self._latest, None
        if latest is None or len(latest) != length:
            raise SwError(iso.CHALLENGE_MISSING)
        return latest


class MultiApplicationCard(CardSystem):
    """A card of one MF and any number of applications.

    Args:
        atr: answer to reset.
        t0: see `CardSystem`.
        memory: shared with the applications.
        challenges: shared with the applications.
        master: what is current after power-on; selected by its name or its identifier (3F00).
    """

    def __init__(
        self,
        atr: bytes,
        *,
        t0: bool,
        memory: Memory,
        challenges: Challenges,
        master: Application,
    ) -> None:
        super().__init__(atr, t0=t0, memory=memory)
        self._challenges = challenges
        self._master = self._current = master
        self._parents: dict[Application, Application | None] = {master: None}

    def install(self, application: Application, under: Application | None = None) -> None:
        """Adds an application below another one, or below the MF."""
        self._parents[application] = under or self._master

    @property
    def current(self) -> Application:
        """The application that gets the commands."""
        return self._current

    @property
    def handlers(self) -> Mapping[tuple[int, int], Handler]:
        own: Mapping[tuple[int, int], Handler] = {
            (0x00, 0xA4): self._select,
            (0x00, 0x84): self._get_challenge,
        }
        return {**self._current.handlers, **own}

    def drop_volatile_state(self) -> None:
        self._current = self._master
        self._challenges.restart()
        for application in self._parents:
            application.drop_volatile_state()

    def _select(self, command: Command) -> bytes | Answer:
        if command.p2 not in (0x00, 0x0C):
            raise SwError(iso.WRONG_P1_P2)
        match command.p1:
            case 0x04:
                if not 1 <= len(command.data) <= 16:
                    raise SwError(iso.WRONG_LENGTH)
                chosen = self._named(command.data)
                if chosen is None:
                    raise SwError(iso.FILE_NOT_FOUND)
            case 0x00 | 0x02:
                if len(command.data) != 2:
                    raise SwError(iso.WRONG_LENGTH)
                fid = int.from_bytes(command.data, "big")
                chosen = self._near(fid) if command.p1 == 0x00 else None
            case _:
                raise SwError(iso.WRONG_P1_P2)
        if chosen is None:
            return self._select_file(command)
        return self._enter(chosen, tell=command.p2 == 0x00)

    def _enter(self, application: Application, *, tell: bool) -> bytes | Answer:
        information = application.select()
        self._current = application
        if tell:
            return information
        return Answer(b"", information.sw) if isinstance(information, Answer) else b""

    def _select_file(self, command: Command) -> bytes | Answer:
        """An elementary file of the current application."""
        handler = self._current.handlers.get((command.cla, command.ins))
        if handler is None:
            raise SwError(iso.FILE_NOT_FOUND)
        return handler(command)

    def _named(self, name: bytes) -> Application | None:
        return next((each for each in self._parents if each.aid == name), None)

    def _near(self, fid: int) -> Application | None:
        """By identifier only what is near: the MF, the current directory, its parent, its
        children and its siblings (ISO/IEC 7816-4 §7.1.1)."""
        here, parents = self._current, self._parents
        above = parents[here]
        near = [
            each
            for each, parent in parents.items()
            if each in (self._master, here, above)
            or parent is here
            or (above is not None and parent is above)
        ]
        return next((each for each in near if each.fid == fid), None)

    def _get_challenge(self, command: Command) -> bytes:
        if command.p1 or command.p2:
            raise SwError(iso.WRONG_P1_P2)
        if command.data or command.ne not in (4, 8, 16):
            raise SwError(iso.WRONG_LENGTH)
        return self._challenges.draw(command.ne)
