"""What waits, on a stick: a bundle for the platform when the line has been down for days."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from apdu.crypto import sm4
from kiosk.keys import TerminalKeys
from kiosk.transfer.bundle import ID_SIZE, BundleWriter
from kiosk.transfer.errors import EncryptionKeyMissing, NothingToExport, TransferCancelled
from kiosk.transfer.requests import request_of
from kiosk.transfer.stick import NewFile
from offline_queue.message import Message, State
from offline_queue.queue import Queue

Progress = Callable[[int, int], None]
"""Told how many are done, and of how many."""

_PAGE = 32
"""Messages in memory at one time."""

_SETTLED = frozenset({State.CONFIRMED, State.DEAD})


@dataclass(frozen=True)
class ExportReport:
    """A bundle that is on the stick.

    Attributes:
        digest: SM3 of the bundle, 64 hex digits; the receipts name it.
        created: Unix seconds by the terminal's clock.
        first, last: sequence of the first and the last message in it.
        messages: how many are in it.
        left_out: waiting rows that could not be read; they stay in the queue.
        size: bytes.
    """

    path: Path
    digest: str
    created: int
    first: int
    last: int
    messages: int
    left_out: int
    size: int


def export_bundle(
    queue: Queue,
    folder: Path,
    keys: TerminalKeys,
    *,
    most: int | None = None,
    progress: Progress = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.time,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> ExportReport:
    """Write all that waits, from the oldest on, into a new file in ``folder``.

    The queue keeps every row: each still goes by the line when that is back first, and the platform
    takes it once. Until then the courier asks for it by its key before it sends it.

    Args:
        most: no more messages than this, for a stick that is too small for all.
        cancelled: asked now and then; True ends it, and nothing is left on the stick.

    Raises:
        NothingToExport, EncryptionKeyMissing, TransferCancelled, StickFailed: see there.
        offline_queue.errors.QueueUnavailable: see there.
        apdu.crypto.errors.BackendRefused: this machine cannot encrypt by SM2.
    """
    encryption_key = keys.enrolment.encryption_key
    if encryption_key is None:
        raise EncryptionKeyMissing("the enrolment has no key to encrypt to")
    total = queue.metrics().open
    total = total if most is None else min(most, total)
    if not total:
        raise NothingToExport("no message waits")
    family = f"yikatong-{keys.terminal_id}-"
    bundle_id, created = random(ID_SIZE), int(clock())
    done = left_out = 0
    with NewFile(folder, f"{family}{bundle_id[:8].hex()}.bundle", family) as file:
        bundle = BundleWriter(
            file.write,
            keys,
            encryption_key,
            bundle_id=bundle_id,
            created=created,
            sm4_key=random(sm4.KEY_SIZE),
        )
        for message in _waiting(queue):
            if cancelled():
                raise TransferCancelled("the export was ended")
            request = None if message is None else request_of(message.kind, message.body)
            if message is None or request is None:
                left_out += 1
                continue
            bundle.add(message.seq, message.key, request)
            done += 1
            progress(done, max(done, total))
            if done == most:
                break
        if not done:
            raise NothingToExport("no message that waits can be read")
        sealed = bundle.close()
        path = file.finish()
    return ExportReport(
        path=path,
        digest=sealed.digest.hex(),
        created=created,
        first=sealed.first,
        last=sealed.last,
        messages=sealed.messages,
        left_out=left_out,
        size=sealed.size,
    )


def _waiting(queue: Queue) -> Iterator[Message | None]:
    """Every unsettled message in order; None for each of a page in which none could be read."""
    after = 0
    while True:
        page = queue.desk.unsettled(after, _PAGE)
        if page:
            yield from page
            after = page[-1].seq
            continue
        rows = queue.rows(limit=_PAGE, after=after)
        if not rows:
            return
        # Only rows whose seals do not hold, if any, before what may come behind them.
        yield from (None for row in rows if row.state not in _SETTLED)
        after = rows[-1].seq
