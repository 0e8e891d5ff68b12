"""The lock (防拆锁定) of a terminal whose case was opened by force: nobody is served until an
engineer has looked at it and unlocked it, whatever is switched off and on meanwhile (S5 6.4.5)."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from kiosk.clock import Clock
from offline_queue.durable import sync_folder

log = logging.getLogger(__name__)

FILE = "tampered"
"""In the state directory, while it is locked."""


class TamperLock:
    """Locked as long as its file is there, whatever stands in it."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._file = folder / FILE
        self._clock = clock

    @property
    def locked(self) -> bool:
        """Whether an engineer must come."""
        return self._file.exists()

    @property
    def since(self) -> int | None:
        """Unix seconds of when it was locked; None where it is not, or nobody can tell."""
        try:
            return int(self._file.read_text("ascii"))
        except (OSError, ValueError):
            return None

    def lock(self) -> None:
        """The case was opened. Never raises: on a disk that takes nothing the lock ends with the
        process, which is told in the log."""
        if self.locked:
            return
        try:
            descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as stream:
                # It holds from here on, also where the disk has no room for the time.
                sync_folder(self._file.parent)
                stream.write(f"{int(self._clock.time())}\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError:
            log.exception("that the case was opened can't be written down")

    def unlock(self) -> None:
        """An engineer has looked at it.

        Raises:
            OSError: the disk; it stays locked.
        """
        self._file.unlink(missing_ok=True)
        sync_folder(self._file.parent)
