"""What must reach the platform does so, once, whatever the line does meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kiosk.alarms import Alarms
from kiosk.audit.log import AuditLog
from kiosk.audit.shipper import MOST_LINES, AuditShipper
from kiosk.clock import VirtualClock
from kiosk.courier import Courier
from kiosk.events import QueueSeen
from kiosk.limits import Limits
from kiosk.outbox import Outbox
from kiosk.platform.errors import (
    Distrust,
    Outage,
    PlatformRefused,
    PlatformUnavailable,
    PlatformUntrusted,
    Problem,
)
from kiosk.platform.models import AlarmKind, AlarmReceipt, Submission
from offline_queue.errors import QueueFull
from offline_queue.message import Priority, State
from offline_queue.queue import Queue
from offline_queue.room import Level
from tests.kiosk.terminal_double import Audit

TERMINAL = "T429900-0003"
KEYS = bytes(16)


@dataclass
class Line:
    """The platform's side: what had an effect, by key, and what goes wrong next."""

    effects: dict[str, tuple[str, Any]] = field(default_factory=dict)
    attempts: list[str] = field(default_factory=list)
    before: list[Exception] = field(default_factory=list)
    after: list[Exception] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    clock_offset: float | None = None

    def submission(self, key: str) -> Submission | None:
        self.asked.append(key)
        if self.before:
            raise self.before.pop(0)
        if key in self.refused:
            return Submission(self.refused[key], {"type": "urn:yikatong:problem:forbidden"})
        if key not in self.effects:
            return None
        name = "alarm_no" if self.effects[key][0] == "alarm" else "event_no"
        return Submission(201, {name: self.receipt(key)})

    def send_event(
        self, kind: str, occurred_at: int, body: Mapping[str, object], *, key: str
    ) -> str:
        return self._take(key, kind, dict(body))

    def raise_alarm(
        self, kind: AlarmKind, severity: Any, event: str, subject: str, at: int, *, key: str
    ) -> AlarmReceipt:
        return AlarmReceipt(self._take(key, "alarm", event))

    def _take(self, key: str, kind: str, body: Any) -> str:
        self.attempts.append(key)
        if self.before:
            raise self.before.pop(0)
        self.effects.setdefault(key, (kind, body))
        if self.after:
            raise self.after.pop(0)
        return self.receipt(key)

    def receipt(self, key: str) -> str:
        return f"E-{list(self.effects).index(key) + 1}"


class Post:
    """An outbox with its courier, over one folder; `again` is the next start of the terminal."""

    def __init__(self, folder: Path, line: Line) -> None:
        self.folder, self.line = folder, line
        self.clock = VirtualClock()
        self.audit = Audit()
        self.errands: list[Exception | None] = []
        self.news: list[int] = []
        self.levels: list[Level] = []
        self.queue = Queue(folder / "queue.sqlite", KEYS, self.clock, random=lambda: 1.0)
        self.outbox = Outbox(self.queue, TERMINAL, self.clock, self._random)
        self.log = folder / "audit.jsonl"
        self.log.touch()
        self.courier = Courier(
            self.queue,
            line,  # type: ignore[arg-type]
            AuditShipper(self.log, self.outbox),
            record=self.audit.write,
            limits=Limits(ship_seconds=60),
            errand=self._errand,
            monotonic=self.clock.monotonic,
        )
        self.courier.post = self._heard
        self._drawn = 0

    def _random(self, count: int) -> bytes:
        self._drawn += 1
        return self._drawn.to_bytes(count, "big")

    def _errand(self) -> None:
        error = self.errands.pop(0) if self.errands else None
        if error is not None:
            raise error

    def _heard(self, news: QueueSeen) -> None:
        self.news.append(news.waiting)
        self.levels.append(news.level)

    def wait(self, seconds: float) -> None:
        self.clock.move_to(self.clock.monotonic() + seconds)

    def states(self) -> list[str]:
        return [row.state.value for row in self.queue.rows()]


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def post(tmp_path: Path, line: Line) -> Iterator[Post]:
    made = Post(tmp_path, line)
    yield made
    made.queue.close()


def test_an_alarm_is_written_down_and_delivered_once(post: Post, line: Line) -> None:
    alarms = Alarms(post.outbox, post.audit.write)
    alarms.raise_alarm(AlarmKind.CARD_NOT_GENUINE, "card-not-genuine", 7)
    post.courier.run_once()
    post.courier.run_once()
    assert list(line.effects.values()) == [("alarm", "card-not-genuine")]
    assert post.audit.details("alarm.raised") == [
        {"kind": "card-not-genuine", "severity": "security", "reason": "card-not-genuine"}
    ]
    assert post.audit.details("alarm.delivered") == [
        {"kind": "card-not-genuine", "alarm_no": "E-1"}
    ]


def test_messages_say_what_the_platform_thinks_of_our_clock(post: Post, line: Line) -> None:
    for offset in (None, 2.0, 900.0):
        line.clock_offset = offset
        post.outbox.put_evaluation("429900-CERT", 5)
        post.courier.run_once()
    post.outbox.put_evaluation("429900-CERT", 5)
    assert [row.trust for row in post.queue.rows()] == ["unknown", "unknown", "confirmed", "wrong"]


@pytest.mark.parametrize(
    ("code", "reason"),
    [("", "forbidden"), ("E-1042", "forbidden:E-1042"), ("429900196001010015", "forbidden"),
     ("not a code", "forbidden")],
)  # fmt: skip
def test_a_dead_letter_keeps_the_code_of_the_province(
    post: Post, line: Line, code: str, reason: str
) -> None:
    line.before = [PlatformRefused(Problem.FORBIDDEN, code=code)]
    post.outbox.put_evaluation("429900-CERT", 5)
    post.courier.run_once()
    assert [row.reason for row in post.queue.rows(State.DEAD)] == [reason]
    assert post.audit.details("message.refused")[0]["reason"] == "forbidden"


def test_each_kind_goes_its_own_way(post: Post) -> None:
    post.outbox.put_audit_range(1, 1, ["line"])
    post.outbox.put_evaluation("429900-CERT", 5)
    post.outbox.put_print_outcome("S-1", "CODE", "done", "")
    post.outbox.put_alarm(AlarmKind.TAMPER, "platform-untrusted")
    ways = {(row.kind, row.lane, row.priority) for row in post.queue.rows()}
    assert ways == {
        ("alarm", "alarms", Priority.URGENT),
        ("audit-range", "audit", Priority.BULK),
        ("evaluation", "events", Priority.NORMAL),
        ("print-outcome", "events", Priority.NORMAL),
    }
    post.wait(91 * 86_400)
    post.courier.run_once()
    dead = [(row.kind, row.reason) for row in post.queue.rows(State.DEAD)]
    assert dead == [("evaluation", "expired")]


def test_a_full_queue_costs_the_alarm_and_not_the_service(post: Post) -> None:
    def no_room(*_: object) -> None:
        raise QueueFull("no room")

    post.outbox.put_alarm = no_room  # type: ignore[method-assign]
    Alarms(post.outbox, post.audit.write).raise_alarm(AlarmKind.TAMPER, "platform-untrusted", None)
    assert [(event, outcome) for event, outcome, _ in post.audit.lines] == [
        ("alarm.raised", "fault")
    ]
    assert post.states() == []


def test_what_waits_for_the_line_goes_when_it_is_back(post: Post, line: Line) -> None:
    line.before = [PlatformUnavailable(Outage.NO_CONNECTION)]
    post.outbox.put_evaluation("429900-CERT", 5)
    post.outbox.put_print_outcome("S-1", "CODE", "done", "")
    post.courier.run_once()
    assert line.effects == {}
    assert post.news == [2]
    post.courier.hurry()
    post.courier.run_once()
    assert [kind for kind, _ in line.effects.values()] == ["evaluation", "print-outcome"]
    assert post.news == [2, 0]


def test_without_news_of_the_line_it_tries_again_by_itself(post: Post, line: Line) -> None:
    line.before = [PlatformUnavailable(Outage.TIMEOUT, 30.0)]
    post.outbox.put_evaluation("429900-CERT", 4)
    assert post.courier.run_once() == pytest.approx(30, abs=1)
    post.wait(31)
    post.courier.run_once()
    assert len(line.effects) == 1


def test_a_reply_lost_after_the_effect_doubles_nothing(post: Post, line: Line) -> None:
    line.after = [PlatformUnavailable(Outage.CUT_SHORT)]
    post.outbox.put_evaluation("429900-CERT", 3)
    post.courier.run_once()
    post.courier.hurry()
    post.courier.run_once()
    assert (len(line.attempts), len(line.asked), len(line.effects)) == (1, 1, 1)
    assert [row.receipt for row in post.queue.rows(State.CONFIRMED)] == ["E-1"]


def test_an_alarm_of_which_nobody_heard_is_asked_for_by_its_own_name(
    post: Post, line: Line
) -> None:
    line.after = [PlatformUnavailable(Outage.TIMEOUT)]
    Alarms(post.outbox, post.audit.write).raise_alarm(AlarmKind.TAMPER, "platform-untrusted", None)
    post.courier.run_once()
    post.courier.hurry()
    post.courier.run_once()
    assert (len(line.attempts), len(line.asked)) == (1, 1)
    assert post.audit.details("alarm.delivered") == [{"kind": "tamper", "alarm_no": "E-1"}]


def test_what_never_arrived_is_sent_again_under_its_key(post: Post, line: Line) -> None:
    line.before = [PlatformUnavailable(Outage.TIMEOUT)]
    post.outbox.put_evaluation("429900-CERT", 3)
    post.courier.run_once()
    assert [row.unsure for row in post.queue.rows(State.SENT)] == [True]
    post.courier.hurry()
    post.courier.run_once()
    assert (len(line.asked), len(line.attempts), len(set(line.attempts))) == (1, 2, 1)
    assert post.states() == ["confirmed"]


def test_an_earlier_refusal_is_heard_from_the_platform_itself(post: Post, line: Line) -> None:
    line.before = [PlatformUnavailable(Outage.TIMEOUT)]
    post.outbox.put_evaluation("429900-CERT", 3)
    post.courier.run_once()
    line.refused[line.attempts[0]] = 403
    line.before = []
    line.after = [PlatformRefused(Problem.FORBIDDEN)]
    post.courier.hurry()
    post.courier.run_once()
    assert [row.reason for row in post.queue.rows(State.DEAD)] == ["forbidden"]


def test_a_platform_that_does_not_know_the_terminal_rests_the_lane_and_no_message_fails(
    post: Post, line: Line
) -> None:
    line.before = [PlatformRefused(Problem.UNKNOWN_TERMINAL)]
    post.outbox.put_evaluation("429900-CERT", 1)
    post.outbox.put_evaluation("429900-CERT", 2)
    Alarms(post.outbox, post.audit.write).raise_alarm(AlarmKind.TAMPER, "platform-untrusted", None)
    post.courier.run_once()
    (pause,) = post.queue.metrics().pauses
    assert (pause.lane, pause.reason, pause.seconds) == ("alarms", "unknown-terminal", 120)
    assert [row.attempts for row in post.queue.rows()] == [0, 0, 0]
    post.courier.run_once()
    assert [kind for kind, _ in line.effects.values()] == ["evaluation", "evaluation"]
    post.wait(121)
    post.courier.run_once()
    assert post.states() == ["confirmed"] * 3


def test_a_lane_that_only_fails_is_left_alone_for_a_while(post: Post, line: Line) -> None:
    line.before = [PlatformUnavailable(Outage.TIMEOUT) for _ in range(50)]
    for grade in range(1, 6):
        for _ in range(4):
            post.outbox.put_evaluation("429900-CERT", grade)
    for _ in range(20):
        post.courier.run_once()
    assert len(line.attempts) == 5
    assert post.queue.metrics().pauses[0].lane == "events"


def test_what_the_platform_judges_waits_for_staff_and_stops_nothing(post: Post, line: Line) -> None:
    line.before = [PlatformRefused(Problem.FORBIDDEN)]
    post.outbox.put_evaluation("429900-CERT", 1)
    post.outbox.put_evaluation("429900-CERT", 2)
    post.courier.run_once()
    assert post.states() == ["dead", "confirmed"]
    assert post.audit.details("message.refused") == [{"kind": "evaluation", "reason": "forbidden"}]
    assert [row.reason for row in post.queue.rows(State.DEAD)] == ["forbidden"]


@pytest.mark.parametrize(
    "error",
    [
        PlatformRefused(Problem.TOO_MANY, 5.0),
        PlatformRefused(Problem.UNKNOWN_TERMINAL),
        PlatformRefused(Problem.IN_PROGRESS),
        PlatformUntrusted(Distrust.SIGNATURE),
    ],
)
def test_what_judges_only_the_moment_keeps_the_message(
    post: Post, line: Line, error: Exception
) -> None:
    line.before = [error]
    post.outbox.put_evaluation("429900-CERT", 1)
    post.courier.run_once()
    assert post.states()[0] in ("ready", "waiting", "sent")
    post.wait(400)
    post.courier.run_once()
    assert post.states() == ["confirmed"]


def test_messages_survive_the_process(tmp_path: Path, line: Line) -> None:
    first = Post(tmp_path, line)
    first.outbox.put_evaluation("429900-CERT", 5)
    first.queue.close()
    second = Post(tmp_path, line)
    second.courier.run_once()
    assert len(line.effects) == 1
    second.queue.close()


def test_one_print_is_reported_once_and_as_it_was_first(post: Post, line: Line) -> None:
    post.outbox.put_print_outcome("S-1", "CODE", "done", "")
    post.outbox.put_print_outcome("S-1", "CODE", "unknown", "")
    post.courier.run_once()
    ((_, body),) = line.effects.values()
    assert body["outcome"] == "done"


def test_errands_are_tried_until_they_succeed_and_again_when_the_line_is_back(post: Post) -> None:
    post.errands = [PlatformUnavailable(Outage.TIMEOUT), None, RuntimeError("a third one")]
    post.courier.run_once()
    post.courier.run_once()
    post.courier.run_once()
    assert len(post.errands) == 1
    post.courier.hurry()
    with pytest.raises(RuntimeError, match="third"):
        post.courier.run_once()


# --- the audit log -------------------------------------------------------------------------------


def _write(log: AuditLog, count: int) -> None:
    for _ in range(count):
        log.write("help.called", outcome="ok", detail={})


def test_the_audit_log_is_shipped_without_gap_or_repetition(post: Post, line: Line) -> None:
    log = AuditLog(post.log, TERMINAL, post.clock)
    _write(log, 3)
    post.courier.run_once()
    _write(log, MOST_LINES + 5)
    post.courier.run_once()
    assert len(line.effects) == 1, "the next look is not due"
    post.wait(61)
    post.courier.run_once()
    log.close()
    ranges = [(body["first"], body["last"]) for _, body in line.effects.values()]
    assert ranges == [(1, 3), (4, MOST_LINES + 3), (MOST_LINES + 4, MOST_LINES + 8)]
    assert list(line.effects) == [f"{TERMINAL}-audit-{first}-{last}" for first, last in ranges]
    shipped = [text for _, body in line.effects.values() for text in body["lines"]]
    assert shipped == post.log.read_text("ascii").splitlines()


def test_shipping_goes_on_where_it_was_after_a_restart(tmp_path: Path, line: Line) -> None:
    first = Post(tmp_path, line)
    log = AuditLog(first.log, TERMINAL, first.clock)
    _write(log, 2)
    first.courier.run_once()
    first.queue.close()
    _write(log, 2)
    log.close()
    second = Post(tmp_path, line)
    second.courier.run_once()
    second.queue.close()
    assert [body["first"] for _, body in line.effects.values()] == [1, 3]


def test_a_line_that_is_being_written_waits_for_its_end(post: Post, line: Line) -> None:
    log = AuditLog(post.log, TERMINAL, post.clock)
    _write(log, 2)
    log.close()
    whole = post.log.read_bytes()
    post.log.write_bytes(whole[:-10])
    post.courier.run_once()
    assert [body["last"] for _, body in line.effects.values()] == [1]
    post.log.write_bytes(whole)
    post.wait(61)
    post.courier.run_once()
    assert [body["first"] for _, body in line.effects.values()] == [1, 2]


def test_what_stands_before_a_broken_line_is_shipped_and_nothing_behind_it(
    post: Post, line: Line
) -> None:
    log = AuditLog(post.log, TERMINAL, post.clock)
    _write(log, 2)
    log.close()
    with post.log.open("ab") as file:
        file.write(json.dumps({"seq": 3}).encode() + b"\n")
    with pytest.raises(ValueError, match="other fields"):
        post.courier.run_once()
    post.courier.run_once()
    assert [(body["first"], body["last"]) for _, body in line.effects.values()] == [(1, 2)]
