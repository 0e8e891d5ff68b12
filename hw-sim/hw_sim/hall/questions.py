"""Reading what a question of the control socket says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from hw_sim.hall.client import Answer
from hw_sim.hall.control import Refused

Question = Mapping[str, Any]
Questions = Mapping[str, Callable[[Question], Answer]]

T = TypeVar("T")


def here(part: T | None) -> T:
    """The part, once it is there.

    Raises:
        Refused: the hall is still opening.
    """
    if part is None:
        raise Refused("the hall is still opening")
    return part


def text(question: Question, name: str) -> str:
    """A text that is not empty.

    Raises:
        Refused: there is none.
    """
    value = question.get(name)
    if not isinstance(value, str) or not value:
        raise Refused(f"{question['do']} needs {name!r}, a text")
    return value


def choice(question: Question, name: str, choices: str) -> str:
    """One of these words.

    Raises:
        Refused: it is none of them.
    """
    value = question.get(name)
    if value not in choices.split():
        raise Refused(f"{question['do']} needs {name!r}: {' or '.join(choices.split())}")
    return str(value)


def whole(question: Question, name: str, most: int) -> int:
    """A whole number, 0..most.

    Raises:
        Refused: it is none.
    """
    value = question.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise Refused(f"{question['do']} needs {name!r}: a whole number, 0 to {most}")
    return value
