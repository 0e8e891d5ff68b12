"""The steps a service asks for, and what each gives back.

A service is a generator of one page: ``answer = yield from Step(...)``. It holds no thread, no
drawing and no retry; the runner (`kiosk.runner`) answers each step or throws a typed failure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from drivers.id_card import IdCard
from kiosk.pages import IdCardProblem, Page

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Flow = Generator["Step[Any]", Any, T]
"""What a service returns when it is called: steps out, answers in, a result at the end."""


class Step(Generic[T]):
    """One thing asked of the resident, a device or the platform; its answer is a ``T``."""

    def __iter__(self) -> Generator[Step[Any], Any, T]:
        answer: T = yield self
        return answer


class Back(Exception):
    """The resident touched the way back; a service lets it pass."""


class Leave(Exception):
    """The resident is done; a service lets it pass."""


@dataclass(frozen=True)
class Option(Generic[T]):
    """One thing to choose.

    Attributes:
        id: the id of what is touched on the screen.
        value: what the service receives.
    """

    id: str
    value: T


@dataclass(frozen=True)
class Choose(Step[T]):
    """Screen step: the resident picks one option of a page."""

    page: Page
    options: tuple[Option[T], ...]


@dataclass(frozen=True)
class Show(Step[str]):
    """Screen step: a page that stays until one of its own actions is touched.

    The answer is the action's id, or ``elapsed`` when ``seconds`` have passed.

    Attributes:
        sensitive: shows a person's data, so the shorter idle time applies.
        seconds: how long the page may stay, None for as long as the visit lasts.
        card_free: the card may be taken meanwhile.
    """

    page: Page
    actions: tuple[str, ...]
    sensitive: bool = False
    seconds: float | None = None
    card_free: bool = False


class Reporter(Protocol):
    """What work on a worker may call to say how far it is."""

    def __call__(self, value: Any, /) -> None: ...


class Stream(Protocol[T_co]):
    """A device watched for a while: blocking `run` on its worker, `cancel` from any thread."""

    @property
    def lane(self) -> str: ...

    def run(self, report: Reporter) -> T_co: ...

    def cancel(self) -> None: ...


@dataclass(frozen=True)
class CardShown:
    """A card was put into the slot."""


@dataclass(frozen=True)
class CodeShown:
    """A code was held to the scanner; its payload byte for byte."""

    payload: bytes = field(repr=False)


@dataclass(frozen=True)
class IdCardShown:
    """An ID card was laid on its reader: what it says, or why that is of no use."""

    found: IdCard | IdCardProblem = field(repr=False)


@dataclass(frozen=True)
class Ready:
    """Whose device can be used now: the scanner's, the ID reader's."""

    codes: bool = False
    id_cards: bool = False


@dataclass(frozen=True)
class AwaitAny(Step["CardShown | CodeShown | IdCardShown | str"]):
    """Screen step: the first of several things that a resident shows by themselves or touches.

    The answer is what was shown, or the id of the touched action.

    Attributes:
        page: page for what can be used now.
        card: a card answers, at once when one is in the slot already.
        codes: the scanner's stream, None where no code is of use.
        id_cards: the ID reader's stream, None where no ID card is of use.
        actions: what else may be touched.
    """

    page: Callable[[Ready], Page]
    card: bool = False
    codes: Stream[bytes] | None = None
    id_cards: Stream[IdCard | IdCardProblem] | None = None
    actions: tuple[str, ...] = ()

    @property
    def streams(self) -> tuple[Stream[Any], ...]:
        """What is watched at the same time."""
        return tuple(stream for stream in (self.codes, self.id_cards) if stream is not None)

    def ready(self, lanes: Collection[str]) -> Ready:
        """What can be used while these lanes are at work."""
        return Ready(
            self.codes is not None and self.codes.lane in lanes,
            self.id_cards is not None and self.id_cards.lane in lanes,
        )

    def shown(self, lane: str, value: Any) -> CodeShown | IdCardShown:
        """The answer for what came from a lane."""
        if self.codes is not None and lane == self.codes.lane:
            return CodeShown(value)
        return IdCardShown(value)


@dataclass(frozen=True)
class Watch(Step[T]):
    """Screen step that follows a device: each reported value makes a new page.

    Attributes:
        page: page for the latest reported value (None before the first).
        seconds: the resident's time for it; each reported value starts it anew.
    """

    stream: Stream[T]
    page: Callable[[Any], Page]
    seconds: float


@dataclass(frozen=True)
class Run(Step[T]):
    """Work on a device or the platform, done on the worker of its lane.

    Attributes:
        work: a bound method of something that has a ``lane``; called with ``args``.
        page: what the screen shows meanwhile.
        deadline: seconds after which the flow goes on without it (`kiosk.failures.NoAnswer`).
        progress: page for each value that the work reports; ``work`` then gets a `Reporter` as
            its last argument.
        card_free: the card may be taken meanwhile.
    """

    work: Callable[..., T]
    args: tuple[Any, ...] = ()
    page: Page = field(kw_only=True)
    deadline: float = field(kw_only=True)
    progress: Callable[[Any], Page] | None = field(default=None, kw_only=True)
    card_free: bool = field(default=False, kw_only=True)

    def call(self, report: Reporter) -> T:
        """Do the work; runs on the worker."""
        if self.progress is None:
            return self.work(*self.args)
        return self.work(*self.args, report)

    @property
    def lane(self) -> str:
        """The worker that does it: the lane of the object the work belongs to."""
        lane = getattr(getattr(self.work, "__self__", None), "lane", None)
        if not isinstance(lane, str):
            raise TypeError(f"{self.work!r} belongs to nothing that has a lane")
        return lane
