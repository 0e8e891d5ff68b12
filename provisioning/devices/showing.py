"""How a device's standing looks on a terminal."""

from __future__ import annotations

from kiosk.bilingual import Bilingual
from provisioning.devices.standing import Standing, Verdict

_STYLES = {
    Verdict.SERVES: "green",
    Verdict.NOTED: "yellow",
    Verdict.OBSTACLE: "bold red",
    Verdict.SILENT: "bold red",
    Verdict.BUG: "bold red",
    Verdict.IN_USE: "cyan",
}


def style(found: Standing) -> str:
    """The colour of a verdict."""
    return _STYLES[found.verdict]


def both(words: Bilingual) -> str:
    """Chinese over English."""
    return words.zh if words.zh == words.en else f"{words.zh}\n{words.en}"
