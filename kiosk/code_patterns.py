r"""The form of a code as a pack declares it: a few signs of regular expressions, and no more.

A pattern is a row of characters and classes (``[0-9A-Z]``); a backslash stands before a sign that
is meant itself, ``{40}`` repeats what stands before it, and one ``{1,400}`` may leave a length
open. It fits the whole text or not at all. With one open length there is nothing to try a second
way, so the time grows with the text's length alone, whatever is shown to the scanner; and whether
two patterns can fit the same text is decided when the pack is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, repeat

Ranges = tuple[tuple[int, int], ...]
"""First and last code point of each range of characters."""

_SIGN = r"\\[!-/:-@\[-`{-~]"
_IN_CLASS = rf"(?:{_SIGN}|[^\\\[\]^-])"
_PIECE = re.compile(
    rf"(?:\[(?P<members>(?:{_IN_CLASS}(?:-{_IN_CLASS})?)+)\]"
    rf"|(?P<one>{_SIGN}|[^\\\[\](){{}}.*+?|^$]))"
    r"(?:\{(?P<low>[0-9]{1,4})(?:,(?P<high>[0-9]{1,4}))?\})?",
    re.DOTALL,
)
_MEMBER = re.compile(rf"(?P<first>{_IN_CLASS})(?:-(?P<last>{_IN_CLASS}))?", re.DOTALL)


class PatternProblem(ValueError):
    """A pattern that is refused; the text says why."""


@dataclass(frozen=True)
class Piece:
    """Characters of one class, so many times."""

    ranges: Ranges
    low: int
    high: int


@dataclass(frozen=True)
class Pattern:
    """A pattern that was read by `read_pattern`.

    Attributes:
        shortest, longest: characters of the texts that it fits.
    """

    pieces: tuple[Piece, ...]
    shortest: int
    longest: int

    def fits(self, text: str) -> bool:
        """Whether this is the form of the whole text."""
        return self.shortest <= len(text) <= self.longest and all(
            _within(ord(character), ranges)
            for character, ranges in zip(text, self._of_length(len(text)), strict=True)
        )

    def meets(self, other: Pattern) -> bool:
        """Whether some text fits both."""
        lengths = range(max(self.shortest, other.shortest), min(self.longest, other.longest) + 1)
        return any(
            all(map(_common, self._of_length(length), other._of_length(length)))
            for length in lengths
        )

    def within(self, first: int, last: int) -> bool:
        """Whether all its characters lie between these code points."""
        return all(
            first <= low and high <= last for piece in self.pieces for low, high in piece.ranges
        )

    def _of_length(self, length: int) -> Iterator[Ranges]:
        """What may stand at each place of a text of a length between shortest and longest."""
        spare = length - self.shortest
        return chain.from_iterable(
            repeat(piece.ranges, piece.low + (spare if piece.high > piece.low else 0))
            for piece in self.pieces
        )


def read_pattern(text: str, longest: int) -> Pattern:
    """Read a pattern.

    Args:
        longest: characters of the longest text that any code has.

    Raises:
        PatternProblem: it uses a sign that is not among ours, leaves two lengths open, or fits
            texts that are empty or too long.
    """
    pieces: list[Piece] = []
    at = 0
    while at < len(text):
        found = _PIECE.match(text, at)
        if found is None:
            raise PatternProblem(f"cannot be read from its character {at + 1} on")
        pieces.append(_piece(found))
        at = found.end()
    if sum(piece.high > piece.low for piece in pieces) > 1:
        raise PatternProblem("leaves more than one length open")
    pattern = Pattern(
        tuple(pieces), sum(piece.low for piece in pieces), sum(piece.high for piece in pieces)
    )
    if not 1 <= pattern.shortest <= pattern.longest <= longest:
        raise PatternProblem(f"must fit texts of 1 to {longest} characters")
    return pattern


def _piece(found: re.Match[str]) -> Piece:
    low = int(found["low"] or 1)
    high = int(found["high"] or low)
    if high < low:
        raise PatternProblem(f"repeats {low} to {high} times")
    if found["one"] is not None:
        one = ord(found["one"][-1])
        return Piece(((one, one),), low, high)
    return Piece(tuple(_range(member) for member in _MEMBER.finditer(found["members"])), low, high)


def _range(member: re.Match[str]) -> tuple[int, int]:
    first = ord(member["first"][-1])
    last = first if member["last"] is None else ord(member["last"][-1])
    if last < first:
        raise PatternProblem("has a range that ends before it begins")
    return first, last


def _within(character: int, ranges: Ranges) -> bool:
    return any(low <= character <= high for low, high in ranges)


def _common(one: Ranges, other: Ranges) -> bool:
    return any(
        max(low, other_low) <= min(high, other_high)
        for low, high in one
        for other_low, other_high in other
    )
