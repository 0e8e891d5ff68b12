"""Slips as the terminal prints them, over the real driver on the simulated printer's paper."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from drivers.device import DeviceKind
from drivers.document_printer import PrintEnd
from drivers.escpos.printer import EscposPrinter
from drivers.receipt_printer import ReceiptReason
from hw_sim.receipt.device import ReceiptDevice
from kiosk.device_watch import DeviceLane
from kiosk.receipt_station import ReceiptStation
from kiosk.slips import Business
from kiosk.texts import texts
from tests.kiosk.terminal_double import NAME, NUMBER, Audit

BUSINESS = Business("证明打印", "T-1", datetime(2026, 11, 22, 9, 0), NAME, NUMBER)


@pytest.fixture
def device(tmp_path: Path) -> Iterator[ReceiptDevice]:
    made = ReceiptDevice(tmp_path / "receipt", tmp_path / "slips")
    made.plug()
    yield made
    made.unplug()
    assert made.illegal == ()


@pytest.fixture
def audit() -> Audit:
    return Audit()


@pytest.fixture
def station(device: ReceiptDevice, audit: Audit) -> Iterator[ReceiptStation]:
    lane = DeviceLane(DeviceKind.RECEIPT, lambda: EscposPrinter(device.address))
    record: Any = audit.write
    yield ReceiptStation(
        lane, texts("zh-CN"), place="大厅 · 3 号机", hotline="12333", record=record
    )
    lane.close()


def test_a_slip_comes_out_and_is_audited_without_a_person(
    station: ReceiptStation, device: ReceiptDevice, audit: Audit
) -> None:
    assert station.lane == "receipt"
    assert station.print_slip(BUSINESS).end is PrintEnd.DONE
    (slip,) = device.slips
    paper = "\n".join(slip.text)
    for text in ("证明打印", "王*芳", "大厅 · 3 号机", "12333"):
        assert text in paper
    assert NUMBER not in paper and NAME not in paper
    assert audit.lines == [
        ("slip.ended", "ok", {"serial": "T-1", "result": "done", "reason": "none"})
    ]


def test_without_paper_nothing_comes_out_and_the_reason_is_kept(
    station: ReceiptStation, device: ReceiptDevice, audit: Audit
) -> None:
    device.machine.load(0)
    outcome = station.print_slip(BUSINESS)
    assert (outcome.end, outcome.reason) == (PrintEnd.FAILED, ReceiptReason.PAPER_OUT)
    assert device.slips == ()
    assert audit.lines == [
        ("slip.ended", "fault", {"serial": "T-1", "result": "failed", "reason": "paper-out"})
    ]
