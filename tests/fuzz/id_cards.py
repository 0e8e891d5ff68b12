"""What a resident ID card may say, if anybody could write one."""

from __future__ import annotations

import contextlib
import unicodedata
from dataclasses import fields
from datetime import date

from drivers.id_card import IdCardUnreadable, decode_text, read_id_card
from drivers.id_reader import PHOTO_LENGTH, RawIdCard
from kiosk.person_numbers import WrongNumber, read_number

PHOTO = bytes(PHOTO_LENGTH)
TODAY = date(2026, 7, 1)


def id_card(data: bytes) -> None:
    """The text of a card: read into sound values, or refused by the name of a field only."""
    with contextlib.suppress(ValueError):
        assert not _controls(decode_text(data))
    try:
        card = read_id_card(RawIdCard(data, PHOTO))
    except IdCardUnreadable as error:
        assert error.__cause__ is None and error.field.replace("_", "").isalpha()
        return
    assert card.photo is PHOTO
    assert card.born <= card.valid_from and (card.valid_until or date.max) >= card.valid_from
    texts = [getattr(card, each.name) for each in fields(card)]
    said = [text for text in texts if isinstance(text, str)]
    assert not any(map(_controls, said)) and all(text == text.rstrip(" ") for text in said)
    assert card.number and card.number not in repr(card)
    with contextlib.suppress(WrongNumber):
        born = read_number(card.number, TODAY).born
        assert born is None or born <= TODAY


def _controls(text: str) -> bool:
    return any(unicodedata.category(character) == "Cc" for character in text)
