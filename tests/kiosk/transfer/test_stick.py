"""Exports: what is on the stick, and sticks that are full, pulled out, read-only or lie."""

from __future__ import annotations

import errno
import itertools
import logging
import os
import re
import stat
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk.transfer import stick as stick_module
from kiosk.transfer.errors import (
    EncryptionKeyMissing,
    NothingToExport,
    StickFailed,
    StickTrouble,
    TransferCancelled,
)
from tests.kiosk.transfer_hall import (
    CODE,
    Hall,
    Terminal,
    check_effects,
    new_terminal,
)
from tests.offline_queue.queue_world import behind_its_back
from tests.offline_queue.tiny_disk import tiny_disk

PLANTED = "429900196001010018"
"""A person's number that something put into a message, against all rules."""


def test_what_nobody_can_read_stays_in_the_queue(hall: Hall, tmp_path: Path) -> None:
    """More than a page of rows whose seals are broken, and one that no program here has made."""
    terminal = new_terminal(hall, tmp_path)
    for number in range(40):
        terminal.queue.enqueue("evaluation", b"{}", key=f"broken-{number}")
    with behind_its_back(tmp_path) as file:
        file.execute("UPDATE body SET sealed = zeroblob(40)")
    terminal.queue.enqueue("evaluation", b"no json", key="strange")
    terminal.queue.enqueue("alarm", b'{"occurred_at": 1, "body": {"kind": "x"}}', key="newer")
    with pytest.raises(NothingToExport):
        terminal.export()
    terminal.fill()
    report = terminal.export()
    assert (report.messages, report.first, report.last) == (4, 43, 46)
    terminal.settle(hall.take_in(report.path))
    assert terminal.open() == 42
    assert report.left_out >= 2
    terminal.queue.close()


def test_nothing_to_export_leaves_the_stick_alone(hall: Hall, tmp_path: Path) -> None:
    terminal = new_terminal(hall, tmp_path)
    with pytest.raises(NothingToExport):
        terminal.export()
    assert list(terminal.stick.iterdir()) == []
    terminal.queue.close()


def test_a_terminal_enrolled_before_keys_to_encrypt_to_says_so(terminal: Terminal) -> None:
    enrolment = replace(terminal.keys.enrolment, encryption_key=None)
    terminal.keys = replace(terminal.keys, enrolment=enrolment)
    with pytest.raises(EncryptionKeyMissing):
        terminal.export()


def test_an_export_that_is_ended_leaves_nothing(terminal: Terminal) -> None:
    asked = itertools.count()
    with pytest.raises(TransferCancelled):
        terminal.export(cancelled=lambda: next(asked) == 5)
    assert list(terminal.stick.iterdir()) == []
    assert terminal.open() == 12


def test_halves_of_this_terminal_go_and_everything_else_stays(terminal: Terminal) -> None:
    left = [f"yikatong-{terminal.id}-0011.bundle.part", "yikatong-T429900-9999-00.bundle.part"]
    for name in (*left, "holiday.part", "yikatong-notes.txt"):
        (terminal.stick / name).write_text("x")
    report = terminal.export()
    names = sorted(file.name for file in terminal.stick.iterdir())
    assert names == sorted([*left[1:], "holiday.part", "yikatong-notes.txt", report.path.name])


def test_a_stick_that_is_full_is_said_so_and_is_left_clean(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.fill(20)
    with tiny_disk(tmp_path) as disk:
        disk.fill(leave=4096)
        terminal.stick = disk.path
        with pytest.raises(StickFailed) as caught:
            terminal.export()
        assert (caught.value.trouble, caught.value.errorname) == (StickTrouble.FULL, "ENOSPC")
        assert [file.name for file in disk.path.iterdir()] == ["filler"]
        assert terminal.open() == 92
        disk.clear()
        assert terminal.export().messages == 92


def test_a_stick_that_is_read_only_is_said_so(terminal: Terminal, tmp_path: Path) -> None:
    with tiny_disk(tmp_path, "size=1m,ro") as disk:
        terminal.stick = disk.path
        with pytest.raises(StickFailed) as caught:
            terminal.export()
    assert caught.value.trouble is StickTrouble.READ_ONLY


def test_no_stick_at_all_is_said_so(terminal: Terminal) -> None:
    terminal.stick = terminal.stick / "elsewhere"
    with pytest.raises(StickFailed) as caught:
        terminal.export()
    assert caught.value.trouble is StickTrouble.GONE


def failing(call: Callable[..., object], code: int, nth: int) -> Callable[..., object]:
    """``call``, which fails like a pulled stick from its ``nth`` use on."""
    uses = itertools.count(1)

    def instead(*arguments: object, **more: object) -> object:
        if next(uses) >= nth:
            raise OSError(code, os.strerror(code), "/media/somebody's stick")
        return call(*arguments, **more)

    return instead


@pytest.mark.parametrize(
    ("name", "nth"),
    [("write", 1), ("write", 2), ("write", 4), ("fsync", 1), ("posix_fadvise", 1), ("open", 1)],
)
@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        (errno.EIO, StickTrouble.GONE),
        (errno.ENODEV, StickTrouble.GONE),
        (errno.EFBIG, StickTrouble.TOO_LARGE),
        (errno.ELOOP, StickTrouble.FAILED),
    ],
)
def test_a_stick_that_is_pulled_out_costs_the_bundle_and_nothing_else(
    hall: Hall,
    terminal: Terminal,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    nth: int,
    code: int,
    trouble: StickTrouble,
) -> None:
    class Pulled:
        """The module `os`, with one call that fails."""

        def __getattr__(self, wanted: str) -> object:
            return getattr(os, wanted)

    pulled = Pulled()
    setattr(pulled, name, failing(getattr(os, name), code, nth))
    with monkeypatch.context() as patched:
        patched.setattr(stick_module, "os", pulled)
        with pytest.raises(StickFailed) as caught:
            terminal.export()
    assert caught.value.trouble is trouble
    assert "somebody" not in str(caught.value)
    assert not list(terminal.stick.glob("*.bundle"))
    assert terminal.open() == 12
    terminal.settle(hall.take_in(terminal.export().path))
    check_effects(hall, terminal)


def test_a_stick_that_forgets_what_it_was_given_is_found_out(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = os.fsync

    def forgetful(descriptor: int) -> None:
        sync(descriptor)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.pwrite(descriptor, b"\0", 300)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", forgetful)
        with pytest.raises(StickFailed) as caught:
            terminal.export()
    assert caught.value.trouble is StickTrouble.GARBLED
    assert list(terminal.stick.iterdir()) == []


def test_nothing_personal_can_be_read_from_outside(
    hall: Hall, terminal: Terminal, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        terminal.outbox.put_print_outcome("S-9", CODE, "failed", PLANTED)
        report = terminal.export()
        hall.take_in(report.path)
    assert re.fullmatch(rf"yikatong-{terminal.id}-[0-9a-f]{{16}}\.bundle", report.path.name)
    content = report.path.read_bytes()
    for text in (PLANTED, "evaluation", "S-9", CODE):
        assert text.encode() not in content
    assert PLANTED not in caplog.text + repr(report)
    assert report.path.stat().st_mode & 0o777 == 0o600


def test_a_large_bundle_costs_no_memory(hall: Hall, tmp_path: Path) -> None:
    terminal = new_terminal(hall, tmp_path)
    lines = ["x" * 4000] * 5
    for number in range(400):
        terminal.outbox.put_audit_range(number + 1, number + 1, lines)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        report = terminal.export()
        used = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert report.size > 400 * 20_000
    # Some pages of 32 messages, parsed and encoded one at a time.
    assert used < report.size / 3
    terminal.queue.close()
