"""What the doctor says of a printer: which tray, which colour."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from drivers.device import DeviceKind
from drivers.document_printer import (
    PrinterAlert,
    PrinterDetails,
    PrinterNote,
    PrinterReason,
    PrinterStatus,
    Supply,
    SupplyColour,
    SupplyKind,
    SupplyState,
    Tray,
)
from kiosk.config import load
from provisioning.checks.printer_words import lines
from provisioning.checks.printing import visit_printer
from provisioning.devices.words import obstacle
from provisioning.findings import Finding, Severity
from provisioning.machine import Machine
from tests.provisioning.machines import FakePrinter, write_config

CYAN = Supply("C 123", SupplyKind.TONER, SupplyColour.CYAN, 0, SupplyState.SPENT)
BLACK = Supply("K 123", SupplyKind.TONER, SupplyColour.BLACK, 80, SupplyState.GOOD)
BOX = Supply("Box", SupplyKind.WASTE, None, 5, SupplyState.LOW)
STAPLES = Supply("Staples", SupplyKind.OTHER, None, None, SupplyState.UNKNOWN)
FULL = PrinterDetails(
    PrinterStatus(None),
    model="Maker 1",
    supplies=(BLACK, CYAN, BOX, STAPLES),
    trays=(Tray("main", 0, (21590, 27940)), Tray("manual", None, None)),
    alerts=(PrinterAlert("coverOpen", True, "Close door 2"),),
    unknown=("com.maker.odd",),
    impressions=1234,
)


def found(folder: Path, **changes: Any) -> Finding:
    printer = FakePrinter(details=replace(FULL, **changes))
    config = load(write_config(folder, "http://127.0.0.1:9"))
    machine = Machine(config=config, open_printer=lambda _config: printer)
    (finding,) = visit_printer(machine)
    assert printer.closed
    return finding


@pytest.mark.parametrize(
    ("reason", "zh", "en"),
    [
        (PrinterReason.PAPER_OUT, "：纸盒 main", ": tray main"),
        (PrinterReason.SUPPLY_OUT, "：青色墨粉 0%", ": cyan toner 0%"),
        (PrinterReason.DOOR, "：Close door 2", ": Close door 2"),
        (PrinterReason.STOPPED, "：com.maker.odd", ": com.maker.odd"),
    ],
)
def test_an_obstacle_says_where(tmp_path: Path, reason: PrinterReason, zh: str, en: str) -> None:
    finding = found(tmp_path, status=PrinterStatus(reason))
    assert finding.severity is Severity.FAIL
    words = obstacle(DeviceKind.PRINTER, reason.value).told
    assert words.zh + zh in finding.told.zh
    assert words.en + en in finding.told.en
    assert "manual" not in finding.told.en


@pytest.mark.parametrize(
    ("note", "zh", "en"),
    [
        (PrinterNote.SUPPLY_LOW, "废粉盒剩余空间 5%", "cyan toner 0%, waste box 5% free"),
        (PrinterNote.PAPER_SIZE, "纸盒 main 215.9×279.4 mm", "tray main 215.9×279.4 mm"),
        (PrinterNote.OTHER, "：com.maker.odd", ": com.maker.odd"),
    ],
)  # fmt: skip
def test_a_note_says_where(tmp_path: Path, note: PrinterNote, zh: str, en: str) -> None:
    finding = found(tmp_path, status=PrinterStatus(None, frozenset({note})))
    assert finding.severity is Severity.WARN
    assert zh in finding.told.zh
    assert en in finding.told.en


def test_all_its_parts_a_line_each(tmp_path: Path) -> None:
    assert [en for _, en in lines(FULL)] == [
        "model: Maker 1",
        "tray main 215.9×279.4 mm: 0 sheets",
        "tray manual: does not count",
        "black toner 80%",
        "cyan toner 0%",
        "waste box 5% free",
        "Staples unknown",
        "alert: coverOpen Close door 2",
        "the printer says: com.maker.odd",
        "1234 sides printed in its life",
    ]
    finding = found(tmp_path)
    assert finding.severity is Severity.OK
    assert "黑色墨粉 80%" in finding.told.zh
    assert "Maker 1" in str(finding.facts["parts"])


def test_a_printer_that_tells_nothing_more(tmp_path: Path) -> None:
    printer = FakePrinter()
    config = load(write_config(tmp_path, "http://127.0.0.1:9"))
    (finding,) = visit_printer(Machine(config=config, open_printer=lambda _config: printer))
    assert finding.told.en.endswith("can print")
