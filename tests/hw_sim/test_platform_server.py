"""The platform as a server: down and up on one port, its own process, and silence in logs."""

from __future__ import annotations

import json
import logging
import socket
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from hw_sim.platform.hsm import CardKey, DemoHsm
from hw_sim.platform.server import PlatformServer
from hw_sim.population import population
from tests.hw_sim.platform_process import PlatformProcess
from tests.hw_sim.platform_terminal import AS_OF, NOW, Terminal, alarm, new_key, running


def test_down_refuses_and_up_serves_on_the_same_port(tmp_path: Path) -> None:
    with running(tmp_path) as (server, terminal):
        url = server.url
        terminal.call("POST", "/v1/alarms", alarm(), key="k")
        for _ in range(2):
            server.set_down(True)
            assert server.is_down
            with pytest.raises(ConnectionError):
                # The connection that was kept alive is cut, a new one refused.
                terminal.call("GET", "/v1/status")
            with pytest.raises(ConnectionRefusedError):
                terminal.call("GET", "/v1/status")
            server.set_down(False)
            assert server.url == url
            assert terminal.call("GET", "/v1/status").status == 200
        asked = terminal.call("GET", "/v1/submissions/k").document
        assert asked["state"] == "done"


def test_down_twice_and_up_twice_are_harmless(tmp_path: Path) -> None:
    with running(tmp_path) as (server, terminal):
        server.set_down(True)
        server.set_down(True)
        server.set_down(False)
        server.set_down(False)
        terminal.connection = None
        assert terminal.call("GET", "/v1/status").status == 200


def test_nobody_else_gets_the_port_while_the_platform_is_down(tmp_path: Path) -> None:
    with running(tmp_path) as (server, _terminal):
        server.set_down(True)
        port = int(server.url.rsplit(":", 1)[1])
        with socket.socket() as other, pytest.raises(OSError):
            other.bind(("127.0.0.1", port))


def test_a_slow_platform_serves(tmp_path: Path) -> None:
    with running(tmp_path) as (server, terminal):
        server.set_slow(True, delay_ms=30)
        assert server.faults.next("/v1/status").delay_ms == 30
        assert terminal.call("GET", "/v1/status").status == 200
        server.set_slow(False)
        assert server.faults.next("/v1/status").delay_ms == 0


def test_the_address_is_known_before_it_listens(tmp_path: Path) -> None:
    server = PlatformServer(tmp_path / "platform.sqlite", as_of=AS_OF)
    try:
        with pytest.raises(ConnectionRefusedError):
            Terminal(server.url, b"", b"").send("GET", "/openapi.json", b"", {})
    finally:
        server.stop()


def test_the_database_is_for_its_owner_only(tmp_path: Path) -> None:
    with running(tmp_path):
        mode = (tmp_path / "platform.sqlite").stat().st_mode
        assert stat.S_IMODE(mode) == 0o600


def test_an_existing_database_keeps_its_key_and_terminals(tmp_path: Path) -> None:
    with running(tmp_path) as (server, terminal):
        code = server.enrolment_code
    with PlatformServer(tmp_path / "platform.sqlite") as again:
        assert again.enrolment_code != code
        assert again.terminal_ids() == [terminal.terminal_id]
        other = Terminal(again.url, *new_key())
        other.enrol(again.enrolment_code, "SN-0002")
        assert other.platform_key == terminal.platform_key


def test_a_database_of_an_older_program_is_served(tmp_path: Path) -> None:
    with running(tmp_path) as (_server, terminal):
        pass
    newer = (
        *("earlier_units", "ecard_codes", "tickets", "certificates"),
        *("evaluations", "audit_lines", "events"),
        # It knew no revisions either.
        "alembic_version",
    )
    with closing(sqlite3.connect(tmp_path / "platform.sqlite")) as database:
        for table in newer:
            database.execute(f"DROP TABLE {table}")
    with PlatformServer(tmp_path / "platform.sqlite", clock=lambda: float(NOW)) as again:
        terminal.url, terminal.connection = again.url, None
        request = {
            "code": again.issue_ecard("v3"),
            "channel": "self-service",
            "aab301": "429900",
        }
        holder = terminal.call("POST", "/v1/ecard-verifications", request).document["holder"]
        wanted = {
            "kind": "participation",
            "months": 60,
            "aac002": holder["aac002"],
            "ticket": holder["ticket"],
            "evidence": ["ecard-verified"],
        }
        reply = terminal.call("POST", "/v1/certificates", wanted)
        assert reply.status == 201
        assert len(json.loads(reply.document["content"])["units"]) == 1
        assert again.events() == []


def test_nothing_personal_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    person = population()[0]

    class Breaking(DemoHsm):
        def cryptogram(self, key: CardKey, data: bytes) -> bytes:
            raise ValueError(person.number)

    with running(tmp_path, hsm=Breaking()) as (server, terminal):
        overview = {
            "aac002": person.number,
            "aaz501": person.card.card_id.hex(),
            "purpose": "self-query",
            "evidence": ["card-genuine"],
        }
        assert terminal.call("POST", "/v1/overviews", overview).status == 200
        assert terminal.call("POST", "/v1/overviews", overview | {"x": person.name}).status == 422
        cryptogram = {
            "key": "004C",
            "algorithm": "03",
            "card_factor": "A55A" * 4,
            "aab301": "429900",
            "challenge": "5AA5" * 4,
            "data": "6BB6" * 4,
        }
        assert terminal.call("POST", "/v1/hsm/cryptograms", cryptogram).status == 500
        code = server.issue_ecard("v3")
        request = {"code": code, "channel": "self-service", "aab301": "429900"}
        holder = terminal.call("POST", "/v1/ecard-verifications", request).document["holder"]
        wanted = {"kind": "participation", "months": 24, "aac002": person.number}
        by_ticket = wanted | {"ticket": holder["ticket"], "evidence": ["ecard-verified"]}
        assert terminal.call("POST", "/v1/certificates", by_ticket).status == 201
        assert terminal.call("POST", "/v1/certificates", by_ticket | {"months": "x"}).status == 422
        asking = Terminal(server.url, b"", b"")
        assert asking.send("GET", f"/v?c={person.number}", b"", {}).status == 200
    out, err = capfd.readouterr()
    written = caplog.text + out + err
    # The failure itself is seen, with the place in the code.
    assert "ValueError" in caplog.text
    assert "in cryptogram" in caplog.text
    for secret in (
        *(person.number, person.name, person.card.card_id.hex(), "A55A" * 4, "5AA5" * 4),
        *(code, holder["ticket"]),
    ):
        assert secret.lower() not in written.lower()


def test_the_platform_runs_alone(tmp_path: Path) -> None:
    with PlatformProcess(tmp_path / "platform.sqlite", "--faults", "status@2:503") as process:
        terminal = Terminal(process.url, *new_key())
        assert terminal.enrol(process.enrolment_code).status == 201


def test_a_wrong_schedule_on_the_command_line_is_told(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "hw_sim.platform", "serve"),
            *("--database", str(tmp_path / "platform.sqlite"), "--faults", "1:explode"),
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "explode" in done.stderr
