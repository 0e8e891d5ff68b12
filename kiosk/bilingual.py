"""A text in both languages of the screen."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.toml_tables import Table


@dataclass(frozen=True)
class Bilingual:
    """Chinese and English, neither empty."""

    zh: str
    en: str

    def of(self, locale: str) -> str:
        """The text for a BCP 47 tag: English for ``en…``, Chinese for all others."""
        return self.en if locale.startswith("en") else self.zh


def read_bilingual(table: Table) -> Bilingual:
    """From a table with the keys ``zh`` and ``en``. Raises the table's error."""
    text = Bilingual(table.text("zh"), table.text("en"))
    table.finish()
    return text
