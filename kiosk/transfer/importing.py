"""What the platform says of a bundle, taken into the queue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from kiosk.keys import TerminalKeys
from kiosk.platform.errors import PROBLEM_STATUS, PlatformRefused, Problem
from kiosk.transfer.errors import TransferCancelled
from kiosk.transfer.exporting import Progress
from kiosk.transfer.receipts import MOST_BYTES, Receipt, read_receipts
from kiosk.transfer.requests import request_of
from kiosk.transfer.stick import read_whole
from offline_queue.errors import RowForged
from offline_queue.message import Row, State
from offline_queue.queue import Queue


class Outcome(Enum):
    """What a receipt did to its message."""

    CONFIRMED = "confirmed"
    """The platform has it."""
    REFUSED = "refused"
    """The platform refuses it for ever: it is among the dead letters, with the reason."""
    KNOWN = "known"
    """It was settled before, by the line or by these receipts; perhaps purged since."""
    OPEN = "open"
    """The platform could not decide: it goes on waiting."""
    STRANGE = "strange"
    """The queue has another message there: nothing was done."""


@dataclass(frozen=True)
class ImportReport:
    """What a file of receipts did.

    Attributes:
        bundle: SM3 of the bundle that they answer, 64 hex digits.
        created: Unix seconds by the platform's clock.
        outcomes: how many receipts had each outcome.
    """

    bundle: str
    created: int
    outcomes: dict[Outcome, int]


Settled = Callable[[str, Receipt, Outcome], None]
"""Told the kind of each message that a receipt settled just now, the receipt, and the outcome."""


def import_receipts(
    queue: Queue,
    file: Path,
    keys: TerminalKeys,
    *,
    progress: Progress = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
    settled: Settled = lambda _kind, _receipt, _outcome: None,
) -> ImportReport:
    """Settle what the platform has decided; a second time it changes nothing.

    A receipt settles the row with its number, key and content only: old receipts do nothing to a
    message that came to have the same key later.

    Args:
        cancelled: asked before each receipt; those used until then stay used.

    Raises:
        ReceiptsRefused, StickFailed: see there; nothing was settled.
        TransferCancelled: see there.
        offline_queue.errors.QueueUnavailable: in the middle; the rest is settled the next time.
    """
    enrolment = keys.enrolment
    content = read_whole(file, MOST_BYTES)
    receipts = read_receipts(content, enrolment.platform_key, enrolment.terminal_id)
    outcomes: Counter[Outcome] = Counter()
    for done, receipt in enumerate(receipts, 1):
        if cancelled():
            raise TransferCancelled("the import was ended")
        row = queue.desk.row(receipt.seq)
        outcome = _use(queue, row, receipt)
        outcomes[outcome] += 1
        if row is not None and outcome in (Outcome.CONFIRMED, Outcome.REFUSED):
            settled(row.kind, receipt, outcome)
        progress(done, receipts.count)
    return ImportReport(
        bundle=receipts.bundle.hex(),
        created=receipts.created,
        outcomes={outcome: outcomes[outcome] for outcome in Outcome},
    )


def _use(queue: Queue, row: Row | None, receipt: Receipt) -> Outcome:
    if row is None:
        return Outcome.KNOWN
    if row.key != receipt.key or not _same_content(queue, row, receipt):
        return Outcome.STRANGE
    if row.state in (State.CONFIRMED, State.DEAD):
        return Outcome.KNOWN
    if 200 <= receipt.status < 300:
        done, outcome = queue.desk.settle(row.key, receipt.word), Outcome.CONFIRMED
    else:
        problem = _final_problem(receipt)
        if problem is None:
            return Outcome.OPEN
        done, outcome = queue.desk.reject(row.key, problem.value), Outcome.REFUSED
    return outcome if done else Outcome.KNOWN


def _same_content(queue: Queue, row: Row, receipt: Receipt) -> bool:
    try:
        stored = queue.desk.body(row.seq)
    except RowForged:
        return False
    request = None if stored is None else request_of(row.kind, stored)
    return request is not None and request.digest == receipt.digest


def _final_problem(receipt: Receipt) -> Problem | None:
    """Why the message has no effect and never will; None where that is not said."""
    try:
        problem = Problem(receipt.word)
    except ValueError:
        return None
    final = PROBLEM_STATUS[problem] == receipt.status and PlatformRefused(problem).final
    return problem if final else None
