"""The end of a platform's process: what is under way is answered, and all of it is in the file."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import sqlite3
import struct
import time
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from hw_sim.platform.server import PlatformServer
from tests.hw_sim.platform_process import END_S, PlatformProcess
from tests.hw_sim.platform_terminal import AS_OF, NewDatabase, Terminal, alarm, new_key, rows

_TCP_INFO_BYTES = 104
_LISTENS_FOR = 28
"""Where Linux's tcp_info has, for a socket that listens, how many may wait (``tcpi_sacked``)."""


def head(terminal: Terminal, body: bytes) -> bytes:
    """A signed request whose sender waits to be asked for the body."""
    fields = terminal.signed("POST", "/v1/alarms", body, "k") | {
        "Host": terminal.url.removeprefix("http://"),
        "Content-Length": str(len(body)),
        "Expect": "100-continue",
    }
    lines = ["POST /v1/alarms HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def refuses(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=END_S).close()
    except (ConnectionRefusedError, ConnectionResetError):
        # Reset: it closed while we stood in its queue.
        return True
    return False


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT], ids=str)
def test_what_is_under_way_is_answered_before_the_end(
    tmp_path: Path, new_database: NewDatabase, end: signal.Signals
) -> None:
    database = new_database(tmp_path)
    with PlatformProcess(database) as platform:
        now = int(time.time())
        terminal = Terminal(platform.url, *new_key(), now=now, right_now=now)
        assert terminal.enrol(platform.enrolment_code).status == 201
        host, port = platform.url.removeprefix("http://").split(":")
        body = json.dumps(alarm()).encode()
        with socket.create_connection((host, int(port)), timeout=END_S) as line:
            line.sendall(head(terminal, body))
            assert line.recv(1000).startswith(b"HTTP/1.1 100 ")
            platform.process.send_signal(end)
            limit = time.monotonic() + END_S
            while not refuses((host, int(port))):
                assert time.monotonic() < limit
            line.sendall(body)
            answer = b"".join(iter(lambda: line.recv(10_000), b""))
        assert answer.startswith(b"HTTP/1.1 201 ")
        assert b"\r\nsignature: " in answer.lower()
        assert platform.ended() == 0
    assert rows(database, "SELECT count(*) FROM alarms") == [(1,)]


def test_after_the_end_everything_is_in_the_one_file(tmp_path: Path) -> None:
    file = tmp_path / "platform.sqlite"
    with PlatformProcess(file) as platform:
        now = int(time.time())
        terminal = Terminal(platform.url, *new_key(), now=now, right_now=now)
        terminal.enrol(platform.enrolment_code)
        assert terminal.call("POST", "/v1/alarms", alarm()).status == 201
        # Somebody who reads keeps SQLite from tidying up by itself.
        with closing(sqlite3.connect(file)) as reader:
            assert reader.execute("SELECT count(*) FROM alarms").fetchall() == [(1,)]
            assert (tmp_path / "platform.sqlite-wal").stat().st_size > 0
            platform.process.terminate()
            assert platform.ended() == 0
            shutil.copy(file, tmp_path / "copy.sqlite")
    with closing(sqlite3.connect(tmp_path / "copy.sqlite")) as copy:
        assert copy.execute("SELECT count(*) FROM alarms").fetchall() == [(1,)]
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_many_terminals_may_knock_at_once(tmp_path: Path) -> None:
    with PlatformServer(tmp_path / "platform.sqlite", as_of=AS_OF) as server:
        told = server._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    waiting: int = struct.unpack_from("I", told, _LISTENS_FOR)[0]
    most = int(Path("/proc/sys/net/core/somaxconn").read_text())
    assert waiting == min(4096, most)


def test_a_line_outlives_what_the_proxy_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Else the platform hangs up on a request that is on its way.
    configured: list[Any] = []

    class Config(uvicorn.Config):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            configured.append(self)

    monkeypatch.setattr(uvicorn, "Config", Config)
    with PlatformServer(tmp_path / "platform.sqlite", as_of=AS_OF):
        pass
    upstream = files("hw_sim.platform").joinpath("nginx.conf").read_text("utf-8").split("upstream")
    kept = re.search(r"keepalive_timeout ([0-9]+)s;", upstream[1])
    assert kept is not None
    assert configured[0].timeout_keep_alive == 75 > int(kept[1])


def test_a_proxy_in_front_cannot_rename_who_is_on_the_line(tmp_path: Path) -> None:
    # The line is cut by its address: another one would leave it open.
    with PlatformServer(tmp_path / "platform.sqlite", as_of=AS_OF, faults="1:drop") as server:
        terminal = Terminal(server.url, b"", b"")
        forged = {"X-Forwarded-For": "10.0.0.1", "X-Forwarded-Proto": "https"}
        with pytest.raises(ConnectionError):
            terminal.send("GET", "/v1/status", b"", forged)
