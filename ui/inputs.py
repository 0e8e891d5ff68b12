"""What a resident can do to a window."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Touched:
    """A finger or the mouse was pressed and released on one focusable thing."""

    id: str


@dataclass(frozen=True)
class TouchedNothing:
    """A touch that met no button; it still shows that somebody is there."""


@dataclass(frozen=True)
class Closed:
    """The window was closed or the process asked to stop."""


Input = Touched | TouchedNothing | Closed
