"""From a printer's attributes (RFC 8011 §5.4) to how it stands."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any

from drivers.device import most_urgent
from drivers.document_printer import PrinterNote, PrinterReason, PrinterStatus
from drivers.ipp.answers import Attributes, number, words

PRINTER_ATTRIBUTES = (
    "printer-state",
    "printer-state-reasons",
    "printer-is-accepting-jobs",
    "queued-job-count",
)
"""What `printer_status` reads."""

_IDLE, _PROCESSING = 3, 4
_SEVERITIES = ("-error", "-warning", "-report")
_SPOOLERS = "cups-"


@cache
def _table() -> dict[str, Any]:
    path = resources.files("drivers.ipp").joinpath("reasons.toml")
    return tomllib.loads(path.read_text("utf-8"))


@cache
def harmless() -> frozenset[str]:
    """Its keywords that mean nothing to us."""
    return frozenset(_table()["ignored"]["harmless"])


@cache
def meanings() -> dict[str, PrinterReason | PrinterNote]:
    """The keywords of `reasons.toml` that mean something to us."""
    found: dict[str, PrinterReason | PrinterNote] = {}
    for kind, rows in ((PrinterReason, _table()["obstacle"]), (PrinterNote, _table()["note"])):
        for meaning, keywords in rows.items():
            found |= dict.fromkeys(keywords, kind(meaning))
    return found


def printer_status(attributes: Attributes) -> PrinterStatus:
    """How the printer stands by its own words.

    Severity suffixes are dropped: printers report an empty tray as media-empty-warning or even
    -report. A printer that doesn't give its state has not answered.
    """
    known = [meanings().get(word) for word in _reasons(attributes)]
    obstacles = {meaning for meaning in known if isinstance(meaning, PrinterReason)}
    notes = {meaning for meaning in known if isinstance(meaning, PrinterNote)}
    if unknown_reasons(attributes):
        notes.add(PrinterNote.OTHER)
    state = number(attributes, "printer-state")
    if state is None:
        obstacles.add(PrinterReason.GONE)
    elif state not in (_IDLE, _PROCESSING):
        obstacles.add(PrinterReason.STOPPED)
    if attributes.get("printer-is-accepting-jobs") == (False,):
        obstacles.add(PrinterReason.STOPPED)
    return PrinterStatus(
        reason=most_urgent(obstacles, PrinterReason),
        notes=frozenset(notes),
        busy=state == _PROCESSING or (number(attributes, "queued-job-count") or 0) > 0,
    )


def unknown_reasons(attributes: Attributes) -> tuple[str, ...]:
    """Reasons that stand nowhere in the table, nor tell of a spooler's own affairs."""
    known = {*meanings(), *harmless(), ""}
    return tuple(
        word
        for word in _reasons(attributes)
        if word not in known and not word.startswith(_SPOOLERS)
    )


def _reasons(attributes: Attributes) -> list[str]:
    return [_without_severity(word) for word in words(attributes, "printer-state-reasons")]


def _without_severity(word: str) -> str:
    for severity in _SEVERITIES:
        if word.endswith(severity):
            return word.removesuffix(severity)
    return word
