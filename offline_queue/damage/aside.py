"""Copies of a damaged file, and how to let go of it without changing it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

from offline_queue.durable import sync_folder

_CHUNK = 1 << 20

_SHARED_FIRST = 0x4000_0002
_SHARED_SIZE = 510
"""The bytes that each connection of SQLite holds locked, in a WAL's file as long as it is open
(sqlite3.c, os_unix: SHARED_FIRST)."""


def beside(path: Path, suffix: str) -> Path:
    """The file whose name goes on with a suffix."""
    return path.with_name(path.name + suffix)


def copy_aside(path: Path) -> Path:
    """Copy a file and its WAL into a folder beside them; durable when it returns.

    The folder's name follows the content, so that repeated starts on the same damage don't fill
    the disk with copies.

    Raises:
        OSError: the disk.
    """
    content = hashlib.sha256()
    present = [beside(path, s) for s in ("", "-wal") if beside(path, s).exists()]
    for file in present:
        with file.open("rb") as source:
            while chunk := source.read(_CHUNK):
                content.update(chunk)
    folder = beside(path, f".damaged-{content.hexdigest()[:12]}")
    if not folder.exists():
        draft = beside(path, f".copying-{secrets.token_hex(4)}")
        draft.mkdir(mode=0o700)
        try:
            for file in present:
                shutil.copyfile(file, draft / file.name)
                (draft / file.name).chmod(0o600)
                with (draft / file.name).open("rb") as copy:
                    os.fsync(copy.fileno())
            sync_folder(draft)
            try:
                draft.rename(folder)
            except OSError:
                # Another process may have copied the same meanwhile.
                if not folder.exists():
                    raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    sync_folder(path.parent)
    return folder


@contextlib.contextmanager
def untouched(path: Path) -> Iterator[None]:
    """Within it, the last connection that is closed writes no WAL into the file: SQLite takes us
    for another reader.

    Raises:
        OSError: the file is gone.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(BlockingIOError):
            _lock(descriptor, fcntl.F_RDLCK)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Whether nobody has the file open; if so, nobody can open it within.

    Raises:
        OSError: the file cannot be opened.
    """
    if not path.exists():
        yield True
        return
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        try:
            _lock(descriptor, fcntl.F_WRLCK)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def _lock(descriptor: int, kind: int) -> None:
    """A lock of the open file, not of the process: it also counts against our own connections."""
    request = struct.pack("hhqqi4x", kind, os.SEEK_SET, _SHARED_FIRST, _SHARED_SIZE, 0)
    fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, request)
