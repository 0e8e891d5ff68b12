"""``yikatong-sim autopilot``: walks the visits through a terminal that is already running."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from hw_sim.hall.autopilot import Autopilot
from hw_sim.hall.client import HallClient, announcement
from hw_sim.hall.observed import ObservedScreens
from hw_sim.hall.report import Report
from hw_sim.hall.slot import Way
from hw_sim.hall.steps import Visit
from hw_sim.hall.visits import VISITS
from hw_sim.hall.window import DisplayUnusable, XWindow


class NoSuchVisit(Exception):
    """A part of a visit's name that no visit has."""


def chosen(parts: Sequence[str] | None) -> tuple[Visit, ...]:
    """The visits whose names hold one of these parts; all without any.

    Raises:
        NoSuchVisit: a part fits none.
    """
    if not parts:
        return VISITS
    for part in parts:
        if not any(part.lower() in visit.name.lower() for visit in VISITS):
            names = "\n  ".join(visit.name for visit in VISITS)
            raise NoSuchVisit(f"no visit's name has {part!r}; there are\n  {names}")
    return tuple(v for v in VISITS if any(part.lower() in v.name.lower() for part in parts))


def run(arguments: argparse.Namespace) -> int:
    """Returns 0 when every visit ended as it must, 1 when not, 2 for wrong arguments."""
    try:
        visits = chosen(arguments.visit)
        arguments.out.mkdir(parents=True, exist_ok=True)
        report = walk(
            visits,
            observe=arguments.observe,
            out=arguments.out,
            run_directory=arguments.run,
            window=XWindow(os.environ.get("DISPLAY", "")),
        )
    except (NoSuchVisit, DisplayUnusable) as error:
        sys.stderr.write(f"yikatong-sim: {error}\n")
        return 2
    summarise(report, arguments.out)
    return 0 if report.ok else 1


def walk(
    visits: Sequence[Visit],
    *,
    observe: Path,
    out: Path,
    run_directory: Path,
    window: XWindow,
    watch: Callable[[], None] = lambda: None,
) -> Report:
    """Walk, with progress on standard output."""
    way = Way(announcement(run_directory)["way"])
    for visit in [each for each in visits if way not in each.ways]:
        say(f"left out with {way.value}: {visit.name}")
    visits = [each for each in visits if way in each.ways]
    return Autopilot(
        ObservedScreens(observe), window, HallClient(run_directory), out, say, watch
    ).walk(visits)


def say(line: str) -> None:
    """One line of progress."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def summarise(report: Report, out: Path) -> None:
    """Say how the walk went and what went wrong."""
    bad = [visit for visit in report.visits if visit.outcome != "ok"]
    steps = sum(len(visit.steps) for visit in report.visits)
    seconds = sum(visit.duration_ms for visit in report.visits) / 1000
    good = len(report.visits) - len(bad)
    say(f"{good} of {len(report.visits)} visits as they must be, {steps} steps, {seconds:.1f} s")
    for visit in bad:
        say(f"  {visit.name}: {visit.outcome}")
    say(f"screenshots and report.json are in {out}")
