"""The platform's end: who is being served is answered, nobody new is, and the database is whole."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from hw_sim.platform.hsm import CardKey, DemoHsm
from hw_sim.platform.server import PlatformServer
from tests.hw_sim.platform_terminal import Terminal, alarm, running

CRYPTOGRAM = {
    "key": "0000",
    "algorithm": "03",
    "card_factor": "00" * 8,
    "aab301": "429900",
    "challenge": "11" * 8,
    "data": "22" * 8,
}
WITHIN_S = 30


class SlowHsm(DemoHsm):
    """At work until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.go = threading.Event()

    def cryptogram(self, key: CardKey, data: bytes) -> bytes:
        self.entered.set()
        assert self.go.wait(WITHIN_S)
        return bytes(8)


@pytest.fixture
def hsm() -> SlowHsm:
    return SlowHsm()


@pytest.fixture
def platform(tmp_path: Path, hsm: SlowHsm) -> Iterator[tuple[PlatformServer, Terminal]]:
    with running(tmp_path, hsm=hsm) as pair:
        yield pair
        hsm.go.set()


def refuses(url: str) -> bool:
    try:
        Terminal(url, b"", b"").send("GET", "/openapi.json", b"", {})
    except ConnectionError:
        return True
    return False


def test_who_is_served_is_answered_and_nobody_new_is(
    platform: tuple[PlatformServer, Terminal], hsm: SlowHsm, tmp_path: Path
) -> None:
    server, terminal = platform
    file = tmp_path / "platform.sqlite"
    idle = Terminal(
        server.url, terminal.private, terminal.public, terminal.terminal_id, terminal.platform_key
    )
    assert idle.call("POST", "/v1/alarms", alarm()).status == 201
    with ThreadPoolExecutor(2) as pool:
        served = pool.submit(terminal.call, "POST", "/v1/hsm/cryptograms", CRYPTOGRAM, key="k")
        assert hsm.entered.wait(WITHIN_S)
        ended = pool.submit(server.stop)
        pause = threading.Event()
        while not refuses(server.url):
            pause.wait(0.01)
        with pytest.raises(ConnectionError):
            # A line that was kept open, with nothing under way.
            idle.call("GET", "/v1/status")
        assert not served.done()
        assert not ended.done()
        hsm.go.set()
        assert served.result(WITHIN_S).status == 200
        ended.result(WITHIN_S)
    assert server.is_down
    # Closed: what SQLite had beside the file is in it.
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    with closing(sqlite3.connect(file)) as database:
        (kept,) = database.execute("SELECT status FROM submissions WHERE key = 'k'").fetchone()
    assert kept == 200


def test_an_end_that_comes_twice_is_harmless(platform: tuple[PlatformServer, Terminal]) -> None:
    server, terminal = platform
    assert terminal.call("GET", "/v1/status").status == 200
    server.stop()
    server.stop()


def test_one_that_was_down_ends(platform: tuple[PlatformServer, Terminal]) -> None:
    server, _terminal = platform
    server.set_down(True)
    server.stop()
    assert refuses(server.url)
