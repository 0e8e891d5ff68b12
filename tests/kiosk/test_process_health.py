"""What the process asks of the system, and the self-check before serving."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from drivers.card_service import ReaderState
from kiosk.health import Severity, self_check
from kiosk.limits import Limits
from kiosk.process import ServiceWatchdog
from kiosk.state import StateDirectory

HARDENED = """
import ctypes, json, resource
from kiosk.process import harden
locked = harden()
dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
print(json.dumps([locked, dumpable, resource.getrlimit(resource.RLIMIT_CORE)]))
"""


def test_a_hardened_process_leaves_no_dump() -> None:
    done = subprocess.run([sys.executable, "-c", HARDENED], capture_output=True, check=True)
    _locked, dumpable, core = json.loads(done.stdout)
    assert dumpable == 0
    assert core == [0, 0]


@pytest.fixture
def supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A socket as systemd's; what it was told."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(tmp_path / "notify"))
    listener.settimeout(5)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "100000")
    yield listener
    listener.close()


def test_the_supervisor_hears_ready_and_beats(supervisor: socket.socket) -> None:
    watchdog = ServiceWatchdog()
    assert watchdog.interval == pytest.approx(0.05)
    watchdog.ready()
    watchdog.beat()
    watchdog.beat()
    watchdog.stopping()
    told = [supervisor.recv(100).decode() for _ in range(3)]
    assert told == ["READY=1", "WATCHDOG=1", "STOPPING=1"]


def test_without_a_supervisor_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setenv("WATCHDOG_USEC", "100000")
    watchdog = ServiceWatchdog()
    assert watchdog.interval is None
    watchdog.beat()


def test_a_supervisor_that_went_away_is_no_fault(supervisor: socket.socket, tmp_path: Path) -> None:
    (tmp_path / "notify").unlink()
    ServiceWatchdog().ready()
    supervisor.setblocking(False)
    with pytest.raises(BlockingIOError):
        supervisor.recv(1)


@pytest.mark.parametrize(
    ("names", "held", "failed"),
    [
        (["Contact 00 00", "SAM 00 00"], "", {}),
        (["SAM 00 00"], "", {"reader": "not-attached"}),
        (["Contact 00 00"], "", {"psam": "not-attached"}),
        ([], "", {"reader": "not-attached", "psam": "not-attached"}),
        (["Contact 00 00", "SAM 00 00"], "Contact 00 00", {"reader": "stuck"}),
        (["Contact 00 00", "SAM 00 00"], "SAM 00 00", {"psam": "stuck"}),
    ],
)
def test_the_self_check_names_what_is_missing_or_held(
    tmp_path: Path, names: list[str], held: str, failed: dict[str, str]
) -> None:
    states = tuple(ReaderState(name, False, False, b"") for name in names)
    cards: Any = SimpleNamespace(
        readers=lambda: states, answers=lambda reader, seconds: reader != held
    )
    findings = self_check(StateDirectory(tmp_path / "s"), Limits(), cards, "Contact", "SAM")
    told = {found.check: found.reason for found in findings if not found.passed}
    assert told == failed


def test_a_full_disk_refuses(tmp_path: Path) -> None:
    cards: Any = SimpleNamespace(readers=lambda: ())
    limits = Limits(free_bytes=10**18)
    findings = self_check(StateDirectory(tmp_path / "s"), limits, cards, "Contact", "")
    disk = next(found for found in findings if found.check == "disk")
    assert not disk.passed
    assert disk.severity is Severity.REFUSES
