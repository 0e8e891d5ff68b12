"""What the operating system is asked for: no core dumps, small locked memory, a watchdog."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import socket
import time

_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
_PR_SET_DUMPABLE = 4


_MALLOC_SETTINGS = ((-8, 1), (-3, 64 * 1024), (-1, 64 * 1024))
"""mallopt(3): M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD."""


def keep_small() -> None:
    """Let freed memory go back to the system; before the first thread starts.

    glibc gives each thread an arena of its own and keeps what was freed in it; a kiosk's dozen
    workers share the interpreter's lock anyhow. Page pictures and answers get mappings of their
    own, which are gone when they are forgotten. Another C library ignores it.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        for parameter, value in _MALLOC_SETTINGS:
            libc.mallopt(parameter, value)


def harden() -> bool:
    """No core dumps; memory locked as it is touched, so that no PIN reaches a swap file.

    Returns:
        True when memory is locked. It is not where the limit of locked memory is small: with
        that, later allocations would fail (`yikatong doctor` tells the engineer).
    """
    libc = ctypes.CDLL(None, use_errno=True)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The limit does not hold for dumps that the kernel pipes to a program (core(5)).
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    limit, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if limit != resource.RLIM_INFINITY and os.geteuid() != 0:
        return False
    return bool(libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0)


class ServiceWatchdog:
    """Tells systemd (or whoever set NOTIFY_SOCKET) that the main loop still turns.

    Silent where nobody listens. `interval` is half of what the supervisor allows, None without
    a watchdog.
    """

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        allowed = int(os.environ.get("WATCHDOG_USEC", "0") or 0)
        self.interval = allowed / 2_000_000 if allowed and self._address else None
        self._last = 0.0

    def ready(self) -> None:
        """The first screen answers."""
        self._notify("READY=1")

    def beat(self) -> None:
        """The loop turned once more."""
        now = time.monotonic()
        if self.interval is not None and now - self._last >= self.interval / 2:
            self._last = now
            self._notify("WATCHDOG=1")

    def stopping(self) -> None:
        self._notify("STOPPING=1")

    def _notify(self, message: str) -> None:
        if not self._address:
            return
        address = self._address
        if address.startswith("@"):
            address = "\0" + address[1:]
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender,
        ):
            sender.sendto(message.encode(), address)
