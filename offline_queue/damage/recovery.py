"""Opening a queue whatever became of its file: what is damaged is salvaged, and that is told.

A salvage ends in four steps, each on the disk before the next begins:

1. ``NAME.salvaged`` is the whole new file; ``NAME.report.json`` tells about it.
2. The old file's WAL goes. (SQLite would play it into whatever file stands beside it.)
3. ``NAME.salvaged`` takes the name of the old file.
4. Whoever raised the alarm calls `told`, and the report by the queue's side goes.

Killed before the end of 1, the next start begins anew; after it, the next start goes on with 2.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from offline_queue.damage.aside import alone, beside
from offline_queue.damage.layout import Layout
from offline_queue.damage.losses import SalvageReport, from_json
from offline_queue.damage.proof import Keyring
from offline_queue.damage.salvage import salvage, schema_of
from offline_queue.database import (
    BUSY_TIMEOUT_MS,
    DatabaseDamaged,
    SchemaTooNew,
    open_durable,
)
from offline_queue.durable import sync_folder

_SIDE_FILES = ("-wal", "-shm", "-journal")


def open_recovered(
    path: Path,
    *,
    migrations: Sequence[Sequence[str]],
    keyring: Keyring,
    busy_timeout_ms: int = BUSY_TIMEOUT_MS,
    check_same_thread: bool = True,
) -> tuple[sqlite3.Connection, SalvageReport | None]:
    """Open as `open_durable` does; a damaged file is salvaged first.

    Returns:
        The connection, and the report of a salvage that nobody has been told of yet (`told`).

    Raises:
        KeysWrong: the file is damaged, and there are no keys to prove its rows by. It was left.
        DatabaseDamaged: the same, because another process has it open.
        DurabilityRefused, SchemaTooNew, OSError, sqlite3.Error: as `open_durable`.
    """

    def opened() -> sqlite3.Connection:
        return open_durable(
            path,
            migrations=migrations,
            busy_timeout_ms=busy_timeout_ms,
            check_same_thread=check_same_thread,
        )

    with _folder(path.parent, fcntl.LOCK_SH):
        if not beside(path, ".salvaged").exists():
            with contextlib.suppress(DatabaseDamaged):
                return opened(), _untold(path)
    with _folder(path.parent, fcntl.LOCK_EX):
        _replace(path)
        try:
            # Another process may have been faster.
            return opened(), _untold(path)
        except DatabaseDamaged as damaged:
            with alone(path) as nobody_else:
                if not nobody_else:
                    raise
                _salvage(path, damaged, migrations, keyring)
                _replace(path)
        return opened(), _untold(path)


def told(path: Path) -> None:
    """Somebody knows of the salvage: the report stays beside the copy of the damaged file alone.

    Raises:
        OSError: the disk.
    """
    beside(path, ".report.json").unlink(missing_ok=True)
    sync_folder(path.parent)


def _salvage(
    path: Path,
    damaged: DatabaseDamaged,
    migrations: Sequence[Sequence[str]],
    keyring: Keyring,
) -> None:
    for leftover in path.parent.glob(f"{path.name}.copying-*"):
        shutil.rmtree(leftover)
    copy = damaged.copy / path.name
    version, newest = schema_of(copy, _layouts(migrations)), len(migrations)
    if version > newest:
        raise SchemaTooNew(f"{path} has schema {version}; this program knows up to {newest}")
    if version < newest:
        # Its rows prove themselves otherwise; the program that wrote it can salvage it.
        raise damaged
    draft = beside(path, ".salvaging")
    _remove(draft)
    try:
        with contextlib.closing(open_durable(draft, migrations=migrations)) as target:
            report = salvage(copy, target, keyring, finding=damaged.finding)
            target.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except BaseException:
        _remove(draft)
        raise
    # Closed, it has no WAL; opened again, it is checked as every file is.
    open_durable(draft, migrations=migrations).close()
    text = json.dumps(report.as_json(), indent=1)
    for place in (damaged.copy / "report.json", beside(path, ".report.json")):
        _write(place, text)
    draft.rename(beside(path, ".salvaged"))
    sync_folder(path.parent)


def _remove(draft: Path) -> None:
    for suffix in ("", *_SIDE_FILES):
        beside(draft, suffix).unlink(missing_ok=True)


def _layouts(migrations: Sequence[Sequence[str]]) -> list[Layout]:
    """The tables of each schema version."""
    found = []
    with contextlib.closing(sqlite3.connect(":memory:")) as model:
        for statements in migrations:
            for statement in statements:
                model.execute(statement)
            found.append(Layout(model))
    return found


def _replace(path: Path) -> None:
    whole = beside(path, ".salvaged")
    if not whole.exists():
        return
    for suffix in _SIDE_FILES:
        beside(path, suffix).unlink(missing_ok=True)
    sync_folder(path.parent)
    whole.rename(path)
    sync_folder(path.parent)


def _untold(path: Path) -> SalvageReport | None:
    try:
        return from_json(beside(path, ".report.json").read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        # Somebody must still be told.
        return SalvageReport("the report of a salvage cannot be read")


def _write(place: Path, text: str) -> None:
    draft = beside(place, ".part")
    with draft.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(place)
    sync_folder(place.parent)


@contextlib.contextmanager
def _folder(folder: Path, kind: int) -> Iterator[None]:
    """One salvage at a time, and none while somebody is between two steps of opening."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, kind)
        yield
    finally:
        os.close(descriptor)
