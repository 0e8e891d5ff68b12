"""What can be done to the hall's printer, asked as over the control socket."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from hw_sim.hall.control import Refused
from hw_sim.hall.prints import PrintDesk
from tests.hw_sim.ipp_client import print_job


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[PrintDesk]:
    desk = PrintDesk()
    desk.open(tmp_path / "prints", page_seconds=0.001)
    yield desk
    desk.close()
    desk.close()


def ask(desk: PrintDesk, do: str, **said: Any) -> Any:
    return desk.questions[do]({"do": do, **said})


def send(desk: PrintDesk, name: str, pages: int = 1) -> None:
    assert desk.printer is not None
    address = urlsplit(desk.printer.url)
    line = http.client.HTTPConnection(str(address.hostname), address.port, timeout=5)
    body = print_job(name, pages)
    line.request("POST", address.path, body, {"Content-Type": "application/ipp"})
    assert line.getresponse().status == 200
    line.close()


def until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 5
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


@pytest.mark.parametrize(
    ("said", "paper", "sheets"),
    [
        ({"state": "out"}, "out", 0),
        ({"state": "low"}, "low", 10),
        ({"state": "in"}, "in", 250),
        ({"sheets": 21}, "in", 21),
        ({"state": "in", "sheets": 20}, "low", 20),
        ({"sheets": 0}, "out", 0),
    ],
)
def test_tray(desk: PrintDesk, said: dict[str, Any], paper: str, sheets: int) -> None:
    assert ask(desk, "paper", **said)["sheets"] == sheets
    assert (desk.status()["paper"], desk.status()["sheets"]) == (paper, sheets)


@pytest.mark.parametrize(
    "said", [{}, {"state": "gone"}, {"sheets": -1}, {"sheets": 251}, {"sheets": "3"},
             {"sheets": True}, {"state": "out", "sheets": 3}]
)  # fmt: skip
def test_tray_of_no_meaning(desk: PrintDesk, said: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        ask(desk, "paper", **said)
    assert desk.status()["sheets"] == 250


def test_status_follows_a_job_over_an_empty_tray(desk: PrintDesk) -> None:
    ask(desk, "paper", sheets=1)
    send(desk, "S-1", 3)
    assert until(lambda: desk.status()["state"] == "stopped")
    found = desk.status()
    assert found["reasons"] == ["media-empty-error"]
    (job,) = found["jobs"]
    assert (job["state"], job["sheets_out"], job["sheets"]) == ("processing-stopped", 1, 3)
    assert found["printed"] == 0
    ask(desk, "paper", state="in")
    assert until(lambda: desk.status()["printed"] == 1)
    found = desk.status()
    assert (found["jobs"], found["sheets_out"], found["state"]) == ([], 3, "idle")


def test_jam_door_toner_and_power(desk: PrintDesk) -> None:
    for do, state, reason in (
        ("jam", "on", "media-jam-error"),
        ("door", "open", "door-open-error"),
        ("toner", "empty", "toner-empty-error"),
    ):
        ask(desk, do, state=state)
        assert reason in desk.status()["reasons"]
    assert desk.status()["state"] == "stopped"
    send(desk, "S-1")
    ask(desk, "printer", state="off")
    assert desk.status()["state"] == "off"
    assert not desk.status()["on"]
    ask(desk, "printer", state="on")
    assert desk.status()["on"]
    for do, state in (("jam", "clear"), ("door", "closed"), ("toner", "low")):
        ask(desk, do, state=state)
    assert desk.status()["reasons"] == ["toner-low-warning"]
    (lost,) = ask(desk, "prints")["prints"]
    assert (lost["state"], lost["sheets_out"]) == ("aborted", 0)


def test_prints_keep_their_order_and_files(desk: PrintDesk, tmp_path: Path) -> None:
    for name in ("S-1", "S-2"):
        send(desk, name)
    assert until(lambda: desk.status()["printed"] == 2)
    found = ask(desk, "prints")["prints"]
    assert [(each["number"], each["name"], each["state"]) for each in found] == [
        (1, "S-1", "completed"),
        (2, "S-2", "completed"),
    ]
    assert found[1]["file"] == str(tmp_path / "prints" / "0002-S-2.pdf")


def test_refusing_and_illegal_are_told(desk: PrintDesk) -> None:
    ask(desk, "printer", state="refusing")
    assert not desk.status()["accepting"]
    send(desk, "S-1")
    assert desk.status()["illegal"] == []
    ask(desk, "printer", state="accepting")
    assert desk.status()["accepting"]
    assert desk.printer is not None
    address = urlsplit(desk.printer.url)
    line = http.client.HTTPConnection(str(address.hostname), address.port, timeout=5)
    line.request("POST", "/", b"", {"Content-Type": "application/ipp"})
    line.getresponse().read()
    line.close()
    assert desk.status()["illegal"] == ["HTTP 404"]


@pytest.mark.parametrize("do", ["paper", "jam", "door", "toner", "printer", "prints"])
def test_before_the_hall_is_open_it_refuses(do: str) -> None:
    with pytest.raises(Refused, match="opening"):
        ask(PrintDesk(), do, state="on")


@pytest.mark.parametrize("do", ["jam", "door", "toner", "printer"])
def test_state_that_is_none_is_refused(desk: PrintDesk, do: str) -> None:
    before = desk.status()
    with pytest.raises(Refused, match="state"):
        ask(desk, do, state="sideways")
    assert desk.status() == before


def test_supplies_by_colour_the_waste_box_and_the_paper(desk: PrintDesk) -> None:
    ask(desk, "supply", name="cyan", level="5")
    ask(desk, "supply", name="waste", level="95")
    found = desk.status()
    assert found["reasons"] == ["toner-low-warning", "marker-waste-almost-full-warning"]
    assert (found["toner"], found["supplies"]["cyan"], found["supplies"]["waste"]) == (
        "full",
        5,
        95,
    )
    ask(desk, "paper", state="in", media="iso_a5_148x210mm")
    assert desk.status()["media"] == "iso_a5_148x210mm"
    ask(desk, "paper", state="in")
    assert desk.status()["media"] == "iso_a4_210x297mm"


@pytest.mark.parametrize(
    "said", [{"name": "black"}, {"name": "black", "level": "101"}, {"name": "black", "level": 5},
             {"name": "green", "level": "5"}, {"name": "black", "level": "-2"}]
)  # fmt: skip
def test_supply_of_no_meaning(desk: PrintDesk, said: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        ask(desk, "supply", **said)
    assert desk.status()["supplies"]["black"] == 80


def test_complaints_come_and_go(desk: PrintDesk) -> None:
    ask(desk, "complaint", reason="output-area-full", state="on")
    assert desk.status()["reasons"] == ["output-area-full-error"]
    assert desk.status()["state"] == "stopped"
    ask(desk, "complaint", reason="output-area-full", state="off")
    assert desk.status()["complaints"] == []
    assert desk.status()["state"] == "idle"
    with pytest.raises(Refused):
        ask(desk, "complaint", reason="bad-mood", state="on")


def test_what_can_be_typed_can_be_asked(desk: PrintDesk) -> None:
    typed = {verb.name: [word.name for word in verb.arguments] for verb in desk.verbs}
    assert typed == {"supply": ["name", "level"], "complaint": ["reason", "state"]}
    assert set(typed) <= set(desk.questions)
