"""The line over TLS: whom we believe, what we show, and how each failure is called."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from apdu.crypto import sm2
from kiosk.config import ConfigError, load
from kiosk.platform.client import TerminalIdentity
from kiosk.platform.errors import (
    Distrust,
    NotAdmitted,
    Outage,
    PlatformError,
    PlatformUnavailable,
    PlatformUntrusted,
)
from kiosk.platform.exchange import new_session
from kiosk.platform.tls import TlsFiles
from tests.kiosk.bare_server import hang_up, serving
from tests.kiosk.certificates import Authority, server_side
from tests.kiosk.platform_double import TERMINAL, PlatformDouble
from tests.kiosk.platform_line import STATUS, Line
from tests.kiosk.test_config_file import DEMO, write

OpenLine = Callable[..., Line]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def open_line() -> Iterator[OpenLine]:
    """Opens a line to a double that speaks HTTPS as the context says."""
    with ExitStack() as stack:

        def opened(context: ssl.SSLContext) -> Line:
            double = PlatformDouble(context)
            stack.callback(double.close)
            key = sm2.generate()
            double.terminal_public = key.public_key().xy
            double.answers["GET /v1/status"] = (200, STATUS)
            return Line(double, TerminalIdentity(TERMINAL, key), [])

        yield opened


def failure(line: Line, tls: TlsFiles, **more: Any) -> PlatformError:
    """How a call fails, which reaches the platform with no byte and is not made twice."""
    sent = 0

    def counted() -> Any:
        session: Any = new_session(tls)
        send = session.send

        def count(*args: Any, **kwargs: Any) -> object:
            nonlocal sent
            sent += 1
            return send(*args, **kwargs)

        session.send = count
        return session

    with pytest.raises(PlatformError) as caught:
        line.client(session_factory=counted, **more).status()
    assert sent == 1, "what TLS refuses is not tried again"
    assert line.double.seen == []
    return caught.value


def distrust(line: Line, tls: TlsFiles, **more: Any) -> Distrust:
    error = failure(line, tls, **more)
    assert isinstance(error, PlatformUntrusted)
    return error.distrust


def asked(line: Line, tls: TlsFiles) -> str:
    return line.client(session_factory=lambda: new_session(tls)).status().catalogue_version


def test_the_platforms_own_authority_is_believed(authority: Authority, open_line: OpenLine) -> None:
    line = open_line(server_side(authority.issue("server")))
    assert asked(line, TlsFiles(authority.ca_file)) == "2026.11"


def test_mutual_tls(authority: Authority, open_line: OpenLine) -> None:
    context = server_side(authority.issue("server"), clients=authority.ca_file)
    line = open_line(context)
    assert asked(line, TlsFiles(authority.ca_file, *authority.issue("terminal"))) == "2026.11"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_whoever_shows_no_certificate_is_not_admitted(
    authority: Authority, open_line: OpenLine, version: ssl.TLSVersion
) -> None:
    context = server_side(authority.issue("server"), clients=authority.ca_file)
    context.minimum_version = context.maximum_version = version
    assert isinstance(failure(open_line(context), TlsFiles(authority.ca_file)), NotAdmitted)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("wrong", ["stranger's", "expired"])
def test_a_certificate_of_ours_that_does_not_hold_is_not_admitted(
    authority: Authority,
    open_line: OpenLine,
    tmp_path: Path,
    version: ssl.TLSVersion,
    wrong: str,
) -> None:
    context = server_side(authority.issue("server"), clients=authority.ca_file)
    context.minimum_version = context.maximum_version = version
    issuer = authority if wrong == "expired" else Authority(tmp_path, "stranger")
    ours = issuer.issue("terminal", days=-1 if wrong == "expired" else 1)
    assert isinstance(failure(open_line(context), TlsFiles(authority.ca_file, *ours)), NotAdmitted)


def test_another_authority_vouches_for_nobody(
    authority: Authority, open_line: OpenLine, tmp_path: Path
) -> None:
    line = open_line(server_side(authority.issue("server")))
    stranger = Authority(tmp_path, "stranger")
    assert distrust(line, TlsFiles(stranger.ca_file)) is Distrust.CERTIFICATE
    assert distrust(line, TlsFiles()) is Distrust.CERTIFICATE


@pytest.mark.parametrize("days", [-1, -400])
def test_an_expired_certificate(authority: Authority, open_line: OpenLine, days: int) -> None:
    line = open_line(server_side(authority.issue("server", days=days)))
    assert distrust(line, TlsFiles(authority.ca_file)) is Distrust.EXPIRED


@pytest.mark.parametrize("host", ["127.0.0.2", "platform.example"])
def test_a_certificate_for_another_host(
    authority: Authority, open_line: OpenLine, host: str
) -> None:
    line = open_line(server_side(authority.issue("server", host=host)))
    assert distrust(line, TlsFiles(authority.ca_file)) is Distrust.HOST_NAME
    by_name = line.double.url.replace("127.0.0.1", "localhost")
    assert distrust(line, TlsFiles(authority.ca_file), url=by_name) is Distrust.HOST_NAME


def test_an_old_protocol_is_no_tls(authority: Authority, line: Line) -> None:
    url = line.double.url.replace("http:", "https:")
    assert distrust(line, TlsFiles(authority.ca_file), url=url) is Distrust.TLS


@pytest.mark.parametrize("gone", ["ca_file", "client_certificate", "client_key"])
def test_files_that_went_away_are_a_failure_with_a_name(
    authority: Authority, open_line: OpenLine, gone: str
) -> None:
    line = open_line(server_side(authority.issue("server")))
    files = TlsFiles(authority.ca_file, *authority.issue("terminal"))
    getattr(files, gone).unlink()
    assert distrust(line, files) is Distrust.TLS


def test_a_connection_cut_before_tls_stands_is_an_outage(line: Line) -> None:
    with serving(hang_up) as url, pytest.raises(PlatformUnavailable) as caught:
        line.client(url=url.replace("http:", "https:")).status()
    assert caught.value.outage is Outage.NO_CONNECTION


def configured(folder: Path, *lines: str, url: str = "https://platform.example") -> Path:
    platform = "\n".join((f'url = "{url}"', *lines))
    return write(folder, DEMO.replace('url = "http://127.0.0.1:8080"', platform))


CERTIFICATE, KEY = 'client_certificate = "terminal.pem"', 'client_key = "terminal.key"'


def test_a_terminal_with_a_certificate_of_its_own(authority: Authority, tmp_path: Path) -> None:
    files = authority.issue("terminal")
    config = load(configured(tmp_path, CERTIFICATE, KEY, 'ca_file = "authority.pem"'))
    assert config.platform.tls == TlsFiles(authority.ca_file, *files)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_key_that_others_may_have_read_is_refused(
    authority: Authority, tmp_path: Path, mode: int
) -> None:
    _, key = authority.issue("terminal")
    key.chmod(mode)
    with pytest.raises(ConfigError, match=f"{mode:04o}; others may have read it") as caught:
        load(configured(tmp_path, CERTIFICATE, KEY))
    assert caught.value.key == "platform.client_key"


@pytest.mark.parametrize(
    "lines, url, key, expected",
    [
        ((CERTIFICATE,), "https://p.example", "client_key", "both"),
        ((KEY,), "https://p.example", "client_key", "both"),
        ((CERTIFICATE, KEY), "http://127.0.0.1:8080", "client_certificate", "http"),
        ((CERTIFICATE, 'client_key = "no.key"'), "https://p.example", "client_key", "no file"),
        (('client_certificate = "no"', KEY), "https://p.example", "certificate", "no file"),
        ((CERTIFICATE, 'client_key = "other.key"'), "https://p.example", "client_key", "the cert"),
        ((CERTIFICATE, 'client_key = "locked.key"'), "https://p.example", "client_key", "passph"),
        (('client_certificate = "terminal.key"', KEY), "https://p.example", "client_key", "the c"),
    ],
)
def test_what_is_wrong_with_the_certificate_is_named(
    authority: Authority, tmp_path: Path, lines: tuple[str, ...], url: str, key: str, expected: str
) -> None:
    authority.issue("terminal")
    authority.issue("other")
    authority.issue("locked", passphrase=b"secret")
    with pytest.raises(ConfigError, match=expected) as caught:
        load(configured(tmp_path, *lines, url=url))
    assert caught.value.key.endswith(key)
