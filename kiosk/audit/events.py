"""The audit catalogue: which events exist, who may cause them, what their lines may hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import assert_never

from kiosk.toml_tables import FileProblem, Table

CATALOGUE = Path(__file__).parent / "events.toml"


class CatalogueError(FileProblem):
    """events.toml itself is wrong: a bug of this release."""


class NotCatalogued(ValueError):
    """An event, actor, outcome or detail that the catalogue does not allow: a bug of the caller.

    The text names keys and kinds, never the value.
    """


class Actor(Enum):
    """Who caused an event."""

    SYSTEM = "system"
    RESIDENT = "resident"
    CLERK = "clerk"
    SUPERVISOR = "supervisor"
    ENGINEER = "engineer"
    AUDITOR = "auditor"


class Outcome(Enum):
    """How it ended."""

    OK = "ok"
    REFUSED = "refused"
    FAILED = "failed"
    FAULT = "fault"
    UNKNOWN = "unknown"


class EventType(Enum):
    """What an event is about."""

    SYSTEM = "system"
    DEVICE = "device"
    VISIT = "visit"
    IDENTITY = "identity"
    SERVICE = "service"
    ALARM = "alarm"


class DetailKind(Enum):
    """What one detail may hold; see the head of events.toml."""

    COUNT = "count"
    WORD = "word"
    CODE = "code"
    TAG = "tag"


_WORD = re.compile(r"[a-z0-9._-]{1,64}")
_CODE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TAG = re.compile(r"[0-9a-f]{64}")
_COUNT_LIMIT = 1_000_000_000
# 15 digits were a resident's number until 1999, 18 with a check digit since (GB 11643).
_PERSON_NUMBER = re.compile(r"[0-9]{14}")


@dataclass(frozen=True)
class EventKind:
    """One entry of the catalogue.

    Attributes:
        who: actors that may cause it; the first is assumed when none is named.
        zh, en: meaning in words.
        detail: allowed keys and what each may hold.
    """

    id: str
    type: EventType
    who: tuple[Actor, ...]
    zh: str
    en: str
    detail: Mapping[str, DetailKind]

    def check(self, actor: Actor, detail: Mapping[str, str | int]) -> None:
        """Refuse an actor or a detail that the catalogue does not list. Raises NotCatalogued."""
        if actor not in self.who:
            raise NotCatalogued(f"{self.id}: {actor.value} can't cause it")
        for key, value in detail.items():
            kind = self.detail.get(key)
            if kind is None:
                raise NotCatalogued(f"{self.id}: detail {key!r} is not on the list")
            if not _fits(kind, value):
                raise NotCatalogued(f"{self.id}: detail {key!r} holds no {kind.value}")


@cache
def catalogue() -> Mapping[str, EventKind]:
    """All events by id. Raises CatalogueError."""
    return read_catalogue(CATALOGUE)


def read_catalogue(file: Path) -> Mapping[str, EventKind]:
    """Read one catalogue file. Raises CatalogueError."""
    top = Table.read(file, CatalogueError)
    return MappingProxyType({event: _event(event, top.table(event)) for event in top})


def event_kind(event: str) -> EventKind:
    """The catalogue's entry. Raises NotCatalogued."""
    try:
        return catalogue()[event]
    except KeyError:
        raise NotCatalogued(f"no event is called {event!r}") from None


def actor_named(name: str) -> Actor:
    """Raises NotCatalogued."""
    try:
        return Actor(name)
    except ValueError:
        raise NotCatalogued("no actor is called like that") from None


def outcome_named(name: str) -> Outcome:
    """Raises NotCatalogued."""
    try:
        return Outcome(name)
    except ValueError:
        raise NotCatalogued("no outcome is called like that") from None


def _event(event: str, table: Table) -> EventKind:
    keys = table.table("detail")
    kind = EventKind(
        id=event,
        type=table.choice("type", EventType),
        who=table.choices("who", Actor),
        zh=table.text("zh"),
        en=table.text("en"),
        detail=MappingProxyType({key: keys.choice(key, DetailKind) for key in keys}),
    )
    table.finish()
    if not _WORD.fullmatch(event) or not kind.who:
        raise table.problem("who", "expected an id of small letters and at least one actor")
    return kind


def _fits(kind: DetailKind, value: str | int) -> bool:
    if kind is DetailKind.COUNT:
        return type(value) is int and 0 <= value < _COUNT_LIMIT
    if not isinstance(value, str):
        return False
    match kind:
        case DetailKind.WORD:
            return bool(_WORD.fullmatch(value)) and not _PERSON_NUMBER.search(value)
        case DetailKind.CODE:
            return bool(_CODE.fullmatch(value)) and not _PERSON_NUMBER.search(value)
        case DetailKind.TAG:
            return bool(_TAG.fullmatch(value))
        case _:
            assert_never(kind)
