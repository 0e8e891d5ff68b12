"""Numbers that stand for persons and employers, and whether they can be right (services.md §7).

A number that fits its check character was typed or read well; it proves nobody.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import cache
from importlib import resources
from typing import Any

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


class NumberKind(Enum):
    """Whose number it is."""

    RESIDENT = "resident"
    """公民身份号码, GB 11643"""
    OLD_RESIDENT = "old-resident"
    """of 15 digits, until 1999; still found in old records"""
    PERMIT = "permit"
    """港澳台居民居住证"""
    FOREIGNER = "foreigner"
    """外国人永久居留身份证 since 2023-12-01"""
    FOREIGNER_OLD = "foreigner-old"
    """外国人永久居留证 before: 3 letters and 12 digits, which nothing checks"""


class NumberSlip(Enum):
    """What is wrong with a number."""

    FORM = "form"
    PLACE = "place"
    DATE = "date"
    CHECK = "check"


class WrongNumber(Exception):
    """The text is nobody's number; it is not repeated here."""

    def __init__(self, slip: NumberSlip) -> None:
        super().__init__(f"no person's number: {slip.value}")
        self.slip = slip


@dataclass(frozen=True)
class PersonNumber:
    """What a number says.

    Attributes:
        born: None where it does not say.
        male: of residents and permit holders; None where it does not say.
    """

    kind: NumberKind
    born: date | None
    male: bool | None


def check_character(first_17: str) -> str:
    """The last character of the number that begins with these 17 digits (ISO 7064 MOD 11-2).

    Raises:
        ValueError: they are no 17 digits.
    """
    if not re.fullmatch("[0-9]{17}", first_17):
        raise ValueError("17 digits come before the check character")
    digits = zip(first_17, _WEIGHTS, strict=True)
    return _CHECKS[sum(int(digit) * weight for digit, weight in digits) % 11]


def read_number(text: str, today: date) -> PersonNumber:
    """What a person's number says.

    Raises:
        WrongNumber: nobody can have it.
    """
    if re.fullmatch("[A-Z]{3}[0-9]{12}", text):
        return PersonNumber(NumberKind.FOREIGNER_OLD, None, None)
    if re.fullmatch("[0-9]{15}", text):
        _province(text)
        born = _date("19" + text[6:12], today)
        return PersonNumber(NumberKind.OLD_RESIDENT, born, int(text[-1]) % 2 == 1)
    if not re.fullmatch("[0-9]{17}[0-9X]", text):
        raise WrongNumber(NumberSlip.FORM)
    facts = _facts()
    if text.startswith(facts["foreigners"]):
        kind, male = NumberKind.FOREIGNER, None
    else:
        male = int(text[16]) % 2 == 1
        kind = NumberKind.RESIDENT
        if text[:6] in facts["permits"]:
            kind = NumberKind.PERMIT
        else:
            _province(text)
    born = _date(text[6:14], today)
    if check_character(text[:17]) != text[17]:
        raise WrongNumber(NumberSlip.CHECK)
    return PersonNumber(kind, born, male)


def upgraded(old: str) -> str:
    """The number of 18 characters that a resident's of 15 digits became in 1999.

    Raises:
        ValueError: it has no 15 digits.
    """
    if not re.fullmatch("[0-9]{15}", old):
        raise ValueError("an old number has 15 digits")
    first_17 = old[:6] + "19" + old[6:]
    return first_17 + check_character(first_17)


def is_social_security_number(text: str, today: date) -> bool:
    """Whether the text can be a 社会保障号码 that the platform knows people by: the number of 18
    characters of their document."""
    try:
        return len(text) == 18 and read_number(text, today) is not None
    except WrongNumber:
        return False


def is_credit_code(text: str) -> bool:
    """Whether the text fits as an employer's 统一社会信用代码 (GB 32100): 18 characters, the last
    of them a check character."""
    if len(text) != 18 or any(character not in _CREDIT_ALPHABET for character in text):
        return False
    values = [_CREDIT_ALPHABET.index(character) for character in text]
    total = sum(value * weight for value, weight in zip(values, _CREDIT_WEIGHTS, strict=False))
    return values[-1] == (31 - total % 31) % 31


@cache
def _facts() -> dict[str, Any]:
    text = resources.files("kiosk").joinpath("person_numbers.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _province(text: str) -> None:
    if int(text[:2]) not in _facts()["provinces"]:
        raise WrongNumber(NumberSlip.PLACE)


def _date(digits: str, today: date) -> date:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        raise WrongNumber(NumberSlip.DATE) from None
    if born > today:
        raise WrongNumber(NumberSlip.DATE)
    return born
