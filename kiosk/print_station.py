"""The document printer as the terminal uses it: a print is written down before it is begun.

Whatever happens to the visit, the worker follows the job to its end and settles it. What a crash
left open is *unknown*: recorded, reported, never printed again by itself (DESIGN §4.4). What may
still lie in the printer is withdrawn as soon as that answers: it would come out before somebody
else's eyes.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass

from drivers.document_printer import (
    DocumentPrinter,
    PrintEnd,
    PrinterReason,
    PrinterStatus,
    PrintOutcome,
)
from kiosk.audit.recorder import Recorder
from kiosk.clock import Clock
from kiosk.documents.composer import Document
from kiosk.intents import Intent, IntentKind, IntentOutcome, Intents
from kiosk.outbox import Outbox
from kiosk.steps import Reporter
from offline_queue.errors import QueueError

log = logging.getLogger(__name__)

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""As in certificate codes: nothing that is read as something else."""
_SERIAL_TAIL = 6

_OUTCOMES = {
    PrintEnd.DONE: IntentOutcome.DONE,
    PrintEnd.FAILED: IntentOutcome.FAILED,
    PrintEnd.UNKNOWN: IntentOutcome.UNKNOWN,
}


@dataclass(frozen=True)
class Print:
    """What is written down of a print: nothing personal."""

    serial: str
    code: str
    pages: int

    def encode(self) -> bytes:
        return json.dumps({"code": self.code, "pages": self.pages}, sort_keys=True).encode()

    @classmethod
    def of(cls, intent: Intent) -> Print:
        fields = json.loads(intent.payload)
        return cls(intent.key, fields["code"], fields["pages"])


class PrintStation:
    """One document printer.

    Args:
        open_printer: makes the driver, at its first use.

    Attributes:
        status: as the runner last heard; None before the first look.
    """

    lane = "printer"

    def __init__(
        self,
        open_printer: Callable[[], DocumentPrinter],
        *,
        intents: Intents,
        outbox: Outbox,
        record: Recorder,
        terminal_id: str,
        clock: Clock,
        random: Callable[[int], bytes],
    ) -> None:
        self._open_printer = open_printer
        self._intents = intents
        self._outbox = outbox
        self._record = record
        self._terminal_id = terminal_id
        self._clock = clock
        self._random = random
        self._printer: DocumentPrinter | None = None
        self._unknown: list[str] = []
        self.status: PrinterStatus | None = None

    @property
    def obstacle(self) -> PrinterReason | None:
        """Why it can't print, as last heard."""
        return None if self.status is None else self.status.reason

    def new_serial(self) -> str:
        """流水号 of a print: terminal, day and 6 characters by lot; it stands on the sheet."""
        tail = "".join(_ALPHABET[octet % 32] for octet in self._random(_SERIAL_TAIL))
        return f"{self._terminal_id}-{self._clock.local():%y%m%d}-{tail}"

    def look(self) -> PrinterStatus:
        """Ask the printer how it stands; on its worker."""
        self._withdraw()
        return self._opened().status()

    def print_document(self, document: Document, report: Reporter) -> PrintOutcome:
        """Print, follow the job to its end and settle it; on the printer's worker.

        Reports `drivers.document_printer.PrintProgress`.
        """
        self._withdraw()
        wanted = Print(document.serial, document.code, len(document.pages))
        self._intents.open(IntentKind.PRINT, wanted.serial, wanted.encode())
        self._record("print.begun", outcome="ok", detail={"serial": wanted.serial})
        outcome = self._opened().print_document(document.pdf, wanted.serial, wanted.pages, report)
        self._settle(wanted, outcome)
        return outcome

    def settle_open(self) -> int:
        """At start-up: what was being printed when the power went is unknown; returns how many."""
        left = [i for i in self._intents.unsettled() if i.kind is IntentKind.PRINT]
        for intent in left:
            self._settle(Print.of(intent), PrintOutcome(PrintEnd.UNKNOWN))
        return len(left)

    def close(self) -> None:
        """Give up a running job and drop the connections."""
        if self._printer is not None:
            self._printer.give_up()
            self._printer.close()
            self._printer = None

    def _withdraw(self) -> None:
        if self._unknown:
            printer = self._opened()
            self._unknown = [each for each in self._unknown if not printer.withdraw(each)]

    def _settle(self, done: Print, outcome: PrintOutcome) -> None:
        reason = "" if outcome.reason is None else outcome.reason.value
        # Reported first: a crash between the two leaves the intent open, which reports again.
        try:
            self._outbox.put_print_outcome(done.serial, done.code, outcome.end.value, reason)
        except QueueError:
            # The sheet is out, whatever becomes of the report; the audit log has it.
            log.exception("a print's outcome can't be queued")
        self._intents.settle(done.serial, _OUTCOMES[outcome.end])
        if outcome.end is PrintEnd.UNKNOWN:
            self._unknown.append(done.serial)
        self._record(
            "print.ended",
            outcome="ok" if outcome.end is PrintEnd.DONE else "fault",
            detail={
                "serial": done.serial,
                "result": outcome.end.value,
                "reason": reason or "none",
                "pages": done.pages,
            },
        )

    def _opened(self) -> DocumentPrinter:
        if self._printer is None:
            self._printer = self._open_printer()
        return self._printer
