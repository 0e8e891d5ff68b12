"""Who holds a device: the kernel's list of locks, with real locks and with lines of our own."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from kiosk.state import StateDirectory
from provisioning.devices.in_use import Holder, Locks, holder


def test_a_terminal_that_runs(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "state")
    assert Locks().kiosk(state.path) is None
    with state.lock():
        assert Locks().kiosk(state.path) == Holder(os.getpid(), kiosk=True)
    assert Locks().kiosk(state.path) is None


def test_a_port_that_another_program_holds(tmp_path: Path) -> None:
    port = tmp_path / "port"
    with port.open("w") as held:
        assert Locks().port(str(port)) is None
        fcntl.flock(held, fcntl.LOCK_EX)
        assert Locks().port(str(port)) == Holder(os.getpid(), kiosk=False)
        link = tmp_path / "link"
        link.symlink_to(port)
        assert Locks().port(str(link)) is not None, "a udev rule's link is the same device"
    assert Locks().port(str(port)) is None


@pytest.mark.parametrize("address", ["tcp://192.0.2.7:9100", "[camera]", "/none/such", ""])
def test_what_is_no_node_has_no_lock(address: str) -> None:
    assert Locks().port(address) is None


def test_lines_that_say_something_else(tmp_path: Path) -> None:
    port = tmp_path / "port"
    port.touch()
    found = port.stat()
    place = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    listed = tmp_path / "locks"

    def owner(*lines: str) -> Holder | None:
        listed.write_text("\n".join(lines) + "\n")
        return Locks(listed).port(str(port))

    assert owner(f"1: -> FLOCK  ADVISORY  WRITE 12 {place} 0 EOF") is None, "it waits"
    assert owner(f"1: POSIX  ADVISORY  WRITE 12 {place} 0 EOF") is None
    assert owner(f"1: FLOCK  ADVISORY  WRITE 12 {place}0 0 EOF") is None, "another file"
    assert owner("", "short line") is None
    assert owner(f"2: FLOCK  ADVISORY  WRITE 12 {place} 0 EOF") == Holder(12, kiosk=False)
    # A process of another container has no number here.
    assert owner(f"2: FLOCK  ADVISORY  WRITE -1 {place} 0 EOF") == Holder(0, kiosk=False)
    assert Locks(tmp_path / "none").port(str(port)) is None


@pytest.mark.parametrize(
    ("driver", "shared"),
    [
        *((driver, True) for driver in ("pcsc", "ccid", "ipp", "cups")),
        *((driver, False) for driver in ("direct", "szzt", "gm65", "hid", "camera", "opencv")),
        *((driver, False) for driver in ("sam-v", "crt-591", "escpos", "board", "gpio")),
    ],
)
def test_while_a_terminal_runs_only_what_is_shared_may_be_asked(
    tmp_path: Path, driver: str, shared: bool
) -> None:
    state = StateDirectory(tmp_path / "state")
    with state.lock():
        held = holder(driver, "/none/such", state.path, Locks())
    assert (held is None) == shared
    assert holder(driver, "/none/such", None, Locks()) is None
