"""The message catalogue: both languages complete, compiled, and used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from kiosk.failures import kinds
from kiosk.texts import DOMAIN, LANGUAGES, LOCALES, MissingMessage, texts

FOLDERS = [LOCALES / folder / "LC_MESSAGES" for folder in LANGUAGES.values()]
KIOSK = Path(__file__).parents[2] / "kiosk"


def _catalogue(folder: Path):  # type: ignore[no-untyped-def]
    with (folder / f"{DOMAIN}.po").open("rb") as file:
        return read_po(file)


def _ids(folder: Path) -> set[str]:
    return {
        message.id if isinstance(message.id, str) else message.id[0]
        for message in _catalogue(folder)
        if message.id
    }


def _plain(catalogue) -> dict[str, str]:  # type: ignore[no-untyped-def]
    def flat(text: object) -> str:
        return text if isinstance(text, str) else "\0".join(text)

    return {flat(message.id): flat(message.string) for message in catalogue if message.id}


def test_both_languages_have_the_same_messages() -> None:
    chinese, english = (_ids(folder) for folder in FOLDERS)
    assert chinese == english


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parts[-2])
def test_no_message_is_empty_and_the_compiled_catalogue_is_fresh(folder: Path) -> None:
    catalogue = _catalogue(folder)
    for message in catalogue:
        parts = message.string if isinstance(message.string, tuple) else (message.string,)
        assert not message.id or all(parts), message.id
    with (folder / f"{DOMAIN}.mo").open("rb") as file:
        compiled = read_mo(file)
    assert _plain(compiled) == _plain(catalogue), "run ./run messages"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parts[-2])
def test_placeholders_are_the_same_in_every_language(folder: Path) -> None:
    source = {str(m.id): m.string for m in _catalogue(FOLDERS[0]) if m.id}
    optional = {"month", "month_name", "number"}
    for message in _catalogue(folder):
        if not message.id:
            continue
        ours, theirs = (
            set(re.findall(r"\{(\w+)\}", str(text)))
            for text in (message.string, source[str(message.id)])
        )
        assert ours - optional == theirs - optional, message.id


def test_every_failure_has_its_texts() -> None:
    ids = _ids(FOLDERS[0])
    wanted = {f"failure.{name}.{part}" for name in kinds() for part in ("title", "hint", "where")}
    assert wanted <= ids
    told = {name for name in ids if name.startswith("failure.")}
    assert told == wanted


def test_every_id_written_in_the_code_exists() -> None:
    ids = _ids(FOLDERS[0])
    used = set()
    for file in KIOSK.rglob("*.py"):
        for found in re.findall(
            r'\bt(?:\.lines|\.count)?\(\s*"([a-z0-9.-]+)"', file.read_text("utf-8")
        ):
            used.add(found)
    assert used - ids == set()
    assert len(used) > 60


def test_a_missing_message_is_a_bug() -> None:
    with pytest.raises(MissingMessage):
        texts("en")("no.such.message")


def test_plural_forms() -> None:
    english = texts("en")
    assert english.count("pin.rejected.title", 1) != english.count("pin.rejected.title", 2).replace(
        "2", "1"
    )
