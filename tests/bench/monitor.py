"""What the watch over sixteen readers costs while nothing happens, through the real pcscd."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from drivers.events import CardInserted
from tests.bench.figure import Figure
from tests.drivers.pcscd_daemon import UNSHARE, readers, settle_in, slot_names, slot_ports
from tests.drivers.socket_card import ATR, SocketCard

STANZAS = 8
SETTLE, WINDOW = 2, 20
"""Seconds; the monitor lists the readers anew every five."""
LIMIT = 0.5
"""Per cent of a core."""


def figures() -> Iterator[Figure]:
    """Measures; needs pcscd, the virtual reader and namespaces of its own (`pcscd_daemon`)."""
    done = subprocess.run(
        [*UNSHARE, sys.executable, "-m", __name__],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    yield Figure.of("card.monitor_idle", float(done.stdout), "%", LIMIT, "limit, of a core")


def idle_percent() -> float:
    """CPU time of this process, in per cent of a core: the monitor and nothing else."""
    settle_in()
    with readers(STANZAS) as (_daemon, _service, box):
        card = SocketCard(("127.0.0.1", slot_ports(STANZAS)[0])).insert()
        assert box.take(1) == [CardInserted(slot_names(STANZAS)[0], ATR)]
        card.remove()
        box.take(1)
        time.sleep(SETTLE)
        began = time.process_time()
        time.sleep(WINDOW)
        spent = time.process_time() - began
    return 100 * spent / WINDOW


if __name__ == "__main__":
    sys.stdout.write(f"{idle_percent()}\n")
