"""Make the two committed fonts from a full Noto Sans CJK collection (developer's tool).

    python ui/fonts/build.py NotoSansCJK-Regular.ttc NotoSansCJK-Bold.ttc

Debian's package ``fonts-noto-cjk`` holds both collections. The face for Simplified Chinese is
taken (face 0 of the collection would give Japanese forms), cut to GB 2312, ASCII, Latin-1 and
the signs screens use, and renamed: the licence asks for a name of one's own for a changed font.
The same sources and fontTools version give the same bytes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont

FAMILY = "Yikatong Sans"
FACE_NAME = "Noto Sans CJK SC"
EXTRA_SIGNS = "·¥✓–—…“”‘’～←→›‹○●℃№♪×−≥≤※《》〈〉「」『』"
# These are as wide as a Han character in the Simplified Chinese face. The Korean face of the same
# collection has the narrow forms that text in Latin letters needs; they go to private code points.
NARROW_FORMS = {0x2018: 0xE018, 0x2019: 0xE019, 0x201C: 0xE01C, 0x201D: 0xE01D}
NARROW_FACE_NAME = "Noto Sans CJK KR"
FOLDER = Path(__file__).parent


def gb2312_characters() -> set[int]:
    """Rows 1-3 (punctuation, numerals, full-width ASCII) and 16-87 (6763 Han characters)."""
    found = set[int]()
    for row in (1, 2, 3, *range(16, 88)):
        for cell in range(1, 95):
            try:
                found.add(ord(bytes((0xA0 + row, 0xA0 + cell)).decode("gb2312")))
            except UnicodeDecodeError:
                continue  # an empty cell of the table
    return found


def wanted_characters() -> set[int]:
    ascii_and_latin_1 = {*range(0x20, 0x7F), *range(0xA0, 0x100)}
    return gb2312_characters() | ascii_and_latin_1 | {ord(sign) for sign in EXTRA_SIGNS}


def open_face(collection: Path, name: str) -> TTFont:
    for face in TTCollection(str(collection)).fonts:
        if face["name"].getDebugName(1).startswith(name):
            return face
    raise SystemExit(f"{collection}: no face named {name}")


def add_narrow_forms(font: TTFont, narrow: TTFont) -> None:
    """All faces of the collection share one glyph table, so that a name serves in both."""
    glyphs = narrow.getBestCmap()
    for table in font["cmap"].tables:
        if table.isUnicode() and hasattr(table, "cmap"):
            for code, private_code in NARROW_FORMS.items():
                table.cmap[private_code] = glyphs[code]


def rename(font: TTFont, style: str) -> None:
    table = font["name"]
    copyright_line = table.getDebugName(0)
    licence, licence_url = table.getDebugName(13), table.getDebugName(14)
    version = table.getDebugName(5)
    postscript = f"{FAMILY.replace(' ', '')}-{style}"
    table.names = []
    for name_id, text in {
        0: copyright_line,
        1: FAMILY,
        2: style,
        3: f"{version};{postscript}",
        4: f"{FAMILY} {style}",
        5: version,
        6: postscript,
        10: f"Cut from {FACE_NAME} to GB 2312, ASCII and Latin-1; hints removed.",
        13: licence,
        14: licence_url,
    }.items():
        table.setName(text, name_id, 3, 1, 0x409)
    top_dict = font["CFF "].cff.topDictIndex[0]
    font["CFF "].cff.fontNames = [postscript]
    top_dict.FamilyName, top_dict.FullName = FAMILY, f"{FAMILY} {style}"


def build(collection: Path, style: str) -> Path:
    font = open_face(collection, FACE_NAME)
    add_narrow_forms(font, open_face(collection, NARROW_FACE_NAME))
    options = Options()
    options.hinting = False
    options.layout_features = ["kern"]
    options.name_IDs = ["*"]
    options.drop_tables += ["BASE", "VORG", "vhea", "vmtx", "DSIG", "GSUB"]
    options.notdef_outline = True
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=wanted_characters() | set(NARROW_FORMS.values()))
    subsetter.subset(font)
    rename(font, style)
    font.recalcTimestamp = False
    target = FOLDER / f"{FAMILY.replace(' ', '')}-{style}.otf"
    font.save(target)
    return target


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("regular", type=Path, help="NotoSansCJK-Regular.ttc")
    parser.add_argument("bold", type=Path, help="NotoSansCJK-Bold.ttc")
    arguments = parser.parse_args()
    for collection, style in ((arguments.regular, "Regular"), (arguments.bold, "Bold")):
        target = build(collection, style)
        print(f"{target}: {target.stat().st_size} bytes")  # noqa: T201 - what this tool is for


if __name__ == "__main__":
    main()
