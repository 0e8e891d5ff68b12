"""What the hall's desks say when they have just opened, without a hall around them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from hw_sim.hall.desk import Desk
from hw_sim.hall.desks import desks


@contextmanager
def open_desks() -> Iterator[tuple[tuple[Desk, ...], Mapping[str, Any]]]:
    """All desks, open, and what they announce together."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        told: dict[str, Any] = {}
        opened = desks()
        for desk in opened:
            stack.callback(desk.close)
            told |= desk.open(folder, folder)
        yield opened, told


@cache
def announced() -> Mapping[str, Any]:
    """What ``hall.json`` says of them."""
    with open_desks() as (_, told):
        return told


@cache
def at_rest() -> Mapping[str, Any]:
    """Their part of the hall's status."""
    with open_desks() as (opened, _):
        return {desk.name: desk.status() for desk in opened}
