"""How a person is shown: name 王*芳, numbers first 3 and last 4 (DESIGN §9)."""

from __future__ import annotations


def mask_name(name: str) -> str:
    """Keep the first and last character; of two characters hide the first; of one, show none."""
    match len(name):
        case 0:
            return ""
        case 1:
            return "*"
        case 2:
            return "*" + name[-1]
        case length:
            return name[0] + "*" * (length - 2) + name[-1]


def mask_number(number: str) -> str:
    """First 3 and last 4 characters; a number too short for that is hidden whole."""
    if len(number) < 8:
        return "*" * len(number)
    return number[:3] + "*" * (len(number) - 7) + number[-4:]


def tail(number: str) -> str:
    """The last 4 characters, as on a card's slip; shorter numbers are hidden whole."""
    return number[-4:] if len(number) >= 8 else "*" * len(number)
