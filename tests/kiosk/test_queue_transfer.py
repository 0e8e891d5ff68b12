"""Bundles on a stick: what waits gets to the platform once, and its receipts come home."""

from __future__ import annotations

import errno
import itertools
import logging
import os
import re
import stat
import struct
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apdu.crypto import sm2, sm3
from hw_sim.platform.bundle_intake import import_bundle
from hw_sim.platform.server import PlatformServer
from hw_sim.platform.store import Store
from kiosk.audit.log import AuditLog
from kiosk.audit.shipper import AuditShipper
from kiosk.clock import VirtualClock
from kiosk.courier import Courier
from kiosk.keys import Enrolment, TerminalKeys
from kiosk.limits import Limits
from kiosk.outbox import Outbox
from kiosk.platform.models import AlarmKind
from kiosk.transfer import stick as stick_module
from kiosk.transfer.errors import (
    EncryptionKeyMissing,
    NothingToExport,
    ReceiptsFault,
    ReceiptsRefused,
    StickFailed,
    StickTrouble,
    TransferCancelled,
)
from kiosk.transfer.exporting import ExportReport, export_bundle
from kiosk.transfer.importing import ImportReport, Outcome, import_receipts
from kiosk.transfer.receipts import Receipt, read_receipts
from offline_queue.message import State
from offline_queue.queue import Queue
from tests.kiosk.reference_line import client_of, enrolled
from tests.kiosk.terminal_double import Audit
from tests.offline_queue.queue_world import behind_its_back
from tests.offline_queue.tiny_disk import tiny_disk

ROUND = 4
"""Messages of one round: one of each kind."""
CODE = "A" * 16
PLANTED = "429900196001010018"
"""A person's number that something put into a message, against all rules."""
LOOSE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]

machines = itertools.count(1)


class Hall:
    """A platform and its records, as its staff reaches them."""

    def __init__(self, folder: Path) -> None:
        self.server = PlatformServer(folder / "platform.sqlite")
        self.store = Store.open(folder / "platform.sqlite", date(2026, 11, 21))

    def take_in(self, bundle: Path, *, refused: int = 0) -> Path:
        """Import a bundle, of which so many messages are refused; the receipts lie beside it."""
        receipts = bundle.with_suffix(".receipts")
        taken = import_bundle(self.store, bundle, receipts, 1_795_000_000)
        assert taken.whole
        assert taken.refused == refused
        return receipts

    def close(self) -> None:
        self.store.close()
        self.server.stop()


class Terminal:
    """The queue, what fills it, and the ways out of it."""

    def __init__(self, folder: Path, keys: TerminalKeys, server: PlatformServer) -> None:
        self.keys, self.id = keys, keys.terminal_id
        self.clock = VirtualClock()
        self.queue = Queue(folder / "queue.sqlite", bytes(16), self.clock, random=lambda: 1.0)
        drawn = itertools.count(1)
        self.outbox = Outbox(self.queue, self.id, self.clock, lambda n: next(drawn).to_bytes(n))
        self.log = folder / "audit.jsonl"
        self.rounds = 0
        self.stick = folder / "stick"
        self.stick.mkdir()
        self.server = server

    def fill(self, rounds: int = 1) -> None:
        """One message of each kind a round."""
        log = AuditLog(self.log, self.id, self.clock)
        for _ in range(rounds):
            self.rounds += 1
            log.write("help.called", outcome="ok", detail={})
            line = self.log.read_text("ascii").splitlines()[-1]
            self.outbox.put_alarm(AlarmKind.DEVICE_FAULT, f"device-{self.rounds}")
            self.outbox.put_evaluation("429900-CERT", 5)
            self.outbox.put_audit_range(self.rounds, self.rounds, [line])
            self.outbox.put_print_outcome(f"S-{self.rounds}", CODE, "done", "")
        log.close()

    def export(self, **more: object) -> ExportReport:
        return export_bundle(self.queue, self.stick, self.keys, **more)  # type: ignore[arg-type]

    def settle(self, receipts: Path) -> ImportReport:
        return import_receipts(self.queue, receipts, self.keys)

    def carry(self, most: int | None = None) -> None:
        """Let so many messages, or all, go by the line."""
        with client_of(self.server, self.keys) as client:
            courier = Courier(
                self.queue,
                client,
                AuditShipper(self.log, self.outbox),
                record=Audit().write,
                limits=replace(Limits(), ship_seconds=10**9),
                errand=lambda: None,
                monotonic=self.clock.monotonic,
            )
            if most is None:
                courier.run_once()
                return
            for _ in range(most):
                claim = self.queue.claim("line")
                if claim is None:
                    return
                assert courier._deliver(claim)

    def open(self) -> int:
        return self.queue.metrics().open


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    made = Hall(tmp_path_factory.mktemp("platform"))
    made.server.start()
    yield made
    made.close()


def new_terminal(hall: Hall, folder: Path) -> Terminal:
    keys = enrolled(hall.server, folder / "keys", next(machines))
    return Terminal(folder, keys, hall.server)


@pytest.fixture
def terminal(hall: Hall, tmp_path: Path) -> Iterator[Terminal]:
    made = new_terminal(hall, tmp_path)
    made.fill(3)
    yield made
    made.queue.close()


def check_effects(hall: Hall, terminal: Terminal) -> None:
    """Everything had one effect, and every row has the number that the platform gave it."""
    rows = {row.key: row for row in terminal.queue.rows(limit=1000)}
    assert len(rows) == ROUND * terminal.rounds
    assert {row.state for row in rows.values()} == {State.CONFIRMED}
    events = [each for each in hall.server.events() if each["terminal_id"] == terminal.id]
    alarms = [each for each in hall.server.alarms() if each.terminal_id == terminal.id]
    assert len(events) == (ROUND - 1) * terminal.rounds
    assert [each.detail for each in alarms] == list(dict.fromkeys(each.detail for each in alarms))
    assert len(alarms) == terminal.rounds
    given_ = {each["event_no"] for each in events} | {each.alarm_no for each in alarms}
    assert {row.receipt for row in rows.values()} == given_
    lines = [line for each in events for line in each["body"].get("lines", ())]
    assert lines == terminal.log.read_text("ascii").splitlines()


def test_all_goes_by_stick_and_the_receipts_settle_it(hall: Hall, terminal: Terminal) -> None:
    seen: list[tuple[int, int]] = []
    report = terminal.export(progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 12) for done in range(1, 13)]
    content = report.path.read_bytes()
    assert (report.messages, report.first, report.last, report.left_out) == (12, 1, 12, 0)
    assert (report.size, report.digest) == (len(content), sm3.digest(content[:-64]).hex())
    assert list(terminal.stick.iterdir()) == [report.path]
    assert terminal.open() == 12
    imported = terminal.settle(hall.take_in(report.path))
    assert imported.bundle == report.digest
    assert imported.outcomes == {**dict.fromkeys(Outcome, 0), Outcome.CONFIRMED: 12}
    assert terminal.open() == 0
    check_effects(hall, terminal)


def test_receipts_imported_again_change_nothing(hall: Hall, terminal: Terminal) -> None:
    receipts = hall.take_in(terminal.export().path)
    terminal.settle(receipts)
    before = terminal.queue.rows()
    again = terminal.settle(receipts)
    assert again.outcomes == {**dict.fromkeys(Outcome, 0), Outcome.KNOWN: 12}
    assert terminal.queue.rows() == before


@pytest.mark.parametrize("line_first", [True, False])
def test_by_the_line_and_by_stick_each_has_one_effect(
    hall: Hall, terminal: Terminal, line_first: bool
) -> None:
    report = terminal.export()
    if line_first:
        terminal.carry()
        assert terminal.open() == 0
    receipts = hall.take_in(report.path)
    if not line_first:
        terminal.carry()
        assert terminal.open() == 0
    known = terminal.settle(receipts)
    assert known.outcomes[Outcome.KNOWN] == 12
    check_effects(hall, terminal)


def test_a_message_in_the_courier_s_hands_is_settled_by_its_receipt(
    hall: Hall, terminal: Terminal
) -> None:
    report = terminal.export()
    claim = terminal.queue.claim("line")
    assert claim is not None
    assert claim.unsure
    terminal.settle(hall.take_in(report.path))
    check_effects(hall, terminal)


STEP = st.one_of(
    st.tuples(st.just("fill"), st.integers(1, 2)),
    st.tuples(st.just("line"), st.integers(1, 5)),
    st.tuples(st.just("export"), st.none() | st.integers(1, 6)),
    st.tuples(st.just("platform"), st.integers(0, 5)),
    st.tuples(st.just("receipts"), st.integers(0, 5)),
)


@settings(max_examples=12, deadline=None, suppress_health_check=LOOSE)
@given(steps=st.lists(STEP, min_size=4, max_size=14), home=st.booleans())
def test_whatever_the_order_each_has_one_effect(
    hall: Hall,
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[str, int | None]],
    home: bool,
) -> None:
    """Overlapping bundles, in any order, twice, with the line in between; the last ones go by
    stick (``home``) or by the line."""
    terminal = new_terminal(hall, tmp_path_factory.mktemp("terminal"))
    terminal.fill()
    bundles: list[Path] = []
    receipts: list[Path] = []
    for what, number in steps:
        match what:
            case "fill":
                terminal.fill(number or 1)
            case "line":
                terminal.carry(number)
            case "export" if terminal.open():
                bundles.append(terminal.export(most=number).path)
            case "platform" if bundles:
                receipts.append(hall.take_in(bundles[(number or 0) % len(bundles)]))
            case "receipts" if receipts:
                outcomes = terminal.settle(receipts[(number or 0) % len(receipts)]).outcomes
                assert not outcomes[Outcome.STRANGE] + outcomes[Outcome.REFUSED]
    if terminal.open() and home:
        terminal.settle(hall.take_in(terminal.export().path))
    elif terminal.open():
        terminal.carry()
    check_effects(hall, terminal)
    terminal.queue.close()


def test_a_refusal_lies_among_the_dead_letters(hall: Hall, terminal: Terminal) -> None:
    terminal.queue.enqueue("evaluation", b'{"occurred_at": 1, "body": {}}', key="bad")
    told: list[tuple[str, str, Outcome]] = []
    receipts = hall.take_in(terminal.export().path, refused=1)
    report = import_receipts(
        terminal.queue,
        receipts,
        terminal.keys,
        settled=lambda kind, receipt, outcome: told.append((kind, receipt.key, outcome)),
    )
    assert report.outcomes[Outcome.REFUSED] == 1
    (dead,) = terminal.queue.rows(State.DEAD)
    assert (dead.key, dead.reason) == ("bad", "invalid")
    assert told[-1] == ("evaluation", "bad", Outcome.REFUSED)
    assert len(told) == 13


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


def test_an_import_that_is_ended_keeps_what_it_settled(hall: Hall, terminal: Terminal) -> None:
    receipts = hall.take_in(terminal.export().path)
    asked = itertools.count()
    with pytest.raises(TransferCancelled):
        import_receipts(terminal.queue, receipts, terminal.keys, cancelled=lambda: next(asked) == 5)
    assert terminal.open() == 7
    assert terminal.settle(receipts).outcomes[Outcome.CONFIRMED] == 7


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


@pytest.fixture(scope="module")
def answered(
    hall: Hall, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Terminal, bytes]]:
    """A terminal that still waits, and its receipts."""
    made = new_terminal(hall, tmp_path_factory.mktemp("terminal"))
    made.fill()
    yield made, hall.take_in(made.export().path).read_bytes()
    assert made.open() == ROUND
    made.queue.close()


def refused(answered: tuple[Terminal, bytes], content: bytes) -> ReceiptsFault:
    enrolment = answered[0].keys.enrolment
    with pytest.raises(ReceiptsRefused) as caught:
        read_receipts(content, enrolment.platform_key, enrolment.terminal_id)
    return caught.value.fault


def test_receipts_cut_short_at_any_length_are_refused(answered: tuple[Terminal, bytes]) -> None:
    content = answered[1]
    faults = {refused(answered, content[:length]) for length in range(len(content))}
    assert faults == {ReceiptsFault.NOT_RECEIPTS, ReceiptsFault.SIGNATURE}


def test_receipts_with_any_byte_changed_are_refused(answered: tuple[Terminal, bytes]) -> None:
    for at in range(len(answered[1])):
        spoilt = bytearray(answered[1])
        spoilt[at] ^= 1 << at % 8
        assert refused(answered, bytes(spoilt)) in (
            ReceiptsFault.NOT_RECEIPTS,
            ReceiptsFault.SIGNATURE,
        )


def test_another_platform_s_receipts_are_refused(answered: tuple[Terminal, bytes]) -> None:
    terminal, content = answered
    other: Enrolment = replace(terminal.keys.enrolment, platform_key=sm2.generate().public_key())
    with pytest.raises(ReceiptsRefused) as caught:
        read_receipts(content, other.platform_key, terminal.id)
    assert caught.value.fault is ReceiptsFault.SIGNATURE


def test_another_terminal_s_receipts_are_refused(
    answered: tuple[Terminal, bytes], terminal: Terminal, tmp_path: Path
) -> None:
    file = tmp_path / "receipts"
    file.write_bytes(answered[1])
    with pytest.raises(ReceiptsRefused) as caught:
        terminal.settle(file)
    assert caught.value.fault is ReceiptsFault.FOREIGN
    assert terminal.open() == 12


def test_old_receipts_do_nothing_to_a_new_message_of_the_same_key(
    hall: Hall, terminal: Terminal, tmp_path: Path
) -> None:
    """The disk was replaced: the audit log begins anew, with keys that it had before."""
    receipts = hall.take_in(terminal.export().path)
    folder = tmp_path / "new"
    folder.mkdir()
    new = Terminal(folder, terminal.keys, hall.server)
    new.clock.move_to(1000)
    new.fill(3)
    both = {row.key for row in new.queue.rows()} & {row.key for row in terminal.queue.rows()}
    assert {f"{new.id}-audit-{number}-{number}" for number in (1, 2, 3)} <= both
    outcomes = new.settle(receipts).outcomes
    assert outcomes[Outcome.CONFIRMED] == 0
    assert outcomes[Outcome.STRANGE] == 12
    assert new.open() == 12
    new.queue.close()


class Platform:
    """Signs whatever a test wants, in the platform's name."""

    def __init__(self, terminal: Terminal) -> None:
        self.key = sm2.generate()
        enrolment = replace(terminal.keys.enrolment, platform_key=self.key.public_key())
        terminal.keys = replace(terminal.keys, enrolment=enrolment)
        self.terminal = terminal

    def write(
        self,
        receipts: list[Receipt],
        *,
        version: int = 1,
        count: int | None = None,
        end: bytes = b"",
    ) -> Path:
        text = struct.pack(
            ">4sH16s32sQI",
            b"YKTR", version, self.terminal.id.encode(), bytes(32), 1,
            len(receipts) if count is None else count,
        )  # fmt: skip
        for each in receipts:
            text += struct.pack(">QB", each.seq, len(each.key)) + each.key.encode() + each.digest
            text += struct.pack(">HH", each.status, len(each.word)) + each.word.encode()
        text += end
        message = b"yikatong receipts 1\0" + sm3.digest(text)
        file = self.terminal.stick / "signed.receipts"
        file.write_bytes(text + sm2.sign(self.key, message, encoding=sm2.SignatureEncoding.RAW))
        return file


def first_receipt(hall: Hall, terminal: Terminal) -> Receipt:
    content = hall.take_in(terminal.export(most=1).path).read_bytes()
    (receipt,) = read_receipts(content, terminal.keys.enrolment.platform_key, terminal.id)
    return receipt


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({}, Outcome.CONFIRMED),
        ({"status": 403, "word": "forbidden"}, Outcome.REFUSED),
        ({"status": 403, "word": "invalid"}, Outcome.OPEN),
        ({"status": 409, "word": "in-progress"}, Outcome.OPEN),
        ({"status": 503, "word": "unavailable"}, Outcome.OPEN),
        ({"status": 422, "word": "something-new"}, Outcome.OPEN),
        ({"status": 100}, Outcome.OPEN),
        ({"seq": 2}, Outcome.STRANGE),
        ({"key": "another"}, Outcome.STRANGE),
        ({"digest": bytes(32)}, Outcome.STRANGE),
        ({"seq": 999}, Outcome.KNOWN),
    ],
)
def test_a_receipt_settles_what_it_names_and_decides(
    hall: Hall, terminal: Terminal, change: dict[str, object], outcome: Outcome
) -> None:
    receipt = first_receipt(hall, terminal)._replace(**change)  # type: ignore[arg-type]
    outcomes = terminal.settle(Platform(terminal).write([receipt])).outcomes
    assert outcomes == {**dict.fromkeys(Outcome, 0), outcome: 1}
    settled = outcome in (Outcome.CONFIRMED, Outcome.REFUSED)
    assert terminal.open() == (11 if settled else 12)


def test_signed_nonsense_settles_nothing(hall: Hall, terminal: Terminal) -> None:
    good = first_receipt(hall, terminal)
    platform = Platform(terminal)
    files: list[Callable[[], Path]] = [
        lambda: platform.write([good], count=2),
        lambda: platform.write([good], count=0xFFFFFFFF),
        lambda: platform.write([good, good], count=1),
        lambda: platform.write([good], end=b"\0"),
        lambda: platform.write([good, good._replace(key="")]),
        lambda: platform.write([good, good._replace(word="")]),
        lambda: platform.write([good, good._replace(word="two words")]),
        lambda: platform.write([good, good._replace(word="w" * 257)]),
    ]
    for write in files:
        with pytest.raises(ReceiptsRefused) as caught:
            terminal.settle(write())
        assert caught.value.fault is ReceiptsFault.MALFORMED
    with pytest.raises(ReceiptsRefused) as caught:
        terminal.settle(platform.write([good], version=2))
    assert caught.value.fault is ReceiptsFault.NOT_RECEIPTS
    assert terminal.open() == 12


def test_only_ordinary_files_of_a_bearable_length_are_read(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = terminal.stick / "pipe"
    os.mkfifo(pipe)
    other_end = os.open(pipe, os.O_RDWR)
    with pytest.raises(ReceiptsRefused):
        terminal.settle(pipe)
    os.close(other_end)
    with pytest.raises(StickFailed) as caught:
        terminal.settle(terminal.stick / "missing")
    assert caught.value.trouble is StickTrouble.GONE
    with (terminal.stick / "long").open("wb") as stream:
        stream.truncate(64 * 1024 * 1024 + 1)
    with pytest.raises(ReceiptsRefused) as refused_:
        terminal.settle(terminal.stick / "long")
    assert refused_.value.fault is ReceiptsFault.NOT_RECEIPTS
