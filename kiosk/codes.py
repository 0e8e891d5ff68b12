"""Which kind of code a scanner read, by declared patterns alone; its text is not trusted.

What a code means is for the platform (e-card) or for a signature (certificate) to say. No family's
pattern fits a text of another family: a pack where one does is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from itertools import combinations

from kiosk.code_patterns import Pattern, PatternProblem, read_pattern
from kiosk.confidence import Confidence
from kiosk.toml_tables import Table

LONGEST_TEXT = 512
"""Characters; no family of ours is longer (docs/platform.md)."""
_FIRST_VISIBLE, _LAST_VISIBLE = 0x21, 0x7E


class CodeFamily(Enum):
    """What a code claims to be; the values are the pack's tables."""

    ECARD = "ecard"
    """电子社保卡."""
    CARD_PLATFORM = "card-platform"
    """A code of the card platform (卡管平台, 持卡库): about a card, no proof of who shows it."""
    CERTIFICATE = "certificate"
    """验真二维码 of a printed certificate."""
    GOVERNMENT_SERVICE = "government-service"
    """政务服务码 of the government's general service platform."""
    UNKNOWN = "unknown"


class Characters(Enum):
    """Of what a family's codes are made."""

    VISIBLE_ASCII = "visible-ascii"
    UTF_8 = "utf-8"
    """Printable characters of any script."""


_NEEDED = frozenset({CodeFamily.ECARD, CodeFamily.CERTIFICATE})
"""What every terminal reads; the others a province may not have."""


@dataclass(frozen=True)
class ScannedCode:
    """A code and its family; the text is empty for `CodeFamily.UNKNOWN`."""

    family: CodeFamily
    text: str = field(default="", repr=False)


@dataclass(frozen=True)
class FamilyForm:
    """How the codes of one family look: as one of the patterns."""

    family: CodeFamily
    patterns: tuple[Pattern, ...]
    characters: Characters = Characters.VISIBLE_ASCII

    def text_of(self, payload: bytes) -> str | None:
        """The text of a payload of this family, None for any other."""
        try:
            text = payload.decode("utf-8")
        except UnicodeDecodeError:
            return None
        if not text.isprintable():
            return None
        return text if any(pattern.fits(text) for pattern in self.patterns) else None


@dataclass(frozen=True)
class CodePatterns:
    """How a province's codes look, family by family."""

    forms: tuple[FamilyForm, ...]

    def recognise(self, payload: bytes) -> ScannedCode:
        """Tell a payload's family, for any bytes whatever."""
        for form in self.forms:
            text = form.text_of(payload)
            if text is not None:
                return ScannedCode(form.family, text)
        return ScannedCode(CodeFamily.UNKNOWN)


def read_codes(table: Table, verify_url: str) -> CodePatterns:
    """Read the families of a pack, each with ``patterns``, ``examples``, ``mark`` and ``source``,
    and ``characters`` where they are not visible ASCII.

    Args:
        verify_url: with what the codes of this province's own certificates begin.

    Raises:
        FileProblem: the table's own error; also where two families can fit one text, an example
            fits none of its family's patterns, or a pattern fits no example.
    """
    forms: dict[CodeFamily, FamilyForm] = {}
    for family in CodeFamily:
        if family.value in table or family in _NEEDED:
            entry = table.table(family.value)
            forms[family] = _form(family, entry, verify_url)
            entry.finish()
    table.finish()
    for one, other in combinations(forms.values(), 2):
        if any(mine.meets(theirs) for mine in one.patterns for theirs in other.patterns):
            problem = f'fits codes that "{other.family.value}" fits too'
            raise table.problem(f"{one.family.value}.patterns", problem)
    return CodePatterns(tuple(forms.values()))


def _form(family: CodeFamily, entry: Table, verify_url: str) -> FamilyForm:
    characters = entry.choice("characters", Characters, Characters.VISIBLE_ASCII)
    patterns = tuple(_pattern(text, entry, characters) for text in entry.texts("patterns"))
    form = FamilyForm(family, patterns, characters)
    examples = entry.texts("examples")
    for pattern in patterns:
        if not any(pattern.fits(example) for example in examples):
            raise entry.problem("examples", "one example for each pattern is needed")
    for example in examples:
        if form.text_of(example.encode("utf-8")) is None:
            raise entry.problem("examples", "none of the patterns fits every example")
        if family is CodeFamily.CERTIFICATE and not example.startswith(f"{verify_url}?"):
            raise entry.problem("examples", f"codes of our certificates begin with {verify_url}?")
    entry.choice("mark", Confidence)
    entry.text("source")
    return form


def _pattern(text: str, entry: Table, characters: Characters) -> Pattern:
    try:
        pattern = read_pattern(text, LONGEST_TEXT)
    except PatternProblem as problem:
        raise entry.problem("patterns", str(problem)) from None
    ascii_only = characters is Characters.VISIBLE_ASCII
    if ascii_only and not pattern.within(_FIRST_VISIBLE, _LAST_VISIBLE):
        raise entry.problem("patterns", "fits characters that are not visible ASCII")
    return pattern
