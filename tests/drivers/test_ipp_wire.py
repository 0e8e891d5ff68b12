"""The octets of IPP requests, and all that can go wrong under an exchange."""

import datetime
import gc
import gzip
import ipaddress
import socket
import ssl
import threading
import warnings

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from drivers.document_printer import PrinterReason, PrinterStatus
from drivers.ipp.answers import ExchangeFailed, HttpRefused, NothingSent
from drivers.ipp.printer import IppPrinter
from drivers.ipp.watch import IppPatience
from drivers.ipp.wire import LONGEST_ANSWER, IppWire, http_url
from tests.drivers import printer_double as far
from tests.drivers.pad_double import soon
from tests.drivers.printer_double import PrinterDouble

SHORT = IppPatience(connect=1.0, answer=1.0, submit=1.0)
GONE = PrinterStatus(PrinterReason.GONE)
HEAD = [
    ("attributes-charset", b"utf-8"),
    ("attributes-natural-language", b"en"),
]
USER = ("requesting-user-name", b"yikatong")


@pytest.fixture
def printer():
    double = PrinterDouble()
    yield double
    double.close()


@pytest.fixture
def wire(printer):
    return IppWire(printer.url, 5, 5, 5, None)


@pytest.fixture
def no_leak():
    """Fails where a socket or loop of ours was left to the garbage collector."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
        gc.collect()
    ours = [str(warning.message) for warning in caught if "raddr" in str(warning.message)
            or "transport" in str(warning.message) or "loop" in str(warning.message)]  # fmt: skip
    assert not ours


def uri(printer):
    return ("printer-uri", printer.url.encode())


def test_the_attributes_of_get_printer_attributes(printer, wire):
    assert wire.printer().printer["printer-state"] == (3,)
    (request,) = printer.requests
    wanted = (b"printer-state", b"printer-state-reasons", b"printer-is-accepting-jobs",
              b"queued-job-count")  # fmt: skip
    assert request.operation == far.GET_PRINTER
    assert request.attributes == [
        *HEAD, uri(printer), USER, *(("requested-attributes", name) for name in wanted),
    ]  # fmt: skip
    assert request.headers["content-type"] == "application/ipp"
    assert request.headers["connection"] == "close"
    assert request.document == b"" and request.job_attributes == []


def test_the_attributes_of_print_job(printer, wire):
    pdf = b"%PDF-1.7\n" + bytes(range(256)) * 8_000
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = wire.print_job(pdf, "证明-1", threading.Event())
    assert answer.ok and answer.jobs[0]["job-id"] == (7,)
    (request,) = printer.requests
    assert request.operation == far.PRINT_JOB
    assert request.attributes == [
        *HEAD, uri(printer), USER, ("job-name", "证明-1".encode()),
        ("document-format", b"application/pdf"),
    ]  # fmt: skip
    assert request.job_attributes == [
        ("copies", b"\x00\x00\x00\x01"), ("sides", b"one-sided"), ("media", b"iso_a4_210x297mm"),
    ]  # fmt: skip
    assert request.document == pdf


@pytest.mark.parametrize("call", ["job", "cancel_job"])
def test_a_jobs_number_stands_behind_the_printer(printer, wire, call):
    """RFC 8011 §4.1.5: the target's two attributes are the third and the fourth."""
    assert getattr(wire, call)(300).status == far.NOT_FOUND
    request = printer.requests[0]
    assert request.operation == {"job": far.GET_JOB, "cancel_job": far.CANCEL}[call]
    assert request.attributes[:5] == [
        *HEAD, uri(printer), ("job-id", b"\x00\x00\x01\x2c"), USER,
    ]  # fmt: skip
    if call == "job":
        assert ("requested-attributes", b"job-impressions-completed") in request.attributes


def test_the_attributes_of_get_jobs(printer, wire):
    printer.jobs = {1: far.Job("A", far.COMPLETED), 2: far.Job("B", far.PENDING)}
    assert [job["job-id"] for job in wire.jobs("completed").jobs] == [(1,)]
    assert [job["job-name"] for job in wire.jobs("not-completed").jobs] == [("B",)]
    assert printer.requests[0].attributes == [
        *HEAD, uri(printer), USER, ("which-jobs", b"completed"),
        ("requested-attributes", b"job-id"), ("requested-attributes", b"job-name"),
    ]  # fmt: skip


def test_each_request_has_its_own_number_and_connection(printer, wire):
    wire.printer()
    printer.off()
    printer.on()
    wire.printer()
    assert len({request.number for request in printer.requests}) == 2


@pytest.mark.parametrize(
    ("url", "http"),
    [
        ("ipp://printer/ipp/print", "http://printer:631/ipp/print"),
        ("ipps://10.0.0.9:8443/", "https://10.0.0.9:8443/"),
        ("ipp://[fe80::1]:8631/ipp", "http://[fe80::1]:8631/ipp"),
        ("ipps://[::1]", "https://[::1]:631"),
    ],
)
def test_where_a_printer_listens(url, http):
    assert http_url(url) == http


BROKEN = {
    "dropped": far.drop,
    "half": far.half,
    "short": far.short,
    "other number": far.other_number,
    "hangs": far.hang,
    "endless": far.endless,
    "trickles": far.trickle,
    "empty": far.http(200),
    "html": far.http(200, b"<html>sign in</html>", content_type="text/html"),
    "no IPP": far.http(200, b"\x00" * 50),
    "compressed": far.http(200, b"\x1f\x8b\x08", **{"Content-Encoding": "gzip"}),
    "gzip": lambda handler, usual: handler.send(
        gzip.compress(usual()), **{"Content-Encoding": "gzip"}
    ),
    "error with an answer": lambda handler, usual: handler.send(usual(), 500),
    "too long": lambda handler, usual: handler.send(usual() + bytes(LONGEST_ANSWER)),
    "204": far.http(204),
    "307": far.http(307, Location="http://127.0.0.1:9/"),
    "301": far.http(301, Location="/ipp/print"),
    "400": far.http(400, b"bad"),
    "401": far.http(401, **{"WWW-Authenticate": 'Basic realm="x"'}),
    "404": far.http(404, b"\xff\xfe not utf-8"),
    "426": far.http(426, Upgrade="TLS/1.2", Connection="Upgrade"),
    "500": far.http(500, b"\xff"),
    "503": far.http(503, b"busy", **{"Retry-After": "5"}),
    "no HTTP": far.raw(b"SSH-2.0-OpenSSH_9\r\n"),
    "status line": far.raw(b"HTTP/1.1 abc\r\n\r\n"),
    "header line": far.raw(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"),
    "long header": far.raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n"),
    "length": far.raw(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"),
    "two lengths": far.raw(
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n123456"
    ),
    "chunk": far.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n"),
    "cookie": far.raw(b"HTTP/1.1 200 OK\r\nSet-Cookie: \xff=\x00;;\r\n\r\n"),
    "noise": far.raw(bytes(range(256)) * 50),
    "continue": far.raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 50),
    "switch": far.raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n\x00\x00"),
}


@pytest.mark.parametrize("fault", BROKEN.values(), ids=list(BROKEN))
def test_no_readable_answer_is_a_printer_that_is_gone(printer, fault):
    driver = IppPrinter(printer.url, SHORT)
    printer.faults[far.GET_PRINTER] = [fault]
    assert driver.status() == GONE
    assert driver.status() == PrinterStatus(None)
    assert len(printer.requests) == 2


@pytest.mark.parametrize(
    ("name", "error"),
    [("400", HttpRefused), ("426", HttpRefused), ("500", ExchangeFailed),
     ("dropped", ExchangeFailed)],
)  # fmt: skip
def test_what_was_heard_is_told_from_what_may_have_been(printer, wire, name, error):
    printer.faults[far.GET_PRINTER] = [BROKEN[name]]
    with pytest.raises(ExchangeFailed) as caught:
        wire.printer()
    assert type(caught.value) is error


def test_the_longest_answer(printer, wire):
    printer.faults[far.GET_PRINTER] = [
        lambda handler, usual: handler.send(usual().ljust(LONGEST_ANSWER, b"x"))
    ]
    assert wire.printer().ok


def test_without_a_connection_nothing_was_sent(printer, wire):
    printer.off()
    with pytest.raises(NothingSent):
        wire.printer()


def test_a_name_that_nobody_knows():
    with pytest.raises(NothingSent):
        IppWire("ipp://printer.invalid/ipp/print", 5, 5, 5, None).printer()


def test_given_up_while_the_document_is_on_its_way(printer, wire):
    printer.faults[far.PRINT_JOB] = [far.hang]
    stop = threading.Event()
    soon(stop.set)
    wire = IppWire(printer.url, 60, 60, 60, None)
    with pytest.raises(ExchangeFailed):
        wire.print_job(b"%PDF", "A", stop)


def test_a_printer_that_takes_no_bytes(no_leak):
    """A whole document does not fit into the socket's buffers, and nobody reads it."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        wire = IppWire(f"ipp://127.0.0.1:{deaf.getsockname()[1]}/", 5, 5, 0.3, None)
        with pytest.raises(ExchangeFailed) as caught:
            wire.print_job(bytes(20_000_000), "A", threading.Event())
        assert type(caught.value) is ExchangeFailed


def test_no_proxy_from_the_environment(printer, wire, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert wire.printer().ok


def test_nothing_is_left_open(printer, no_leak):
    faults = [far.drop, far.half, far.http(503), far.trickle, far.hang, far.endless]
    printer.faults[far.GET_PRINTER] = list(faults)
    wire = IppWire(printer.url, 0.3, 0.3, 0.3, None)
    for _ in faults:
        with pytest.raises(ExchangeFailed):
            wire.printer()
    assert wire.printer().ok


# --- ipps ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "printer")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "printer.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def secure(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    double = PrinterDouble(tls=context)
    yield double
    double.close()


def test_ipps_with_a_certificate_that_is_trusted(secure, certificate, no_leak):
    trust = ssl.create_default_context(cafile=str(certificate))
    assert IppPrinter(secure.url, tls=trust).status() == PrinterStatus(None)
    assert secure.requests[0].value("printer-uri") == secure.url.encode()


def test_ipps_with_a_certificate_that_is_not(secure):
    assert IppPrinter(secure.url, SHORT).status() == GONE
    assert secure.requests == []


def test_plain_ipp_at_a_port_of_ipps_and_the_other_way(secure, printer):
    assert IppPrinter(secure.url.replace("ipps", "ipp"), SHORT).status() == GONE
    assert IppPrinter(printer.url.replace("ipp:", "ipps:"), SHORT).status() == GONE
