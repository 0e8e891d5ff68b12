"""Messages for bundles, and what the platform has of them."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

from hw_sim.platform.bundle_intake import Receipts, import_bundle
from hw_sim.platform.store import Store
from tests.hw_sim.bundle_terminal import (
    ALARMS,
    EVENTS,
    Part,
)
from tests.hw_sim.platform_terminal import NOW, Stage, Terminal, alarm
from tests.hw_sim.test_platform_batches import audit_range, evaluation, line_of, outcome

LATER = NOW + 86_400
numbers = itertools.count(1)


def encoded(document: object) -> bytes:
    return json.dumps(document).encode()


def some_parts(terminal: Terminal, count: int = 4) -> list[Part]:
    """Alarms, and events of each kind, with keys of their own; the audit log in its order."""
    parts, line = [], None
    for number in range(1, count + 1):
        key, seq = f"usb-{next(numbers)}", 3 * number
        match number % 4:
            case 1:
                parts.append(Part(seq, ALARMS, key, encoded(alarm(f"device-{number}"))))
            case 2:
                parts.append(Part(seq, EVENTS, key, evaluation(key)))
            case 3:
                parts.append(Part(seq, EVENTS, key, outcome(key)))
            case _:
                item = audit_range(terminal, number // 4, line)
                line = line_of(item)
                parts.append(Part(seq, EVENTS, *item))
    return parts


def take_in(store: Store, stick: Path, content: bytes, now: int = LATER) -> Receipts:
    (stick / "a.bundle").write_bytes(content)
    return import_bundle(store, stick / "a.bundle", stick / "a.receipts", now)


def recorded(stage: Stage, terminal: Terminal) -> int:
    own = [each for each in stage.server.events() if each["terminal_id"] == terminal.terminal_id]
    alarms = [each for each in stage.server.alarms() if each.terminal_id == terminal.terminal_id]
    return len(own) + len(alarms)
