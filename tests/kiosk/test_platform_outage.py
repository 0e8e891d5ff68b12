"""Connections that break, hang, drip or never come."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from kiosk.platform.deadline import DeadlineAdapter, within
from kiosk.platform.errors import (
    PROBLEM_STATUS,
    ClockWrong,
    Outage,
    PlatformError,
    PlatformRefused,
    PlatformUnavailable,
    Problem,
)
from kiosk.platform.models import CardVerdict
from tests.kiosk.bare_server import Script, drip, say, serving
from tests.kiosk.platform_double import Change, Reply, problem
from tests.kiosk.platform_line import CARD_ID, FAST, Line, dropped, half


@pytest.mark.parametrize("broken", [dropped, half])
def test_a_broken_connection_is_tried_twice_more_with_the_same_key(
    line: Line, broken: Change
) -> None:
    line.double.answers["POST /v1/card-verdicts"] = (200, {"state": "normal"})
    line.double.changes = [broken, broken]
    assert line.client().card_verdict(CARD_ID, "B00000001") is CardVerdict.NORMAL
    assert [seen.problem for seen in line.double.seen] == ["", "", ""]
    assert len({seen.key for seen in line.double.seen}) == 1
    assert len({seen.body for seen in line.double.seen}) == 1
    assert len({seen.parameters["nonce"] for seen in line.double.seen}) == 3
    assert len({seen.headers["signature"] for seen in line.double.seen}) == 3
    assert len(line.outcomes) == 1


@pytest.mark.parametrize(
    "broken, outage", [(dropped, Outage.NO_CONNECTION), (half, Outage.CUT_SHORT)]
)
def test_broken_three_times_is_unavailable(line: Line, broken: Change, outage: Outage) -> None:
    line.double.changes = [broken] * 3
    with pytest.raises(PlatformUnavailable) as caught:
        line.client().status()
    assert caught.value.outage is outage
    assert len(line.double.seen) == 3


def test_pauses_grow_and_end_with_the_deadline(line: Line) -> None:
    now, pauses = 0.0, list[float]()

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds
        pauses.append(seconds)

    limits = replace(FAST, deadline=6, retries=9, retry_pause=1)
    with pytest.raises(PlatformUnavailable):
        line.client(limits, url="http://127.0.0.1:9", monotonic=lambda: now, sleep=sleep).status()
    assert pauses == [1, 2], "the pause of 4 s would end after the deadline"


@pytest.mark.parametrize("status", [502, 503, 504])
@pytest.mark.parametrize("headers", [{}, {"Retry-After": "1"}, {"Retry-After": "Tue, 1 Dec"}])
def test_a_gateway_whose_platform_is_away_is_asked_again(
    line: Line, status: int, headers: dict[str, str]
) -> None:
    line.double.changes = [lambda _: Reply(status, b"", headers)] * 2
    pauses: list[float] = []
    assert line.client(sleep=pauses.append).status().catalogue_version == "2026.11"
    assert pauses == ([1, 1] if headers.get("Retry-After") == "1" else [0, 0])
    assert len({seen.parameters["nonce"] for seen in line.double.seen}) == 3


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_that_stays_is_unavailable(line: Line, status: int) -> None:
    line.double.changes = [lambda _: Reply(status, b"", {})] * 3
    with pytest.raises(PlatformUnavailable) as caught:
        line.client().status()
    assert caught.value.outage is (Outage.BUSY if status == 503 else Outage.TURNED_AWAY)
    assert len(line.double.seen) == 3


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_whoever_asks_us_to_wait_is_not_asked_again(line: Line, status: int) -> None:
    line.double.changes = [lambda _: Reply(status, b"<html>", {"Retry-After": "3"})]
    with pytest.raises(PlatformUnavailable) as caught:
        line.client().status()
    outage = Outage.BUSY if status in (429, 503) else Outage.TURNED_AWAY
    assert (caught.value.outage, caught.value.retry_after) == (outage, 3)
    assert len(line.double.seen) == 1


@pytest.mark.parametrize("name", [p for p in Problem if p is not Problem.UNAVAILABLE])
def test_a_refusal_is_not_asked_again(line: Line, name: Problem) -> None:
    more = {"server_time": 1_800_000_000} if name is Problem.CLOCK else {}
    line.double.answers["GET /v1/status"] = problem(name.value, PROBLEM_STATUS[name], **more)
    with pytest.raises((PlatformRefused, ClockWrong)):
        line.client().status()
    assert len(line.double.seen) == 1


def test_nobody_there_is_unavailable(line: Line) -> None:
    with pytest.raises(PlatformUnavailable) as caught:
        line.client(url="http://127.0.0.1:9").status()
    assert caught.value.outage is Outage.NO_CONNECTION


def test_a_slow_platform_is_unavailable_and_not_asked_twice(line: Line) -> None:
    hold = threading.Event()
    line.double.changes = [lambda r: replace(r, before=hold.wait)]
    try:
        with pytest.raises(PlatformUnavailable) as caught:
            line.client(replace(FAST, deadline=0.3)).status()
    finally:
        hold.set()
    assert caught.value.outage is Outage.TIMEOUT
    assert len(line.double.seen) == 1


class NeverConnecting(requests.Session):
    """Every connection takes longer than it may."""

    sent = 0

    def send(self, *_args: Any, **_kwargs: Any) -> requests.Response:
        NeverConnecting.sent += 1
        raise requests.ConnectTimeout


def test_a_connection_that_does_not_come_is_not_tried_again(line: Line) -> None:
    NeverConnecting.sent = 0
    with pytest.raises(PlatformUnavailable) as caught:
        line.client(session_factory=NeverConnecting).status()
    assert (caught.value.outage, NeverConnecting.sent) == (Outage.TIMEOUT, 1)


ANSWER = b'HTTP/1.1 200 OK\r\nX-Long: xxxxxxxxxxxx\r\nContent-Length: 12\r\n\r\n{"a":"aaaa"}'
HEAD, BODY = ANSWER[:-12], ANSWER[-12:]
SHORT = replace(FAST, deadline=0.4)


@pytest.mark.parametrize(
    "script", [drip(ANSWER, 0.1), drip(BODY, 0.1, at_once=HEAD)], ids=["headers", "body"]
)
def test_the_deadline_holds_although_something_comes_all_the_time(
    line: Line, script: Script
) -> None:
    with serving(script) as url, pytest.raises(PlatformUnavailable) as caught:
        line.client(SHORT, url=url).status()
    assert caught.value.outage is Outage.TIMEOUT


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_every_wait_of_a_connection_gets_what_is_left_of_the_call(line: Line, scheme: str) -> None:
    port = urlsplit(line.double.url).port
    pool = DeadlineAdapter().poolmanager.connection_from_host("127.0.0.1", port, scheme)
    connection: Any = pool.ConnectionCls("127.0.0.1", port, timeout=5)
    with within(lambda: 0.3):
        connection.sock = connection._new_conn()
    assert connection.sock.gettimeout() == 0.3
    with within(lambda: 7.0):
        connection.send(b"GET / HTTP/1.1\r\n")
        assert connection.sock.gettimeout() == 7
        connection.sock.settimeout(5)
    with within(lambda: 0.0), pytest.raises(TimeoutError):
        connection.send(b"\r\n")
    connection.close()


@pytest.mark.parametrize(
    "answer, expected",
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", "headers"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3, 5\r\n\r\nabc", "headers"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no-connection"),
        (b"HTTP/1.1 2x0 OK\r\n\r\n", "no-connection"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "no-connection"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", "no-connection"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "cut-short"),
    ],
    ids=["two lengths", "length of two", "SSH", "status", "many", "long", "chunks"],
)
def test_what_is_no_http_is_a_failure_with_a_name(line: Line, answer: bytes, expected: str) -> None:
    with serving(say(answer)) as url, pytest.raises(PlatformError) as caught:
        line.client(url=url).status()
    assert caught.value.reason == expected
