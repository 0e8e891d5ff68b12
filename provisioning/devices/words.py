"""What a field engineer reads about a device, from `words.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from drivers.device import DeviceKind
from kiosk.bilingual import Bilingual


@dataclass(frozen=True)
class Condition:
    """An obstacle or a note in words, and what to do next."""

    told: Bilingual
    advice: Bilingual


def kind_name(kind: DeviceKind) -> Bilingual:
    """What a device of this kind is called."""
    return Bilingual(**_words()["kind"][kind.value])


def question(kind: DeviceKind) -> Bilingual:
    """What its status asks it."""
    return Bilingual(**_words()["asked"][kind.value])


def obstacle(kind: DeviceKind, reason: str) -> Condition:
    """Why it does not serve; the value of a reason."""
    return _condition("reason", kind, reason)


def note(kind: DeviceKind, noted: str) -> Condition:
    """What staff should see to, though it serves; the value of a note."""
    return _condition("note", kind, noted)


def _condition(sort: str, kind: DeviceKind, value: str) -> Condition:
    table = _words()[sort]
    words = table.get(kind.value, {}).get(value) or table["any"][value]
    return Condition(
        Bilingual(words["zh"], words["en"]), Bilingual(words["advice_zh"], words["advice_en"])
    )


@cache
def _words() -> dict[str, Any]:
    file = resources.files("provisioning.devices").joinpath("words.toml")
    return tomllib.loads(file.read_text("utf-8"))
