"""How the document printer and its jobs stand, as IPP attributes (RFC 8011 §5.3, §5.4)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from hw_sim.printer.facts import description, template
from hw_sim.printer.ipp import Attributes, Tag, Value, Values
from hw_sim.printer.jobs import Job
from hw_sim.printer.machine import PrintingMachine
from hw_sim.printer.parts import parts

_WORDS = {
    "media-jam": "Paper jam.",
    "door-open": "The door is open.",
    "media-empty": "Out of paper.",
    "media-needed": "Put A4 paper in.",
    "toner-empty": "Out of toner.",
    "marker-waste-full": "The waste box is full.",
    "media-low": "Paper is low.",
    "toner-low": "Toner is low.",
}
_ONLY_BY_NAME = "media-col-database"
"""As PWG 5100.7 wants it: not part of ``all``."""


def printer_attributes(machine: PrintingMachine, uri: str, operations: Iterable[int]) -> Attributes:
    """Everything about the printer at this URI."""
    now, reasons = machine.up_time, machine.reasons
    page = uri.replace("ipp://", "http://", 1)
    told = " ".join(_WORDS.get(reason.rsplit("-", 1)[0], f"{reason}.") for reason in reasons)
    return {
        **description(),
        **template(),
        **parts(machine),
        "operations-supported": _all(Tag.ENUM, *operations),
        "printer-config-change-date-time": _all(Tag.DATE_TIME, _moment(now, 1)),
        "printer-config-change-time": _all(Tag.INTEGER, 1),
        "printer-current-time": _all(Tag.DATE_TIME, _moment(now, now)),
        "printer-is-accepting-jobs": _all(Tag.BOOLEAN, machine.accepting),
        "printer-more-info": _all(Tag.URI, page),
        "printer-state": _all(Tag.ENUM, machine.state),
        "printer-state-change-date-time": _all(Tag.DATE_TIME, _moment(now, machine.state_since)),
        "printer-state-change-time": _all(Tag.INTEGER, machine.state_since),
        "printer-state-message": _all(Tag.TEXT, told or "Ready."),
        "printer-state-reasons": _all(Tag.KEYWORD, *(reasons or ("none",))),
        "printer-supply-info-uri": _all(Tag.URI, page),
        "printer-up-time": _all(Tag.INTEGER, now),
        "printer-uri-supported": _all(Tag.URI, uri),
        "queued-job-count": _all(Tag.INTEGER, sum(not job.over for job in machine.jobs)),
    }


def job_attributes(job: Job, machine: PrintingMachine, uri: str) -> Attributes:
    """Everything about a job of the printer at this URI."""
    now = machine.up_time
    sides = "two-sided-long-edge" if job.two_sided else "one-sided"
    found = {
        "copies": _all(Tag.INTEGER, job.copies),
        "sides": _all(Tag.KEYWORD, sides),
        "attributes-charset": _all(Tag.CHARSET, "utf-8"),
        "attributes-natural-language": _all(Tag.LANGUAGE, "en"),
        "job-id": _all(Tag.INTEGER, job.identity),
        "job-impressions-completed": _all(Tag.INTEGER, job.printed),
        "job-k-octets": _all(Tag.INTEGER, (job.size + 1023) // 1024),
        "job-media-sheets-completed": _all(Tag.INTEGER, job.sheets_out),
        "job-more-info": _all(Tag.URI, uri.replace("ipp://", "http://", 1)),
        "job-name": _all(Tag.NAME, job.name),
        "job-originating-user-name": _all(Tag.NAME, job.user),
        "job-printer-up-time": _all(Tag.INTEGER, now),
        "job-printer-uri": _all(Tag.URI, uri),
        "job-state": _all(Tag.ENUM, job.state),
        "job-state-message": _all(Tag.TEXT, job.reason.replace("-", " ")),
        "job-state-reasons": _all(Tag.KEYWORD, job.reason),
        "job-uri": _all(Tag.URI, f"{uri}/{job.identity}"),
        "job-uuid": _all(Tag.URI, job.urn),
        "number-of-documents": _all(Tag.INTEGER, 1 if job.file else 0),
    }
    if job.pages:
        found["job-impressions"] = _all(Tag.INTEGER, job.sides)
        found["job-media-sheets"] = _all(Tag.INTEGER, job.sheets)
    for word, at in (
        ("creation", job.created),
        ("processing", job.begun),
        ("completed", job.ended),
    ):
        none = (Value(Tag.NO_VALUE, None),)
        found[f"time-at-{word}"] = none if at is None else _all(Tag.INTEGER, at)
        found[f"date-time-at-{word}"] = (
            none if at is None else _all(Tag.DATE_TIME, _moment(now, at))
        )
    return found


def selected(found: Attributes, requested: Iterable[str]) -> Attributes:
    """Those that ``requested-attributes`` names, itself or by its group."""
    names: set[str] = set()
    of_template = set(template()) | {"copies", "sides", "media-ready", "media-col-ready"}
    for name in requested:
        match name:
            case "all":
                names |= set(found) - {_ONLY_BY_NAME}
            case "job-template":
                names |= of_template
            case "printer-description" | "job-description":
                names |= set(found) - of_template - {_ONLY_BY_NAME}
            case _:
                names.add(name)
    return {name: given for name, given in found.items() if name in names}


def job_summary(job: Job, machine: PrintingMachine, uri: str) -> Attributes:
    """What an operation that made or changed a job answers (§4.2.1.2)."""
    wanted = ("job-uri", "job-id", "job-state", "job-state-reasons", "job-state-message")
    return selected(job_attributes(job, machine, uri), wanted)


def _all(tag: Tag, *contents: Any) -> Values:
    return tuple(Value(tag, content) for content in contents)


def _moment(now: int, then: int) -> bytes:
    """A dateTime (RFC 2579): when the printer had been up for so many seconds."""
    at = datetime.now().astimezone() - timedelta(seconds=now - then)
    offset = int((at.utcoffset() or timedelta()).total_seconds()) // 60
    sign = b"+" if offset >= 0 else b"-"
    hours, minutes = divmod(abs(offset), 60)
    clock = bytes([at.month, at.day, at.hour, at.minute, at.second, 0])
    return at.year.to_bytes(2, "big") + clock + sign + bytes([hours, minutes])
