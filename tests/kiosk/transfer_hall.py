"""A terminal with messages in its queue, a stick, and a platform whose staff takes bundles in."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date
from pathlib import Path

from hw_sim.platform.bundle_intake import import_bundle
from hw_sim.platform.server import PlatformServer
from hw_sim.platform.store import Store
from kiosk.audit.log import AuditLog
from kiosk.audit.shipper import AuditShipper
from kiosk.clock import VirtualClock
from kiosk.courier import Courier
from kiosk.keys import TerminalKeys
from kiosk.limits import Limits
from kiosk.outbox import Outbox
from kiosk.platform.models import AlarmKind
from kiosk.transfer.exporting import ExportReport, export_bundle
from kiosk.transfer.importing import ImportReport, import_receipts
from offline_queue.message import State
from offline_queue.queue import Queue
from tests.kiosk.reference_line import client_of, enrolled
from tests.kiosk.terminal_double import Audit

ROUND = 4
"""Messages of one round: one of each kind."""
CODE = "A" * 16

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


def new_terminal(hall: Hall, folder: Path) -> Terminal:
    keys = enrolled(hall.server, folder / "keys", next(machines))
    return Terminal(folder, keys, hall.server)


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
