from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from fontTools.pens.recordingPen import RecordingPen
from fontTools.ttLib import TTCollection, TTFont

from ui import fonts
from ui.cmap import FontFormatError, read_coverage
from ui.fonts import SYSTEM_FONTS, SystemFont
from ui.sdl import pygame

FOLDER = Path(fonts.__file__).with_name("fonts")
FILES = [FOLDER / "YikatongSans-Regular.otf", FOLDER / "YikatongSans-Bold.otf"]
RARE = "䶮𠮷"
"""Extension A and B, in no standard of 1980."""
NOTO = next((font for font in SYSTEM_FONTS if font.face == 2 and font.regular.is_file()), None)
KNOWN_SOURCE = "b76b0433203017ca"
"""How the SHA-256 of the collection begins that the committed fonts were cut from."""
needs_noto = pytest.mark.skipif(NOTO is None, reason="no Noto Sans CJK on this machine")


@pytest.fixture(autouse=True)
def fresh_widths() -> None:
    fonts.forget()


@pytest.fixture
def no_system_font(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_present", lambda: ())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_committed_font_is_small_and_has_its_own_name(path: Path) -> None:
    assert path.stat().st_size < 2_500_000
    font = TTFont(path)
    assert font["name"].getDebugName(1) == "Yikatong Sans"
    assert all("Noto" not in str(record) for record in font["name"].names if record.nameID != 10)
    assert "SIL Open Font License" in font["name"].getDebugName(13)


def test_licence_lies_beside() -> None:
    assert "SIL OPEN FONT LICENSE" in (FOLDER / "OFL.txt").read_text(encoding="utf-8")


def test_committed_fonts_hold_gb_2312_and_the_signs(no_system_font: None) -> None:
    han = "".join(
        bytes((0xA0 + row, 0xA0 + cell)).decode("gb2312", "ignore")
        for row in range(16, 88)
        for cell in range(1, 95)
    )
    assert len(han) == 6763
    assert fonts.missing(han) == ""
    signs = "·¥✓–—…“”‘’～←→›○●℃№①②③④⑤⑥⑦⑧⑨⑩♪ éüß"
    assert fonts.missing(signs + "".join(map(chr, range(0x20, 0x7F)))) == ""


@needs_noto
def test_a_face_of_a_collection_is_read() -> None:
    assert NOTO is not None
    coverage = read_coverage(NOTO.regular, NOTO.face)
    assert {ord(character) for character in f"王{RARE}"} <= coverage
    assert 0x10FFFD not in coverage
    with pytest.raises(FontFormatError):
        read_coverage(NOTO.regular, 99)


@needs_noto
def test_simplified_forms_were_taken() -> None:
    """The committed outlines are those of the Simplified Chinese face, not the Japanese one."""
    assert NOTO is not None
    faces = TTCollection(str(NOTO.regular), lazy=True).fonts
    committed = TTFont(FILES[0])
    for character in "直骨复门令化":
        outlines = []
        for font in (committed, faces[NOTO.face]):
            glyph = font.getGlyphSet()[font.getBestCmap()[ord(character)]]
            pen = RecordingPen()
            glyph.draw(pen)
            outlines.append(pen.value)
        assert outlines[0] == outlines[1], character
    assert faces[0].getBestCmap()[ord("直")] != faces[NOTO.face].getBestCmap()[ord("直")]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"OTTO\x00\x01" + bytes(4),
        b"<?xml version='1.0'?>" + bytes(40),
        b"OTTO\x00\x00" + bytes(6),
        b"ttcf\x00\x01\x00\x00\x00\x00\x00\x00",
    ],
)
def test_damaged_font_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "font.otf"
    path.write_bytes(content)
    with pytest.raises(FontFormatError, match=r"^font\.otf: "):
        read_coverage(path)


@pytest.mark.parametrize("length", [13, 60, 190, 300, 2_000, 20_000])
def test_truncated_font_is_a_damaged_one(tmp_path: Path, length: int) -> None:
    path = tmp_path / "font.otf"
    path.write_bytes(FILES[0].read_bytes()[:length])
    with pytest.raises(FontFormatError):
        read_coverage(path)


def test_missing_without_a_system_font(no_system_font: None) -> None:
    assert fonts.missing(f"王{RARE}芳{RARE}\n ") == RARE
    assert fonts.width(RARE, 32, False) > 0  # drawn as empty boxes, not an error


@needs_noto
def test_rare_characters_come_from_the_system() -> None:
    assert fonts.missing(f"王{RARE}芳") == ""
    assert fonts.missing("王\U0010fffd😀") == "\U0010fffd😀"
    surface = fonts.render(f"王{RARE}", 48, True, (0, 0, 0))
    assert surface.get_width() == fonts.width(f"王{RARE}", 48, True) == 3 * 48
    empty_box = pygame.font.Font(str(FILES[1]), 48).render("䶮", True, (0, 0, 0))
    glyph = surface.subsurface((48, 0, 48, surface.get_height()))
    assert pygame.image.tobytes(glyph, "RGBA") != pygame.image.tobytes(
        empty_box.subsurface((0, 0, 48, surface.get_height())), "RGBA"
    )


@needs_noto
def test_rare_characters_keep_their_places() -> None:
    line = fonts.render(f"{RARE}王", 48, True, (0, 0, 0))
    alone = fonts.render("王", 48, True, (0, 0, 0))
    height = line.get_height()
    for place in range(3):
        cell = line.subsurface((48 * place, 0, 48, height))
        assert cell.get_bounding_rect().w > 30, "an empty cell"
    last = line.subsurface((96, 0, 48, height))
    assert pygame.image.tobytes(last, "RGBA") == pygame.image.tobytes(alone, "RGBA")


def test_damaged_system_font_is_as_good_as_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "broken.ttc"
    path.write_bytes(b"ttcf" + bytes(3))
    monkeypatch.setattr(fonts, "_present", lambda: (SystemFont(path, path, 2),))
    assert fonts.missing(RARE) == RARE


def test_latin_text_gets_narrow_quotes(no_system_font: None) -> None:
    text = fonts.narrow_punctuation("can’t “go” …")
    assert fonts.missing(text) == ""
    assert fonts.width(text, 32, False) < fonts.width("can’t “go” …", 32, False)


def test_control_characters_are_not_drawn() -> None:
    assert fonts.width("a\x00\x07\u200bb", 32, False) == fonts.width("ab", 32, False)


@pytest.mark.peer
@needs_noto
def test_build_is_reproducible(tmp_path: Path) -> None:
    """From the Debian collection the tool makes exactly the committed bytes."""
    assert NOTO is not None
    origin = hashlib.sha256(NOTO.regular.read_bytes()).hexdigest()
    if not origin.startswith(KNOWN_SOURCE):
        pytest.skip("another version of the source font")
    tool = tmp_path / "build.py"
    tool.write_bytes((FOLDER / "build.py").read_bytes())
    subprocess.run([sys.executable, tool, NOTO.regular, NOTO.bold], check=True, capture_output=True)
    for path in FILES:
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()
