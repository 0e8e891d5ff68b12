"""What the terminal's tests stand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from apdu.crypto import sm2
from kiosk.platform.client import TerminalIdentity
from tests.kiosk.platform_double import TERMINAL, PlatformDouble
from tests.kiosk.platform_line import STATUS, Line
from tests.kiosk.terminal_double import TerminalDouble


@pytest.fixture
def line() -> Iterator[Line]:
    double = PlatformDouble()
    key = sm2.generate()
    double.terminal_public = key.public_key().xy
    double.answers["GET /v1/status"] = (200, STATUS)
    try:
        yield Line(double, TerminalIdentity(TERMINAL, key), [])
    finally:
        double.close()


@pytest.fixture
def terminal() -> TerminalDouble:
    return TerminalDouble()
