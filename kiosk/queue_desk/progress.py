"""How far a long action is, on standard error where somebody sits, and how it is ended early."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Told = Callable[[int, int], None]
"""Told how many are done, and of how many."""

_STEPS = 200


@contextmanager
def bar(label: str) -> Iterator[Told]:
    """A progress bar that leaves nothing behind; nothing at all where standard error is no
    terminal."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Remaining())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=None)
        shown = 0

        def told(done: int, total: int) -> None:
            nonlocal shown
            # Drawing takes longer than a row.
            if done == total or done - shown >= total / _STEPS:
                shown = done
                progress.update(task, completed=done, total=total)

        yield told


@contextmanager
def until_interrupted() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed: the action ends where it can. The second time it ends at once."""
    pressed = False

    def press(_number: int, _frame: FrameType | None) -> None:
        nonlocal pressed
        if pressed:
            raise KeyboardInterrupt
        pressed = True

    before = signal.signal(signal.SIGINT, press)
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)
