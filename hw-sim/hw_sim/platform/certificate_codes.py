"""The code on a certificate (电子防伪码): 15 random characters and a check character."""

from __future__ import annotations

import secrets

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
LENGTH = 16


def check_character(first_15: str) -> str:
    """The last character, by the hybrid system of ISO/IEC 7064 with moduli 33 and 32."""
    product = 32
    for character in first_15:
        total = (product + ALPHABET.index(character)) % 32
        product = 2 * (total if total else 32) % 33
    return ALPHABET[(33 - product) % 32]


def new_code() -> str:
    """A fresh code, 75 random bits."""
    first_15 = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
    return first_15 + check_character(first_15)


def is_code(text: str) -> bool:
    """Whether ``text`` has the form of a code, check character and all."""
    return (
        len(text) == LENGTH
        and all(character in ALPHABET for character in text)
        and check_character(text[:-1]) == text[-1]
    )
