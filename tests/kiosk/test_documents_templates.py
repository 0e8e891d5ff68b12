"""certificates.toml: seals, words, notes and the template, each checked when the pack is read."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from kiosk.bilingual import Bilingual
from kiosk.config import DEMO_ROOT_KEY
from kiosk.documents.content import CertificateKind, InsuranceKind
from kiosk.documents.templates import WORDS, CertificateBook, read_book
from kiosk.pack import load, read_root
from kiosk.pack_signature import PackError
from kiosk.platform.models import PaymentState
from kiosk.toml_tables import Table
from tests.kiosk.sealed_samples import AGENCY, PACK, URL, demo_book

Edit = Callable[[str, str], None]
TEMPLATE = "certificates/participation.typ"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the demo pack."""
    return Path(shutil.copytree(PACK, tmp_path / "pack"))


@pytest.fixture
def edit(folder: Path) -> Edit:
    """Changes one text of certificates.toml."""

    def change(old: str, new: str) -> None:
        file = folder / "certificates.toml"
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), "utf-8")

    return change


def read(folder: Path) -> CertificateBook:
    return read_book(Table.read(folder / "certificates.toml", PackError))


def test_the_demo_pack_holds_it_under_its_signature() -> None:
    pack = load(PACK, read_root(DEMO_ROOT_KEY), today=date(2026, 11, 21))
    assert pack.certificates == demo_book()
    assert TEMPLATE in (PACK / "pack.sig").read_text("ascii")


def test_the_demo_book_is_whole() -> None:
    book = demo_book()
    assert book.seals.verify_url == URL
    (seal,) = book.seals.keys.values()
    assert (seal.key_id, seal.agency, seal.division) == ("seal-1", AGENCY, "429900")
    template = book.templates[CertificateKind.PARTICIPATION]
    assert template.name == Bilingual("参保证明", "Certificate of participation")
    assert template.source == (PACK / TEMPLATE).read_bytes()
    assert set(template.words) == WORDS
    assert set(template.insurances) == set(InsuranceKind)
    assert set(template.states) == set(PaymentState)
    assert template.qr_mm >= 28
    assert len(template.notes) == 4
    assert all(note.source for note in template.notes)


def test_a_seal_may_be_used_from_its_first_to_its_last_day() -> None:
    (seal,) = demo_book().seals.keys.values()
    assert seal.valid_on(seal.valid_from) and seal.valid_on(seal.valid_to)
    assert not seal.valid_on(date(2025, 12, 31)) and not seal.valid_on(date(2036, 1, 1))


AFTER_SEAL = "valid_to = 2035-12-31\n"


@pytest.mark.parametrize(
    ("old", "new", "key", "expected"),
    [
        ('"https://zm', '"http://zm', "verify_url", "https"),
        ('example/v"', 'example/v?x=1"', "verify_url", "without a query"),
        ('"seal-1"', '"Seal 1"', "key_id", "small letters"),
        ('public_key = "0', 'public_key = "1', "public_key", "not on the SM2 curve"),
        ('public_key = "0f', 'public_key = "', "public_key", "128"),
        ('division = "429900"', 'division = "4299"', "division", "6 digits"),
        ("valid_to = 2035", "valid_to = 2025", "valid_to", "before valid_from"),
        ("valid_to = 2035-12-31", 'valid_to = "2035"', "valid_to", "date"),
        (AFTER_SEAL, AFTER_SEAL + "more = 1\n", "more", "unknown key"),
        ("[[seal]]", "[[seals]]", "seal", "at least one"),
        ("[participation]", "[other]", "participation.name", "missing"),
        (TEMPLATE, "../participation.typ", "template", ".typ"),
        (TEMPLATE, "certificates/other.typ", "template", "cannot be read"),
        ("seal_mm = 40", "seal_mm = 60", "seal_mm", "20..50"),
        ("qr_mm = 35", "qr_mm = 27", "qr_mm", "28..60"),
        ('none = "—"', "", "none", "missing"),
        ('none = "—"', 'none = "—"\nmore = "x"', "more", "unknown key"),
        ("410 =", "411 =", "410", "missing"),
        ("paused =", "resting =", "paused", "missing"),
        ("{as_of}", "{as_off}", "text", "as_of, valid_until"),
        ('mark = "C"', 'mark = "X"', "mark", '"A"'),
    ],
)
def test_what_is_wrong_is_named(
    folder: Path, edit: Edit, old: str, new: str, key: str, expected: str
) -> None:
    edit(old, new)
    with pytest.raises(PackError) as caught:
        read(folder)
    assert caught.value.key.endswith(key)
    assert expected in str(caught.value)


def test_two_seals_need_two_names(folder: Path, edit: Edit) -> None:
    text = (folder / "certificates.toml").read_text("utf-8")
    one = text[text.index("[[seal]]") : text.index("[participation]")]
    edit("[participation]", one + "[participation]")
    with pytest.raises(PackError, match="stands twice"):
        read(folder)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (b'#import "@preview/cetz:0.3.0": canvas\n', "imports a package"),
        (b'#include " @local/x:0.1.0"\n', "imports a package"),
        (b"\xff\xfe", "not UTF-8"),
        (b"/" * 65_537, "65536"),
    ],
)
def test_a_template_that_may_not_be_used_is_refused(
    folder: Path, source: bytes, expected: str
) -> None:
    (folder / TEMPLATE).write_bytes(source)
    with pytest.raises(PackError, match=expected):
        read(folder)
