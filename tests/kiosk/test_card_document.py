"""docs/card.md and its picture: drawn from the data, nothing overflows, every link leads on."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from apdu.pki.profile import shipped_pki_profile
from apdu.profile import shipped_profiles
from kiosk.card.diagram import GENERATION, Box, Label, draw, parts
from kiosk.cli import main

DOCS = Path(__file__).parents[2] / "docs"
PICTURE = DOCS / "card-tree.svg"
TEXT = (DOCS / "card.md").read_text(encoding="utf-8")


def test_the_committed_picture_is_that_of_the_data() -> None:
    assert PICTURE.read_text(encoding="utf-8") == draw(), "python -m kiosk.card.diagram"


def test_every_file_of_the_generation_is_in_the_picture() -> None:
    texts = [node.text for node in ElementTree.fromstring(draw()).iter() if node.text]
    files = shipped_profiles()[GENERATION].files.values()
    for file in files:
        assert any(text == f"{file.fid:04X} {file.zh}".rstrip() for text in texts)
    assert sum(text.startswith("EF") for text in texts) == len(files)


def test_nothing_in_the_picture_overflows() -> None:
    drawn, width, height = parts(shipped_profiles()[GENERATION], shipped_pki_profile())
    labels = [part for part in drawn if isinstance(part, Label)]
    too_long = [label.text for label in labels if label.width > label.room]
    assert too_long == []
    for label in labels:
        left = label.x - label.width if label.end else label.x
        assert left >= 0 and left + label.width <= width and label.y < height
    for box in (part for part in drawn if isinstance(part, Box)):
        assert box.x >= 0 and box.x + box.width <= width and box.y + box.height <= height


def test_no_two_texts_of_one_line_touch() -> None:
    drawn, _, _ = parts(shipped_profiles()[GENERATION], shipped_pki_profile())
    spans = [
        (part.y, part.x - part.width if part.end else part.x, part)
        for part in drawn
        if isinstance(part, Label) and part.text
    ]
    for y, left, label in spans:
        for other_y, other_left, other in spans:
            if label is not other and abs(y - other_y) < 4 and left <= other_left:
                assert left + label.width <= other_left, (label.text, other.text)


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert len(links) >= 6
    assert [link for link in links if not (DOCS / link).exists()] == []


@pytest.mark.parametrize("action", sorted(set(re.findall(r"`(?:yikatong )?card (\w+)", TEXT))))
def test_every_command_of_the_page_exists(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["card", action, "--help"]) == 0
    assert "yikatong card" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        *(("info",), ("read",), ("tree",), ("dump",), ("pin", "status"), ("pin", "change")),
        *(("apdu",), ("shell",), ("trace",), ("replay",), ("call",)),
    ],
)
def test_every_action_has_help_with_examples_and_exit_codes(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["card", *words, "--help"]) == 0
    told = capsys.readouterr().out
    assert "例 examples:" in told
    assert f"yikatong card {' '.join(words)}" in told.split("例 examples:")[1]
    assert "退出码 exit codes:" in told
    assert "--json" in told
