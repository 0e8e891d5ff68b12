"""What is changed or shown by a command is audited, in a log of its own: the terminal holds its
log while it runs (DESIGN §9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kiosk.audit.log import AuditLog, AuditUnavailable
from kiosk.clock import SystemClock
from kiosk.commands import CommandFailed, Exit
from kiosk.state import StateDirectory, StateError


class Trail:
    """An open log."""

    def __init__(self, log: AuditLog) -> None:
        self._log = log

    def record(
        self,
        event: str,
        *,
        actor: str | None = None,
        outcome: str = "ok",
        detail: Mapping[str, str | int],
    ) -> None:
        """On the disk when it returns."""
        self._log.write(event, actor=actor, outcome=outcome, detail=detail)


@contextmanager
def trail(folder: Path, terminal_id: str) -> Iterator[Trail]:
    """Opened before anything is changed.

    Raises:
        CommandFailed: it cannot be audited, so it must not be done.
    """
    failed = None
    try:
        log = AuditLog(StateDirectory(folder).audit / "commands.jsonl", terminal_id, SystemClock())
        try:
            yield Trail(log)
        finally:
            log.close()
    except (AuditUnavailable, StateError) as problem:
        failed = CommandFailed(
            Exit.STATE, f"无法留痕，已停止 stopped, it cannot be audited: {problem}"
        )
    if failed is not None:
        raise failed
