"""The printed sheet, read back from the PDF by poppler: words, fonts, pages, QR."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from kiosk.documents.certificate import Certificate, verify
from kiosk.documents.composer import Composer
from kiosk.documents.layout import money
from kiosk.documents.qr_check import QrState, check_qr
from tests.kiosk.sealed_samples import (
    AGENCY,
    NAME,
    STAMP,
    TODAY,
    URL,
    Sealer,
    a_content,
    demo_book,
)

SEALER = Sealer()
EVIL = '#evil[x] $1$ *b* _i_ `c` <l> @r \\ // /* "q" = h #{panic()} {page}'
HEAD = ["年月", "单位编号", "缴费基数", "养老个人缴费", "失业个人缴费", "到账"]


@pytest.fixture(scope="module")
def poppler() -> None:
    """Debian's poppler-utils; absent in CI is a failure, elsewhere a skip."""
    if shutil.which("pdftotext") is None:
        assert "CI" not in os.environ, "poppler-utils is not installed"
        pytest.skip("poppler-utils is not installed")


@pytest.fixture(scope="module")
def composer() -> Iterator[Composer]:
    composer = Composer(demo_book(), rare_fonts=())
    yield composer
    composer.close()


@dataclass(frozen=True)
class Sheet:
    """A PDF on disk and what poppler's tools say of it."""

    file: Path

    def told(self, tool: str, *options: str) -> str:
        command = [tool, *options, str(self.file)]
        if tool == "pdftotext":
            command.append("-")
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    @property
    def pages(self) -> list[str]:
        """Text of each page, as laid out."""
        return self.told("pdftotext", "-layout").split("\f")[:-1]

    @property
    def text(self) -> str:
        """All text without blanks and line ends, in the order in which it was drawn."""
        return "".join(self.told("pdftotext", "-raw").split())

    def picture(self, page: int, ppi: int) -> Image.Image:
        stem = self.file.with_suffix("")
        numbers = ["-f", str(page), "-l", str(page), "-r", str(ppi), "-singlefile", "-png"]
        subprocess.run(["pdftoppm", *numbers, str(self.file), str(stem)], check=True)
        return Image.open(stem.with_suffix(".png"))


Compose = Callable[[Certificate], Sheet]


@pytest.fixture
def compose(poppler: None, composer: Composer, tmp_path: Path) -> Compose:
    def make(certificate: Certificate) -> Sheet:
        file = tmp_path / "certificate.pdf"
        file.write_bytes(composer.pdf(certificate, STAMP))
        return Sheet(file)

    return make


def changed(**changes: Any) -> Certificate:
    return verify(SEALER.seal({**a_content(2), **changes}), SEALER.seals(), today=TODAY)


def test_every_word_of_the_certificate_is_on_it(compose: Compose) -> None:
    text = compose(SEALER.certificate(12)).text
    for expected in (
        "社会保险参保证明（个人）",
        "证明编号429900-2026-000001",
        "验真码7F3K-92MD-Q4TX-B8AT",
        NAME,
        "429***********0021",
        "企业职工基本养老保险参保缴费2011.05–2026.10186",
        "失业保险暂停缴费2013.01–2026.10152",
        "工伤保险领取待遇2011.05–2026.10—",
        "4299000012345江城市第一纺织有限责任公司",
        "缴费明细（2025.11–2026.10）",
        "2025.1142990000123457,912.50633.0039.56已到账",
        "2026.1042990000123458,406.00672.4842.03未到账",
        "截至2026年11月20日",
        "滞后1至3个月",
        "已加盖电子印章",
        "有效期至2027年2月19日",
        f"请只在{URL}核验",
        AGENCY,
        "2026年11月21日",
        "终端T429900-0003",
        "打印时间2026-11-2109:42:10",
        f"流水号{STAMP.serial}",
    ):
        assert expected in text, expected


def test_the_short_digest_is_the_contents(compose: Compose) -> None:
    certificate = SEALER.certificate(2)
    shown = certificate.digest.hex().upper()[:16]
    assert f"内容摘要（SM3）{shown}" in compose(certificate).text


def test_the_file_is_pdf_a_with_all_fonts_inside(compose: Compose) -> None:
    sheet = compose(SEALER.certificate(12))
    about = sheet.told("pdfinfo")
    assert re.search(r"Title: +社会保险参保证明（个人）\n", about)
    assert re.search(r"Page size: +595\.276 x 841\.89 pts \(A4\)", about)
    assert re.search(r"JavaScript: +no", about)
    assert NAME not in sheet.told("pdfinfo", "-meta")
    meta = sheet.told("pdfinfo", "-meta")
    assert "<pdfaid:part>2</pdfaid:part>" in meta
    assert "<pdfaid:conformance>B</pdfaid:conformance>" in meta
    assert "2026-11-21T01:42:10" in meta
    fonts = sheet.told("pdffonts").splitlines()[2:]
    assert sorted(line.split()[0].split("+")[1] for line in fonts) == [
        "YikatongSans-Bold-Identity-H",
        "YikatongSans-Regular-Identity-H",
    ]
    assert all(line.split()[-5:-2] == ["yes", "yes", "yes"] for line in fonts)


@pytest.mark.parametrize("months", [1, 3, 4, 12, 13, 24, 25, 36, 48, 60])
def test_pages_are_numbered_and_none_stands_alone(compose: Compose, months: int) -> None:
    pages = compose(SEALER.certificate(months)).pages
    for number, page in enumerate(pages, 1):
        assert f"第{number}页/共{len(pages)}页" in "".join(page.split())
        assert STAMP.serial in page and "7F3K-92MD-Q4TX-B8AT" in page
        assert page.count("养老个人缴费") == 1
        assert (AGENCY in page) == (number == len(pages))
    rows = [re.findall(r"^ *20\d\d\.\d\d +\d{13}", page, re.MULTILINE) for page in pages]
    assert sum(map(len, rows)) == months
    assert len(rows[-1]) >= min(3, months)


def many_units(months: int, units: int) -> Certificate:
    content = a_content(months)
    for place, row in enumerate(content["rows"]):
        row["aab001"] = f"42990000{place * units // months:05d}"
    numbers = dict.fromkeys(row["aab001"] for row in content["rows"])
    content["units"] = [
        {"aab001": number, "aab004": "江城市长江机械制造有限公司"} for number in numbers
    ]
    return verify(SEALER.seal(content), SEALER.seals(), today=TODAY)


def test_three_pages(compose: Compose) -> None:
    pages = compose(many_units(60, 30)).pages
    assert len(pages) == 3
    assert all(all(word in page for word in HEAD) for page in pages[1:])


def test_sixty_units_are_all_named(compose: Compose) -> None:
    sheet = compose(many_units(60, 60))
    for number in range(60):
        assert sheet.text.count(f"42990000{number:05d}") == 2
    assert [("单位名称" in page) for page in sheet.pages] == [True, True, False, False]


@pytest.mark.parametrize("ppi", [150, 203, 300])
def test_the_qr_reads_back_from_the_last_page(compose: Compose, ppi: int) -> None:
    certificate = SEALER.certificate(36)
    sheet = compose(certificate)
    last = sheet.picture(2, ppi)
    (code,) = zxingcpp.read_barcodes(last)
    assert code.text == certificate.qr
    checked = check_qr(code.text, SEALER.seals(), today=TODAY)
    assert checked.state is QrState.GENUINE_SEAL
    assert not zxingcpp.read_barcodes(sheet.picture(1, ppi))


def test_the_qr_is_large_enough(compose: Compose) -> None:
    """28 mm with its quiet zone of 4 modules a side."""
    picture = compose(SEALER.certificate(12)).picture(1, 300)
    (code,) = zxingcpp.read_barcodes(picture)
    side = code.position.top_right.x - code.position.top_left.x
    assert side / 300 * 25.4 * (61 + 8) / 61 >= 28


def test_texts_are_inserted_as_texts(compose: Compose) -> None:
    content = a_content(2)
    changes: dict[str, Any] = {
        "number": EVIL[:40],
        "holder": {**content["holder"], "aac003": EVIL},
        "units": [{"aab001": EVIL[:39], "aab004": EVIL}],
        "rows": [{**row, "aab001": EVIL[:39]} for row in content["rows"]],
    }
    text = compose(changed(**changes)).text
    bare = "".join(EVIL.split())
    assert text.count(bare) == 2
    assert text.count("".join(EVIL[:39].split())) >= 6


def test_the_agency_is_inserted_as_text(compose: Compose) -> None:
    sealed = SEALER.seal({**a_content(2), "agency": EVIL})
    certificate = verify(sealed, SEALER.seals(agency=EVIL), today=TODAY)
    assert "".join(EVIL.split()) in compose(certificate).text


def test_without_any_record_it_says_so(compose: Compose) -> None:
    text = compose(changed(rows=[], units=[], insurances=[])).text
    assert "此期间没有缴费记录" in text
    assert "参保单位" not in text
    assert AGENCY in text


def test_the_widest_values_stay_in_their_columns(compose: Compose) -> None:
    content = a_content(2)
    most = 10**13
    rows = [
        {**row, "base_fen": most, "pension_fen": most, "unemployment_fen": most, "aab001": "W" * 40}
        for row in content["rows"]
    ]
    sheet = compose(changed(rows=rows, units=[{"aab001": "W" * 40, "aab004": "江城" * 100}]))
    table = sheet.told("pdftotext", "-bbox")
    edges = [
        (float(left), float(right), word)
        for left, right, word in re.findall(r'xMin="([\d.]+)".*?xMax="([\d.]+)".*?>(.*?)<', table)
    ]
    amounts = [(left, right) for left, right, word in edges if word == "100,000,000,000.00"]
    assert len(amounts) == 6
    # Columns of 31 mm that end 20, 51 and 82 mm left of the right margin of 20 mm.
    mm = 72 / 25.4
    for left, right in amounts:
        assert any(
            (210 - 20 - end - 31) * mm < left < right < (210 - 20 - end) * mm
            for end in (20, 51, 82)
        )
    assert all(right <= (210 - 20) * mm + 0.1 for _, right, _ in edges)


@pytest.mark.parametrize(
    ("fen", "yuan"),
    [(0, "0.00"), (5, "0.05"), (99, "0.99"), (840_600, "8,406.00"), (10**13, "100,000,000,000.00")],
)
def test_money(fen: int, yuan: str) -> None:
    assert money(fen) == yuan
