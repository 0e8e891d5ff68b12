"""What the printer says of its supplies, its tray and its troubles, on the wire."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hw_sim.printer.facts import facts
from hw_sim.printer.jobs import JobState
from hw_sim.printer.machine import PrinterState
from tests.hw_sim.ipp_client import Bench, print_job, request


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def told(bench: Bench) -> Any:
    return bench.ask(request(0x000B)).printer


def fields(octets: bytes) -> dict[str, str]:
    return dict(field.split("=") for field in octets.decode().rstrip(";").split(";"))


def test_supplies_in_both_vocabularies(bench: Bench) -> None:
    bench.machine.set_supply("cyan", 7)
    bench.machine.set_supply("waste", 95)
    bench.machine.set_supply("yellow", -3)
    found = told(bench)
    assert found["marker-names"][1] == "Cyan Toner"
    assert found["marker-levels"] == [80, 7, 80, -3, 95]
    assert found["marker-types"] == ["toner"] * 4 + ["waste-toner"]
    assert found["marker-colors"][1] == "#00FFFF"
    assert found["marker-low-levels"] == [10, 10, 10, 10, 0]
    assert found["marker-high-levels"] == [100, 100, 100, 100, 90]
    supplies = [fields(each) for each in found["printer-supply"]]
    assert [supply["level"] for supply in supplies] == ["80", "7", "80", "-3", "5"]
    assert [supply["colorantname"] for supply in supplies][:2] == ["black", "cyan"]
    assert supplies[4]["class"] == "receptacleThatIsFilled"
    assert found["printer-state-reasons"] == [
        "toner-low-warning",
        "marker-waste-almost-full-warning",
    ]


@pytest.mark.parametrize(
    ("name", "level", "reason"),
    [("magenta", 0, "toner-empty-error"), ("waste", 100, "marker-waste-full-error")],
)
def test_what_is_used_up_stops_it(bench: Bench, name: str, level: int, reason: str) -> None:
    bench.machine.set_supply(name, level)
    assert told(bench)["printer-state-reasons"] == [reason]
    assert bench.machine.state is PrinterState.STOPPED
    bench.machine.set_supply(name, 50)
    assert bench.machine.state is PrinterState.IDLE


def test_what_lies_in_the_tray(bench: Bench) -> None:
    bench.machine.load(30, "na_letter_8.5x11in")
    found = told(bench)
    assert found["media-ready"] == ["na_letter_8.5x11in"]
    (ready,) = found["media-col-ready"]
    (size,) = ready["media-size"]
    assert size.content["x-dimension"][0].content == 21590
    assert ready["media-source"][0].content == "main"
    (tray,) = map(fields, found["printer-input-tray"])
    assert (tray["level"], tray["mediaxfeed"], tray["name"]) == ("30", "215900", "main")
    bench.machine.load(0)
    assert "media-ready" not in told(bench)
    bench.machine.load(5)
    bench.machine.complain("input-tray-missing")
    assert "media-col-ready" not in told(bench)


def test_other_paper_waits_for_a4(bench: Bench) -> None:
    bench.machine.load(30, "iso_a5_148x210mm")
    bench.ask(print_job())
    bench.turn(3)
    assert told(bench)["printer-state-reasons"] == ["media-needed-error"]
    assert (bench.machine.state, bench.machine.records[0].sheets_out) == (PrinterState.STOPPED, 0)
    bench.machine.load(30)
    bench.turn(2)
    assert bench.machine.records[0].state is JobState.COMPLETED
    assert told(bench)["printer-impressions-completed"] == [1]


@pytest.mark.parametrize("word", facts()["complaint"])
def test_each_complaint(bench: Bench, word: str) -> None:
    fact = facts()["complaint"][word]
    bench.ask(print_job())
    bench.machine.complain(word)
    bench.turn(2)
    found = told(bench)
    severity = fact.get("severity")
    assert found["printer-state-reasons"] == [f"{word}-{severity}" if severity else word]
    assert bench.machine.records[0].sheets_out == (0 if fact.get("stops") else 1)
    alerts = [fields(alert)["code"] for alert in found.get("printer-alert", ())]
    assert alerts == ([fact["alert"]] if "alert" in fact else [])
    bench.machine.complain(word, on=False)
    bench.turn(2)
    assert bench.machine.records[0].sheets_out == 1
    assert "printer-alert" not in told(bench)


def test_alerts_of_a_jam(bench: Bench) -> None:
    bench.machine.jam()
    found = told(bench)
    (alert,) = map(fields, found["printer-alert"])
    assert (alert["code"], alert["severity"], alert["group"]) == ("jam", "critical", "mediaPath")
    assert found["printer-alert-description"] == ["media jam"]
