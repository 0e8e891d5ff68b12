"""All that an IPP printer tells of itself: how it stands, and for staff trays, alerts, counters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from drivers.document_printer import (
    PrinterAlert,
    PrinterDetails,
    PrinterNote,
    PrinterReason,
    PrinterStatus,
    SupplyState,
    Tray,
)
from drivers.ipp.answers import Attributes, IppAnswer, Span, members, number, octet_strings, words
from drivers.ipp.reasons import PRINTER_ATTRIBUTES, printer_status, unknown_reasons
from drivers.ipp.supplies import SUPPLY_ATTRIBUTES, fields, shown, supplies, whole

DETAIL_ATTRIBUTES = (
    *PRINTER_ATTRIBUTES,
    *SUPPLY_ATTRIBUTES,
    "printer-make-and-model",
    "printer-state-message",
    "media-ready",
    "media-col-ready",
    "printer-input-tray",
    "printer-alert",
    "printer-alert-description",
    "printer-impressions-completed",
    "printer-up-time",
    "copies-supported",
    "job-creation-attributes-supported",
)
"""What `printer_details` reads."""

_A4 = (21000, 29700)
_NEAR = 200
"""Printers round their sizes, some to inches; 1/100 mm."""
# A self-describing size name ends with its dimensions (PWG 5101.1 §5).
_SIZED = re.compile(r"_(\d{1,6}(?:\.\d{1,4})?)x(\d{1,6}(?:\.\d{1,4})?)(mm|in)\b")
_UNITS = {"mm": 100.0, "in": 2540.0}
_SPENT = (SupplyState.LOW, SupplyState.SPENT)


def details_of(answer: IppAnswer) -> PrinterDetails:
    """What a printer answered; one that won't say how it stands is no printer to print on."""
    if not answer.ok:
        return PrinterDetails(PrinterStatus(PrinterReason.STOPPED))
    return printer_details(answer.printer)


def printer_details(attributes: Attributes) -> PrinterDetails:
    """What the attributes of a printer tell; its status has the notes that follow from them."""
    status = printer_status(attributes)
    found, trays, a4 = supplies(attributes), _trays(attributes), _a4(attributes)
    notes = set(status.notes)
    if any(supply.state in _SPENT for supply in found):
        notes.add(PrinterNote.SUPPLY_LOW)
    if a4 is False:
        notes.add(PrinterNote.PAPER_SIZE)
    return PrinterDetails(
        status=PrinterStatus(status.reason, frozenset(notes), status.busy),
        model=_text(attributes, "printer-make-and-model"),
        message=_text(attributes, "printer-state-message"),
        unknown=tuple(shown(word) for word in unknown_reasons(attributes)),
        supplies=found,
        trays=trays,
        a4=a4,
        alerts=tuple(_alerts(attributes)),
        impressions=number(attributes, "printer-impressions-completed"),
        up_time=number(attributes, "printer-up-time"),
        copies=_copies(attributes),
    )


def _text(attributes: Attributes, name: str) -> str:
    return shown(next(iter(words(attributes, name)), ""))


def _copies(attributes: Attributes) -> int:
    """As many as a job may ask for. A printer that lists what a job may set, and not this, would
    leave it out without a word."""
    settable = words(attributes, "job-creation-attributes-supported")
    if settable and "copies" not in settable:
        return 1
    spans = [each for each in attributes.get("copies-supported", ()) if isinstance(each, Span)]
    return max([1, *(span.high for span in spans)])


def _alerts(attributes: Attributes) -> Iterator[PrinterAlert]:
    called = words(attributes, "printer-alert-description")
    for place, each in enumerate(octet_strings(attributes, "printer-alert")):
        row = fields(each)
        if code := shown(row.get("code", "")):
            said = shown(called[place]) if place < len(called) else ""
            yield PrinterAlert(code, row.get("severity", "").startswith("critical"), said)


def _trays(attributes: Attributes) -> tuple[Tray, ...]:
    """The trays that ``printer-input-tray`` lists, with the paper that ``media-col-ready`` puts
    into them; where there is no list, those of ``media-col-ready``."""
    ready = {
        name: _dimensions(media)
        for media in members(attributes, "media-col-ready")
        for name in words(media, "media-source")
    }
    rows = [fields(each) for each in octet_strings(attributes, "printer-input-tray")]
    named = {row["name"]: row for row in rows if row.get("name") not in (None, "", "auto")}
    if not named:
        return tuple(Tray(shown(name), None, size) for name, size in ready.items())
    return tuple(Tray(shown(name), _sheets(row), ready.get(name)) for name, row in named.items())


def _sheets(row: Mapping[str, str]) -> int | None:
    level = whole(row.get("level"))
    return level if level is not None and level >= 0 else None


def _a4(attributes: Attributes) -> bool | None:
    sizes = [_dimensions(media) for media in members(attributes, "media-col-ready")]
    sizes = sizes or [_named(word) for word in words(attributes, "media-ready")]
    if any(size is not None and _is_a4(size) for size in sizes):
        return True
    return None if not sizes or None in sizes else False


def _dimensions(media: Attributes) -> tuple[int, int] | None:
    for size in members(media, "media-size"):
        width, length = number(size, "x-dimension"), number(size, "y-dimension")
        if width is not None and length is not None:
            return width, length
    return next(map(_named, words(media, "media-size-name")), None)


def _named(word: str) -> tuple[int, int] | None:
    found = _SIZED.search(word)
    if found is None:
        return None
    unit = _UNITS[found[3]]
    return round(float(found[1]) * unit), round(float(found[2]) * unit)


def _is_a4(size: tuple[int, int]) -> bool:
    return all(abs(is_ - want) <= _NEAR for is_, want in zip(sorted(size), _A4, strict=True))
