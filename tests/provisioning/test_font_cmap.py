"""The small cmap reader against fontTools."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables._g_l_y_f import Glyph
from hypothesis import given, settings
from hypothesis import strategies as st

from provisioning.checks.font_cmap import NoFont, covered
from provisioning.checks.screen import font_folder

CODES = st.sets(st.integers(1, 0x10FFFF).filter(lambda c: not 0xD800 <= c <= 0xDFFF), max_size=40)


@pytest.mark.parametrize("name", ["YikatongSans-Regular.otf", "YikatongSans-Bold.otf"])
def test_the_screens_fonts(name: str) -> None:
    folder = font_folder()
    assert folder is not None
    with TTFont(folder / name) as font:
        assert covered(folder / name) == frozenset(font.getBestCmap())


@settings(deadline=None, max_examples=40)
@given(CODES, st.booleans())
def test_made_fonts(tmp_path_factory: pytest.TempPathFactory, codes: set[int], small: bool) -> None:
    codes = {code for code in codes if code < 0xFFFF} if small else codes
    path = tmp_path_factory.mktemp("font") / "made.ttf"
    glyphs = [f"g{code:X}" for code in sorted(codes)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", *glyphs])
    builder.setupCharacterMap(dict(zip(sorted(codes), glyphs, strict=True)))
    builder.setupGlyf({name: Glyph() for name in (".notdef", *glyphs)})
    builder.setupHorizontalMetrics(dict.fromkeys((".notdef", *glyphs), (500, 0)))
    builder.setupHorizontalHeader()
    builder.save(path)
    assert covered(path) == frozenset(codes)


def one_table_font(subtable: bytes) -> bytes:
    """An sfnt with nothing but a cmap of one subtable for (3, 10)."""
    cmap = struct.pack(">HHHHI", 0, 1, 3, 10, 12) + subtable
    directory = struct.pack(">4sIII", b"cmap", 0, 28, len(cmap))
    return struct.pack(">4sHHHH", b"OTTO", 1, 0, 0, 0) + directory + cmap


def test_the_missing_glyph_covers_nothing(tmp_path: Path) -> None:
    groups = struct.pack(">HHIIIIIIIII", 12, 0, 40, 0, 2, 0x41, 0x43, 0, 0x4E00, 0x4E01, 3)
    (tmp_path / "font.otf").write_bytes(one_table_font(groups))
    assert covered(tmp_path / "font.otf") == {0x42, 0x43, 0x4E00, 0x4E01}


@given(st.binary(max_size=200))
def test_garbage_is_no_font(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "garbage.ttf"
    for head in (b"", b"OTTO", b"OTTO\x00\x01"):
        path.write_bytes(head + data)
        try:
            covered(path)
        except NoFont:
            continue


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        covered(tmp_path / "none.otf")
