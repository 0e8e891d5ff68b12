"""What stands on a resident ID card or residence permit (`id_card.toml`, domain card.md §6).

Names keep every character as the card has it: pairs of surrogates and the private-use area hold
the rare ones, and what cannot be shown is for the screen to say.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import cache
from importlib import resources
from typing import Any

from drivers.id_reader import TEXT_LENGTH, RawIdCard

_LETTER_AT = 248


class IdCardKind(Enum):
    """The documents that the reader reads."""

    CITIZEN = "citizen"
    """居民身份证"""
    PERMIT = "permit"
    """港澳台居民居住证"""
    FOREIGNER_OLD = "foreigner-old"
    """外国人永久居留身份证 with a number of 15 characters"""
    FOREIGNER = "foreigner"
    """外国人永久居留身份证 of 2023, with a number of 18 characters"""


class Sex(Enum):
    """性别, GB/T 2261.1."""

    UNKNOWN = "unknown"
    MALE = "male"
    FEMALE = "female"
    UNSTATED = "unstated"


class IdCardUnreadable(Exception):
    """The card's text is not laid out as any known document's, or contradicts itself.

    Attributes:
        field: where; what stands there is told to nobody.
    """

    def __init__(self, field: str) -> None:
        super().__init__(f"the ID card's {field} can't be read")
        self.field = field


@dataclass(frozen=True, repr=False)
class IdCard:
    """One document, of whichever kind; what a kind does not have is empty.

    Attributes:
        name: in Chinese; a foreigner may have none.
        english_name: a foreigner's.
        nation: GB/T 3304 code; citizens' only.
        nationality: three letters or digits (ISO 3166); foreigners' only.
        valid_until: its last day, None for one that never ends (长期).
        pass_number: 通行证号码 of a permit.
        issues: how often a permit was issued or a foreigner's card renewed.
        photo: see `drivers.id_reader.RawIdCard`.
    """

    kind: IdCardKind
    number: str
    sex: Sex
    born: date
    valid_from: date
    valid_until: date | None
    photo: bytes
    name: str = ""
    english_name: str = ""
    nation: str = ""
    nationality: str = ""
    address: str = ""
    authority: str = ""
    pass_number: str = ""
    issues: int = 0
    version: str = ""
    related: str = ""

    def __repr__(self) -> str:
        return f"<IdCard {self.kind.value}>"


@cache
def id_card_facts() -> dict[str, Any]:
    """The facts of `id_card.toml`."""
    return tomllib.loads(resources.files("drivers").joinpath("id_card.toml").read_text("utf-8"))


def decode_text(octets: bytes) -> str:
    """Text of the card without its padding. Raises ValueError: no UTF-16LE, or control
    characters."""
    text = octets.decode("utf-16-le").rstrip(" ")
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise ValueError("control characters")
    return text


def read_id_card(raw: RawIdCard) -> IdCard:
    """What a card says.

    Raises:
        IdCardUnreadable: it says something that no such card can say.
    """
    if len(raw.text) != TEXT_LENGTH:
        raise IdCardUnreadable("text")
    layout = _layout(raw.text)
    values: dict[str, Any] = {}
    at = 0
    for name, length, form in layout["fields"]:
        if form not in ("reserved", "letter"):
            try:
                values[name] = _value(decode_text(raw.text[at : at + length]), form)
            except ValueError:
                raise IdCardUnreadable(name) from None
        at += length
    values["english_name"] = values.get("english_name", "") + values.pop("english_name_rest", "")
    card = IdCard(kind=IdCardKind(layout["kind"]), photo=raw.photo, **values)
    if card.valid_until is not None and card.valid_until < card.valid_from:
        raise IdCardUnreadable("valid_until")
    if card.valid_from < card.born:
        raise IdCardUnreadable("valid_from")
    return card


def _layout(text: bytes) -> dict[str, Any]:
    letter = text[_LETTER_AT : _LETTER_AT + 2].decode("utf-16-le", "replace")
    for layout in id_card_facts()["layout"]:
        if layout["letter"] == letter:
            return dict(layout)
    raise IdCardUnreadable("kind")


def _value(text: str, form: str) -> str | int | Sex | date | None:
    """What a field of this form holds. Raises ValueError."""
    facts = id_card_facts()
    match form:
        case "text":
            return text
        case "filled" if text:
            return text
        case "sex" if text in facts["sex"]:
            return Sex(facts["sex"][text])
        case "nation" if text in facts["nations"]:
            return text
        case "end" if text == facts["words"]["unlimited"]:
            return None
        case "date" | "end" if re.fullmatch("[0-9]{8}", text):
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
        case _ if form in facts["forms"] and re.fullmatch(facts["forms"][form], text):
            return int(text) if form == "count" else text
        case _:
            raise ValueError("not of this form")
