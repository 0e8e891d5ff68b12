"""Everything that residents read, by message id and language (gettext catalogues).

Ids are stable names such as ``identify.title``; the Chinese catalogue is the source, English the
second locale. A missing id is a bug and raises, in every language.
"""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path

LOCALES = Path(__file__).parent / "locale"
DOMAIN = "yikatong"
LANGUAGES = {"zh-CN": "zh_CN", "en": "en"}
"""BCP 47 tag -> folder of the catalogue; the first is the terminal's own."""


class MissingMessage(KeyError):
    """A message id that the catalogue does not have."""


class _NoFallback(gettext.NullTranslations):
    def gettext(self, message: str) -> str:
        raise MissingMessage(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        raise MissingMessage(msgid1)


class Texts:
    """One language's catalogue."""

    def __init__(self, language: str) -> None:
        self.language = language
        path = LOCALES / LANGUAGES[language] / "LC_MESSAGES" / f"{DOMAIN}.mo"
        with path.open("rb") as catalogue:
            self._translations = gettext.GNUTranslations(catalogue)
        self._translations.add_fallback(_NoFallback())

    def __call__(self, message: str, **values: object) -> str:
        """The text of a message id with its ``{placeholders}`` filled in.

        Raises:
            MissingMessage: the catalogue lacks the id.
        """
        text = self._translations.gettext(message)
        return text.format(**values) if values else text

    def lines(self, message: str, **values: object) -> tuple[str, ...]:
        """The text of a message id, split at its line ends."""
        return tuple(self(message, **values).split("\n"))

    def count(self, message: str, number: int) -> str:
        """A text that depends on a number, in its plural form, with ``{number}`` filled in."""
        return self._translations.ngettext(message, message, number).format(number=number)


@cache
def texts(language: str) -> Texts:
    """The catalogue of a BCP 47 tag, loaded once."""
    return Texts(language)
