"""The document printer on its wire: HTTP, scripted faults, the power switch, the time of a page."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from hw_sim.faults import FaultSyntaxError
from hw_sim.printer.device import PrinterDevice
from hw_sim.printer.jobs import JobState
from tests.hw_sim.ipp_client import Answer, of_job, print_job, request

ASK = request(0x000B)
IPP = {"Content-Type": "application/ipp"}


def until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 5
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


@pytest.fixture
def printer(tmp_path: Path) -> Iterator[PrinterDevice]:
    device = PrinterDevice(tmp_path / "prints", page_seconds=0.001).start()
    yield device
    device.stop()


def connection(printer: PrinterDevice) -> http.client.HTTPConnection:
    address = urlsplit(printer.url)
    assert address.hostname is not None
    return http.client.HTTPConnection(address.hostname, address.port, timeout=5)


def post(
    printer: PrinterDevice, body: bytes, path: str = "/ipp/print", media: str = "application/ipp"
) -> tuple[int, bytes]:
    line = connection(printer)
    try:
        line.request("POST", path, body, {"Content-Type": media})
        reply = line.getresponse()
        return reply.status, reply.read()
    finally:
        line.close()


def ask(printer: PrinterDevice, body: bytes = ASK) -> int:
    status, answer = post(printer, body)
    assert status == 200
    return Answer(answer).status


def test_job_is_printed_by_itself(printer: PrinterDevice) -> None:
    assert ask(printer, print_job("S-7", pages=3)) == 0
    (job,) = printer.machine.records
    assert until(lambda: job.state is JobState.COMPLETED)
    assert job.sheets_out == 3
    assert job.file is not None
    assert job.file.name == "0001-S-7.pdf"
    assert printer.illegal == ()


def test_stopped_machine_waits_and_goes_on(printer: PrinterDevice) -> None:
    printer.machine.load(1)
    ask(printer, print_job(pages=2))
    (job,) = printer.machine.records
    assert until(lambda: job.sheets_out == 1)
    assert until(lambda: job.state is JobState.STOPPED)
    printer.machine.load(5)
    assert until(lambda: job.state is JobState.COMPLETED)


def test_connection_lasts_for_several_requests(printer: PrinterDevice) -> None:
    line = connection(printer)
    line.connect()
    first = line.sock
    for _ in range(3):
        line.request("POST", "/ipp/print", ASK, IPP)
        assert Answer(line.getresponse().read()).status == 0
        assert line.sock is first
    line.close()


def test_body_may_come_in_chunks_after_a_question(printer: PrinterDevice) -> None:
    address = urlsplit(printer.url)
    with socket.create_connection((address.hostname, address.port), 5) as line:
        line.sendall(
            b"POST /ipp/print HTTP/1.1\r\nHost: x\r\nContent-Type: application/ipp\r\n"
            b"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
        )
        assert line.recv(100).startswith(b"HTTP/1.1 100")
        half = len(ASK) // 2
        for piece in (ASK[:half], ASK[half:]):
            line.sendall(b"%x;x=y\r\n%s\r\n" % (len(piece), piece))
        line.sendall(b"0\r\n\r\n")
        with line.makefile("rb") as replies:
            assert replies.readline() == b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("path", "media", "status"),
    [("/", "application/ipp", 404), ("/ipp/print", "text/plain", 415)],
)
def test_wrong_http_is_recorded(printer: PrinterDevice, path: str, media: str, status: int) -> None:
    assert post(printer, ASK, path, media)[0] == status
    assert printer.illegal == (f"HTTP {status}",)


def test_body_without_a_length_is_refused(printer: PrinterDevice) -> None:
    address = urlsplit(printer.url)
    for head in (b"", b"Content-Length: x\r\n", b"Transfer-Encoding: chunked\r\n"):
        with socket.create_connection((address.hostname, address.port), 5) as line:
            line.sendall(b"POST /ipp/print HTTP/1.1\r\nHost: x\r\n" + head + b"\r\nzz\r\n")
            with line.makefile("rb") as replies:
                assert b" 400 " in replies.readline()


def test_browser_sees_what_it_is(printer: PrinterDevice) -> None:
    line = connection(printer)
    line.request("GET", "/ipp/print")
    assert b"printer" in line.getresponse().read()
    line.close()


# --- faults ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "jobs"), [("drop", 0), ("drop-after", 1)])
def test_connection_closed_without_a_reply(printer: PrinterDevice, fault: str, jobs: int) -> None:
    printer.set_fault(f"2:{fault}")
    assert ask(printer) == 0
    with pytest.raises(http.client.RemoteDisconnected):
        post(printer, print_job())
    assert len(printer.machine.records) == jobs
    assert printer.faults_pending == 0
    assert ask(printer) == 0


def test_half_a_reply(printer: PrinterDevice) -> None:
    printer.set_fault("1:half")
    with pytest.raises(http.client.IncompleteRead):
        post(printer, print_job())
    assert len(printer.machine.records) == 1


@pytest.mark.parametrize(
    ("fault", "http_status", "ipp_status", "jobs"),
    [("500", 500, None, 0), ("garbage", 200, None, 1), ("status=0x0507", 200, 0x0507, 0),
     ("status=1286", 200, 0x0506, 0), ("busy", 200, 0x0507, 0), ("truncate=5", 200, None, 1),
     ("corrupt=3", 200, 0x0055, 1), ("delay=30", 200, 0, 1)],
)  # fmt: skip
def test_reply_of_the_schedule(
    printer: PrinterDevice, fault: str, http_status: int, ipp_status: int | None, jobs: int
) -> None:
    printer.set_fault(f"1:{fault}")
    status, body = post(printer, print_job())
    assert status == http_status
    if ipp_status is None:
        with pytest.raises(ValueError, match=r"."):
            Answer(body)
    else:
        assert Answer(body).status == ipp_status
    assert len(printer.machine.records) == jobs
    assert ask(printer) == 0


def test_fault_of_jobs_counts_only_those(printer: PrinterDevice) -> None:
    printer.set_fault("2:job-drop-after")
    for _ in range(3):
        assert ask(printer) == 0
    assert ask(printer, print_job("a")) == 0
    with pytest.raises(http.client.RemoteDisconnected):
        post(printer, print_job("b"))
    assert [job.name for job in printer.machine.records] == ["a", "b"]
    created = Answer(post(printer, request(0x0005))[1]).job["job-id"][0]
    printer.set_fault("1:job-status=0x0400")
    last = (0x22, "last-document", b"\x01")
    assert ask(printer, of_job(0x0006, created, last)) == 0x0400


@pytest.mark.parametrize(
    "schedule", ["drop", "1:fire", "1:delay", "1:delay=x", "1:status=y", "1:job-status=0x10000",
                 "1:truncate", "1:corrupt=-1", ""]
)  # fmt: skip
def test_schedule_that_can_not_be_read_adds_nothing(printer: PrinterDevice, schedule: str) -> None:
    with pytest.raises(FaultSyntaxError):
        printer.set_fault(f"1:job-drop,2:drop,{schedule}")
    assert printer.faults_pending == 0


def test_none_forgets_both_kinds(printer: PrinterDevice) -> None:
    printer.set_fault("1:drop,1:job-drop")
    assert printer.faults_pending == 2
    printer.set_fault("none")
    assert printer.faults_pending == 0
    assert ask(printer) == 0


def test_stuck_until_it_is_powered_anew(printer: PrinterDevice) -> None:
    printer.set_fault("1:stuck")
    first, second = connection(printer), connection(printer)
    for line in (first, second):
        line.request("POST", "/ipp/print", print_job(), IPP)
    assert until(lambda: bool(printer.machine.records and printer.machine.records[0].sheets_out))
    for line in (first, second):
        line.sock.settimeout(0.05)
        with pytest.raises(TimeoutError):
            line.sock.recv(1)
        line.close()
    assert len(printer.machine.records) == 1
    printer.switch_off()
    printer.switch_on()
    assert ask(printer) == 0


def test_power_fails_instead_of_a_reply(printer: PrinterDevice) -> None:
    printer.machine.jam()
    assert ask(printer, print_job("a")) == 0
    printer.set_fault("1:power-cycle")
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        post(printer, print_job("b"))
    assert until(lambda: printer.on)
    assert [job.state for job in printer.machine.records] == [JobState.ABORTED] * 2
    assert ask(printer, of_job(0x0009, 1)) == 0x0406


# --- power -----------------------------------------------------------------------------------


def test_switched_off_it_refuses_and_cuts_and_forgets(printer: PrinterDevice) -> None:
    url = printer.url
    printer.machine.jam()
    ask(printer, print_job())
    line = connection(printer)
    line.request("POST", "/ipp/print", ASK, IPP)
    line.getresponse().read()
    printer.switch_off()
    assert not printer.on
    with pytest.raises(ConnectionRefusedError):
        post(printer, ASK)
    assert line.sock.recv(1) == b""
    line.close()
    assert printer.machine.records[0].state is JobState.ABORTED
    printer.switch_on()
    printer.switch_on()
    assert printer.url == url
    assert ask(printer, of_job(0x0009, 1)) == 0x0406
    assert printer.machine.jammed


def test_power_cut_in_the_middle_of_an_exchange(printer: PrinterDevice) -> None:
    printer.set_fault("1:delay=200")
    line = connection(printer)
    line.request("POST", "/ipp/print", ASK, IPP)
    assert until(lambda: printer.faults_pending == 0)
    printer.switch_off()
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        line.getresponse()
    line.close()


def test_numbers_go_on_over_a_restart(tmp_path: Path) -> None:
    for number in (1, 2):
        device = PrinterDevice(tmp_path, page_seconds=0.001).start()
        ask(device, print_job())
        assert device.machine.records[0].number == number
        device.stop()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["0001-S-1.pdf", "0002-S-1.pdf"]


def test_stopping_twice_and_never_started(tmp_path: Path) -> None:
    device = PrinterDevice(tmp_path)
    device.stop()
    assert not device.on
    started = PrinterDevice(tmp_path).start()
    started.stop()
    started.stop()
