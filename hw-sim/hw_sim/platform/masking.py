"""How a person is shown to whoever checks a certificate."""

from __future__ import annotations


def masked_name(name: str) -> str:
    """王*芳; of two characters the first is hidden, of one all."""
    if len(name) < 3:
        return "*" * min(len(name), 1) + name[1:]
    return name[0] + "*" * (len(name) - 2) + name[-1]


def masked_number(number: str) -> str:
    """Of 18 characters the first 3 and the last 4."""
    return number[:3] + "*" * (len(number) - 7) + number[-4:]
