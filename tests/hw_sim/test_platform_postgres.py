"""Several platforms on one database: what one terminal sends to all of them has one effect."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from hw_sim.platform.databases import alone, claimed
from hw_sim.platform.hsm import CardKey, DemoHsm
from hw_sim.platform.server import PlatformServer
from hw_sim.platform.store import Store
from tests.hw_sim.platform_process import PlatformProcess
from tests.hw_sim.platform_terminal import (
    AS_OF,
    NOW,
    NewDatabase,
    Reply,
    Terminal,
    alarm,
    new_key,
    rows,
    running,
)

CRYPTOGRAM = {
    "key": "0000",
    "algorithm": "03",
    "card_factor": "00" * 8,
    "aab301": "429900",
    "challenge": "11" * 8,
    "data": "22" * 8,
}
KEYS = 50
WAIT_S = 30


@pytest.fixture
def database(tmp_path: Path, new_database: NewDatabase) -> Path | str:
    return new_database(tmp_path)


class WaitingHsm(DemoHsm):
    """At work until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.go = threading.Event()

    def cryptogram(self, key: CardKey, data: bytes) -> bytes:
        self.entered.set()
        assert self.go.wait(WAIT_S)
        return super().cryptogram(key, data)


@pytest.fixture
def hsm() -> WaitingHsm:
    return WaitingHsm()


@pytest.fixture
def servers(database: Path | str, hsm: WaitingHsm) -> Iterator[list[PlatformServer]]:
    """Two that share nothing but the database, the first one's HSM being slow."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                PlatformServer(database, as_of=AS_OF, clock=lambda: float(NOW), hsm=each)
            )
            for each in (hsm, DemoHsm())
        ]
        hsm.go.set()


def at(url: str, terminal: Terminal) -> Terminal:
    """The same terminal, on a line of its own."""
    return replace(terminal, url=url, connection=None)


def test_two_processes_have_one_effect_a_key(database: Path | str) -> None:
    with PlatformProcess(database) as one, PlatformProcess(database) as two:
        now = int(time.time())
        terminal = Terminal(one.url, *new_key(), now=now, right_now=now)
        assert terminal.enrol(one.enrolment_code).status == 201
        lines = [at(url, terminal) for url in (one.url, two.url)]
        together = threading.Barrier(len(lines))

        def send(line: Terminal) -> list[Reply]:
            replies = []
            for number in range(KEYS):
                together.wait(WAIT_S)
                replies.append(line.call("POST", "/v1/alarms", alarm(), key=f"k{number}"))
            return replies

        with ThreadPoolExecutor(len(lines)) as pool:
            answers = list(zip(*pool.map(send, lines), strict=True))
        for number, replies in enumerate(answers):
            assert {(reply.status, reply.problem) for reply in replies} <= {
                (201, ""),
                (409, "in-progress"),
            }
            bodies = {reply.body for reply in replies if reply.status == 201}
            again = lines[number % 2].call("POST", "/v1/alarms", alarm(), key=f"k{number}")
            assert again.status == 201
            assert bodies == {again.body}
        assert rows(database, "SELECT count(*) FROM alarms") == [(KEYS,)]
        assert rows(database, "SELECT count(*) FROM submissions") == [(KEYS,)]


def test_who_is_second_while_the_first_is_at_work_has_no_effect(
    servers: list[PlatformServer], hsm: WaitingHsm, database: Path | str
) -> None:
    first = Terminal(servers[0].url, *new_key())
    first.enrol(servers[0].enrolment_code)
    second = at(servers[1].url, first)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(first.call, "POST", "/v1/hsm/cryptograms", CRYPTOGRAM, key="k")
        assert hsm.entered.wait(WAIT_S)
        meanwhile = second.call("POST", "/v1/hsm/cryptograms", CRYPTOGRAM, key="k")
        # Another key isn't held up.
        assert second.call("POST", "/v1/alarms", alarm(), key="other").status == 201
        hsm.go.set()
        answer = call.result()
    assert answer.status == 200
    if isinstance(database, Path):
        # SQLite has no lock that only names a key: whoever commits first wins.
        assert meanwhile.body == answer.body
    else:
        assert meanwhile.problem == "in-progress"
    again = second.call("POST", "/v1/hsm/cryptograms", CRYPTOGRAM, key="k")
    assert (again.status, again.body) == (200, answer.body)
    assert len(servers[0].submissions()) == 2


def test_who_commits_second_gets_the_first_ones_answer(
    servers: list[PlatformServer],
    hsm: WaitingHsm,
    database: Path | str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As on SQLite: nobody is told that somebody else is at work with this key.
    monkeypatch.setattr("hw_sim.platform.idempotency.claimed", lambda _session, _name: True)
    first = Terminal(servers[0].url, *new_key())
    first.enrol(servers[0].enrolment_code)
    second = at(servers[1].url, first)
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(first.call, "POST", "/v1/hsm/cryptograms", CRYPTOGRAM, key="k")
        assert hsm.entered.wait(WAIT_S)
        done = second.call("POST", "/v1/hsm/cryptograms", CRYPTOGRAM | {"data": "33" * 8}, key="k")
        hsm.go.set()
        reply = late.result()
    assert done.status == 200
    assert (reply.status, reply.problem) == (422, "conflicting-reuse")
    assert len(servers[0].submissions()) == 1


def test_terminals_that_enrol_at_once_get_different_ids(servers: list[PlatformServer]) -> None:
    new = [Terminal(server.url, *new_key()) for server in servers * 6]
    codes = [server.new_enrolment_code() for server in servers * 6]
    together = threading.Barrier(len(new))

    def enrol(number: int) -> int:
        together.wait(WAIT_S)
        return new[number].enrol(codes[number], f"SN-{number}").status

    with ThreadPoolExecutor(len(new)) as pool:
        assert set(pool.map(enrol, range(len(new)))) == {201}
    assert len({terminal.terminal_id for terminal in new}) == len(new)


def test_of_one_code_at_two_platforms_one_terminal_enrols(servers: list[PlatformServer]) -> None:
    code = servers[0].enrolment_code
    new = [Terminal(server.url, *new_key()) for server in servers * 3]
    with ThreadPoolExecutor(len(new)) as pool:
        replies = list(pool.map(lambda at: new[at].enrol(code, f"SN-{at}").status, range(len(new))))
    assert sorted(replies) == [201, *[403] * 5]


def test_a_nonce_is_good_at_one_of_them(servers: list[PlatformServer]) -> None:
    terminal = Terminal(servers[0].url, *new_key())
    terminal.enrol(servers[0].enrolment_code)
    # Both believe that they are the same place, as behind one proxy.
    headers = terminal.signed("GET", "/v1/status", b"", "k") | {"Host": terminal.url[7:]}
    lines = [at(server.url, terminal) for server in servers * 3]
    with ThreadPoolExecutor(len(lines)) as pool:
        replies = list(pool.map(lambda by: by.send("GET", "/v1/status", b"", headers), lines))
    assert sorted(reply.problem for reply in replies) == ["", *["replayed"] * 5]


@pytest.mark.peer
def test_names_are_locked_until_the_transaction_ends(seeded_postgresql_url: str) -> None:
    stores = [Store.open(seeded_postgresql_url, AS_OF) for _ in range(2)]
    with stores[0].sessions() as one, stores[1].sessions() as two:
        assert claimed(one, "a")
        assert claimed(one, "a")
        assert not claimed(two, "a")
        assert claimed(two, "b")
        alone(one, "c")
        assert not claimed(two, "c")
        one.rollback()
        assert claimed(two, "a")
        assert claimed(two, "c")
    for store in stores:
        store.close()


@pytest.mark.peer
def test_after_a_restart_of_the_database_one_request_is_told_to_come_again(
    seeded_postgresql_url: str,
) -> None:
    with running(seeded_postgresql_url) as (server, terminal):
        assert terminal.call("POST", "/v1/alarms", alarm(), key="before").status == 201
        sessions = server._store.sessions
        with sessions() as one, sessions() as two:
            # Two lines to the database, both kept for later.
            assert claimed(one, "a") and claimed(two, "b")
        ended = rows(
            seeded_postgresql_url,
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        assert len(ended) == 2
        told = terminal.call("POST", "/v1/alarms", alarm(), key="after")
        assert (told.status, told.problem) == (503, "unavailable")
        assert int(told.headers["retry-after"]) > 0
        for key in ("before", "after"):
            assert terminal.call("POST", "/v1/alarms", alarm(), key=key).status == 201
        assert len(server.alarms()) == 2
