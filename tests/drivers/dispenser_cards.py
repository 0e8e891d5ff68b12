"""A dispenser with cards in it, as tests of its cards use it."""

from __future__ import annotations

import threading

CHALLENGE = bytes.fromhex("0084000008")


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
