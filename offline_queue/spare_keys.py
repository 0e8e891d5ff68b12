"""A second copy of the file's wrapped keys, beside it (``NAME.keys``).

All of them stand on one page of the database; without it no row of a damaged file could be proven,
and none would be brought over. Wrapped they are as safe here as there.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from pathlib import Path

from offline_queue.damage.aside import beside
from offline_queue.durable import sync_folder

_log = logging.getLogger(__name__)

_SUFFIX = ".keys"


def keep(path: Path, connection: sqlite3.Connection) -> None:
    """Make the copy what the file says, unless it is that already.

    A disk that does not take it is told in the log and costs nothing else: the file has its keys.
    """
    found = connection.execute("SELECT version, wrapped FROM key_ring ORDER BY version")
    text = "".join(f"{version} {wrapped.hex()}\n" for version, wrapped in found)
    spare, draft = beside(path, _SUFFIX), beside(path, f"{_SUFFIX}.new")
    try:
        if _read(spare) == text:
            return
        descriptor = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(spare)
        sync_folder(path.parent)
    except OSError as error:
        _log.warning("the spare keys are not kept: %s", error.strerror)


def fill(path: Path, connection: sqlite3.Connection) -> None:
    """Put back the keys that a salvaged file lacks."""
    for line in _read(beside(path, _SUFFIX)).splitlines():
        match line.split():
            case [version, wrapped] if version.isdecimal():
                try:
                    row = int(version), bytes.fromhex(wrapped)
                except ValueError:
                    continue
                connection.execute("INSERT OR IGNORE INTO key_ring VALUES (?, ?)", row)


def _read(file: Path) -> str:
    """What stands there, as far as it is text."""
    try:
        return file.read_text("ascii", "replace")
    except FileNotFoundError:
        return ""
