"""An alarm is on the disk before it is sent, and arrives once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kiosk.alarms import Alarm, Alarms
from kiosk.clock import VirtualClock
from kiosk.intents import Intents
from kiosk.platform.errors import Outage, PlatformRefused, PlatformUnavailable, Problem
from kiosk.platform.models import AlarmKind, AlarmReceipt, Submission
from tests.kiosk.terminal_double import Audit

TERMINAL = "T429900-0003"


class Line:
    """The platform's side: what it knows, and what it answers next."""

    def __init__(self) -> None:
        self.known: dict[str, Submission] = {}
        self.sent: list[tuple[str, str]] = []
        self.failures: list[Exception] = []

    def submission(self, key: str) -> Submission | None:
        self._fail()
        return self.known.get(key)

    def raise_alarm(
        self, kind: AlarmKind, severity: Any, event: str, subject: str, at: int, *, key: str
    ) -> AlarmReceipt:
        self._fail()
        self.sent.append((key, event))
        self.known[key] = Submission(201, {"alarm_no": "A-2031"})
        return AlarmReceipt("A-2031")

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def audit() -> Audit:
    return Audit()


def alarms(folder: Path, line: Line, audit: Audit) -> Alarms:
    clock = VirtualClock()
    return Alarms(
        Intents(folder / "intents.sqlite", clock),
        line,  # type: ignore[arg-type]
        TERMINAL,
        clock,
        audit.write,
        lambda count: bytes(range(count)),
    )


def test_an_alarm_is_delivered_once_and_settled(tmp_path: Path, line: Line, audit: Audit) -> None:
    box = alarms(tmp_path, line, audit)
    box.raise_alarm(AlarmKind.CARD_NOT_GENUINE, "card-not-genuine", 7)
    assert box.deliver() == 0
    assert box.deliver() == 0
    assert [event for _, event in line.sent] == ["card-not-genuine"]
    assert audit.events() == ["alarm.raised", "intent.settled", "alarm.delivered"]
    assert audit.details("alarm.delivered") == [{"kind": "card-not-genuine", "alarm_no": "A-2031"}]


def test_an_alarm_waits_for_the_line(tmp_path: Path, line: Line, audit: Audit) -> None:
    box = alarms(tmp_path, line, audit)
    box.raise_alarm(AlarmKind.DEVICE_FAULT, "pad-gone", None)
    line.failures = [PlatformUnavailable(Outage.NO_CONNECTION)]
    assert box.deliver() == 1
    assert line.sent == []
    assert box.deliver() == 0
    assert len(line.sent) == 1


def test_a_reply_that_was_lost_after_the_effect_makes_no_second_alarm(
    tmp_path: Path, line: Line, audit: Audit
) -> None:
    box = alarms(tmp_path, line, audit)
    box.raise_alarm(AlarmKind.TAMPER, "platform-untrusted", None)

    def committed_then_cut(*arguments: Any, **keywords: Any) -> AlarmReceipt:
        Line.raise_alarm(line, *arguments, **keywords)
        raise PlatformUnavailable(Outage.CUT_SHORT)

    line.raise_alarm = committed_then_cut  # type: ignore[method-assign]
    assert box.deliver() == 1
    assert box.deliver() == 0
    assert len(line.sent) == 1
    assert audit.events()[-1] == "alarm.delivered"


def test_an_alarm_survives_the_process(tmp_path: Path, line: Line, audit: Audit) -> None:
    alarms(tmp_path, line, audit).raise_alarm(AlarmKind.TAMPER, "platform-untrusted", None)
    assert alarms(tmp_path, line, audit).deliver() == 0
    assert len(line.sent) == 1


def test_a_refused_alarm_is_not_sent_for_ever(tmp_path: Path, line: Line, audit: Audit) -> None:
    box = alarms(tmp_path, line, audit)
    box.raise_alarm(AlarmKind.TAMPER, "platform-untrusted", None)
    line.failures = [PlatformRefused(Problem.INVALID)]
    assert box.deliver() == 0
    assert audit.details("alarm.failed") == [{"kind": "tamper", "reason": "invalid"}]
    assert box.deliver() == 0
    assert line.sent == []


def test_an_alarm_reads_back_as_it_was_written() -> None:
    alarm = Alarm(AlarmKind.TAMPER, "platform-untrusted", 1_800_000_000, "ab" * 32)
    assert Alarm.decode(alarm.encode()) == alarm
