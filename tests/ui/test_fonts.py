from __future__ import annotations

import hashlib
import struct
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


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_own_cmap_reader_agrees_with_fonttools(path: Path) -> None:
    known = set(TTFont(path).getBestCmap())
    coverage = read_coverage(path)
    assert {code for code in range(0x30000) if code in coverage} == known
    assert "A" not in coverage


@needs_noto
def test_own_cmap_reader_agrees_on_a_collection() -> None:
    assert NOTO is not None
    known = set(TTCollection(str(NOTO.regular), lazy=True).fonts[NOTO.face].getBestCmap())
    coverage = read_coverage(NOTO.regular, NOTO.face)
    assert {code for code in range(0x33000) if code in coverage} == known


def test_glyph_0_of_a_format_4_range_is_no_character(tmp_path: Path) -> None:
    """Ranges by difference (A-B) and by a glyph list (a-c, where b is glyph 0), then the end."""
    segments = [(0x41, 0x42, 0x10000 - 0x40, 0), (0x61, 0x63, 0, 4), (0xFFFF, 0xFFFF, 1, 0)]
    starts, ends, deltas, offsets = zip(*segments, strict=True)
    body = struct.pack(">3HH3H", *ends, 0, *starts)
    body += struct.pack(">3H3H3H", *deltas, *offsets, 5, 0, 6)
    subtable = struct.pack(">7H", 4, 14 + len(body), 0, 6, 4, 1, 2) + body
    table = struct.pack(">HHHHI", 0, 1, 3, 1, 12) + subtable
    directory = struct.pack(">4sH6x", b"OTTO", 1) + struct.pack(
        ">4sIII", b"cmap", 0, 28, len(table)
    )
    path = tmp_path / "font.otf"
    path.write_bytes(directory + table)
    coverage = read_coverage(path)
    assert [chr(code) for code in range(0x10000) if code in coverage] == ["A", "B", "a", "c"]


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
    ("content", "reason"),
    [
        (b"", "cut short"),
        (b"OTTO\x00\x01" + bytes(4), "cut short"),
        (b"<?xml version='1.0'?>" + bytes(40), "not an OpenType font"),
        (b"OTTO\x00\x00" + bytes(6), "no cmap"),
        (b"ttcf\x00\x01\x00\x00\x00\x00\x00\x00", "no face"),
    ],
)
def test_damaged_font_is_told(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "font.otf"
    path.write_bytes(content)
    with pytest.raises(FontFormatError, match=reason):
        read_coverage(path)


def test_truncated_font_never_escapes_as_another_error(tmp_path: Path) -> None:
    whole = FILES[0].read_bytes()
    path = tmp_path / "font.otf"
    for length in (13, 60, 190, 300, 2_000, 20_000):
        path.write_bytes(whole[:length])
        try:
            read_coverage(path)
        except FontFormatError:
            continue


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
