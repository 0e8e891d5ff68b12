"""A CUPS queue: the device is asked how it stands; a stopped queue goes again, but not for ever."""

import getpass
import socketserver
import threading
from http.server import BaseHTTPRequestHandler

import pytest

from drivers.cups.printer import CupsPrinter
from drivers.cups.queue import queue_of
from drivers.document_printer import PrinterDetails, PrinterStatus, PrintOutcome
from tests.drivers import printer_double as far
from tests.drivers.cups_bench import CupsBench, asked, stop
from tests.drivers.printer_double import Job
from tests.drivers.printing_bench import DONE, FAILED, NAME, PATIENCE, R


@pytest.fixture
def bench():
    made = CupsBench()
    yield made
    made.close()


# --- how it stands ------------------------------------------------------------------------------


def test_the_device_is_asked_and_not_the_spooler(bench):
    bench.printer.reasons = ("media-jam", "cups-waiting-for-job-completed")
    assert bench.driver.status() == PrinterStatus(None)
    bench.printer.reasons, bench.device.reasons = ("none",), ("media-empty-error",)
    assert bench.driver.status() == PrinterStatus(R.PAPER_OUT)
    bench.device.off()
    assert bench.driver.status() == PrinterStatus(R.GONE)
    bench.device.on()


def test_a_spooler_that_is_away_or_does_not_know_the_queue(bench):
    bench.printer.off()
    assert bench.driver.details() == PrinterDetails(PrinterStatus(R.GONE))
    bench.printer.on()
    bench.printer.faults[far.GET_PRINTER] = [far.refuse(far.NOT_FOUND)]
    assert bench.driver.details().message == "no such queue"
    bench.printer.faults[far.GET_PRINTER] = [far.refuse(far.NOT_FOUND)]
    assert bench.driver.status() == PrinterStatus(R.STOPPED)


@pytest.mark.parametrize(
    ("uri", "device"),
    [
        ("ipp://printer.local/ipp/print", "ipp://printer.local/ipp/print"),
        ("ipps://p:8443/ipp?waitjob=false&x=y", "ipps://p:8443/ipp"),
        ("ipp://other/printers/Sim", None),
        ("ipp://other/classes/All", None),
        ("ipp://me:secret@p/ipp", None),
        ("usb://Maker/Model?serial=1", None),
        ("socket://p:9100", None),
        ("dnssd://Maker._ipp._tcp.local/", None),
        ("ipp://[/", None),
        ("", None),
    ],
)
def test_what_a_queue_prints_on(uri, device):
    assert queue_of({"printer-state": (3,), "device-uri": (uri,)}).device == device


def test_without_a_device_of_ipp_the_spooler_is_all_that_there_is(bench):
    bench.queue("usb://Maker/Model")
    bench.printer.reasons = ("media-empty-warning",)
    assert bench.driver.status() == PrinterStatus(R.PAPER_OUT)


@pytest.mark.parametrize("policy", ["retry-job", "retry-current-job"])
def test_a_queue_that_prints_again_by_itself_is_not_printed_on(bench, policy):
    bench.queue(policy=policy)
    assert "abort-job" in bench.driver.details().message
    assert bench.print() == PrintOutcome(FAILED, R.STOPPED)
    assert asked(bench.printer, far.PRINT_JOB, far.RESUME) == []


# --- a stopped queue ----------------------------------------------------------------------------


@pytest.mark.parametrize("accepting", [True, False])
def test_a_stopped_queue_goes_again_when_the_device_is_well(bench, accepting):
    stop(bench, accepting)
    bench.device.reasons = ("media-empty",)
    assert bench.driver.status() == PrinterStatus(R.PAPER_OUT)
    assert asked(bench.printer, far.RESUME, far.ENABLE) == []
    bench.device.reasons = ("none",)
    assert bench.driver.status() == PrinterStatus(None)
    assert asked(bench.printer, far.RESUME, far.ENABLE) == [far.RESUME, far.ENABLE]
    assert bench.printer.accepting and bench.printer.state == 3
    assert bench.driver.status() == PrinterStatus(None)
    assert len(asked(bench.printer, far.RESUME)) == 1


@pytest.mark.parametrize("accepting", [True, False])
def test_a_stopped_queue_goes_again_by_its_own_words_where_nobody_else_says(bench, accepting):
    bench.queue("usb://Maker/Model")
    stop(bench, accepting)
    bench.printer.reasons = ("paused", "media-empty-warning")
    assert bench.driver.status() == PrinterStatus(R.PAPER_OUT)
    bench.printer.reasons = ("paused",)
    assert bench.driver.status() == PrinterStatus(None)
    assert asked(bench.printer, far.RESUME, far.ENABLE) == [far.RESUME, far.ENABLE]


def test_a_queue_that_takes_no_jobs_goes_again_too(bench):
    bench.printer.accepting = False
    assert bench.driver.status() == PrinterStatus(None)
    assert bench.printer.accepting


def test_after_some_restarts_without_a_print_somebody_must_come(bench):
    for _ in range(PATIENCE.restarts):
        stop(bench)
        assert bench.driver.status() == PrinterStatus(None)
    stop(bench)
    details = bench.driver.details()
    assert details.status == PrinterStatus(R.STOPPED)
    assert "3 restarts" in details.message
    assert bench.print() == PrintOutcome(FAILED, R.STOPPED)
    assert len(asked(bench.printer, far.RESUME)) == PATIENCE.restarts


def test_a_print_that_comes_out_makes_up_for_the_restarts(bench):
    for _ in range(PATIENCE.restarts):
        stop(bench)
        bench.driver.status()
    bench.steps = [bench.arrives(state=far.COMPLETED, impressions=3)]
    assert bench.print() == PrintOutcome(DONE)
    stop(bench)
    assert bench.driver.status() == PrinterStatus(None)


@pytest.mark.parametrize("fault", [far.http(401), far.refuse(0x0403), far.drop])
@pytest.mark.parametrize("operation", [far.RESUME, far.ENABLE])
def test_a_spooler_that_does_not_let_us(bench, operation, fault):
    stop(bench, accepting=False)
    bench.printer.always[operation] = fault
    assert bench.driver.status() == PrinterStatus(R.STOPPED)
    assert bench.driver.details().message == "the queue is stopped"
    del bench.printer.always[operation]
    stop(bench)
    assert bench.driver.status() == PrinterStatus(None)


def test_what_an_earlier_life_left_is_taken_out_before_the_queue_goes_again(bench):
    stop(bench)
    bench.printer.jobs = {3: Job("old", far.PENDING, born=far.NOW - 100)}
    assert bench.driver.status() == PrinterStatus(None)
    assert bench.printer.jobs[3].state == far.CANCELED
    assert asked(bench.printer, far.CANCEL, far.RESUME) == [far.CANCEL, far.RESUME]


def test_a_job_that_another_driver_follows_now_is_left_alone(bench):
    stop(bench)
    bench.printer.jobs = {3: Job("now", far.PENDING, born=far.NOW - 2)}
    assert bench.driver.status() == PrinterStatus(R.STOPPED)
    assert bench.printer.jobs[3].state == far.PENDING
    assert asked(bench.printer, far.CANCEL, far.RESUME) == []


@pytest.mark.parametrize("operation", [far.CANCEL, far.GET_JOBS])
def test_a_queue_with_a_job_that_stays_is_never_set_going(bench, operation):
    stop(bench)
    bench.printer.jobs = {3: Job("old", far.PENDING, born=far.NOW - 100)}
    bench.printer.always[operation] = far.drop if operation == far.GET_JOBS else far.refuse(0x0403)
    assert bench.driver.status() == PrinterStatus(R.STOPPED)
    assert asked(bench.printer, far.RESUME) == []


# --- a print that ended unknown -------------------------------------------------------------------


def test_a_print_is_withdrawn_from_the_queue_and_from_the_device(bench):
    bench.printer.jobs = {3: Job(NAME, far.PENDING), 4: Job("another", far.PENDING)}
    bench.device.jobs = {40: Job(NAME, far.PROCESSING)}
    assert bench.driver.withdraw(NAME)
    assert [bench.printer.jobs[n].state for n in (3, 4)] == [far.CANCELED, far.PENDING]
    assert bench.device.jobs[40].state == far.CANCELED


@pytest.mark.parametrize("fault", [far.drop, far.refuse(0x0403)])
@pytest.mark.parametrize(
    ("where", "operation"),
    [
        ("printer", far.GET_PRINTER),
        ("printer", far.GET_JOBS),
        ("printer", far.CANCEL),
        ("device", far.GET_JOBS),
        ("device", far.CANCEL),
    ],
)
def test_a_print_that_may_still_be_there_is_not_withdrawn(bench, where, operation, fault):
    bench.printer.jobs = {3: Job(NAME, far.PENDING)}
    bench.device.jobs = {40: Job(NAME, far.PROCESSING)}
    getattr(bench, where).always[operation] = fault
    assert not bench.driver.withdraw(NAME)


# --- arguments and manners ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a#b", "a?b", "x" * 128, "a\n"])
def test_names_that_no_queue_has(name):
    with pytest.raises(ValueError):
        CupsPrinter(name)


def test_by_a_socket_the_spooler_is_told_who_asks(tmp_path):
    heard = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            heard.append((self.path, self.headers["Authorization"]))
            self.send_error(401)

        def address_string(self):
            return ""

        def log_message(self, *_):
            pass

    with socketserver.UnixStreamServer(str(tmp_path / "cups.sock"), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        printer = CupsPrinter("Sim", PATIENCE, str(tmp_path / "cups.sock"))
        assert printer.status() == PrinterStatus(R.GONE)
        server.shutdown()
        thread.join()
    assert heard == [("/printers/Sim", f"PeerCred {getpass.getuser()}")]


def test_a_socket_that_is_not_there(tmp_path):
    printer = CupsPrinter("Sim", PATIENCE, str(tmp_path / "cups.sock"))
    assert printer.status() == PrinterStatus(R.GONE)
    printer.close()


def test_the_queue_is_found_by_the_name_that_people_gave_it(bench):
    patience = PATIENCE
    CupsPrinter("证明", patience, f"127.0.0.1:{bench.printer.port}").status()
    uri = bench.printer.requests[-1].value("printer-uri")
    assert uri.endswith(b"/printers/%E8%AF%81%E6%98%8E")
