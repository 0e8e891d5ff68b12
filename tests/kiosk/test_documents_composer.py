"""What the composing process makes of a certificate, and of a template that is wrong."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from PIL import Image

from kiosk.documents.certificate import Certificate
from kiosk.documents.composer import (
    CannotShow,
    ComposeProblem,
    Composer,
    PrintStamp,
)
from kiosk.documents.composing import qr_picture
from kiosk.documents.content import CertificateKind
from kiosk.documents.templates import CertificateBook
from kiosk.documents.typefaces import RareFont
from tests.kiosk.composing_scenes import failure
from tests.kiosk.sealed_samples import CODE, STAMP, Sealer, a_content, demo_book

SEALER = Sealer()
CERTIFICATE = SEALER.certificate(2)
RARE_NAME = "李\U00020bb7"
"""𠮷 is outside GB 2312."""


@pytest.fixture(scope="module")
def composer() -> Iterator[Composer]:
    """One for all tests that leave it running."""
    composer = Composer(demo_book(), rare_fonts=())
    yield composer
    composer.close()


Make = Callable[..., Composer]


@pytest.fixture
def make() -> Iterator[Make]:
    """Composers of one's own, closed in the end."""
    made = []

    def new(book: CertificateBook | None = None, rare_fonts: tuple[RareFont, ...] = ()) -> Composer:
        made.append(Composer(book or demo_book(), rare_fonts=rare_fonts))
        return made[-1]

    yield new
    for composer in made:
        composer.close()


def with_template(source: str) -> CertificateBook:
    book = demo_book()
    kind = CertificateKind.PARTICIPATION
    template = replace(book.templates[kind], source=source.encode())
    return replace(book, templates=MappingProxyType({kind: template}))


def test_a_document_has_sheets_and_their_pictures(composer: Composer) -> None:
    document = composer.compose(CERTIFICATE, STAMP)
    assert document.pdf.startswith(b"%PDF-1.7")
    assert (document.serial, document.code) == (STAMP.serial, CODE)
    (page,) = document.pages
    picture = Image.open(io.BytesIO(page)).convert("RGB")
    assert picture.size == (909, 1286)
    colours = {colour for _, colour in picture.getcolors(1 << 20) or ()}
    assert any(red > 150 and green < 60 for red, green, _ in colours), "no red of the seal"
    assert composer.pdf(CERTIFICATE, STAMP) == document.pdf
    assert repr(document) == "<Document>"


@pytest.mark.parametrize(("months", "pages"), [(0, 1), (1, 1), (12, 1), (24, 1), (36, 2), (60, 2)])
def test_months_flow_over_pages(composer: Composer, months: int, pages: int) -> None:
    assert len(composer.compose(SEALER.certificate(months), STAMP).pages) == pages


def test_the_same_input_gives_the_same_bytes_in_another_process(
    composer: Composer, make: Make
) -> None:
    one = composer.compose(CERTIFICATE, STAMP)
    other = make().compose(CERTIFICATE, STAMP)
    assert (one.pdf, one.pages) == (other.pdf, other.pages)
    later = replace(STAMP, printed_at=STAMP.printed_at + timedelta(seconds=1))
    assert composer.compose(CERTIFICATE, later).pdf != one.pdf


def test_the_certificate_before_leaves_no_trace(composer: Composer) -> None:
    first = composer.pdf(CERTIFICATE, STAMP)
    composer.pdf(SEALER.certificate(60), replace(STAMP, serial="X"))
    assert composer.pdf(CERTIFICATE, STAMP) == first


@pytest.mark.parametrize("serial", ["", "a b", "流水", "x" * 65])
def test_a_stamp_needs_a_serial_that_can_be_printed(serial: str) -> None:
    with pytest.raises(ValueError, match="serial"):
        PrintStamp("T429900-0003", STAMP.printed_at, serial)


def test_a_stamp_needs_an_offset() -> None:
    with pytest.raises(ValueError, match="offset"):
        PrintStamp("T429900-0003", datetime(2026, 11, 21, 9, 42), "1")


def test_the_qr_has_its_quiet_zone() -> None:
    """4 modules a side (ISO/IEC 18004 §5.3.8)."""
    svg = qr_picture(CERTIFICATE.qr)
    side = int(re.search(r'viewBox="0 0 (\d+) \1"', svg)[1])  # type: ignore[index]
    runs = [tuple(map(int, run)) for run in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", svg)]
    assert min(x for x, _, _ in runs) == min(y for _, y, _ in runs) == 4
    assert max(x + length for x, _, length in runs) == side - 4
    assert max(y for _, y, _ in runs) == side - 5


# --- Rare characters -------------------------------------------------------------------------


def named(name: str) -> Certificate:
    holder = {**a_content()["holder"], "aac003": name}
    return SEALER.certificate(2, holder=holder)


@pytest.fixture
def rare_font(tmp_path: Path) -> RareFont:
    """A font whose only Han character is the rare one."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    pen.lineTo((500, 800))
    pen.lineTo((1000, 0))
    pen.closePath()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "rare"])
    builder.setupCharacterMap({0x20BB7: "rare"})
    builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "rare": pen.glyph()})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "rare": (1000, 0)})
    builder.setupHorizontalHeader(ascent=880, descent=-120)
    names = {"familyName": "Rare Test", "styleName": "Regular", "psName": "RareTest-Regular"}
    builder.setupNameTable({**names, "fullName": "Rare Test Regular"})
    builder.setupOS2()
    builder.setupPost()
    path = tmp_path / "rare" / "rare.ttf"
    path.parent.mkdir()
    builder.save(path)
    return RareFont(path, 0, "Rare Test")


def test_a_rare_character_is_taken_from_a_full_font(make: Make, rare_font: RareFont) -> None:
    absent = RareFont(rare_font.path.with_name("absent.ttf"), 0, "Absent")
    composer = make(rare_fonts=(absent, rare_font))
    assert b"RareTest" in composer.pdf(named(RARE_NAME), STAMP)
    assert b"RareTest" not in composer.pdf(CERTIFICATE, STAMP)


@pytest.mark.parametrize("name", [RARE_NAME, "王\ue018", "王\U000e0100", "王\U0001f600"])
def test_what_no_font_has_is_refused_without_a_name(
    make: Make, rare_font: RareFont, name: str
) -> None:
    fonts = () if name == RARE_NAME else (rare_font,)
    composer = make(rare_fonts=fonts)
    with pytest.raises(CannotShow) as caught:
        composer.compose(named(name), STAMP)
    assert name not in str(caught.value)
    process = composer.process_id
    assert composer.compose(CERTIFICATE, STAMP).pages
    assert composer.process_id == process


# --- A template that is wrong ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "where"),
    [
        ("a\n#panic(json(bytes(sys.inputs.certificate)).holder.name)", "2:1"),
        ("#json(bytes(sys.inputs.certificate)).absent", "1:37"),
        ("#let x = (", "1:9"),
        ('#set text(font: "No Such Font")\nx', "1:16"),
        ('#set text(font: "Yikatong Sans")\n\\\n\n\U00020bb7', "4:0"),
        ('#read("/../../etc/passwd")', "1:6"),
        ('#import "certificate.typ": x', "1:8"),
        ("#while true {}", "1:7"),
        ("#for n in range(17) { pagebreak() }", ""),
    ],
)
def test_a_template_that_is_wrong_tells_the_place_and_nothing_else(
    make: Make, source: str, where: str
) -> None:
    composer = make(book=with_template(source))
    failed = failure(composer, CERTIFICATE)
    assert failed.problem is ComposeProblem.TEMPLATE
    assert failed.where == where
    assert composer.process_id is not None
