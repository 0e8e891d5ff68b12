"""What an IPP printer says of its supplies: ``marker-…``, and ``printer-supply`` (PWG 5100.13)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from drivers.document_printer import Supply, SupplyColour, SupplyKind, SupplyState
from drivers.ipp.answers import Attributes, octet_strings, words

SUPPLY_ATTRIBUTES = (
    "marker-names",
    "marker-types",
    "marker-colors",
    "marker-levels",
    "marker-low-levels",
    "printer-supply",
    "printer-supply-description",
)
"""What `supplies` reads."""

_LONGEST = 60
# RFC 3805 prtMarkerSuppliesLevel: -1 has no limit, -2 is unknown, -3 is "some is left".
_NO_LIMIT, _SOME = -1, -3


@dataclass(frozen=True)
class _Words:
    kinds: Mapping[str, SupplyKind]
    colours: Mapping[str, SupplyColour]
    low: int


@cache
def _words() -> _Words:
    path = resources.files("drivers.ipp").joinpath("supplies.toml")
    table = tomllib.loads(path.read_text("utf-8"))
    return _Words(
        {word: SupplyKind(kind) for kind, row in table["kind"].items() for word in row},
        {word: SupplyColour(hue) for hue, row in table["colour"].items() for word in row},
        table["low"]["percent"],
    )


def supplies(attributes: Attributes) -> tuple[Supply, ...]:
    """The supplies, in the printer's order.

    ``marker-…`` come first, as they have the printer's own threshold; ``printer-supply`` serves
    where they are missing, and for boxes: it says that a level is the room left, while
    ``marker-levels`` of a box mean how full it is for some printers and how empty for others.
    """
    rows = [fields(each) for each in octet_strings(attributes, "printer-supply")]
    names = words(attributes, "marker-names")
    if not names or "marker-levels" not in attributes:
        called = words(attributes, "printer-supply-description")
        return tuple(_by_row(row, _at(called, place)) for place, row in enumerate(rows))
    boxes = iter([row for row in rows if "receptacle" in row.get("class", "")])
    return tuple(_marker(attributes, place, name, boxes) for place, name in enumerate(names))


def fields(octets: str) -> Mapping[str, str]:
    """``key=value;…`` of PWG 5100.9 and 5100.13; what has no ``=`` is left out."""
    pairs = (part.partition("=") for part in octets.split(";"))
    return {key.strip().lower(): value.strip() for key, equals, value in pairs if equals}


def whole(text: str | None) -> int | None:
    """The whole number that a field holds."""
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def shown(text: str) -> str:
    """A printer's words as staff may read them: no control characters, not without end."""
    return "".join(letter for letter in text if letter.isprintable())[:_LONGEST].strip()


def _marker(
    attributes: Attributes, place: int, name: str, boxes: Iterator[Mapping[str, str]]
) -> Supply:
    kind = _kind(_at(words(attributes, "marker-types"), place))
    colour = _words().colours.get(_at(words(attributes, "marker-colors"), place).lower())
    if kind is SupplyKind.WASTE:
        row = next(boxes, None)
        return _by_row(row, name) if row else Supply(shown(name), kind, None, None, _UNKNOWN)
    level, low = (
        _number(attributes, "marker-levels", place),
        _number(attributes, "marker-low-levels", place),
    )
    percent, state = _judged(level, 100, _words().low if low is None or low < 0 else low)
    return Supply(shown(name), kind, colour, percent, state)


def _by_row(row: Mapping[str, str], name: str) -> Supply:
    percent, state = _judged(whole(row.get("level")), whole(row.get("maxcapacity")), _words().low)
    kind = _kind(row.get("type", ""))
    colour = _words().colours.get(row.get("colorantname", "").lower())
    return Supply(shown(name) or kind.value, kind, colour, percent, state)


_UNKNOWN = SupplyState.UNKNOWN


def _judged(level: int | None, most: int | None, low: int) -> tuple[int | None, SupplyState]:
    if level is None or level < 0:
        good = level in (_NO_LIMIT, _SOME)
        return None, SupplyState.GOOD if good else _UNKNOWN
    if level == 0:
        return 0, SupplyState.SPENT
    if most is None or most <= 0:
        return None, SupplyState.GOOD
    percent = min(100, level * 100 // most)
    return percent, SupplyState.LOW if percent <= low else SupplyState.GOOD


def _kind(word: str) -> SupplyKind:
    return _words().kinds.get(word.lower().replace("-", ""), SupplyKind.OTHER)


def _at(found: tuple[str, ...], place: int) -> str:
    return found[place] if place < len(found) else ""


def _number(attributes: Attributes, name: str, place: int) -> int | None:
    found = attributes.get(name, ())
    value = found[place] if place < len(found) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
