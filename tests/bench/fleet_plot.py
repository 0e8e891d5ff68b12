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
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from tests.bench.fleet import AT_ONCE, Databases, Load, run
from tests.bench.fleet_terminals import Ask, Outcome

PICTURE = Path(__file__).parents[2] / "docs" / "fleet.png"
INTERVAL_S = 10.0
"""Between two events of a terminal: about six times as often as a busy one sends (docs/fleet.md),
so that one process is seen to fill up."""
FLEETS = (50, 200, 500, 1_000, 2_000, 4_000)
_MOST = (Load(2_000, 0, 10, at_once=AT_ONCE, ask=ask) for ask in Ask)
LOADS = (*(Load(size, INTERVAL_S, 20, warm_up=10) for size in FLEETS), *_MOST)

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
    """Measure everything, in another order in each round; print the table, draw the picture."""
    found: dict[str, dict[Load, list[Outcome]]] = {_NAMES[figure]: {} for figure in databases}
    for turn in range(rounds):
        for figure, place in databases.items():
            with place() as where:
                for load in random.Random(turn).sample(LOADS, len(LOADS)):
                    outcome = run(where, load)
                    found[_NAMES[figure]].setdefault(load, []).append(outcome)
                    told = f"{_row(_NAMES[figure], load, Point.of([outcome]))}\n"
                    sys.stderr.write(f"round {turn + 1}: {told}")
    points = {
        name: {load: Point.of(loads[load]) for load in LOADS} for name, loads in found.items()
    }
    sys.stdout.write(table(points))
    draw(points)


def table(points: Points) -> str:
    """Markdown."""
    head = (
        "| database | terminals | asks | offered, 1/s | answered, 1/s | p50, ms | p99, ms"
        " | cores: platform | terminals | database |\n" + "|---|" + "---:|" * 9 + "\n"
    )
    rows = [_row(name, load, loads[load]) for name, loads in points.items() for load in LOADS]
    return head + "\n".join(rows) + "\n"


def _row(name: str, load: Load, point: Point) -> str:
    offered = f"{load.terminals / load.interval:g}" if load.interval else "as many as it answers"
    database = f"{point.cpu['database']:.2f}" if "database" in point.cpu else "in the platform"
    return (
        f"| {name} | {load.terminals:,} | {load.ask.value} | {offered} | {point.rate:.0f}"
        f" | {point.p50:,.0f} | {point.p99:,.0f} | {point.cpu['platform']:.2f}"
        f" | {point.cpu['terminals']:.2f} | {database} |"
    )


def draw(points: Points) -> None:
    figure = Figure(figsize=(8, 8.4), dpi=150, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    fleets = [load for load in LOADS if load.interval]
    sizes = [load.terminals for load in fleets]
    offered = [load.terminals / INTERVAL_S for load in fleets]
    above.plot(sizes, offered, "--", color=_GREY, linewidth=1.2, label="offered")
    for name, loads in points.items():
        rates = [loads[load].rate for load in fleets]
        above.plot(sizes, rates, "o-", color=_COLOURS[name], linewidth=2, label=name)
        below.plot(
            sizes, [loads[load].p99 for load in fleets], "o-", color=_COLOURS[name], linewidth=2,
            label=f"{name}, p99",
        )  # fmt: skip
        below.plot(
            sizes, [loads[load].p50 for load in fleets], "o:", color=_COLOURS[name], linewidth=1.2,
            markersize=3, label=f"{name}, p50",
        )  # fmt: skip
    most = max(point.rate for loads in points.values() for point in map(loads.get, fleets) if point)
    above.set_ylim(0, most * 1.35)
    above.set_ylabel("events answered per second")
    above.set_title(
        f"One platform process, an event from each terminal every {INTERVAL_S:g} s",
        loc="left", fontweight="bold",
    )  # fmt: skip
    below.set_yscale("log")
    below.yaxis.set_major_formatter(FuncFormatter(_duration))
    below.set_ylabel("time to the answer")
    below.set_xlabel("terminals")
    for axes in (above, below):
        _plain(axes, sizes)
    figure.savefig(PICTURE)


def _plain(axes: Axes, sizes: Sequence[int]) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:,.0f}"))
    axes.grid(color="#E3E6EA", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.legend(frameon=False, loc="upper left")


def _duration(milliseconds: float, _position: float) -> str:
    return f"{milliseconds:g} ms" if milliseconds < 1000 else f"{milliseconds / 1000:g} s"
