"""Who holds a device already: a port has one owner, and looking must not disturb a kiosk."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_SHARED = frozenset({"pcsc", "ccid", "ipp", "cups"})
"""Drivers of devices that several programs may ask at a time: the card service, IPP and CUPS see to
that."""


@dataclass(frozen=True)
class Holder:
    """A program that holds a device.

    Attributes:
        pid: 0 where it can't be told.
        kiosk: it is this terminal's own program.
    """

    pid: int
    kiosk: bool


@dataclass(frozen=True)
class Locks:
    """The locks of this machine's processes, as the kernel lists them (proc(5))."""

    file: Path = Path("/proc/locks")

    def kiosk(self, state: Path) -> Holder | None:
        """The terminal that runs on this state directory."""
        pid = self._owner(state / "lock")
        return None if pid is None else Holder(pid, kiosk=True)

    def port(self, address: str) -> Holder | None:
        """The program that holds a device node; None where it is free or is no path."""
        pid = self._owner(Path(address)) if address.startswith("/") else None
        return None if pid is None else Holder(pid, kiosk=False)

    def _owner(self, path: Path) -> int | None:
        try:
            found = path.stat()
            lines = self.file.read_text("ascii").splitlines()
        except OSError:
            return None
        device = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
        for line in lines:
            words = line.split()
            # A process that waits for a lock has "->" in its second column.
            if len(words) >= 6 and words[1] in ("FLOCK", "OFDLCK") and words[5] == device:
                return max(0, int(words[4]))
        return None


def holder(driver: str, address: str, state: Path | None, locks: Locks) -> Holder | None:
    """Who holds a device of this driver, so that it is not to be asked now; None when nobody does.

    A kiosk opens its ports when it needs them: while it runs, all that has one owner is its own.
    """
    if driver in _SHARED:
        return None
    running = None if state is None else locks.kiosk(state)
    return running or locks.port(address)
