"""The dock: everything inside, nothing over another, every button asks what the hall knows."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hw_sim.cards.faults import parse_faults
from hw_sim.hall.hall import Hall, HallSettings
from hw_sim.hall.panel import HEIGHT, WIDTH, Button, Look, Panel, panel
from hw_sim.hall.slot import INSERTABLE
from hw_sim.line.faults import LinePlan
from hw_sim.pad.device import KEYS
from hw_sim.printer.device import PrinterDevice
from hw_sim.printer.machine import PrinterState, PrintingMachine, Toner
from hw_sim.scanner.device import ScannerDevice
from tests.hw_sim.desk_facts import at_rest, open_desks


def status(**changes: Any) -> dict[str, Any]:
    return {
        "ok": True,
        "opening": False,
        "card": None,
        "reader": "plugged",
        "pcscd": "pcscd",
        "pad": {"plugged": True, "entry": False, "count": 0},
        "scanner": scanner(),
        "printer": printer(),
        "platform": {"state": "up", "url": "http://127.0.0.1:1", "alarms": 0, "terminals": []},
        "faults": {"card": 0, "pad": 0, "scanner": 0, "printer": 0, "line": 0, "platform": 0},
        **at_rest(),
        **changes,
    }


def scanner(**changes: Any) -> dict[str, Any]:
    return {
        "plugged": True,
        "triggered": False,
        "code_shown": False,
        "codes_read": 0,
        "illegal": [],
        **changes,
    }


def printer(**changes: Any) -> dict[str, Any]:
    return {
        "on": True,
        "state": "idle",
        "reasons": [],
        "accepting": True,
        "paper": "in",
        "sheets": 250,
        "jam": False,
        "door": "closed",
        "toner": "full",
        "jobs": [],
        "printed": 0,
        "sheets_out": 0,
        "spoilt": 0,
        "illegal": [],
        **changes,
    }


def told(shown: Panel) -> str:
    return "\n".join(caption.text for caption in shown.captions)


def named(shown: Panel, do: str, **arguments: str) -> Button:
    for button in shown.buttons:
        if button.do == do and button.arguments == arguments:
            return button
    raise LookupError(do, arguments)


def overlap(one: Button, other: Button) -> bool:
    x, y, width, height = one.rect
    x2, y2, width2, height2 = other.rect
    return x < x2 + width2 and x2 < x + width and y < y2 + height2 and y2 < y + height


def test_buttons_lie_apart_inside_the_window() -> None:
    shown = panel(status())
    for button in shown.buttons:
        x, y, width, height = button.rect
        assert x >= 0
        assert y >= 0
        assert x + width <= WIDTH
        # The last line of the window is for what the hall refused.
        assert y + height <= HEIGHT - 24
    for one, other in itertools.combinations(shown.buttons, 2):
        assert not overlap(one, other), (one, other)


def test_lines_of_text_lie_apart_from_the_buttons() -> None:
    shown = panel(status())
    for caption in shown.captions:
        x, y = caption.at
        # As tall as a line is drawn, as wide as half a column.
        line = Button((x, y, 190, 20), "", "")
        assert y + 20 <= HEIGHT - 24
        assert not any(overlap(line, button) for button in shown.buttons), caption


def test_there_is_a_button_for_every_card_and_key() -> None:
    shown = panel(status())
    for name, _, _ in INSERTABLE:
        if name != "resident:N":
            assert named(shown, "insert", card=name).enabled
    for key in KEYS:
        assert named(shown, "press", keys=key).enabled


def test_every_button_asks_what_the_hall_knows(tmp_path: Any) -> None:
    questions = Hall(HallSettings(tmp_path, tmp_path))._questions
    assert {button.do for button in panel(status()).buttons} <= set(questions)


def test_every_fault_that_a_button_schedules_can_be_read(tmp_path: Path) -> None:
    faults = [button.arguments for button in panel(status()).buttons if button.do == "fault"]
    assert {"where": "all", "what": "none"} in faults
    with open_desks() as (opened, _):
        devices: dict[str, Callable[[str], object]] = {
            "card": parse_faults,
            "scanner": ScannerDevice(tmp_path / "scanner").set_fault,
            "printer": PrinterDevice(tmp_path / "prints").set_fault,
            "line": LinePlan,
            **{desk.name: desk.set_fault for desk in opened},
        }
        for fault in faults:
            if fault["where"] != "all":
                devices[fault["where"]](fault["what"])
    assert {fault["where"] for fault in faults} >= {"card", "scanner", "printer", "line", "all"}


def test_e_cards_of_every_state_can_be_shown_while_the_scanner_is_there() -> None:
    shown = panel(status())
    for state in ("fresh", "expired", "used", "wrong-channel"):
        assert named(shown, "ecard", card="v3", state=state).enabled
    gone = panel(status(scanner=scanner(plugged=False)))
    assert not named(gone, "ecard", card="v3", state="fresh").enabled
    assert "扫码器  已拔掉" in told(gone)


def test_printer_offers_the_other_way() -> None:
    good = panel(status())
    for do, state in (("jam", "on"), ("door", "open"), ("printer", "off"), ("toner", "empty")):
        assert named(good, do, state=state).enabled
    assert named(good, "paper", state="in").look is Look.CHOSEN
    wrong = panel(
        status(printer=printer(on=False, jam=True, door="open", toner="empty", paper="out"))
    )
    for do, state in (("jam", "clear"), ("door", "closed"), ("printer", "on"), ("toner", "full")):
        assert named(wrong, do, state=state).look is Look.CANCEL
    assert named(wrong, "paper", state="out").look is Look.CHOSEN


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "打印机  空闲    纸 250 张"),
        ({"state": "stopped", "reasons": ["media-empty-error"], "sheets": 0},
         "打印机  停下（缺纸）    纸 0 张"),
        ({"on": False, "state": "off", "reasons": ["media-jam-error"]}, "打印机  已关机    纸"),
        ({"printed": 2, "sheets_out": 5, "spoilt": 1}, "出纸 5 张    完成 2 份    废纸 1 张"),
        ({"illegal": ["Print-Job: no"]}, "违规指令 1 条"),
    ],
)  # fmt: skip
def test_printer_is_told_in_words(changes: dict[str, Any], line: str) -> None:
    assert line in told(panel(status(printer=printer(**changes))))


def test_words_are_there_for_every_reason_and_state() -> None:
    machine = PrintingMachine()
    machine.jam()
    machine.open_door()
    machine.load(0)
    machine.set_toner(Toner.EMPTY)
    reasons = [*machine.reasons, "media-low-warning", "toner-low-warning"]
    for state in PrinterState:
        changed = printer(state=state.name.lower(), reasons=reasons)
        assert "卡纸、机门开着、缺纸、墨粉用完、纸少、墨粉少" in told(
            panel(status(printer=changed))
        )


def test_a_card_in_the_slot_leaves_only_taking_it() -> None:
    shown = panel(status(card="v2"))
    assert not named(shown, "insert", card="v3").enabled
    take = named(shown, "remove")
    assert take.enabled
    middle = (take.rect[0] + 5, take.rect[1] + 5)
    assert shown.at(middle) == take
    other = named(shown, "insert", card="v3").rect
    assert shown.at((other[0] + 5, other[1] + 5)) is None


@pytest.mark.parametrize("plugged", [True, False])
def test_plugs_offer_the_other_way(plugged: bool) -> None:
    word = "plugged" if plugged else "unplugged"
    other = "unplugged" if plugged else "plugged"
    pad = {"plugged": plugged, "entry": False, "count": 0}
    shown = panel(status(reader=word, pad=pad))
    assert named(shown, "reader", state=other)
    assert named(shown, "pad", state=other)


def test_without_pcscd_it_can_not_be_restarted() -> None:
    for way in ("direct", "dispenser"):
        assert not named(panel(status(pcscd=way)), "pcscd", do2="restart").enabled


def test_typing_is_told_as_a_count() -> None:
    shown = panel(status(pad={"plugged": True, "entry": True, "count": 4}))
    assert any("已按 4 键" in caption.text for caption in shown.captions)


@pytest.mark.parametrize("answer", [None, {"ok": True, "opening": True}])
def test_without_a_hall_there_is_nothing_to_press(answer: dict[str, Any] | None) -> None:
    assert panel(answer).buttons == ()
