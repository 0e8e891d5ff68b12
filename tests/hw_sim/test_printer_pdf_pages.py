"""Pages of PDFs: those that typst makes, and the awkward ones."""

from __future__ import annotations

import zlib

import pytest
import typst

from hw_sim.printer.pdf_pages import NotAPdf, count_pages
from tests.hw_sim.ipp_client import pdf

HEAD = b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"


def stream(number: int, dictionary: bytes, data: bytes) -> bytes:
    size = len(data)
    head = b"%d 0 obj\n<<%s/Length %d>>\nstream\n" % (number, dictionary, size)
    return head + data + b"\nendstream\nendobj\n"


def packed(number: int, *objects: tuple[int, bytes], deflated: bool = True) -> bytes:
    head, body = b"", b""
    for inner, text in objects:
        head += b"%d %d " % (inner, len(body))
        body += text + b"\n"
    data = head + body
    dictionary = b"/Type/ObjStm/N %d/First %d" % (len(objects), len(head))
    if deflated:
        return stream(number, dictionary + b"/Filter/FlateDecode", zlib.compress(data))
    return stream(number, dictionary, data)


@pytest.mark.parametrize("standard", ["1.7", "a-2b"])
@pytest.mark.parametrize("pages", [1, 2, 7])
def test_documents_of_typst(pages: int, standard: str) -> None:
    source = "#pagebreak()\n".join(f"Page {n} of /Type /Page\n\n" for n in range(pages))
    made = typst.compile(source.encode(), pdf_standards=[standard])
    assert isinstance(made, bytes)
    assert count_pages(made) == pages


@pytest.mark.parametrize("deflated", [True, False])
def test_pages_inside_object_streams(deflated: bool) -> None:
    document = b"%PDF-1.5\n" + packed(
        9,
        (1, b"<</Type/Catalog/Pages 2 0 R>>"),
        (2, b"<</Type/Pages/Count 3/Kids[3 0 R 4 0 R]>>"),
        (3, b"<</Type/Page/Parent 2 0 R>>"),
        (4, b"<</Type/Pages/Parent 2 0 R/Kids 5 0 R>>"),
        (5, b"[6 0 R 7 0 R]"),
        (6, b"<< /Type /Page /Parent 4 0 R >>"),
        (7, b"<</Parent 4 0 R/Type\n/Page>>"),
        deflated=deflated,
    )
    assert count_pages(document) == 3


def test_what_only_looks_like_a_page_is_none() -> None:
    note = b"(a \\) <</Type/Page>> (b))"
    page = b"3 0 obj\n<</Note" + note + b"/Type/Page/Parent 2 0 R/Contents 4 0 R>>\nendobj\n"
    hidden = b"endstream\n2 0 obj\n<</Type/Pages/Kids[3 0 R 8 0 R]>>\nendobj"
    content = stream(4, b"", hidden)
    comment = b"% 5 0 obj <</Type/Page>> endobj\n"
    tree = b"2 0 obj\n<</Type/Pages/Kids[3 0 R]>>\nendobj\n"
    unused = b"8 0 obj\n<</Type/Page/Parent 2 0 R>>\nendobj\n"
    assert count_pages(HEAD + tree + page + content + comment + unused) == 1


def test_the_last_version_of_an_object_counts() -> None:
    changed = b"2 0 obj\n<</Type/Pages/Kids[3 0 R 3 0 R 4 0 R]>>\nendobj\n"
    with pytest.raises(NotAPdf, match="tail"):
        count_pages(pdf(2) + changed)
    assert count_pages(pdf(3) + b"2 0 obj\n<</Type/Pages/Kids[3 0 R 4 0 R]>>\nendobj\n") == 2


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "begin"),
        (b"%!PS-Adobe-3.0\n", "begin"),
        (b"%PDF-1.7\nnothing", "catalogue"),
        (pdf(2)[:60], "broken"),
        (HEAD + b"2 0 obj\n<</Type/Pages/Kids[2 0 R]>>\nendobj\n", "tail"),
        (HEAD + b"2 0 obj\n<</Type/Pages/Kids[]>>\nendobj\n", "no page"),
        (HEAD + b"2 0 obj\n<</Type/Pages/Kids[5 0 R]>>\nendobj\n", "broken"),
        (HEAD + b"2 0 obj\n<</Type/Pages/Kids[1 0 R]>>\nendobj\n", "broken"),
        (b"%PDF-1.5\n" + stream(9, b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode", b"???"), "cat"),
    ],
)
def test_what_can_not_be_printed(document: bytes, reason: str) -> None:
    with pytest.raises(NotAPdf, match=reason):
        count_pages(document)
