"""Asking all devices once, each on a thread of its own and within a deadline."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from drivers.device import DeviceKind, Status
from kiosk.configured_devices import ConfiguredDevice
from kiosk.health_file import HEALTH_FILE, KioskView, read_healths
from provisioning.devices.in_use import Holder, Locks, holder

log = logging.getLogger(__name__)

DEADLINE = 12.0
"""Seconds; every driver but the dispenser's answers in less."""
_DEADLINES = {DeviceKind.DISPENSER: 25.0}
"""A dispenser that has lost a card looks for it first."""


@dataclass(frozen=True)
class Answer:
    """What came of asking one device.

    Attributes:
        status: None when it was not asked, or did not answer in time.
        holder: who holds it, so that it was not asked; None when it was.
        view: how the terminal that holds it sees it, where it has said so.
        bug: the driver itself failed.
    """

    device: ConfiguredDevice
    status: Status | None = None
    holder: Holder | None = None
    view: KioskView | None = None
    bug: bool = False


def ask(
    devices: Iterable[ConfiguredDevice],
    state: Path | None,
    *,
    locks: Locks | None = None,
    deadline: float | None = None,
) -> Iterator[Answer]:
    """Ask all at once and yield the answers in the order of the devices.

    A thread that a device holds is left behind: it is a daemon and ends with the process.
    """
    began = time.monotonic()
    running = [(device, _start(device, state, locks or Locks())) for device in devices]
    for device, answers in running:
        end = began + (deadline or _DEADLINES.get(device.kind, DEADLINE))
        try:
            yield answers.get(timeout=max(0.0, end - time.monotonic()))
        except queue.Empty:
            yield Answer(device)


def _start(device: ConfiguredDevice, state: Path | None, locks: Locks) -> queue.SimpleQueue[Answer]:
    answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put(_asked(device, state, locks))
        except OSError:
            # Its address is taken; that of a device is the driver's to tell.
            answers.put(Answer(device, holder=Holder(0, kiosk=False)))
        except Exception:
            log.exception("asking the %s failed", device.kind.value)
            answers.put(Answer(device, bug=True))

    threading.Thread(target=run, name=f"ask {device.kind.value}", daemon=True).start()
    return answers


def _asked(device: ConfiguredDevice, state: Path | None, locks: Locks) -> Answer:
    held = holder(device.driver, device.address, state, locks)
    if held is not None:
        views = read_healths(state / HEALTH_FILE) if held.kiosk and state is not None else {}
        return Answer(device, holder=held, view=views.get(device.kind))
    opened = device.open()
    try:
        return Answer(device, opened.status())
    finally:
        opened.close()
