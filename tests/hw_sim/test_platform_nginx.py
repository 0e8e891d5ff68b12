"""The front of the platform: its configuration, and nginx itself with it."""

from __future__ import annotations

import http.client
import http.server
import json
import os
import re
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from hw_sim.platform.nginx import Front, FrontRefused, configuration
from hw_sim.platform.problems import URN, ProblemKind
from tests.hw_sim.nginx_front import NginxUnavailable, free_port, nginx, program, shared_folder
from tests.hw_sim.platform_terminal import Reply, Terminal, alarm, running
from tests.kiosk.certificates import Authority

FRONT = Front(
    listen="127.0.0.1:8443",
    upstreams=("127.0.0.1:8080",),
    certificate=Path("/etc/front.pem"),
    key=Path("/etc/front.key"),
    client_ca=Path("/etc/terminals.pem"),
    folder=Path("/run/front"),
)


def test_every_place_is_filled() -> None:
    text = configuration(replace(FRONT, upstreams=("127.0.0.1:8080", "[::1]:8081")))
    assert "@FOLDER" not in text
    assert re.findall(r"@[A-Z_]+@", text) == []
    assert re.findall(r"^ *server (.*);$", text, re.MULTILINE) == ["127.0.0.1:8080", "[::1]:8081"]
    assert 'ssl_client_certificate "/etc/terminals.pem";' in text


@pytest.mark.parametrize(
    ("rate", "seconds"), [("5r/s", 1), ("1r/s", 1), ("60r/m", 1), ("30r/m", 2), ("7r/m", 9)]
)
def test_a_terminal_over_its_rate_is_told_when_to_come_again(rate: str, seconds: int) -> None:
    text = configuration(replace(FRONT, rate=rate))
    assert f"zone=terminals:16m rate={rate};" in text
    refusal = re.search(r"@too_many \{(.*?)\}\n", text, re.DOTALL)
    assert refusal is not None
    assert f"add_header retry-after {seconds} always;" in refusal[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"listen": "8443"},
        {"listen": "127.0.0.1:8443; include /etc/passwd"},
        {"upstreams": ()},
        {"upstreams": ("http://127.0.0.1:8080",)},
        {"rate": "5"},
        {"rate": "0r/s"},
        {"rate": "5r/s;"},
        {"burst": 0},
        {"body_limit": 0},
        {"folder": Path("/run/$host")},
        {"key": Path('/etc/"')},
        {"client_ca": Path("/etc/a\n")},
    ],
    ids=str,
)
def test_what_nginx_would_read_otherwise_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(FrontRefused):
        configuration(replace(FRONT, **changes))


def test_the_command_writes_it_and_says_how_to_start(tmp_path: Path) -> None:
    out = tmp_path / "front.conf"
    words = [
        *("nginx", "--listen", "127.0.0.1:8443", "--upstream", "127.0.0.1:8080"),
        *("--upstream", "127.0.0.1:8081", "--certificate", "/etc/front.pem"),
        *("--key", "/etc/front.key", "--client-ca", "/etc/terminals.pem"),
        *("--rate", "2r/s", "--burst", "3", "--out", str(out)),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "hw_sim.platform", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, f"nginx -e stderr -c {out}\n")
    assert out.read_text("utf-8") == configuration(
        replace(
            FRONT,
            upstreams=("127.0.0.1:8080", "127.0.0.1:8081"),
            folder=tmp_path,
            rate="2r/s",
            burst=3,
        )
    )
    refused = subprocess.run(
        [sys.executable, "-m", "hw_sim.platform", *words, "--rate", "much"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 2
    assert "not a rate" in refused.stderr


@dataclass
class Hall:
    """A front, and who may pass it.

    Attributes:
        others: issues certificates that the front doesn't know.
    """

    front: Front
    authority: Authority
    others: Authority

    @property
    def url(self) -> str:
        return f"https://{self.front.listen}"

    def line(self, name: str | None, by: Authority | None = None) -> http.client.HTTPSConnection:
        """A new line of whoever has this certificate."""
        context = ssl.create_default_context(cafile=str(self.authority.ca_file))
        if name is not None:
            context.load_cert_chain(*(by or self.authority).issue(name))
        host, port = self.front.listen.split(":")
        return http.client.HTTPSConnection(host, int(port), timeout=30, context=context)

    def ask(
        self,
        line: http.client.HTTPSConnection,
        path: str = "/",
        body: bytes | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Reply:
        line.request("GET" if body is None else "POST", path, body, headers)
        answer = line.getresponse()
        content = answer.read()
        return Reply(
            answer.status, {name.lower(): value for name, value in answer.getheaders()}, content
        )


@pytest.fixture(scope="module")
def nginx_program() -> str:
    try:
        return program()
    except NginxUnavailable as absent:
        if "CI" in os.environ:
            raise
        pytest.skip(str(absent))


@contextmanager
def hall(*upstreams: str, **changes: Any) -> Iterator[Hall]:
    with shared_folder() as folder:
        authority, others = (Authority(folder, name) for name in ("terminals", "others"))
        certificate, key = authority.issue("front")
        front = Front(
            listen=f"127.0.0.1:{free_port()}",
            upstreams=upstreams,
            certificate=certificate,
            key=key,
            client_ca=authority.ca_file,
            folder=folder,
            **changes,
        )
        with nginx(front):
            yield Hall(front, authority, others)


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers what it was sent, and which line it came on."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        told = {
            "path": self.path,
            "headers": [[name.lower(), value] for name, value in self.headers.items()],
            "line": self.client_address[1],
        }
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def echo() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def echoed(nginx_program: str, echo: str) -> Iterator[Hall]:
    assert nginx_program
    with hall(echo, rate="1r/m", burst=4) as front:
        yield front


def told(reply: Reply) -> Any:
    """What the upstream got."""
    assert reply.status == 200
    return json.loads(reply.body)


def refused(reply: Reply, kind: ProblemKind) -> None:
    """The answer is the contract's problem of this kind, and nothing is signed or kept."""
    assert (reply.status, reply.problem) == (kind.status, kind.slug)
    assert reply.document.keys() == {"type", "title", "status", "detail"}
    assert reply.document["type"] == URN + kind.slug
    assert reply.headers["cache-control"] == "no-store"
    assert "signature" not in reply.headers


@pytest.mark.peer
def test_a_terminal_is_served_through_the_front(nginx_program: str, tmp_path: Path) -> None:
    assert nginx_program
    behind = free_port()
    with hall(f"127.0.0.1:{behind}") as front:
        line = front.line("T429900-0001")
        with running(tmp_path, port=behind, public_origin=front.url) as (server, inside):
            # Behind the front a terminal signs the front's address.
            terminal = Terminal(
                front.url,
                inside.private,
                inside.public,
                inside.terminal_id,
                inside.platform_key,
                connection=line,
            )
            assert terminal.call("GET", "/v1/status").status == 200
            assert terminal.call("POST", "/v1/alarms", alarm(), key="/odd?key=%/1").status == 201
            asked = terminal.call("GET", "/v1/submissions/%2Fodd%3Fkey=%25%2F1")
            assert asked.document["status"] == 201
            # The platform's own refusals come as they are, signed.
            assert terminal.call("GET", "/v1/submissions/never").problem == "not-found"
            assert inside.call("GET", "/v1/status", private=b"\1" * 32).problem == "signature"
            assert len(server.alarms()) == 1


@pytest.mark.peer
def test_nobody_passes_without_a_certificate_of_the_province(echoed: Hall) -> None:
    refused(echoed.ask(echoed.line(None)), ProblemKind.UNKNOWN_TERMINAL)
    stranger = echoed.line("T429900-0666", by=echoed.others)
    refused(echoed.ask(stranger), ProblemKind.UNKNOWN_TERMINAL)
    plain = http.client.HTTPConnection(echoed.front.listen, timeout=30)
    plain.request("GET", "/")
    answer = plain.getresponse()
    assert (answer.status, json.load(answer)["type"]) == (400, URN + ProblemKind.MALFORMED.slug)


@pytest.mark.peer
def test_the_platform_is_told_who_is_connected_by_the_front_alone(echoed: Hall) -> None:
    forged = {
        "X-Client-Subject": "CN=T429900-0666",
        "x-client-verified": "SUCCESS",
        "X-Forwarded-For": "10.0.0.1",
        "X-Forwarded-Proto": "http",
        "Forwarded": "for=10.0.0.1",
        "X-Real-IP": "10.0.0.1",
    }
    got = told(echoed.ask(echoed.line("T429900-0002"), headers=forged))
    fields: dict[str, list[str]] = {}
    for name, value in got["headers"]:
        fields.setdefault(name, []).append(value)
    assert fields["x-client-subject"] == ["CN=T429900-0002"]
    assert fields["x-client-verified"] == ["SUCCESS"]
    assert len(fields["x-client-fingerprint"]) == 1
    assert {"x-forwarded-for", "x-forwarded-proto", "forwarded", "x-real-ip"} & fields.keys() == (
        set()
    )


@pytest.mark.peer
def test_the_address_goes_on_as_it_came_and_the_line_behind_is_kept(echoed: Hall) -> None:
    line = echoed.line("T429900-0003")
    path = "/v1//submissions/%2Fodd%3fkey=%25/../x?a=%20b"
    first, second = told(echoed.ask(line, path)), told(echoed.ask(line, path))
    assert first["path"] == path
    assert dict(first["headers"])["host"] == echoed.front.listen
    assert dict(first["headers"]).get("connection") != "close"
    assert first["line"] == second["line"]


@pytest.mark.peer
def test_a_greedy_terminal_is_held_back_and_the_other_one_served(echoed: Hall) -> None:
    greedy, other = echoed.line("T429900-0004"), echoed.line("T429900-0005")
    burst = echoed.front.burst
    for _ in range(1 + burst):
        assert echoed.ask(greedy).status == 200
    for _ in range(3):
        reply = echoed.ask(greedy)
        refused(reply, ProblemKind.TOO_MANY)
        assert reply.headers["retry-after"] == "60"
        assert echoed.ask(other).status == 200
    # A new line is the same terminal.
    refused(echoed.ask(echoed.line("T429900-0004")), ProblemKind.TOO_MANY)


@pytest.mark.peer
def test_a_body_over_the_limit_goes_no_further(echoed: Hall) -> None:
    line = echoed.line("T429900-0006")
    assert echoed.ask(line, body=bytes(echoed.front.body_limit)).status == 200
    refused(
        echoed.ask(line, body=bytes(echoed.front.body_limit + 1)),
        ProblemKind.TOO_LARGE,
    )


@pytest.mark.peer
def test_without_a_platform_the_front_says_when_to_come_again(nginx_program: str) -> None:
    assert nginx_program
    with hall(f"127.0.0.1:{free_port()}") as front:
        reply = front.ask(front.line("T429900-0001"), "/v1/status")
        refused(reply, ProblemKind.UNAVAILABLE)
        assert reply.headers["retry-after"] == "2"


@pytest.mark.peer
def test_of_two_platforms_the_living_one_is_asked(nginx_program: str, echo: str) -> None:
    assert nginx_program
    with hall(f"127.0.0.1:{free_port()}", echo, rate="100r/s") as front:
        line = front.line("T429900-0001")
        replies = [front.ask(line).status for _ in range(8)]
    # One finds out, as a request is sent on once; then the dead one is left alone.
    assert sorted(replies)[:7] == [200] * 7
    assert sorted(replies)[7] in (200, 503)


@pytest.mark.peer
def test_what_is_under_way_stays_in_a_folder_of_its_own(echoed: Hall) -> None:
    pid = int((echoed.front.folder / "nginx.pid").read_text())
    assert Path(f"/proc/{pid}").stat().st_uid != 0 or os.geteuid() != 0
    for name in ("body", "proxy"):
        assert stat.S_ISDIR((echoed.front.folder / name).stat().st_mode)
    assert "warn" not in (echoed.front.folder / "log").read_text()
