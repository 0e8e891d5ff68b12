"""Connections that break, hang or never come."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
import requests

from kiosk.platform.errors import Outage, PlatformUnavailable
from tests.kiosk.platform_double import Change, Reply
from tests.kiosk.platform_line import FAST, Line, dropped, half


@pytest.mark.parametrize("broken", [dropped, half])
def test_a_broken_connection_is_tried_once_more_with_the_same_key(
    line: Line, broken: Change
) -> None:
    line.double.changes = [broken]
    assert line.client().status().catalogue_version == "2026.11"
    first, second = line.double.seen
    assert first.key == second.key
    assert first.parameters["nonce"] != second.parameters["nonce"]
    assert second.problem == ""
    assert len(line.outcomes) == 1


@pytest.mark.parametrize(
    "broken, outage", [(dropped, Outage.NO_CONNECTION), (half, Outage.CUT_SHORT)]
)
def test_broken_twice_is_unavailable(line: Line, broken: Change, outage: Outage) -> None:
    line.double.changes = [broken, broken]
    with pytest.raises(PlatformUnavailable) as caught:
        line.client().status()
    assert caught.value.outage is outage
    assert len(line.double.seen) == 2


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


def test_the_deadline_holds_for_the_body_too(line: Line) -> None:
    ticks = iter(range(0, 1000, 15))
    with pytest.raises(PlatformUnavailable) as caught:
        line.client(monotonic=lambda: float(next(ticks))).status()
    assert caught.value.outage is Outage.TIMEOUT


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_gateway_that_cannot_sign_only_says_not_now(line: Line, status: int) -> None:
    line.double.changes = [lambda r: Reply(status, b"<html>", {"Retry-After": "3"})]
    with pytest.raises(PlatformUnavailable) as caught:
        line.client().status()
    outage = Outage.BUSY if status in (429, 503) else Outage.TURNED_AWAY
    assert (caught.value.outage, caught.value.retry_after) == (outage, 3)
