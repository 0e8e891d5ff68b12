"""Terminal, bad line, platform, all real: whatever goes wrong at whatever moment, each message has
one effect, and the terminal knows of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hw_sim.line.faults import Kind
from hw_sim.line.proxy import FaultyLine
from hw_sim.platform.server import PlatformServer
from kiosk.audit.log import AuditLog
from kiosk.audit.shipper import AuditShipper
from kiosk.clock import VirtualClock
from kiosk.courier import Courier
from kiosk.keys import TerminalKeys
from kiosk.limits import Limits
from kiosk.outbox import MessageKind, Outbox
from kiosk.platform.client import PlatformClient, TerminalIdentity
from kiosk.platform.errors import Distrust, PlatformUntrusted
from kiosk.platform.limits import LineLimits
from kiosk.platform.models import AlarmKind
from offline_queue.message import State
from offline_queue.queue import Queue
from tests.kiosk.reference_line import enrolled
from tests.kiosk.terminal_double import Audit

MESSAGES = 20
RANGE = 2
"""Audit lines of a message."""
ROUNDS = 200
"""More looks of the courier than it can need once the line is whole."""
LIMITS = LineLimits(deadline=0.5, connect=0.5, retry_pause=0)
CODE = "A" * 16

BLOCKING = (
    "cut-request=0", "cut-request=300", "cut-request=700", "fin-request=0", "fin-request=300",
    "cut-answer=0", "cut-answer=1", "cut-answer=500", "fin-answer=0", "fin-answer=300",
    "reset", "reset-after-commit", "duplicate-request", "black-hole", "refuse",
)  # fmt: skip
"""While one of these stands, no message can be confirmed: a request has 730 bytes or more, an
answer 520 or more."""
BEARABLE = ("latency=3~2", "drip=200000", "duplicate-answer", "stale-answer")

machines = itertools.count(1)


class Terminal:
    """The queue and everything behind it, up to the socket; with twenty messages in it."""

    def __init__(self, folder: Path, keys: TerminalKeys, url: str) -> None:
        self.id = keys.terminal_id
        self.clock = VirtualClock()
        self.queue = Queue(folder / "queue.sqlite", bytes(16), self.clock, random=lambda: 1.0)
        self._drawn = itertools.count(1)
        outbox = Outbox(self.queue, self.id, self.clock, lambda n: next(self._drawn).to_bytes(n))
        log = folder / "audit.jsonl"
        self.client = PlatformClient(
            url,
            TerminalIdentity(self.id, keys.private_key),
            keys.enrolment.platform_key,
            LIMITS,
        )
        self.courier = Courier(
            self.queue,
            self.client,
            AuditShipper(log, outbox),
            record=Audit().write,
            limits=Limits(),
            errand=lambda: None,
            monotonic=self.clock.monotonic,
        )
        self.lines = self._audit_lines(log)
        self._fill(outbox)

    def _audit_lines(self, path: Path) -> list[str]:
        log = AuditLog(path, self.id, self.clock)
        for _ in range(MESSAGES // 4 * RANGE):
            log.write("help.called", outcome="ok", detail={})
        log.close()
        return path.read_text("ascii").splitlines()

    def _fill(self, outbox: Outbox) -> None:
        for number in range(MESSAGES // 4):
            outbox.put_alarm(AlarmKind.DEVICE_FAULT, f"device-{number}")
            outbox.put_evaluation("429900-CERT", number % 5 + 1)
            first = number * RANGE + 1
            lines = self.lines[first - 1 : first - 1 + RANGE]
            outbox.put_audit_range(first, first + RANGE - 1, lines)
            outbox.put_print_outcome(f"S-{number}", CODE, "done", "")

    def carry(self, rounds: int) -> bool:
        """Let the courier look so many times, with the pauses that it asks for; whether all is
        carried."""
        for _ in range(rounds):
            pause = self.courier.run_once()
            if self.queue.metrics().open == 0:
                return True
            self.clock.move_to(self.clock.monotonic() + max(pause, 1))
        return False

    def count(self, state: State) -> int:
        return sum(row.state is state for row in self.queue.rows())

    def close(self) -> None:
        self.queue.close()
        self.client.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformServer]:
    with PlatformServer(tmp_path_factory.mktemp("platform") / "platform.sqlite") as running:
        yield running


@pytest.fixture
def line(server: PlatformServer) -> Iterator[FaultyLine]:
    with FaultyLine(server.url) as running:
        yield running


@pytest.fixture
def terminal(server: PlatformServer, line: FaultyLine, tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(tmp_path, enrolled(server, tmp_path / "keys", next(machines)), line.url)
    yield made
    made.close()


def check_effects(server: PlatformServer, terminal: Terminal) -> None:
    """Everything arrived once, the audit log in its order, and each receipt is the platform's."""
    rows = {row.key: row for row in terminal.queue.rows()}
    assert len(rows) == MESSAGES
    assert {row.state for row in rows.values()} == {State.CONFIRMED}
    receipts = {}
    events = [each for each in server.events() if each["terminal_id"] == terminal.id]
    for each in events:
        body = each["body"]
        match each["kind"]:
            case "evaluation":
                key = body["visit"]
            case "print-outcome":
                key = f"{body['serial']}-outcome"
            case _:
                key = f"{terminal.id}-audit-{body['first']}-{body['last']}"
        assert key not in receipts
        receipts[key] = each["event_no"]
    ranges = [each["body"] for each in events if each["kind"] == "audit-range"]
    assert [text for body in ranges for text in body["lines"]] == terminal.lines
    alarms = [each for each in server.alarms() if each.terminal_id == terminal.id]
    assert sorted(each.detail for each in alarms) == [f"device-{n}" for n in range(MESSAGES // 4)]
    kept = {key: row.receipt for key, row in rows.items() if row.kind != MessageKind.ALARM.value}
    assert kept == receipts
    told = {row.receipt for row in rows.values() if row.kind == MessageKind.ALARM.value}
    assert told == {each.alarm_no for each in alarms}


def test_on_a_good_line_everything_goes_at_once(server: PlatformServer, terminal: Terminal) -> None:
    assert terminal.carry(ROUNDS)
    check_effects(server, terminal)


def in_its_moments(fault: str) -> str:
    """The schedule that lets it strike early, twice in the middle, and late."""
    if fault == "refuse":
        return "3:refuse"
    return ",".join(f"{when}:{fault}" for when in ("2", "8-9", "15"))


def heal(line: FaultyLine, terminal: Terminal) -> None:
    """What `PlatformLink` tells the courier when the line is back."""
    line.clear()
    terminal.courier.hurry()


@pytest.mark.parametrize("fault", BLOCKING)
def test_what_blocks_the_line_loses_and_doubles_nothing(
    server: PlatformServer, line: FaultyLine, terminal: Terminal, fault: str
) -> None:
    kind = Kind(fault.partition("=")[0])
    line.add(f"*:{fault}")
    assert not terminal.carry(2)
    assert terminal.count(State.CONFIRMED) == 0
    heal(line, terminal)
    before = line.traffic.faults[kind]
    line.add(in_its_moments(fault))
    terminal.carry(10)
    assert line.traffic.faults[kind] > before
    heal(line, terminal)
    assert terminal.carry(ROUNDS)
    check_effects(server, terminal)


@pytest.mark.parametrize("fault", BEARABLE)
def test_what_only_disturbs_the_line_loses_and_doubles_nothing(
    server: PlatformServer, line: FaultyLine, terminal: Terminal, fault: str
) -> None:
    line.add(in_its_moments(fault))
    assert terminal.carry(ROUNDS)
    assert line.traffic.faults[Kind(fault.partition("=")[0])] > 0
    check_effects(server, terminal)


def test_a_connection_whose_answers_are_out_of_step_is_left(
    server: PlatformServer, line: FaultyLine, terminal: Terminal
) -> None:
    # So late that each next request would be on its way before the last one's own answer comes.
    server.set_slow(True, 50)
    try:
        line.add("1:stale-answer")
        terminal.client.status()
        with pytest.raises(PlatformUntrusted) as caught:
            terminal.client.status()
        assert caught.value.distrust is Distrust.ECHO
        terminal.client.status()
    finally:
        server.set_slow(False)


@pytest.mark.parametrize("seconds", [-900, 900])
def test_a_wrong_clock_of_the_platform_loses_and_doubles_nothing(
    server: PlatformServer, terminal: Terminal, seconds: int
) -> None:
    server.faults.set(f"*:wrong-clock={seconds:+}")
    try:
        assert not terminal.carry(3)
        assert terminal.count(State.CONFIRMED) == 0
        server.faults.set(f"3-5:wrong-clock={seconds:+}")
        assert terminal.carry(ROUNDS)
    finally:
        server.faults.clear()
    check_effects(server, terminal)


WHEN = st.integers(1, 30).map(str) | st.tuples(st.integers(1, 25), st.integers(0, 3)).map(
    lambda span: f"{span[0]}-{span[0] + span[1]}"
)
FAULT = st.one_of(
    st.tuples(
        st.sampled_from(["cut-request", "cut-answer", "fin-request", "fin-answer"]),
        st.integers(0, 1200),
    ).map(lambda fault: f"{fault[0]}={fault[1]}"),
    st.sampled_from(
        ["reset", "reset-after-commit", "duplicate-answer", "stale-answer", "duplicate-request"]
    ),
    st.sampled_from(["latency=2~2", "drip=200000"]),
)
RULES = st.lists(st.tuples(WHEN, FAULT).map(":".join), min_size=1, max_size=8)
DOWN = st.none() | st.integers(1, 30)


@settings(max_examples=12, deadline=None)
@given(rules=RULES, down=DOWN)
def test_whatever_comes_together_each_message_has_one_effect(
    server: PlatformServer,
    tmp_path_factory: pytest.TempPathFactory,
    rules: list[str],
    down: int | None,
) -> None:
    folder = tmp_path_factory.mktemp("terminal")
    keys = enrolled(server, folder / "keys", next(machines))
    script = ",".join([*rules, *([] if down is None else [f"{down}:refuse"])])
    with FaultyLine(server.url, faults=script) as line:
        terminal = Terminal(folder, keys, line.url)
        if not terminal.carry(10):
            heal(line, terminal)
            assert terminal.carry(ROUNDS)
        check_effects(server, terminal)
        terminal.close()
