"""Tables and trees on the terminal: coloured and as wide as it, plain and unbroken elsewhere."""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

_UNBROKEN = 400
"""Columns where nobody looks: another program reads whole lines."""
STOP, WARN, OK, QUIET = "red", "yellow", "green", "dim"


def show(what: RenderableType) -> None:
    """Print on standard output; without colours and without trailing blanks into a pipe."""
    terminal = sys.stdout.isatty()
    console = Console(file=sys.stdout, width=None if terminal else _UNBROKEN, highlight=False)
    if terminal:
        console.print(what)
        return
    with console.capture() as capture:
        console.print(what)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in capture.get().splitlines()))


def table(*headings: str) -> Table:
    """A table without a frame."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in headings:
        made.add_column(heading, overflow="fold")
    return made


def columns(*widths: int) -> Table:
    """Rows without headings; columns at least so wide, so that tables align below each other."""
    made = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for width in widths:
        made.add_column(overflow="fold", min_width=width)
    return made


def pairs() -> Table:
    """A table of names and what stands behind them."""
    made = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    made.add_column(no_wrap=True, min_width=24)
    made.add_column(overflow="fold")
    return made


def text(content: Any, style: str = "") -> Text:
    """Text as it is: nothing in it is markup."""
    return Text(str(content), style=style)
