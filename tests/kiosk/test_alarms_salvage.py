"""A queue that was found damaged goes on by itself, and the platform's staff are told."""

from __future__ import annotations

import os
from pathlib import Path

from kiosk.alarms import Alarms
from kiosk.clock import VirtualClock
from kiosk.outbox import Outbox
from kiosk.platform.models import AlarmKind
from offline_queue.message import State
from offline_queue.queue import Queue
from tests.kiosk.terminal_double import Audit

PAGE = 4096


def opened(folder: Path) -> Queue:
    return Queue(folder / "queue.sqlite", bytes(16), VirtualClock())


def outbox_of(queue: Queue) -> Outbox:
    return Outbox(queue, "T429900-0003", VirtualClock(), os.urandom)


def test_a_damaged_queue_goes_on_and_an_alarm_tells_of_it(tmp_path: Path) -> None:
    queue = opened(tmp_path)
    for number in range(200):
        outbox_of(queue).put_print_outcome(f"S-{number}", "CODE", "done", "")
    queue.close()
    with (tmp_path / "queue.sqlite").open("r+b") as file:
        file.seek(30 * PAGE)
        file.write(bytes(PAGE))
    again, audit = opened(tmp_path), Audit()
    salvage = again.salvage
    assert salvage is not None and salvage.rows >= 150
    Alarms(outbox_of(again), audit.write).tell_of_salvage(again)
    (told,) = audit.details("queue.recovered")
    assert told["kept"] == salvage.rows and told["kept"] + told["lost"] == 200
    (alarm,) = [row for row in again.rows(limit=10**6) if row.kind == "alarm"]
    assert alarm.state is State.READY
    assert audit.details("alarm.raised")[0]["reason"] == "queue-salvaged"
    assert again.salvage is None
    report = again.desk.verify()
    assert report.whole and report.told == told["lost"]
    again.close()
    assert opened(tmp_path).salvage is None


def test_who_was_not_told_is_told_at_the_next_start(tmp_path: Path) -> None:
    opened(tmp_path).close()
    (tmp_path / "queue.sqlite").write_bytes(b"")
    first = opened(tmp_path)
    assert first.salvage is not None
    first.close()
    second, audit = opened(tmp_path), Audit()
    Alarms(outbox_of(second), audit.write).tell_of_salvage(second)
    assert len(audit.details("queue.recovered")) == 1


def test_a_healthy_queue_tells_nothing(tmp_path: Path) -> None:
    queue, audit = opened(tmp_path), Audit()
    Alarms(outbox_of(queue), audit.write).tell_of_salvage(queue)
    assert audit.lines == []
    assert AlarmKind.DEVICE_FAULT.value not in [row.kind for row in queue.rows()]
