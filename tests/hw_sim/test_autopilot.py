"""The autopilot's eyes and steps against a kiosk that a test plays by writing the observe file."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import qrcode
import typst

from hw_sim.hall import sheets
from hw_sim.hall.autopilot import Autopilot
from hw_sim.hall.client import HallNotRunning, HallRefused
from hw_sim.hall.observed import ObservedScreens, ObserveFormatError, parse
from hw_sim.hall.report import Report
from hw_sim.hall.steps import (
    Approach,
    Expect,
    ExpectAlarm,
    ExpectDrawn,
    ExpectEvents,
    ExpectLight,
    ExpectSheets,
    ExpectSlips,
    Insert,
    Press,
    Remove,
    ScanSheet,
    Sim,
    Stays,
    Step,
    Touch,
    TouchAnywhere,
    TypeSheetCode,
    Visit,
)

SIZE = (1080, 1920)
CODE = "7F3K-92MD-Q4TX-LLCD"
QR_TEXT = "https://zm.jiangcheng.example/v?c=7F3K92MDQ4TXLLCD&s=QmFzZTY0"
RECT = [100, 200, 50, 20]


class Kiosk:
    """Writes the observe file; what it shows next is decided by what is touched or done."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.seq = 0
        self.touches: list[tuple[int, int]] = []
        self.reactions: dict[str, Callable[[], None]] = {}
        self.focus: dict[str, list[int]] = {}

    def shows(self, screen: str, *ids: str, overlay: bool = False) -> None:
        self.seq += 1
        self.focus = {each: [RECT[0], 200 + 40 * n, 50, 20] for n, each in enumerate(ids)}
        focus = [{"id": i, "role": "button", "rect": rect} for i, rect in self.focus.items()]
        line = {"seq": self.seq, "name": screen, "view": "Menu", "overlay": overlay}
        with self.file.open("a") as file:
            file.write(json.dumps({**line, "size": SIZE, "focus": focus}) + "\n")

    def on(self, name: str, screen: str, *ids: str, overlay: bool = False) -> None:
        self.reactions[name] = lambda: self.shows(screen, *ids, overlay=overlay)

    def touch(self, at: tuple[int, int], size: tuple[int, int]) -> None:
        assert size == SIZE
        self.touches.append(at)
        for name, (x, y, width, height) in self.focus.items():
            if x <= at[0] < x + width and y <= at[1] < y + height and name in self.reactions:
                return self.reactions[name]()
        return None

    def screenshot(self, path: Path, size: tuple[int, int] | None) -> None:
        path.write_bytes(b"png")


class FakeHall:
    """Keeps what was asked; acts bring the kiosk's reactions about."""

    def __init__(self, kiosk: Kiosk) -> None:
        self.kiosk = kiosk
        self.asked: list[tuple[str, dict[str, object]]] = []
        self.entry = False
        self.alarms = 0
        self.sheets = 0
        self.tray = 100
        self.slips = 7
        self.lights = {"card": "off"}
        self.illegal: list[str] = []
        self.card_bugs = 0
        self.events: dict[str, int] = {}
        self.prints: list[dict[str, object]] = []
        self.refuses: set[str] = set()

    def ask(self, do: str, **arguments: object) -> dict[str, Any]:
        if do == "status":
            return {
                "card_bugs": self.card_bugs,
                "pad": {"entry": self.entry},
                "platform": {"alarms": self.alarms, "events": dict(self.events)},
                "printer": {"sheets_out": self.sheets, "sheets": self.tray, "illegal": []},
                "scanner": {"illegal": []},
                "receipt": {"slips": self.slips},
                "sensors": {"lights": dict(self.lights)},
                "dispenser": {"illegal": list(self.illegal)},
            }
        if do == "prints":
            return {"prints": self.prints}
        if do in self.refuses:
            raise HallRefused("no card")
        self.asked.append((do, arguments))
        if do in self.kiosk.reactions:
            self.kiosk.reactions[do]()
        return {}


class Walk:
    """One walk with everything it touches."""

    def __init__(self, folder: Path) -> None:
        self.out = folder
        self.kiosk = Kiosk(folder / "observe.jsonl")
        self.hall = FakeHall(self.kiosk)
        self.lines: list[str] = []
        self.screens = ObservedScreens(self.kiosk.file)

        self.pilot = Autopilot(self.screens, self.kiosk, self.hall, folder, self.lines.append)
        self.pilot.PUT_RIGHT_SECONDS = 0.05

    def walk(self, *steps: Step) -> Report:
        return self.pilot.walk([Visit("one", steps)])


@pytest.fixture
def walk(tmp_path: Path) -> Walk:
    return Walk(tmp_path)


# --- eyes ----------------------------------------------------------------------------------------


def test_line_of_the_observe_output() -> None:
    one = parse(
        '{"seq": 3, "name": "pin", "view": "PinEntry", "overlay": false, "size": [1080, 1920],'
        ' "focus": [{"id": "leave", "role": "button", "rect": [10, 20, 30, 41]}]}'
    )
    assert (one.seq, one.screen, one.overlay, one.size) == (3, "pin", False, SIZE)
    leave = one.find("leave")
    assert leave is not None
    assert leave.centre == (25, 40)
    assert one.find("back") is None


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "{}",
        '{"seq": 1, "name": "x", "view": "y", "overlay": false, "size": [1], "focus": []}',
        '{"seq": 1, "name": "x", "view": "y", "overlay": false, "size": [1, 2], "focus": [{}]}',
        '{"seq": 1, "name": "x", "view": "y", "overlay": false, "size": [1, 2],'
        ' "focus": [{"id": "a", "role": "b", "rect": [1, 2, 3]}]}',
    ],
)
def test_line_that_is_none(line: str) -> None:
    with pytest.raises(ObserveFormatError):
        parse(line)


def test_tail_takes_whole_lines_only_and_survives_a_new_file(walk: Walk) -> None:
    walk.screens.read()
    assert walk.screens.latest is None
    walk.kiosk.shows("home", "help")
    text = walk.kiosk.file.read_text()
    walk.kiosk.file.write_text(text[:20])
    walk.screens.read()
    assert walk.screens.latest is None
    walk.kiosk.file.write_text(text)
    walk.screens.read()
    assert walk.screens.latest is not None
    walk.kiosk.shows("identify")
    walk.screens.read()
    walk.kiosk.file.write_text(text)
    walk.screens.read()
    assert [one.screen for one in walk.screens.seen] == ["home", "identify", "home"]


# --- steps ---------------------------------------------------------------------------------------


def test_a_whole_visit(walk: Walk) -> None:
    kiosk = walk.kiosk
    kiosk.shows("idle", "start")
    kiosk.on("start", "home", "item.1", "help")
    kiosk.on("item.1", "identify", "back")
    kiosk.on("insert", "pin", "leave")
    kiosk.on("press", "overview", "leave")
    kiosk.on("leave", "take-card")
    kiosk.on("remove", "home", "item.1")
    walk.hall.entry = True
    report = walk.walk(
        Approach(),
        Touch("item.1"),
        Expect("identify"),
        Insert("v3"),
        Expect("pin"),
        Press("123456#"),
        Expect("overview"),
        Touch("leave"),
        Expect("take-card"),
        Remove(),
        Expect("home"),
    )
    assert report.ok, walk.lines
    assert [do for do, _ in walk.hall.asked] == ["insert", "press", "remove"]
    assert walk.hall.asked[0][1] == {"card": "v3"}
    assert kiosk.touches[0] == (125, 210)
    written = json.loads((walk.out / "report.json").read_text())
    assert written["ok"] is True
    visit = written["visits"][0]
    assert visit["outcome"] == "ok"
    assert set(visit["steps"][0]) == {"do", "screen", "outcome", "duration_ms", "screenshot"}
    shots = [step["screenshot"] for step in visit["steps"] if step["screenshot"]]
    assert shots == [
        "0001-home.png", "0002-identify.png", "0003-pin.png", "0004-overview.png",
        "0005-take-card.png", "0006-home.png",
    ]  # fmt: skip
    assert all((walk.out / shot).exists() for shot in shots)
    assert walk.lines[0].startswith("[visit 01/01 one] approach … ok ")
    everything = "".join(walk.lines) + (walk.out / "report.json").read_text()
    assert "123456" not in everything


def test_screen_that_passed_quickly_was_still_seen(walk: Walk) -> None:
    walk.kiosk.shows("home")

    def both() -> None:
        walk.kiosk.shows("card.reading")
        walk.kiosk.shows("pin")

    walk.kiosk.reactions["insert"] = both
    assert walk.walk(Approach(), Insert("v3"), Expect("card.reading"), Expect("pin")).ok


def test_what_was_before_an_act_does_not_count_after_it(walk: Walk) -> None:
    walk.kiosk.shows("home", "leave")
    report = walk.walk(Approach(), Touch("leave"), Expect("home", within=0.1))
    assert not report.ok
    assert "nothing new after home" in report.visits[0].outcome


def test_same_screen_twice_needs_a_new_picture_after_the_act(walk: Walk) -> None:
    walk.kiosk.shows("pin.rejected")
    walk.hall.entry = True
    walk.kiosk.on("press", "pin.rejected")
    steps = (Press("1#"), Expect("pin.rejected", within=0.2))
    assert walk.walk(*steps, *steps).ok
    del walk.kiosk.reactions["press"]
    assert not walk.walk(*steps).ok


def test_overlay_is_told_apart(walk: Walk) -> None:
    walk.kiosk.shows("overview", "leave")
    walk.kiosk.shows("overview", "extend", overlay=True)
    walk.kiosk.on("extend", "overview", "leave")
    report = walk.walk(
        Expect("overview", overlay=True), Touch("extend"), Expect("overview", overlay=False)
    )
    assert report.ok
    assert not walk.walk(Expect("overview", within=0.1, overlay=True)).ok


def test_failed_expectation_says_what_was_seen_and_ends_the_visit(walk: Walk) -> None:
    walk.kiosk.shows("home")

    def stuck() -> None:
        walk.kiosk.shows("card.reading")
        walk.kiosk.shows("take-card")

    walk.kiosk.reactions["insert"] = stuck
    report = walk.walk(Approach(), Insert("v3"), Expect("pin", within=0.1), Remove())
    outcome = report.visits[0].outcome
    assert outcome == "expect pin: not seen within 0.1 s, saw card.reading > take-card"
    assert len(report.visits[0].steps) == 3
    assert report.visits[0].steps[-1].screenshot


def test_failure_that_was_not_expected_is_not_waited_out(walk: Walk) -> None:
    walk.kiosk.shows("home")
    walk.kiosk.on("insert", "failure.card-lost", "leave")
    report = walk.walk(Approach(), Insert("v3"), Expect("pin", within=60))
    assert report.visits[0].outcome.startswith("expect pin: failure.card-lost came instead")
    assert walk.walk(Insert("v3"), Expect("failure.card-lost")).ok


def test_one_failure_may_follow_another_that_was_expected(walk: Walk) -> None:
    walk.kiosk.shows("home")

    def one_after_the_other() -> None:
        for screen in ("failure.reader-gone", "failure.reader-gone", "failure.card-not-returned"):
            walk.kiosk.shows(screen, "leave")

    walk.kiosk.reactions["insert"] = one_after_the_other
    walk.kiosk.on("leave", "failure.card-not-returned")
    gone, held = Expect("failure.reader-gone"), Expect("failure.card-not-returned")
    assert walk.walk(Approach(), Insert("v3"), gone, held).ok
    # After a touch it is news again.
    walk.kiosk.shows("home")
    last = Expect("home", within=60)
    outcome = walk.walk(Approach(), Insert("v3"), gone, held, Touch("leave"), last)
    assert outcome.visits[0].outcome.startswith("expect home: failure.card-not-returned came")


def test_after_a_failed_visit_the_hall_is_put_right_and_the_next_one_walked(walk: Walk) -> None:
    walk.kiosk.shows("home", "leave")
    walk.hall.refuses = {"remove"}
    report = walk.pilot.walk(
        [Visit("bad", (Expect("pin", within=0.05),)), Visit("good", (Approach(),))]
    )
    assert [visit.outcome == "ok" for visit in report.visits] == [False, True]
    assert not report.ok
    assert ("platform", {"state": "up"}) in walk.hall.asked
    assert ("reader", {"state": "plugged"}) in walk.hall.asked
    assert walk.kiosk.touches == [(125, 210)]


def test_stays(walk: Walk) -> None:
    walk.kiosk.shows("take-card")
    assert walk.walk(TouchAnywhere(), Stays("take-card", 0.1)).ok
    assert walk.kiosk.touches == [(540, 960)]
    threading.Timer(0.05, lambda: walk.kiosk.shows("home")).start()
    report = walk.walk(Stays("take-card", 5))
    assert report.visits[0].outcome == "stays take-card 5 s: went to home"


def test_stays_needs_to_be_there(walk: Walk) -> None:
    walk.kiosk.shows("home")
    assert not walk.walk(Stays("take-card", 0.1)).ok


def test_alarm_must_be_new(walk: Walk) -> None:
    walk.kiosk.shows("home")
    walk.hall.alarms = 4
    assert not walk.walk(ExpectAlarm(within=0.1)).ok

    def alarm() -> None:
        walk.hall.alarms = 5

    walk.kiosk.reactions["insert"] = alarm
    assert walk.walk(Insert("clone"), ExpectAlarm(within=0.1)).ok


def test_events_are_counted_from_the_visit_on(walk: Walk) -> None:
    walk.kiosk.shows("home")
    walk.hall.events = {"evaluation": 7}
    assert not walk.walk(ExpectEvents("evaluation", within=0.1)).ok
    assert walk.walk(ExpectEvents("evaluation", 0)).ok
    walk.kiosk.reactions["insert"] = lambda: walk.hall.events.update(evaluation=8)
    assert walk.walk(Insert("v3"), ExpectEvents("evaluation", within=0.1)).ok
    walk.kiosk.reactions["insert"] = lambda: walk.hall.events.update(evaluation=10)
    report = walk.walk(Insert("v3"), ExpectEvents("evaluation", within=0.1))
    assert report.visits[0].outcome.endswith("2 evaluation reached the platform")


def test_sheets_are_counted_from_the_visit_on(walk: Walk) -> None:
    walk.kiosk.shows("home")
    walk.hall.sheets = 3
    assert walk.walk(ExpectSheets(0)).ok
    assert not walk.walk(ExpectSheets(1)).ok

    def out() -> None:
        walk.hall.sheets = 5

    walk.kiosk.reactions["insert"] = out
    assert walk.walk(Insert("v3"), ExpectSheets(2)).ok


def test_a_print_is_under_way_when_the_tray_has_a_sheet_less(walk: Walk) -> None:
    walk.kiosk.shows("home")
    assert not walk.walk(ExpectDrawn(within=0.1)).ok

    def drawn() -> None:
        walk.hall.tray -= 1

    walk.kiosk.reactions["insert"] = drawn
    assert walk.walk(Insert("v3"), ExpectDrawn()).ok


def test_slips_are_counted_from_the_beginning_of_the_visit(walk: Walk) -> None:
    walk.kiosk.shows("home")
    assert walk.walk(ExpectSlips(0)).ok
    assert not walk.walk(ExpectSlips(1)).ok

    def out() -> None:
        walk.hall.slips += 1

    walk.kiosk.reactions["insert"] = out
    assert walk.walk(Insert("v3"), ExpectSlips(1)).ok


def test_a_light_is_waited_for(walk: Walk) -> None:
    walk.kiosk.shows("home")
    assert walk.walk(ExpectLight("card", "off")).ok
    outcome = walk.walk(ExpectLight("card", "blink", within=0.05)).visits[0].outcome
    assert outcome == "expect light card blink: the light at card is not blink within 0.05 s"
    walk.kiosk.reactions["insert"] = lambda: walk.hall.lights.update(card="blink")
    assert walk.walk(Insert("v3"), ExpectLight("card", "blink", within=5)).ok


def test_what_no_correct_host_sends_spoils_the_visit(walk: Walk) -> None:
    walk.kiosk.shows("home")
    walk.hall.illegal = ["of an earlier visit"]
    assert walk.walk(Approach()).ok
    walk.kiosk.reactions["insert"] = lambda: walk.hall.illegal.append("7e0042")
    report = walk.walk(Approach(), Insert("v3"))
    assert report.visits[0].outcome == "illegal on the wire: dispenser: 7e0042"


def test_a_bug_of_a_simulated_card_spoils_the_visit(walk: Walk) -> None:
    walk.kiosk.shows("home")
    walk.hall.card_bugs = 1
    assert walk.walk(Approach()).ok

    def broken() -> None:
        walk.hall.card_bugs = 2

    walk.kiosk.reactions["insert"] = broken
    report = walk.walk(Approach(), Insert("v3"))
    assert report.visits[0].outcome == "bugs inside simulated cards: 1"


@pytest.fixture(scope="module")
def sheet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A printed sheet with a code and a QR, of nobody."""
    folder = tmp_path_factory.mktemp("sheet")
    qr = qrcode.make(QR_TEXT)
    qr.save(folder / "qr.png")
    template = folder / "sheet.typ"
    template.write_text(f'= Sheet\n{CODE}\n#pagebreak()\n#image("qr.png", width: 40mm)\n')
    target = folder / "sheet.pdf"
    typst.compile(template, output=target)
    return target


def test_a_sheet_is_held_to_the_scanner_or_forged(walk: Walk, sheet: Path) -> None:
    assert sheets.qr_text(sheet) == QR_TEXT
    walk.kiosk.shows("verify")
    walk.hall.prints = [
        {"state": "completed", "file": str(sheet)},
        {"state": "aborted", "file": None},
    ]
    seen: list[bool] = []
    walk.kiosk.reactions["scan"] = lambda: seen.append(
        Path(str(walk.hall.asked[-1][1].get("image", ""))).is_file()
    )
    assert walk.walk(ScanSheet(), ScanSheet(forged=True)).ok, walk.lines
    assert seen == [True, False]
    assert walk.hall.asked[-1][1]["text"] == QR_TEXT.replace("&s=Q", "&s=A")


def test_the_code_of_a_sheet_is_typed_key_by_key(walk: Walk, sheet: Path) -> None:
    walk.hall.prints = [{"state": "completed", "file": str(sheet)}]
    keys = sorted({f"key.{character}" for character in CODE if character != "-"})
    walk.kiosk.shows("code-entry", *keys)
    assert walk.walk(TypeSheetCode()).ok, walk.lines
    rows = {y - 10: key for key, (_, y, _, _) in walk.kiosk.focus.items() for y in [y + 10]}
    typed = "".join(rows[y - 10].removeprefix("key.") for _, y in walk.kiosk.touches)
    assert typed == CODE.replace("-", "")


@pytest.mark.parametrize("step", [ScanSheet(), TypeSheetCode()])
def test_without_a_printed_sheet_there_is_nothing_to_show(walk: Walk, step: Step) -> None:
    walk.kiosk.shows("verify")
    assert "nothing was printed yet" in walk.walk(step).visits[0].outcome


def test_a_sheet_that_is_none_is_an_outcome(walk: Walk, tmp_path: Path) -> None:
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 nothing")
    walk.hall.prints = [{"state": "completed", "file": str(tmp_path / "broken.pdf")}]
    assert "pdfinfo failed" in walk.walk(ScanSheet()).visits[0].outcome


def test_keys_wait_for_the_pad(walk: Walk) -> None:
    walk.kiosk.shows("pin")
    report = walk.walk(Press("1", within=0.1))
    assert "the pad takes no keys" in report.visits[0].outcome
    assert not any(do == "press" for do, _ in walk.hall.asked)


def test_refusal_of_the_hall_is_an_outcome(walk: Walk) -> None:
    walk.kiosk.shows("home")
    walk.hall.refuses = {"insert"}
    assert walk.walk(Insert("v3")).visits[0].outcome == "insert v3: the hall refused: no card"


def test_hall_that_is_gone_ends_the_walk(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(do: str, **arguments: object) -> dict[str, Any]:
        raise HallNotRunning("gone")

    monkeypatch.setattr(walk.hall, "ask", gone)
    with pytest.raises(HallNotRunning):
        walk.walk(Insert("v3"))


def test_kiosk_that_ended_is_noticed_while_waiting(walk: Walk) -> None:
    class EndedError(Exception):
        pass

    def ended() -> None:
        raise EndedError

    pilot = Autopilot(walk.screens, walk.kiosk, walk.hall, walk.out, walk.lines.append, ended)
    with pytest.raises(EndedError):
        pilot.walk([Visit("one", (Expect("home", within=60),))])


def test_questions_of_a_step_reach_the_hall(walk: Walk) -> None:
    walk.kiosk.shows("home")
    assert walk.walk(Sim("pcscd", {"do2": "restart"})).ok
    assert walk.hall.asked == [("pcscd", {"do2": "restart"})]


def test_empty_walk_is_not_a_good_one(walk: Walk) -> None:
    assert not walk.pilot.walk([]).ok
