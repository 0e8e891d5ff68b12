"""The faulty line as a whole: up and down, its port, TLS through it, its end."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hw_sim.line.faults import Kind, LineFaultError
from hw_sim.line.proxy import FaultyLine
from tests.hw_sim.echo_platform import EchoPlatform, SpeakingTerminal, until

HELLO = b"is anybody there?\n"
ANSWER = b"0:" + HELLO


@pytest.fixture
def far() -> Iterator[EchoPlatform]:
    with EchoPlatform() as running:
        yield running


@pytest.fixture
def line(far: EchoPlatform) -> Iterator[FaultyLine]:
    with FaultyLine(far.url) as running:
        yield running


@pytest.fixture
def terminal(line: FaultyLine) -> Iterator[SpeakingTerminal]:
    with SpeakingTerminal(line.port) as connected:
        yield connected


def test_no_platform_is_a_reset() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    # The reset may come before connecting has returned.
    with (
        FaultyLine(f"http://127.0.0.1:{port}") as line,
        pytest.raises(ConnectionResetError),
        SpeakingTerminal(line.port) as terminal,
    ):
        terminal.hear_all()


def test_refusing_resets_who_is_there_and_refuses_who_comes(
    line: FaultyLine, far: EchoPlatform, terminal: SpeakingTerminal
) -> None:
    terminal.say(HELLO)
    assert terminal.hear(len(ANSWER)) == ANSWER
    line.add("*:refuse")
    assert line.is_down
    with pytest.raises(ConnectionResetError):
        terminal.hear_all()
    until(lambda: far.ended == {0: "reset"})
    with pytest.raises(ConnectionRefusedError):
        SpeakingTerminal(line.port)
    line.clear()
    with SpeakingTerminal(line.port) as again:
        again.say(HELLO)
        assert again.hear(len(ANSWER)) == b"1:" + HELLO


def test_refusing_may_begin_with_an_exchange(
    line: FaultyLine, far: EchoPlatform, terminal: SpeakingTerminal
) -> None:
    line.add("2:refuse")
    terminal.say(HELLO)
    assert terminal.hear(len(ANSWER)) == ANSWER
    terminal.say(HELLO)
    with pytest.raises(ConnectionResetError):
        terminal.hear_all()
    with pytest.raises(ConnectionRefusedError):
        SpeakingTerminal(line.port)
    assert far.heard == [HELLO]
    assert line.traffic.faults[Kind.REFUSE] == 1


def test_the_lever_and_the_rule_cut_the_line_each_by_itself(line: FaultyLine) -> None:
    line.set_down(True)
    line.add("*:refuse")
    line.set_down(False)
    assert line.is_down
    line.set_down(True)
    line.clear()
    assert line.is_down
    line.set_down(False)
    SpeakingTerminal(line.port).socket.close()


def test_the_port_stays_the_same_and_nobody_elses(far: EchoPlatform) -> None:
    with FaultyLine(far.url, faults="*:refuse") as line:
        assert line.url == f"http://127.0.0.1:{line.port}"
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", line.port))
        with pytest.raises(ConnectionRefusedError):
            SpeakingTerminal(line.port)


def test_what_is_no_schedule_changes_nothing(
    line: FaultyLine, far: EchoPlatform, terminal: SpeakingTerminal
) -> None:
    with pytest.raises(LineFaultError):
        line.add("*:refuse,1:fire")
    with pytest.raises(LineFaultError):
        FaultyLine(far.url, faults="1:fire")
    assert (line.is_down, line.faults_pending) == (False, 0)
    terminal.say(HELLO)
    assert terminal.hear(len(ANSWER)) == ANSWER


def test_its_end_leaves_no_thread_and_no_socket(far: EchoPlatform) -> None:
    def open_files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before, threads = open_files(), threading.active_count()
    line = FaultyLine(far.url, faults="1:duplicate-request,2:black-hole,3:drip=1").start()
    ends = [SpeakingTerminal(line.port) for _ in range(4)]
    for number, end in enumerate(ends[:3], 1):
        end.say(b"no end of a line")
        until(lambda number=number: line.traffic.exchanges == number)  # type: ignore[misc]
    line.stop()
    line.stop()
    for end in ends:
        with pytest.raises(ConnectionResetError):
            end.hear_all()
        end.socket.close()
    # The platform's ends are its own threads', which end by the reset.
    until(lambda: (open_files(), threading.active_count()) == (before, threads))


def _certified(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS of a server on 127.0.0.1, and of a client that believes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = folder / "platform.pem"
    form = serialization.Encoding.PEM
    secret = key.private_bytes(
        form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(secret + certificate.public_bytes(form))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    # Tickets would come behind the handshake, at a moment that nobody knows.
    server.num_tickets = 0
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(pem)
    return server, client


def test_tls_goes_through_it_and_is_cut_like_anything_else(tmp_path: Path) -> None:
    server, client = _certified(tmp_path)
    with EchoPlatform(server) as far, FaultyLine(far.url) as line:
        assert line.url.startswith("https://127.0.0.1:")
        with (
            socket.create_connection(("127.0.0.1", line.port), timeout=10) as near,
            client.wrap_socket(
                near, server_hostname="127.0.0.1", suppress_ragged_eofs=False
            ) as terminal,
        ):
            terminal.sendall(HELLO)
            assert terminal.recv(100) == ANSWER
            line.add("1:reset-after-commit")
            terminal.sendall(HELLO)
            with pytest.raises((ssl.SSLEOFError, ConnectionResetError)):
                terminal.recv(100)
        assert far.heard == [2 * HELLO]
        assert line.traffic.faults[Kind.RESET_AFTER_COMMIT] == 1
        assert line.traffic.request_bytes > 2 * len(HELLO)
