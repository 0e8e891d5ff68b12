"""Which kind of code a scanner read, by declared patterns alone; its text is not trusted.

What a code means is for the platform (e-card) or for a signature (certificate) to say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

LONGEST_TEXT = 512
"""Characters; no family of ours is longer (docs/platform.md)."""


class CodeFamily(Enum):
    """What a code claims to be."""

    ECARD = "ecard"
    """电子社保卡."""
    CERTIFICATE = "certificate"
    """验真二维码 of a printed certificate."""
    OTHER = "other"


@dataclass(frozen=True)
class ScannedCode:
    """A code and its family; the text is empty for `CodeFamily.OTHER`."""

    family: CodeFamily
    text: str = field(default="", repr=False)


@dataclass(frozen=True)
class CodePatterns:
    """How a province's codes look.

    Attributes:
        ecard: matches the whole text of an e-card's code.
        certificate: what the text of a certificate's code begins with: the verification URL.
    """

    ecard: re.Pattern[str]
    certificate: str

    def recognise(self, payload: bytes) -> ScannedCode:
        """Tell a payload's family; what is not plain visible ASCII is `OTHER`, whatever it is."""
        if len(payload) > LONGEST_TEXT or not all(0x21 <= octet <= 0x7E for octet in payload):
            return ScannedCode(CodeFamily.OTHER)
        text = payload.decode("ascii")
        if self.ecard.fullmatch(text):
            return ScannedCode(CodeFamily.ECARD, text)
        if text.startswith(f"{self.certificate}?"):
            return ScannedCode(CodeFamily.CERTIFICATE, text)
        return ScannedCode(CodeFamily.OTHER)
