"""The one directory a terminal writes: audit, keys, intents, queue, cache, logs (DESIGN §6)."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from dataclasses import dataclass
from pathlib import Path

_FOLDER_MODE = 0o700


class StateError(Exception):
    """Base of what is wrong with a state directory."""


class StateUnusable(StateError):
    """The directory cannot be made, is not ours, or cannot be closed to others."""


class StateInUse(StateError):
    """Another process works on the same directory.

    Attributes:
        pid: that process, or None when it did not say.
    """

    def __init__(self, path: Path, pid: int | None) -> None:
        holder = "another process" if pid is None else f"process {pid}"
        super().__init__(f"{path} is in use by {holder}")
        self.pid = pid


class StateLock:
    """Held as long as this process may write the directory; the kernel frees it at death."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        """Give the directory free. A second call does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> StateLock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


@dataclass(frozen=True)
class StateDirectory:
    """Paths below one directory of mode 0700, made when missing.

    Reading (diagnostics, ``audit verify``) needs no lock; whoever writes takes `lock` first.

    Raises:
        StateUnusable: see there.
    """

    path: Path

    def __post_init__(self) -> None:
        for folder in (self.path, self.audit, self.keys, self.cache, self.logs):
            _own(folder)

    @property
    def audit(self) -> Path:
        """Folder of the audit log."""
        return self.path / "audit"

    @property
    def audit_log(self) -> Path:
        """The audit log itself, one JSON line an event."""
        return self.audit / "audit.jsonl"

    @property
    def keys(self) -> Path:
        """Folder of the terminal's keys and its enrolment record."""
        return self.path / "keys"

    @property
    def intents(self) -> Path:
        """SQLite file of the durable intents."""
        return self.path / "intents.sqlite"

    @property
    def queue(self) -> Path:
        """SQLite file of what waits for the platform."""
        return self.path / "queue.sqlite"

    @property
    def cache(self) -> Path:
        """Folder of what can be fetched again."""
        return self.path / "cache"

    @property
    def logs(self) -> Path:
        """Folder of the technical logs."""
        return self.path / "logs"

    def lock(self) -> StateLock:
        """Take the directory for this process alone.

        Raises:
            StateInUse: another process has it.
            StateUnusable: the lock file cannot be opened or locked.
        """
        file = self.path / "lock"
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as problem:
            raise StateUnusable(f"{file} cannot be opened ({problem.strerror})") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            holder = os.pread(descriptor, 20, 0).strip()
            os.close(descriptor)
            if problem.errno not in (errno.EAGAIN, errno.EACCES):
                raise StateUnusable(f"{file} cannot be locked ({problem.strerror})") from None
            raise StateInUse(self.path, int(holder) if holder.isdigit() else None) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        return StateLock(descriptor)

    def free_bytes(self) -> int:
        """Bytes that this process may still write on the directory's file system."""
        space = os.statvfs(self.path)
        return space.f_bavail * space.f_frsize


def _own(folder: Path) -> None:
    try:
        folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        found = folder.stat()
    except OSError as problem:
        raise StateUnusable(f"{folder} cannot be made ({problem.strerror})") from None
    if not stat.S_ISDIR(found.st_mode):
        raise StateUnusable(f"{folder} is no directory")
    if stat.S_IMODE(found.st_mode) != _FOLDER_MODE:
        with contextlib.suppress(PermissionError):
            folder.chmod(_FOLDER_MODE)
        if stat.S_IMODE(folder.stat().st_mode) != _FOLDER_MODE:
            raise StateUnusable(f"{folder} is open to others and belongs to somebody else")
