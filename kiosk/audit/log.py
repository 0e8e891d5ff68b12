"""The audit log: its own file, appended and fsynced line by line, chained by SM3 (S5 6.3.2).

`AuditLog.write` returns when the line is on the disk. When it cannot be, `AuditUnavailable` says
so and the terminal must refuse service: what leaves no trace may not happen.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from kiosk.audit import anchor as anchors
from kiosk.audit import events, lines
from kiosk.audit.anchor import Anchor
from offline_queue.durable import sync_folder

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TAIL_BYTES = 65_536


class AuditUnavailable(Exception):
    """The log cannot be written: disk full, disk broken, in use. Refuse service."""


class AuditTampered(AuditUnavailable):
    """The log's end is not the one that was written. Refuse service, alarm (S5 6.4.5)."""


class AuditClock(Protocol):
    """What the log needs of a clock; the module `time` has it, `kiosk.clock.Clock` too."""

    def time(self) -> float: ...

    def monotonic(self) -> float: ...


class AuditLog:
    """The one writer of a terminal's audit file. Safe to call from several threads.

    On opening, a line torn by a power cut is moved into ``NAME.torn-OFFSET`` and recorded.

    Raises:
        AuditUnavailable: the file cannot be opened or another process has it.
        AuditTampered: lines that the head anchor knows are gone or changed, the last line is of
            another terminal, or it is no audit line.
    """

    def __init__(
        self, path: Path, terminal_id: str, clock: AuditClock, *, boot_id: str | None = None
    ) -> None:
        self._path = path
        self._terminal = terminal_id
        self._clock = clock
        self._boot = boot_id if boot_id is not None else _this_boot()
        self._lock = threading.Lock()
        self._broken = ""
        self._seq = 0
        self._last = lines.genesis(terminal_id)
        self._descriptor = _open(path)
        try:
            torn = self._continue()
            if torn:
                self.write("audit.torn-line", outcome="fault", detail={"bytes": torn})
        except BaseException:
            os.close(self._descriptor)
            raise

    @property
    def path(self) -> Path:
        """The log file."""
        return self._path

    @property
    def seq(self) -> int:
        """Sequence number of the newest line, 0 when there is none."""
        return self._seq

    def write(
        self,
        event: str,
        *,
        actor: str | None = None,
        outcome: str = "ok",
        visit: int | None = None,
        detail: Mapping[str, str | int] | None = None,
    ) -> None:
        """Append one line and return when it is durable.

        Args:
            event: id from events.toml.
            actor: value of `events.Actor`; None means the first that the catalogue names.
            outcome: value of `events.Outcome`.
            visit: number of the visit, None outside one.
            detail: only what the catalogue lists for the event.

        Raises:
            events.NotCatalogued: the caller is wrong; nothing was written.
            AuditUnavailable: nothing is known to be on the disk.
        """
        kind = events.event_kind(event)
        who = kind.who[0] if actor is None else events.actor_named(actor)
        kind.check(who, detail or {})
        result = events.outcome_named(outcome)
        with self._lock:
            raw = lines.encode(
                {
                    "actor": who.value,
                    "boot": self._boot,
                    "detail": dict(detail or {}),
                    "event": event,
                    "mono": round(self._clock.monotonic() * 1000),
                    "outcome": result.value,
                    "prev": self._last,
                    "seq": self._seq + 1,
                    "terminal": self._terminal,
                    "time": _utc(self._clock.time()),
                    "visit": visit,
                }
            )
            self._append(raw)
            self._seq += 1
            self._last = lines.digest(raw)
            # The line is durable; an anchor that cannot follow costs detection, not the line.
            with contextlib.suppress(OSError):
                anchors.write(anchors.beside(self._path), Anchor(self._seq, self._last))

    def close(self) -> None:
        """Stop writing. A second call does nothing."""
        with self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1
                self._broken = "the log is closed"

    def _append(self, raw: bytes) -> None:
        if self._broken:
            raise AuditUnavailable(self._broken)
        data = raw + b"\n"
        size = os.fstat(self._descriptor).st_size
        try:
            written = 0
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
        except OSError as problem:
            self._take_back(size)
            raise AuditUnavailable(f"{self._path}: {os.strerror(problem.errno or 0)}") from None
        try:
            os.fsync(self._descriptor)
        except OSError as problem:
            # The kernel reports a failed write-back once and then forgets it: what is on the disk
            # is unknown until the file is opened and read anew.
            self._broken = f"{self._path}: fsync failed ({os.strerror(problem.errno or 0)})"
            raise AuditUnavailable(self._broken) from None

    def _take_back(self, size: int) -> None:
        try:
            os.ftruncate(self._descriptor, size)
        except OSError:
            self._broken = f"{self._path}: half a line could not be taken back"

    def _continue(self) -> int:
        """Find the end of the chain; return the number of torn bytes that were moved aside."""
        size = os.fstat(self._descriptor).st_size
        start = max(0, size - _TAIL_BYTES)
        tail = os.pread(self._descriptor, size - start, start)
        whole, torn = _split(tail)
        if start and not whole:
            raise AuditTampered(f"{self._path}: its last {_TAIL_BYTES} bytes hold no line")
        if torn:
            self._move_aside(torn, size - len(torn))
        last = whole[:-1].rpartition(b"\n")[2]
        if last:
            try:
                line = lines.decode(last)
            except lines.MalformedLine as problem:
                raise AuditTampered(f"{self._path}: the last line {problem}") from None
            if line.terminal != self._terminal:
                raise AuditTampered(f"{self._path} belongs to terminal {line.terminal}")
            self._seq, self._last = line.seq, line.digest
        self._compare_with_anchor()
        return len(torn)

    def _compare_with_anchor(self) -> None:
        anchor = anchors.read(anchors.beside(self._path))
        if anchor is None:
            return
        if anchor.seq > self._seq:
            missing = f"ends at line {self._seq}, but line {anchor.seq} was written"
            raise AuditTampered(f"{self._path} {missing}")
        if anchor.seq == self._seq and anchor.digest != self._last:
            raise AuditTampered(f"{self._path}: line {self._seq} is not the one that was written")

    def _move_aside(self, torn: bytes, offset: int) -> None:
        aside = self._path.with_name(f"{self._path.name}.torn-{offset}")
        try:
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(torn)
                file.flush()
                os.fsync(file.fileno())
            sync_folder(self._path.parent)
            os.ftruncate(self._descriptor, offset)
            os.fsync(self._descriptor)
        except OSError as problem:
            raise AuditUnavailable(f"{aside}: {os.strerror(problem.errno or 0)}") from None


def _split(tail: bytes) -> tuple[bytes, bytes]:
    """The whole lines and what a power cut left of one after them.

    Torn is what has no newline, and a newline-ended last line with NUL bytes in it: blocks of it
    that never reached the disk read as zeros.
    """
    end = tail.rfind(b"\n") + 1
    start = tail[: end - 1].rfind(b"\n") + 1 if end else 0
    if b"\0" in tail[start:end]:
        end = start
    return tail[:end], tail[end:]


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        descriptor = os.open(path, flags, 0o600)
    except OSError as problem:
        raise AuditUnavailable(f"{path}: {os.strerror(problem.errno or 0)}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.fchmod(descriptor, 0o600)
        sync_folder(path.parent)
    except OSError as problem:
        os.close(descriptor)
        if problem.errno in (errno.EAGAIN, errno.EACCES):
            raise AuditUnavailable(f"{path} is in use by another process") from None
        raise AuditUnavailable(f"{path}: {os.strerror(problem.errno or 0)}") from None
    return descriptor


def _utc(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _this_boot() -> str:
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return "unknown"
