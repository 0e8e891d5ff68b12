"""Requests that the document printer refuses, and those that no correct client sends (RFC 8011)."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.hw_sim.ipp_client import (
    CHARSET,
    LANGUAGE,
    URI,
    Answer,
    Bench,
    Field,
    pdf,
    print_job,
    request,
)

PRINT, VALIDATE, CREATE, SEND, JOB, JOBS, PRINTER = 2, 4, 5, 6, 9, 10, 11


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize(
    ("fields", "data", "status"),
    [
        ([(0x49, "document-format", b"image/jpeg")], pdf(1), 0x040A),
        ([(0x44, "compression", b"gzip")], pdf(1), 0x040F),
        ([(0x49, "document-format", b"application/pdf")], b"%!PS", 0x0411),
        ([(0x49, "document-format", b"application/octet-stream")], b"%!PS", 0x0411),
        ([], b"", 0x0400),
    ],
)
def test_document_that_can_not_be_printed(
    bench: Bench, fields: list[Field], data: bytes, status: int
) -> None:
    assert bench.status(request(PRINT, *fields, data=data)) == status
    assert bench.machine.records == ()


def test_refusing_printer_says_so(bench: Bench) -> None:
    bench.machine.accepting = False
    for body in (print_job(), request(CREATE), request(VALIDATE)):
        assert bench.status(body) == 0x0506
    assert bench.ask(request(PRINTER)).printer["printer-is-accepting-jobs"] == [False]
    assert bench.ipp.illegal == ()


ILLEGAL: list[tuple[bytes, int, str]] = [
    (b"\x02\x00\x00", 0x0400, "malformed"),
    (request(PRINTER, (0x44, "x", b"y" * 300)), 0x0409, "malformed"),
    (request(PRINTER, request_id=0), 0x0400, "request-id"),
    (request(PRINTER, version=(9, 0)), 0x0503, "versions"),
    (request(0x0003), 0x0501, "0x0003"),
    (request(PRINTER, head=()), 0x0400, "must come first"),
    (request(PRINTER, head=(LANGUAGE, CHARSET)), 0x0400, "must come first"),
    (request(PRINTER, head=(CHARSET,)), 0x0400, "must come first"),
    (
        request(PRINTER, head=((0x47, "attributes-charset", b"gb18030"), LANGUAGE)),
        0x040D,
        "utf-8",
    ),
    (request(PRINTER, target=()), 0x0400, "printer-uri"),
    (request(PRINTER, target=((0x42, "printer-uri", URI.encode()),)), 0x0400, "wrong syntax"),
    (request(JOB), 0x0400, "neither job-uri nor job-id"),
    (request(PRINTER, (0x42, "requested-attributes", b"all")), 0x0400, "wrong syntax"),
    (request(JOBS, (0x21, "limit", bytes(4)), (0x21, "", bytes(4))), 0x0400, "several values"),
    (request(PRINTER, data=b"x"), 0x0400, "no document"),
    (request(PRINT), 0x0400, "no document"),
    (request(SEND, (0x21, "job-id", struct.pack(">i", 1))), 0x0400, "last-document"),
]


@pytest.mark.parametrize(("body", "status", "words"), ILLEGAL)
def test_illegal_request_is_answered_and_recorded(
    bench: Bench, body: bytes, status: int, words: str
) -> None:
    assert bench.status(body) == status
    (recorded,) = bench.ipp.illegal
    assert words in recorded
    assert bench.machine.records == ()


def test_group_of_another_kind_is_illegal(bench: Bench) -> None:
    assert bench.status(request(PRINTER)[:-1] + b"\x04\x03") == 0x0400
    assert bench.status(request(PRINTER)[:8] + b"\x02\x03") == 0x0400
    assert len(bench.ipp.illegal) == 2


def test_other_printer_is_not_found(bench: Bench) -> None:
    elsewhere = request(PRINTER, target=[(0x45, "printer-uri", b"ipp://127.0.0.1/ipp/fax")])
    assert bench.status(elsewhere) == 0x0406


def test_forced_status_does_nothing(bench: Bench) -> None:
    answer = Answer(bench.ipp.serve(print_job(), 0x0507))
    assert (answer.status, answer.jobs) == (0x0507, [])
    assert bench.machine.records == ()


def test_record_has_no_values_of_a_request(bench: Bench) -> None:
    secret = "王芳".encode()
    bench.ask(request(PRINT, (0x44, "job-name", b"wangfang"), data=pdf(1)))
    bench.ask(request(PRINT, (0x42, "job-name", secret), (0x22, "job-name", b"\x01")))
    told = " ".join(bench.ipp.illegal)
    assert len(bench.ipp.illegal) == 2
    assert "wangfang" not in told
    assert "王" not in told
