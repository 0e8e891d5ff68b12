"""The document printer's answers to IPP requests, without a wire (RFC 8011)."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

from tests.hw_sim.ipp_client import (
    CHARSET,
    LANGUAGE,
    URI,
    Bench,
    Field,
    of_job,
    pdf,
    print_job,
    request,
)

PRINT, VALIDATE, CREATE, SEND, CANCEL, JOB, JOBS, PRINTER = 2, 4, 5, 6, 8, 9, 10, 11
LAST = (0x22, "last-document", b"\x01")
MORE = (0x22, "last-document", b"\x00")
COPIES: Field = (0x21, "copies", struct.pack(">i", 2))
FIDELITY: Field = (0x22, "ipp-attribute-fidelity", b"\x01")


def wanted(*names: str) -> list[Field]:
    first, *more = names
    fields = [(0x44, "requested-attributes", first.encode())]
    return fields + [(0x44, "", name.encode()) for name in more]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_print_job_from_the_first_byte_to_the_last_sheet(bench: Bench, tmp_path: Path) -> None:
    document = pdf(2)
    answer = bench.ask(print_job("S-0042", pages=2))
    assert (answer.status, answer.message.request_id) == (0, 1)
    assert answer.job["job-id"] == [1]
    assert answer.job["job-uri"] == [f"{URI}/1"]
    assert answer.job["job-state"] == [5]
    told = bench.job()
    assert told["job-impressions"] == told["job-media-sheets"] == [2]
    assert told["job-media-sheets-completed"] == [0]
    assert told["time-at-completed"] == [None]
    bench.turn(2)
    assert bench.job()["job-impressions-completed"] == [1]
    bench.turn()
    told = bench.job()
    assert told["job-state"] == [9]
    assert told["job-state-reasons"] == ["job-completed-successfully"]
    assert told["job-media-sheets-completed"] == [2]
    assert told["time-at-completed"] == [1]
    assert (tmp_path / "0001-S-0042.pdf").read_bytes() == document
    assert bench.ipp.illegal == ()


def test_job_is_found_by_its_uri_too(bench: Bench) -> None:
    bench.ask(print_job())
    by_uri = request(JOB, target=[(0x45, "job-uri", f"{URI}/1".encode())])
    assert bench.ask(by_uri).job["job-id"] == [1]
    for uri in (f"{URI}/2", f"{URI}/x", "ipp://127.0.0.1/other/1"):
        assert bench.status(request(JOB, target=[(0x45, "job-uri", uri.encode())])) == 0x0406


def test_reply_is_to_the_version_and_number_asked(bench: Bench) -> None:
    message = bench.ask(request(PRINTER, version=(1, 1), request_id=77)).message
    assert (message.version, message.request_id) == ((1, 1), 77)


def test_printer_tells_what_a_driverless_client_needs(bench: Bench) -> None:
    told = bench.ask(request(PRINTER)).printer
    assert told["printer-uri-supported"] == [URI]
    assert told["ipp-versions-supported"] == ["1.1", "2.0"]
    assert set(told["operations-supported"]) == {2, 4, 5, 6, 8, 9, 10, 11}
    assert "application/pdf" in told["document-format-supported"]
    assert told["media-default"] == told["media-ready"] == ["iso_a4_210x297mm"]
    assert told["sides-supported"][0] == "one-sided"
    assert told["copies-supported"] == [(1, 99)]
    assert told["printer-uuid"][0].startswith("urn:uuid:")
    assert told["printer-state"] == [3]
    assert told["printer-state-reasons"] == ["none"]
    assert told["printer-is-accepting-jobs"] == [True]
    assert told["marker-levels"] == [80, 80, 80, 80, 20]
    assert "media-col-database" not in told
    for supported in (name for name in told if name.endswith("-default")):
        name = supported.removesuffix("-default")
        assert f"{name}-supported" in told, name


def test_requested_attributes_are_honoured(bench: Bench) -> None:
    told = bench.ask(request(PRINTER, *wanted("printer-state", "media-col-database"))).printer
    assert set(told) == {"printer-state", "media-col-database"}
    template = bench.ask(request(PRINTER, *wanted("job-template"))).printer
    assert "sides-default" in template
    assert "printer-state" not in template
    description = bench.ask(request(PRINTER, *wanted("printer-description"))).printer
    assert "printer-state" in description
    assert "sides-default" not in description
    assert bench.ask(request(PRINTER, *wanted("nothing-we-know"))).printer == {}
    bench.ask(print_job())
    job = bench.ask(of_job(JOB, 1, *wanted("job-state", "copies"))).job
    assert set(job) == {"job-state", "copies"}


def test_state_reasons_follow_the_machine(bench: Bench) -> None:
    def reasons() -> Any:
        told = bench.ask(request(PRINTER, *wanted("printer-state", "printer-state-reasons")))
        return told.printer["printer-state"][0], told.printer["printer-state-reasons"]

    bench.machine.load(1)
    assert reasons() == (3, ["media-low-warning"])
    bench.ask(print_job(pages=2))
    bench.turn()
    assert reasons() == (4, ["media-empty-warning"])
    bench.turn()
    assert reasons() == (5, ["media-empty-error"])
    assert bench.job()["job-state"] == [6]
    assert bench.job()["job-state-reasons"] == ["printer-stopped"]
    bench.machine.jam()
    assert reasons() == (5, ["media-jam-error", "media-empty-error"])
    told = bench.ask(request(PRINTER)).printer
    assert told["printer-state-message"] == ["Paper jam. Out of paper."]
    assert told["queued-job-count"] == [1]


def test_create_job_waits_for_its_document(bench: Bench) -> None:
    created = bench.ask(request(CREATE, (0x42, "job-name", b"S-2"))).job
    assert created["job-state"] == [4]
    assert created["job-state-reasons"] == ["job-incoming"]
    bench.turn(3)
    sent = bench.ask(of_job(SEND, 1, LAST, data=pdf(1)))
    assert (sent.status, sent.job["job-state"]) == (0, [5])
    bench.turn(2)
    assert bench.job()["job-state"] == [9]
    assert bench.status(of_job(SEND, 1, LAST)) == 0x0404


def test_document_may_be_closed_afterwards_but_not_followed_by_another(bench: Bench) -> None:
    bench.ask(request(CREATE))
    assert bench.status(of_job(SEND, 1, MORE, data=pdf(1))) == 0
    assert bench.status(of_job(SEND, 1, LAST)) == 0
    assert bench.status(of_job(SEND, 1, LAST, data=pdf(1))) == 0x0509
    assert bench.status(request(CREATE)) == 0
    assert bench.status(of_job(SEND, 2, LAST)) == 0
    assert bench.job(2)["job-state"] == [8]


def test_job_whose_document_never_comes_is_aborted(bench: Bench) -> None:
    bench.ask(request(CREATE))
    bench.clock.now = 60.0
    assert bench.job()["job-state"] == [4]
    bench.clock.now = 62.0
    assert bench.job()["job-state"] == [8]
    assert bench.status(of_job(SEND, 1, LAST, data=pdf(1))) == 0x0404


def test_cancel_lets_the_sheet_in_the_path_come_out(bench: Bench) -> None:
    bench.ask(print_job(pages=2))
    bench.turn()
    assert bench.status(of_job(CANCEL, 1)) == 0
    assert bench.job()["job-state"] == [5]
    assert bench.job()["job-state-reasons"] == ["processing-to-stop-point"]
    bench.turn()
    assert bench.job()["job-state"] == [7]
    assert bench.job()["job-media-sheets-completed"] == [1]


def test_cancelled_job_can_not_be_cancelled_again(bench: Bench) -> None:
    bench.machine.jam()
    bench.ask(print_job())
    assert bench.status(of_job(CANCEL, 1)) == 0
    assert bench.job()["job-state"] == [7]
    assert bench.status(of_job(CANCEL, 1)) == 0x0404
    assert bench.status(of_job(CANCEL, 2)) == 0x0406
    assert bench.ipp.illegal == ()


def test_get_jobs(bench: Bench) -> None:
    for name in ("a", "b", "c", "d"):
        bench.ask(print_job(name))
    bench.turn(4)

    def ids(*fields: Field) -> list[int]:
        return [job["job-id"][0] for job in bench.ask(request(JOBS, *fields)).jobs]

    completed = (0x44, "which-jobs", b"completed")
    bench.clock.now += 5
    bench.turn(2)
    assert ids() == [4]
    assert ids(completed) == [3, 2, 1]
    assert ids(completed, (0x21, "limit", struct.pack(">i", 2))) == [3, 2]
    assert ids((0x44, "which-jobs", b"all")) == [1, 2, 3, 4]
    mine = (0x22, "my-jobs", b"\x01")
    assert ids((0x42, "requesting-user-name", b"somebody"), mine) == []
    assert ids(mine) == [4]
    (job,) = bench.ask(request(JOBS)).jobs
    assert set(job) == {"job-uri", "job-id"}
    (job,) = bench.ask(request(JOBS, *wanted("job-name"))).jobs
    assert job == {"job-name": ["d"]}
    unknown = bench.ask(request(JOBS, (0x44, "which-jobs", b"saved")))
    assert (unknown.status, unknown.unsupported) == (0x040B, {"which-jobs": ["saved"]})
    assert bench.status(request(JOBS, (0x21, "limit", bytes(4)))) == 0x0400


def test_wishes_are_met_or_told(bench: Bench) -> None:
    two_sided = (0x44, "sides", b"two-sided-long-edge")
    assert bench.status(print_job(pages=3, job=[COPIES, two_sided])) == 0
    told = bench.job()
    assert (told["job-impressions"], told["job-media-sheets"]) == ([6], [4])
    assert told["sides"] == ["two-sided-long-edge"]
    media = (0x44, "media", b"na_letter_8.5x11in")
    odd = print_job(job=[COPIES, media, (0x44, "fold", b"x")])
    answer = bench.ask(odd)
    assert answer.status == 0x0001
    assert answer.unsupported == {"media": ["na_letter_8.5x11in"], "fold": [None]}
    assert bench.job(2)["copies"] == [2]
    # Only media and output-bin may be names where others are keywords.
    a4, name = (0x42, "media", b"iso_a4_210x297mm"), (0x42, "sides", b"one-sided")
    assert bench.status(print_job(job=[a4])) == 0
    assert bench.ask(print_job(job=[name])).unsupported == {"sides": ["one-sided"]}


def test_fidelity_refuses_what_can_not_be_met(bench: Bench) -> None:
    head: dict[str, Any] = {"head": (CHARSET, LANGUAGE)}
    many = (0x21, "copies", struct.pack(">i", 100))
    for operation, data in ((PRINT, pdf(1)), (VALIDATE, b""), (CREATE, b"")):
        asked = request(operation, FIDELITY, job=[many], data=data, **head)
        answer = bench.ask(asked)
        assert (answer.status, answer.unsupported) == (0x040B, {"copies": [100]})
    assert bench.machine.records == ()
