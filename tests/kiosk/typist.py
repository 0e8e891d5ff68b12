"""A simulated pad in a process of its own, and who types there: ``python -m tests.kiosk.typist``.

Arguments: the pad's link, its master key, the keys in hexadecimal, masked (`memory_search.masked`).
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from hw_sim.pad.device import PadDevice
from tests.kiosk.memory_search import unmasked


def main() -> None:
    link, master, keys = sys.argv[1:]
    pad = PadDevice(Path(link))
    pad.preload(20, bytes.fromhex(master))
    pad.plug()
    sys.stdout.write("plugged\n")
    sys.stdout.flush()
    while True:
        while pad.entry.name != "RUNNING":
            time.sleep(0.002)
        pad.press("".join(map(chr, unmasked(bytes.fromhex(keys)))))
        while pad.entry.name in ("RUNNING", "DONE"):
            time.sleep(0.002)


if __name__ == "__main__":
    main()
