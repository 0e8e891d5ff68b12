"""事项目录: the items of a data pack, read from ``items.toml``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from kiosk.bilingual import Bilingual, read_bilingual
from kiosk.identity import Leg
from kiosk.toml_tables import Table

MAXIMUM_STEPS = 3
"""Steps after identification (S5 6.1.3)."""
MAXIMUM_CODE = 40
"""Characters of an item code; beyond the charset it is opaque (GB/T 39554.1)."""

CODE = re.compile(rf"[A-Za-z0-9._-]{{1,{MAXIMUM_CODE}}}")


class OfflineClass(Enum):
    """What becomes of an item when the platform cannot be reached."""

    REFUSE = "A"
    CAPTURE = "B"
    CACHED = "C"
    NO_PRINT = "D"
    LOCAL_FIRST = "E"


class Handling(Enum):
    """即时办理, 承诺办理, 预约办理 (S5 3.2, 5.3.1b)."""

    INSTANT = "instant"
    PROMISED = "promised"
    APPOINTMENT = "appointment"


@dataclass(frozen=True)
class Guide:
    """办事指南: the ten fields of a service item (S5 3.2); None where the province gave none."""

    name: Bilingual | None
    brief: Bilingual | None
    materials: Bilingual | None
    mode: Bilingual | None
    time_limit: Bilingual | None
    result: Bilingual | None
    fee: Bilingual | None
    hours: Bilingual | None
    enquiry: Bilingual | None
    complaint: Bilingual | None


@dataclass(frozen=True)
class Item:
    """事项: one thing that a resident can do here.

    Attributes:
        code: opaque, at most 40 characters.
        glyph: one character for the icon plate.
        level: 1 on the home screen; 2 or 3 below groups of the menu.
        legs: what must be established before (DESIGN §4.1).
        service: name of the service that does it.
        risky: asks for a warning and a confirm step (S5 5.3.2).
        steps: after identification, 1..3.
    """

    code: str
    title: Bilingual
    hint: Bilingual
    glyph: str
    level: int
    offline: OfflineClass
    handling: Handling
    legs: frozenset[Leg]
    service: str
    risky: bool
    steps: int
    guide: Guide


def read_items(
    top: Table, placed: Mapping[str, int], services: Mapping[str, frozenset[Leg]] | None
) -> dict[str, Item]:
    """All items by code.

    Args:
        placed: level of the menu by item code; an item that stands nowhere is refused.
        services: the legs that each service of this release establishes, by its name; None
            leaves both unchecked.

    Raises:
        PackError: through the table.
    """
    items: dict[str, Item] = {}
    for table in top.tables("item"):
        code = table.matching("code", CODE, f"at most {MAXIMUM_CODE} letters, digits, . _ -")
        if code in items:
            raise table.problem("code", f"{code} is there twice")
        if code not in placed:
            raise table.problem("code", f"{code} stands nowhere in the menu")
        item = Item(
            code=code,
            title=read_bilingual(table.table("title")),
            hint=read_bilingual(table.table("hint")),
            glyph=read_glyph(table),
            level=placed[code],
            offline=table.choice("offline", OfflineClass),
            handling=table.choice("handling", Handling),
            legs=frozenset(table.choices("legs", Leg)),
            service=table.text("service"),
            risky=table.boolean("risky"),
            steps=table.integer("steps", 1, MAXIMUM_STEPS),
            guide=_guide(table.optional_table("guide")),
        )
        if services is not None and item.service not in services:
            raise table.problem("service", f"this release has no service {item.service}")
        if services is not None and not item.legs <= services[item.service]:
            raise table.problem(
                "legs", f"the service {item.service} does not establish all of them"
            )
        table.finish()
        items[code] = item
    top.finish()
    return items


def _guide(table: Table) -> Guide:
    def field(key: str) -> Bilingual | None:
        return read_bilingual(table.table(key)) if key in table else None

    guide = Guide(
        name=field("name"),
        brief=field("brief"),
        materials=field("materials"),
        mode=field("mode"),
        time_limit=field("time_limit"),
        result=field("result"),
        fee=field("fee"),
        hours=field("hours"),
        enquiry=field("enquiry"),
        complaint=field("complaint"),
    )
    for key in table:
        if key not in Guide.__annotations__:
            raise table.problem(key, "is none of the ten fields of S5 3.2")
    return guide


def read_glyph(table: Table) -> str:
    """The one character of an icon plate."""
    glyph = table.text("glyph")
    if len(glyph) != 1:
        raise table.problem("glyph", "expected one character")
    return glyph
