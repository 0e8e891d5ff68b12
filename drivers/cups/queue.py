"""A queue of CUPS as it describes itself: what it prints on, and what it does by itself."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from drivers.document_printer import PrinterDetails
from drivers.ipp.answers import Attributes, number, words
from drivers.ipp.details import printer_details

_IDLE, _STOPPED = 3, 5
_PAUSED = "paused"
# Such a queue sends a job again by itself, from its first sheet.
_REPEATING = frozenset({"retry-job", "retry-current-job"})
# Under these paths of an IPP server another spooler's queues live, not a printer.
_SPOOLED = ("/printers/", "/classes/")


@dataclass(frozen=True)
class Queue:
    """A queue.

    Attributes:
        device: ``ipp://…`` or ``ipps://…`` of the printer itself, None where it speaks no IPP or
            nobody knows: behind USB, a port 9100, another spooler.
        stopped: it sends no jobs, since one failed or somebody stopped it.
        accepting: it takes jobs.
        repeating: its error policy sends a failed job again.
        details: what it says of its printer, its own stop left out.
    """

    device: str | None
    stopped: bool
    accepting: bool
    repeating: bool
    details: PrinterDetails


def queue_of(attributes: Attributes) -> Queue:
    """A queue by its attributes."""
    stopped = number(attributes, "printer-state") == _STOPPED
    reasons = words(attributes, "printer-state-reasons")
    of_printer = {
        **attributes,
        "printer-state": (_IDLE,) if stopped else attributes.get("printer-state", ()),
        "printer-state-reasons": tuple(word for word in reasons if word != _PAUSED),
        "printer-is-accepting-jobs": (True,),
    }
    return Queue(
        device=_device(next(iter(words(attributes, "device-uri")), "")),
        stopped=stopped,
        accepting=attributes.get("printer-is-accepting-jobs") != (False,),
        repeating=bool(_REPEATING.intersection(words(attributes, "printer-error-policy"))),
        details=printer_details(of_printer),
    )


def _device(uri: str) -> str | None:
    try:
        parts = urlsplit(uri)
        known = parts.scheme in ("ipp", "ipps") and parts.hostname and parts.port != 0
    except ValueError:
        return None
    if not known or parts.username is not None or parts.path.startswith(_SPOOLED):
        return None
    # What follows ? are options of the spooler's backend.
    return f"{parts.scheme}://{parts.netloc}{parts.path}"
