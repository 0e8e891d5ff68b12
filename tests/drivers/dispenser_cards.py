"""A dispenser with cards in it, as tests of its cards use it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hw_sim.dispenser.device import DispenserDevice
from tests.apdu.card_in_process import CHALLENGE_SEED

CHALLENGE = bytes.fromhex("0084000008")


@contextmanager
def plugged(folder: Path, cards: int = 0, move_seconds: float = 0.0) -> Iterator[DispenserDevice]:
    """A dispenser with so many blanks; nothing illegal may have reached it, nor a bug a card."""
    made = DispenserDevice(folder / "dispenser", move_seconds=move_seconds, seed=CHALLENGE_SEED)
    made.machine.stack(cards)
    made.plug()
    yield made
    made.unplug()
    assert made.illegal == ()
    assert made.machine.bugs == 0


def eventually(condition):
    pause = threading.Event()
    for _ in range(2000):
        if condition():
            return
        pause.wait(0.005)
    raise AssertionError("it did not happen")


def put(device, name):
    """A person waits until the gate is open."""
    eventually(lambda: device.machine.entry)
    with device.lock:
        device.machine.put(name)


def lay_in(device, dispenser, name):
    """A card at the contacts, without a service."""
    dispenser.allow_insertion(True)
    put(device, name)
    return dispenser.connect()
