"""Opening a terminal's queue for looking or for working, and saying why that cannot be."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.commands import CommandFailed, Exit, complain

if TYPE_CHECKING:
    from kiosk.keys import TerminalKeys
    from offline_queue.glance import Glance
    from offline_queue.queue import Queue

_DAMAGE = ("SQLITE_CORRUPT", "SQLITE_NOTADB")

_LOCKS = Path("/proc/locks")

_UNAVAILABLE = {
    "SQLITE_BUSY": "被其他进程占用，请稍后再试 another process holds it; try again",
    "SQLITE_LOCKED": "被其他进程占用，请稍后再试 another process holds it; try again",
    "SQLITE_FULL": "磁盘已满，请先腾出空间 the disk is full; free some room first",
    **dict.fromkeys(
        _DAMAGE,
        "文件已损坏，请勿删除；yikatong queue salvage 抢救 "
        "it is damaged; do not remove it, salvage it",
    ),
}


class QueueDamaged(CommandFailed):
    """The file is no healthy database."""


def queue_file(folder: Path) -> Path:
    """The queue of a state directory, which must be there: asking must not make one.

    Raises:
        CommandFailed: it is not.
    """
    path = folder / "queue.sqlite"
    with explaining(path):
        if path.is_file():
            return path
        if path.with_name(path.name + "-wal").exists():
            raise CommandFailed(
                Exit.STATE,
                f"{path} 不见了，但它的 WAL 还在，请勿删除；联系技术支持 "
                "is gone and its WAL is there; do not remove that, ask for support",
            )
    raise CommandFailed(
        Exit.STATE,
        f"没有队列 {path}：there is no queue; --state 指定状态目录 names another directory",
    )


def keys_of(folder: Path) -> TerminalKeys:
    """The terminal's keys. Raises CommandFailed."""
    from kiosk.keys import KeyStore

    with explaining(folder / "keys"):
        return KeyStore(folder / "keys").load()


@contextmanager
def looking(folder: Path) -> Iterator[Glance]:
    """The queue for looking only; it is left as it is, and the terminal may run.

    Raises:
        CommandFailed: it cannot be looked at.
    """
    from kiosk.clock import SystemClock
    from offline_queue.glance import Glance

    path = queue_file(folder)
    keys = keys_of(folder)
    with explaining(path), Glance(path, keys.queue_key, SystemClock()) as glance:
        yield glance


@contextmanager
def working(folder: Path) -> Iterator[tuple[Queue, TerminalKeys]]:
    """The queue for changing it, also beside a terminal that runs, which is said.

    Raises:
        CommandFailed: it cannot be opened.
    """
    from kiosk.clock import SystemClock
    from offline_queue.queue import Queue

    path = queue_file(folder)
    keys = keys_of(folder)
    if is_running(folder):
        complain("终端正在运行，改动即时生效 the terminal is running; it sees the change at once")
    with explaining(path), closing(Queue(path, keys.queue_key, SystemClock())) as queue:
        if queue.salvage is not None:
            complain(
                "文件曾损坏，已抢救，结果见 yikatong queue salvage "
                "the file was damaged and has been salvaged"
            )
        yield queue, keys


@contextmanager
def explaining(path: Path) -> Iterator[None]:
    """What is wrong with a file becomes `CommandFailed`, which says what to do."""
    from kiosk.keys import KeyStoreError
    from offline_queue.database import DatabaseError
    from offline_queue.errors import QueueError

    failed = None
    try:
        yield
    except BrokenPipeError:
        # The reader of our own output went away.
        raise
    except (KeyStoreError, DatabaseError, QueueError, sqlite3.Error, OSError) as problem:
        kind = QueueDamaged if _is_damage(problem) else CommandFailed
        failed = kind(Exit.STATE, _words(path, problem))
    if failed is not None:
        raise failed


def _is_damage(problem: Exception) -> bool:
    from offline_queue.errors import QueueUnavailable

    return isinstance(problem, QueueUnavailable) and problem.errorname.startswith(_DAMAGE)


def _words(path: Path, problem: Exception) -> str:
    from kiosk.keys import KeyFileRefused, NotEnrolled
    from offline_queue.database import DatabaseDamaged, SchemaTooNew
    from offline_queue.errors import KeysWrong, QueueFull, QueueUnavailable
    from offline_queue.glance import SchemaOlder
    from offline_queue.room import SpaceExhausted

    match problem:
        case NotEnrolled():
            return f"本机尚未登记 enrol first: yikatong provision enrol ({problem})"
        case KeyFileRefused():
            return f"密钥不可用 the keys are unusable: {problem}"
        case KeysWrong():
            return (
                f"{path}：队列由另一套设备密钥封存，请恢复原密钥，勿删除文件 "
                "another device key sealed it; bring the right keys back, do not remove the file"
            )
        case SchemaTooNew():
            return f"程序太旧，请更新 this program is too old: {problem}"
        case SchemaOlder():
            return (
                f"{path}：旧版队列，启动一次终端即可升级 "
                f"of an older version; start the terminal once to upgrade it ({problem})"
            )
        case DatabaseDamaged(copy=copy, finding=finding):
            return (
                f"{path}：文件已损坏，副本在 {copy}；请勿删除，yikatong queue salvage 抢救 "
                f"it is damaged ({finding}) and copied aside; do not remove it, salvage it"
            )
        case SpaceExhausted():
            return f"空间不足，未存入 no room, nothing was stored: {problem}"
        case QueueFull():
            return f"队列已满，未存入 the queue is full, nothing was stored: {problem}"
        case QueueUnavailable(errorname=name):
            known = next((words for code, words in _UNAVAILABLE.items() if code in name), "")
            return f"{path}：{known or '队列不可用 the queue is unusable'} ({name})"
        case OSError():
            return f"{path}：无法访问 cannot be used ({problem.strerror or problem})"
        case _:
            return f"{path}：队列不可用 the queue is unusable ({problem})"


def is_running(folder: Path) -> bool:
    """Whether a terminal works on the state directory. Taking the lock to see it could keep a
    terminal that starts just now from it; the kernel's own list does not."""
    try:
        found = (folder / "lock").stat()
        locks = _LOCKS.read_text("ascii")
    except OSError:
        return False
    number = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    return any("FLOCK" in line and number in line.split() for line in locks.splitlines())
