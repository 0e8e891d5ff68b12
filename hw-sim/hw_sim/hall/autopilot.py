"""The autopilot (自动走查): walks visits through the real window, as a resident would.

It finds what to touch in the kiosk's observe output, touches by XTEST, handles cards and the pad
through the hall's control socket, and never waits by sleeping a guessed time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol, assert_never

from hw_sim.hall import sheets
from hw_sim.hall.client import Answer, HallNotRunning, HallRefused
from hw_sim.hall.control import Refused
from hw_sim.hall.evidence import Evidence
from hw_sim.hall.observed import Observation, ObservedScreens
from hw_sim.hall.report import Report, StepReport, VisitReport
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
    described,
)

_POLL = 0.02
_KEY_SECONDS = 5.0


class Hall(Protocol):
    """The control socket; see `hw_sim.hall.client.HallClient`."""

    def ask(self, do: str, **arguments: object) -> Answer:
        """Return the answer or raise `HallRefused` or `HallNotRunning`."""


class Window(Protocol):
    """The kiosk's window."""

    def touch(self, at: tuple[int, int], size: tuple[int, int]) -> None:
        """Touch a point of the window of that size."""

    def screenshot(self, path: Path, size: tuple[int, int] | None) -> None:
        """Write what can be seen of the window of that size."""


class StepFailed(Exception):
    """A step did not end as it must; the text says what was seen instead."""


class Autopilot:
    """Walks visits and keeps a report and numbered screenshots.

    Args:
        screens: the kiosk's observe output.
        out: existing directory for screenshots and ``report.json``.
        say: gets one progress line a step.
        watch: called while waiting; raises when going on makes no sense (the kiosk ended).
    """

    PUT_RIGHT_SECONDS = 2.0
    """After a failed visit, so long a way to leave is looked for."""

    def __init__(
        self,
        screens: ObservedScreens,
        window: Window,
        hall: Hall,
        out: Path,
        say: Callable[[str], None],
        watch: Callable[[], None] = lambda: None,
    ) -> None:
        self._screens = screens
        self._window = window
        self._hall = hall
        self._out = out
        self._say = say
        self._watch = watch
        self._cursor = 0
        self._met = ""
        self._shots = 0
        self._evidence = Evidence(hall)

    def walk(self, visits: Sequence[Visit]) -> Report:
        """Walk every visit; after one that failed the hall is put right and the next begins.

        ``report.json`` is complete after every visit.

        Raises:
            HallNotRunning: the hall is gone.
        """
        report = Report(datetime.now().astimezone().isoformat(timespec="seconds"))
        for number, visit in enumerate(visits, 1):
            label = f"[visit {number:02d}/{len(visits):02d} {visit.name}]"
            report.visits.append(self._visit(visit, label))
            report.write(self._out)
            if report.visits[-1].outcome != "ok":
                self._put_right()
        return report

    def _visit(self, visit: Visit, label: str) -> VisitReport:
        found = VisitReport(visit.name)
        began = time.monotonic()
        self._evidence.begin()
        self._screens.read()
        self._cursor, self._met = max(0, len(self._screens.seen) - 1), ""
        for step in visit.steps:
            before = time.monotonic()
            try:
                self._do(step)
                outcome = "ok"
            except StepFailed as failure:
                outcome = str(failure)
            except (HallRefused, Refused) as refusal:
                outcome = f"the hall refused: {refusal}"
            except sheets.SheetUnreadable as problem:
                outcome = str(problem)
            seconds = time.monotonic() - before
            latest = self._screens.latest
            screen = latest.screen if latest else ""
            wanted = outcome != "ok" or isinstance(step, Expect | Approach | Stays)
            shot = self._screenshot(screen) if wanted else ""
            found.steps.append(
                StepReport(described(step), screen, outcome, round(seconds * 1000), shot)
            )
            self._say(f"{label} {described(step)} … {outcome} {seconds:.2f} s")
            if outcome != "ok":
                found.outcome = f"{described(step)}: {outcome}"
                break
        illegal = self._evidence.illegal()
        if illegal and found.outcome == "ok":
            found.outcome = f"illegal on the wire: {'; '.join(illegal)}"
        bugs = self._evidence.card_bugs()
        if bugs and found.outcome == "ok":
            found.outcome = f"bugs inside simulated cards: {bugs}"
        found.duration_ms = round((time.monotonic() - began) * 1000)
        return found

    def _screenshot(self, screen: str) -> str:
        self._shots += 1
        name = f"{self._shots:04d}-{screen or 'nothing'}.png"
        latest = self._screens.latest
        self._window.screenshot(self._out / name, latest.size if latest else None)
        return name

    # --- steps ---------------------------------------------------------------------------------

    def _do(self, step: Step) -> None:
        match step:
            case Approach(within=within):
                self._approach(within)
            case Touch(id=wanted, within=within):
                self._touch(wanted, within)
            case TouchAnywhere():
                size = self._latest().size
                self._window.touch((size[0] // 2, size[1] // 2), size)
            case Insert(card=card):
                self._act("insert", card=card)
            case Remove():
                self._act("remove")
            case Press(keys=keys, within=within):
                self._press(keys, within)
            case Expect():
                self._expect(step)
            case Stays():
                self._stays(step)
            case Sim(do=do, arguments=arguments):
                self._hall.ask(do, **arguments)
            case ScanSheet(forged=forged):
                self._scan_sheet(forged=forged)
            case TypeSheetCode():
                for character in sheets.code(self._newest_sheet()):
                    self._touch(f"key.{character}", _KEY_SECONDS)
            case ExpectSheets(sheets=wanted):
                self._expect_sheets(wanted)
            case ExpectDrawn(within=within):
                self._poll_hall(within, self._evidence.drawn, "no sheet was drawn")
            case ExpectSlips(slips=wanted):
                found = self._evidence.slips()
                if found != wanted:
                    raise StepFailed(f"{found} slips came out")
            case ExpectLight(slot=slot, light=light, within=within):
                self._poll_hall(
                    within,
                    lambda: self._hall.ask("status")["sensors"]["lights"][slot] == light,
                    f"the light at {slot} is not {light}",
                )
            case ExpectEvents(kind=kind, count=count, within=within):
                self._expect_events(kind, count, within)
            case ExpectAlarm(within=within, count=count):
                self._poll_hall(
                    within,
                    lambda: self._evidence.alarms() >= count,
                    "no new alarm at the platform",
                )
            case _:
                assert_never(step)

    def _latest(self) -> Observation:
        self._screens.read()
        if self._screens.latest is None:
            raise StepFailed("the kiosk has shown nothing yet")
        return self._screens.latest

    def _act(self, do: str, **arguments: object) -> None:
        # What the act brings about is looked for only in what is shown after it.
        self._screens.read()
        self._cursor = len(self._screens.seen)
        self._hall.ask(do, **arguments)

    def _approach(self, within: float) -> None:
        woken = -1

        def at_home() -> bool:
            nonlocal woken
            latest = self._screens.latest
            if latest is None:
                return False
            start = latest.find("start")
            if latest.screen == "idle" and start is not None and woken != latest.seq:
                woken = latest.seq
                self._window.touch(start.centre, latest.size)
            return latest.screen == "home"

        if not self._screens.wait(within, at_home, self._watch):
            raise StepFailed(f"not at home within {within:g} s, saw {self._trail()}")
        self._cursor = len(self._screens.seen) - 1

    def _touch(self, wanted: str, within: float) -> None:
        def there() -> bool:
            latest = self._screens.latest
            return latest is not None and latest.find(wanted) is not None

        if not self._screens.wait(within, there, self._watch):
            raise StepFailed(f"nothing named {wanted} to touch, saw {self._trail()}")
        latest = self._latest()
        thing = latest.find(wanted)
        if thing is None:
            raise StepFailed(f"{wanted} went away before it could be touched")
        self._cursor, self._met = len(self._screens.seen), ""
        self._window.touch(thing.centre, latest.size)

    def _press(self, keys: str, within: float) -> None:
        def entry() -> bool:
            return bool(self._hall.ask("status")["pad"]["entry"])

        self._poll_hall(within, entry, "the pad takes no keys")
        self._act("press", keys=keys)

    def _expect(self, step: Expect) -> None:
        at = -1

        def seen() -> bool:
            nonlocal at
            for index in range(self._cursor, len(self._screens.seen)):
                one = self._screens.seen[index]
                if one.screen == step.screen and step.overlay in (None, one.overlay):
                    at = index
                    return True
                other = one.screen not in (step.screen, self._met)
                if other and one.screen.startswith("failure."):
                    raise StepFailed(f"{one.screen} came instead, saw {self._trail()}")
            return False

        if not self._screens.wait(step.within, seen, self._watch):
            raise StepFailed(f"not seen within {step.within:g} s, saw {self._trail()}")
        self._cursor, self._met = at, step.screen

    def _stays(self, step: Stays) -> None:
        gone = lambda: self._latest().screen != step.screen  # noqa: E731
        if self._screens.wait(step.seconds, gone, self._watch):
            raise StepFailed(f"went to {self._latest().screen}")

    def _trail(self) -> str:
        names: list[str] = []
        for one in self._screens.seen[self._cursor :]:
            name = one.screen + ("+warning" if one.overlay else "")
            if not names or names[-1] != name:
                names.append(name)
        latest = self._screens.latest
        if not names:
            return f"nothing new after {latest.screen}" if latest else "nothing"
        return " > ".join(names[-8:])

    def _poll_hall(self, within: float, condition: Callable[[], bool], else_say: str) -> None:
        deadline = time.monotonic() + within
        while not condition():
            self._watch()
            if time.monotonic() >= deadline:
                raise StepFailed(f"{else_say} within {within:g} s")
            time.sleep(_POLL)

    def _newest_sheet(self) -> Path:
        sheet = self._evidence.newest_print()
        if sheet is None:
            raise StepFailed("nothing was printed yet")
        return sheet

    def _scan_sheet(self, *, forged: bool) -> None:
        sheet = self._newest_sheet()
        if forged:
            self._act("scan", text=sheets.forged(sheets.qr_text(sheet)))
            return
        with sheets.picture(sheet) as image:
            self._act("scan", image=str(image))

    def _expect_sheets(self, wanted: int) -> None:
        found = self._evidence.sheets()
        if found != wanted:
            raise StepFailed(f"{found} sheets came out")

    def _expect_events(self, kind: str, wanted: int, within: float) -> None:
        missing = f"not {wanted} new {kind} at the platform"
        self._poll_hall(within, lambda: self._evidence.events(kind) >= wanted, missing)
        found = self._evidence.events(kind)
        if found != wanted:
            raise StepFailed(f"{found} {kind} reached the platform")

    def _put_right(self) -> None:
        """Leave the hall as the next visitor expects to find it."""
        for do, arguments in (
            ("remove", {}),
            ("fault", {"where": "card", "what": "none"}),
            ("fault", {"where": "pad", "what": "none"}),
            ("fault", {"where": "scanner", "what": "none"}),
            ("fault", {"where": "printer", "what": "none"}),
            ("fault", {"where": "platform", "what": "none"}),
            ("platform", {"state": "up"}),
            ("fault", {"where": "dispenser", "what": "none"}),
            ("reader", {"state": "plugged"}),
            ("dispenser", {"state": "plugged"}),
            ("bin", {"state": "empty"}),
            ("pad", {"state": "plugged"}),
            ("scanner", {"state": "plugged"}),
            ("printer", {"state": "on"}),
            ("paper", {"state": "in"}),
            ("slip-paper", {"state": "in"}),
            ("sensors", {"state": "plugged"}),
            ("jam", {"state": "clear"}),
            ("door", {"state": "closed"}),
            ("toner", {"state": "full"}),
        ):
            try:
                self._hall.ask(do, **arguments)
            except HallNotRunning:
                raise
            except HallRefused:
                continue
        try:
            self._touch("leave", within=self.PUT_RIGHT_SECONDS)
        except StepFailed:
            return
