"""docs/fleet.png and the table of docs/fleet.md: a platform under more and more terminals."""

from __future__ import annotations

import random
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

from tests.bench.fleet import AT_ONCE, Databases, Load, run
from tests.bench.fleet_terminals import EVENTS_A_BATCH, Ask, Outcome

PICTURE = Path(__file__).parents[2] / "docs" / "fleet.png"
INTERVAL_S = 10.0
"""Between two events of a terminal: about six times as often as a busy one sends (docs/fleet.md),
so that one process is seen to fill up."""
FLEETS = (50, 200, 500, 1_000, 2_000)
_MOST = (Load(2_000, 0, 10, at_once=AT_ONCE, ask=ask) for ask in Ask)
_SLOWEST = 80
"""Answers a second, at least: so long does a fleet that is too large take to queue up."""
LOADS = (*(Load(size, INTERVAL_S, 15, warm_up=5 + size / _SLOWEST) for size in FLEETS), *_MOST)

_NAMES = {"platform.events_sqlite": "SQLite", "platform.events_postgresql": "PostgreSQL"}
_COLOURS = {"SQLite": "#005BAC", "PostgreSQL": "#D9730D"}
_GREY = "#8A8F98"


class Point(NamedTuple):
    """Medians of the rounds: answers a second, milliseconds, cores by process."""

    rate: float
    p50: float
    p99: float
    cpu: Mapping[str, float]

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> Point:
        return cls(
            statistics.median(outcome.rate for outcome in outcomes),
            statistics.median(outcome.percentile(0.5) for outcome in outcomes),
            statistics.median(outcome.percentile(0.99) for outcome in outcomes),
            {
                name: statistics.median(outcome.cpu[name] for outcome in outcomes)
                for name in outcomes[0].cpu
            },
        )


Points = Mapping[str, Mapping[Load, Point]]


def plot(
    databases: Mapping[str, Callable[[], AbstractContextManager[Databases]]], rounds: int
) -> None:
    """Measure everything, print the table, draw the picture."""
    points = measured(databases, rounds)
    sys.stdout.write(table(points))
    draw(points)


def measured(
    databases: Mapping[str, Callable[[], AbstractContextManager[Databases]]], rounds: int
) -> Points:
    """Every load on every database, in another order in each round."""
    found: dict[str, dict[Load, list[Outcome]]] = {_NAMES[figure]: {} for figure in databases}
    for turn in range(rounds):
        for figure, place in databases.items():
            with place() as where:
                for load in random.Random(turn).sample(LOADS, len(LOADS)):
                    outcome = run(where, load)
                    found[_NAMES[figure]].setdefault(load, []).append(outcome)
                    told = f"{_row(_NAMES[figure], load, Point.of([outcome]))}\n"
                    sys.stderr.write(f"round {turn + 1}: {told}")
    return {name: {load: Point.of(loads[load]) for load in LOADS} for name, loads in found.items()}


def table(points: Points) -> str:
    """Markdown."""
    head = (
        "| database | terminals | asks | offered, 1/s | answered, 1/s | p50, ms | p99, ms"
        " | CPU of an answer, ms: platform | database | terminals |\n"
        + "|---|"
        + "---:|" * 9
        + "\n"
    )
    rows = [_row(name, load, loads[load]) for name, loads in points.items() for load in LOADS]
    return head + "\n".join(rows) + "\n"


def _row(name: str, load: Load, point: Point) -> str:
    offered = f"{load.terminals / load.interval:g}" if load.interval else "as many as it answers"
    each = {name: f"{1000 * cores / point.rate:.1f}" for name, cores in point.cpu.items()}
    return (
        f"| {name} | {load.terminals:,} | {load.ask.value} | {offered} | {point.rate:.0f}"
        f" | {point.p50:,.0f} | {point.p99:,.0f} | {each['platform']}"
        f" | {each.get('database', 'within')} | {each['terminals']} |"
    )


def draw(points: Points) -> None:
    """docs/fleet.png."""
    fleets = [load for load in LOADS if load.interval]
    sizes = [load.terminals for load in fleets]
    figure = Figure(figsize=(8, 8.4), dpi=150, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    _scale(above, sizes, (1, 2, 5), lambda rate, _: f"{rate:g}")
    _scale(below, sizes, (1,), _duration)
    above.plot(
        sizes, [size / INTERVAL_S for size in sizes], "--", color=_GREY, label="offered"
    )  # fmt: skip
    for name, loads in points.items():
        colour = _COLOURS[name]
        for axes, values, style, width, label in (
            (above, [loads[load].rate for load in fleets], "o-", 2.0, name),
            (below, [loads[load].p99 for load in fleets], "o-", 2.0, f"{name}, p99"),
            (below, [loads[load].p50 for load in fleets], ".:", 1.2, f"{name}, p50"),
        ):
            axes.plot(sizes, values, style, color=colour, linewidth=width, label=label)
        batches = next(point for load, point in loads.items() if load.ask is Ask.BATCH)
        above.axhline(
            batches.rate, color=colour, linewidth=1.2, linestyle=":",
            label=f"{name}, most in batches of {EVENTS_A_BATCH}",
        )  # fmt: skip
    above.set_title(
        f"One platform process; each terminal sends a signed event every {INTERVAL_S:g} s",
        loc="left", fontsize=12, fontweight="bold",
    )  # fmt: skip
    above.set_ylabel("events answered per second")
    below.set_ylabel("from sending to the answer")
    below.set_xlabel("terminals")
    above.legend(frameon=False, loc="lower right")
    below.legend(frameon=False, loc="upper left")
    figure.savefig(PICTURE)


def _scale(
    axes: Axes,
    sizes: Sequence[int],
    digits: Sequence[int],
    text: Callable[[float, float], str],
) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:,.0f}"))
    axes.yaxis.set_major_locator(LogLocator(subs=digits))
    axes.yaxis.set_major_formatter(FuncFormatter(text))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.grid(color="#E3E6EA", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _duration(milliseconds: float, _position: float) -> str:
    return f"{milliseconds:g} ms" if milliseconds < 1000 else f"{milliseconds / 1000:g} s"
