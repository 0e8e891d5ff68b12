"""The code on a certificate (验真码): 16 characters, the last of them a check character.

The alphabet leaves out 0, 1, I and O, which people mistake for one another
(docs/platform.md, Certificates).
"""

from __future__ import annotations

import unicodedata
from enum import Enum

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
LENGTH = 16
"""Characters of a code, the check character among them."""
_GROUP = 4
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_DASHES = frozenset("-‐‑‒–—―−－")


class TypingSlip(Enum):
    """What is wrong with a code that somebody typed."""

    CHARACTER = "character"
    """A character that no code has."""
    LENGTH = "length"
    CHECK = "check"
    """Mistyped somewhere: the check character doesn't fit."""


class MistypedCode(Exception):
    """The text is no certificate code; it is not repeated here."""

    def __init__(self, slip: TypingSlip) -> None:
        super().__init__(f"no certificate code: {slip.value}")
        self.slip = slip


def check_character(first: str) -> str:
    """The last character of the code that begins with these 15 of `ALPHABET`.

    The hybrid system of ISO/IEC 7064 as MOD 33,32: every single wrong character is noticed, and
    nearly every pair of neighbours that changed places.
    """
    if len(first) != LENGTH - 1:
        raise ValueError(f"a code has {LENGTH - 1} characters before its check character")
    modulus = len(ALPHABET)
    rest = modulus
    for character in first:
        rest = (rest + _VALUE[character]) % modulus or modulus
        rest = rest * 2 % (modulus + 1)
    return ALPHABET[(1 - rest) % modulus]


def is_code(text: str) -> bool:
    """Whether the text is a code as it stands on the wire: 16 capitals and digits that fit."""
    return (
        len(text) == LENGTH
        and all(character in _VALUE for character in text)
        and check_character(text[:-1]) == text[-1]
    )


def group4(code: str) -> str:
    """In groups of four with dashes between, as printed; also of a code not yet complete."""
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def parse_typed(text: str) -> str:
    """The code that somebody typed; small letters, full-width ones, blanks and dashes are taken.

    Raises:
        MistypedCode
    """
    plain = "".join(
        character
        for character in unicodedata.normalize("NFKC", text).upper()
        if not (character.isspace() or character in _DASHES)
    )
    if any(character not in _VALUE for character in plain):
        raise MistypedCode(TypingSlip.CHARACTER)
    if len(plain) != LENGTH:
        raise MistypedCode(TypingSlip.LENGTH)
    if not is_code(plain):
        raise MistypedCode(TypingSlip.CHECK)
    return plain
