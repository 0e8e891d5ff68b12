"""Breaking text into lines: Han characters singly, Latin text by words.

Marks that may not begin or end a line follow GB/T 15834-2011 §5.1 (position of punctuation).
"""

from __future__ import annotations

from collections.abc import Callable

Measure = Callable[[str], int]

NOT_AT_START = frozenset("，。、；：！？）》〉」』】〕”’…—～·％‰℃,.;:!?)]}%、›→")
NOT_AT_END = frozenset("（《〈「『【〔“‘([{¥￥$№#")
_INSEPARABLE = frozenset("—…")
_PAUSES = frozenset("，、；：。！？")
ELLIPSIS = "…"


def is_wide(character: str) -> bool:
    """Han characters, kana and their punctuation, between which a line may break."""
    code = ord(character)
    return (
        0x2E80 <= code <= 0x9FFF
        or 0xF900 <= code <= 0xFAFF
        or 0xFF00 <= code <= 0xFFEF
        or 0x20000 <= code <= 0x323AF
        or character in "—…“”‘’·"
    )


def may_break(before: str, after: str) -> bool:
    """Whether a line may end after ``before`` (one character) when ``after`` is the next."""
    if after == " ":
        return False  # the blank goes along and is dropped at the line's end
    if after in NOT_AT_START or before in NOT_AT_END:
        return False
    if before == after and before in _INSEPARABLE:
        return False
    if before == " ":
        return True
    if before in "-/" and not after.isdigit():
        return True
    return is_wide(before) or is_wide(after)


def wrap(text: str, width: int, measure: Measure) -> list[str]:
    """Lines no wider than ``width`` pixels; a line feed in the text always ends a line.

    A single word wider than the line is cut where it must. At least one character stands on
    each line, so that only a width under one character can be exceeded.
    """
    return [line for paragraph in text.split("\n") for line in _wrap_one(paragraph, width, measure)]


def _wrap_one(text: str, width: int, measure: Measure) -> list[str]:
    lines: list[str] = []
    rest = text.strip()
    while len(rest) > 1 and measure(rest) > width:
        cut = _cut(rest, width, measure)
        lines.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    lines.append(rest)
    return lines


def _cut(text: str, width: int, measure: Measure) -> int:
    fitting = _fitting(text, width, measure)
    for end in range(fitting, 0, -1):
        # "end == len(text)" cannot happen here: the whole text did not fit.
        if may_break(text[end - 1], text[end]) and text[:end].strip():
            return end
    return fitting


def _fitting(text: str, width: int, measure: Measure) -> int:
    """How many characters fit (without trailing blanks), at least one."""
    low, high = 1, len(text) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if measure(text[:middle].rstrip()) <= width:
            low = middle
        else:
            high = middle - 1
    return low


def balanced(text: str, width: int, measure: Measure) -> list[str]:
    """Wrap into as few lines as `wrap`, of about equal length: for headings and buttons."""
    lines = wrap(text, width, measure)
    if len(lines) == 1 or "\n" in text:
        return lines
    if len(lines) == 2 and (halves := _at_a_pause(text.strip(), width, measure)):
        return halves
    low, high = width // len(lines), width
    while high - low > 4:
        middle = (low + high) // 2
        if len(wrap(text, middle, measure)) <= len(lines):
            high = middle
        else:
            low = middle
    narrow = wrap(text, high, measure)
    fits = len(narrow) <= len(lines) and all(measure(line) <= width for line in narrow)
    return narrow if fits and not _cuts_words(text, narrow) else lines


def _at_a_pause(text: str, width: int, measure: Measure) -> list[str] | None:
    """Two lines that part at a comma or the like, when neither would be very short.

    Han text has no blanks: a break at a pause is the only one sure not to part a word.
    """
    best: list[str] | None = None
    shortest = width + 1
    for end in range(1, len(text)):
        if text[end - 1] not in _PAUSES or not may_break(text[end - 1], text[end]):
            continue
        halves = [text[:end].rstrip(), text[end:].lstrip()]
        one, other = sorted(measure(half) for half in halves)
        if other < shortest and one * 3 >= other:
            best, shortest = halves, other
    return best


def _cuts_words(text: str, lines: list[str]) -> bool:
    """Whether some line ends inside a word, where `may_break` says no."""
    at = 0
    for line in lines[:-1]:
        at = text.index(line, at) + len(line)
        if text[at] != " " and not may_break(text[at - 1], text[at]):
            return True
    return False


def without_orphan(text: str, width: int, measure: Measure) -> list[str]:
    """Wrap; a very short last line is avoided by evening the lines out.

    Two lines of Han text part at a pause where there is a good one.
    """
    lines = wrap(text, width, measure)
    if len(lines) == 1 or "\n" in text:
        return lines
    if len(lines) == 2 and (halves := _at_a_pause(text.strip(), width, measure)):
        return halves
    return balanced(text, width, measure) if measure(lines[-1]) * 5 < width else lines


def shortened(lines: list[str], most: int, width: int, measure: Measure) -> list[str]:
    """At most ``most`` lines; where some are left out the last one ends with an ellipsis."""
    if len(lines) <= most:
        return [ellipsized(line, width, measure) for line in lines]
    last = lines[most - 1]
    return [*lines[: most - 1], ellipsized(last + ELLIPSIS, width, measure)]


def ellipsized(line: str, width: int, measure: Measure) -> str:
    """One line, cut with an ellipsis when it is wider than ``width``."""
    if measure(line) <= width:
        return line
    kept = line.rstrip(ELLIPSIS)
    while kept and measure(kept.rstrip() + ELLIPSIS) > width:
        kept = kept[:-1]
    return kept.rstrip() + ELLIPSIS if kept else ELLIPSIS
