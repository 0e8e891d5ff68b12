"""How long the terminal of these tests waits: everything else of it is as in the field."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib import import_module

import pytest

LIMITS: Mapping[str, float] = {
    "idle_seconds": 3,
    "warning_seconds": 0.3,
    "sensitive_seconds": 3,
    "pin_seconds": 2.5,
    "notice_seconds": 3,
    "reveal_seconds": 1,
    "help_seconds": 2,
    "attract_seconds": 60,
    "take_sheet_seconds": 3,
    "rating_seconds": 3,
    "slip_deadline": 3,
    "ship_seconds": 1,
    "print_deadline": 6,
    "card_deadline": 1.5,
    "card_offer_seconds": 1.5,
    "platform_deadline": 2.5,
    "platform_connect": 1,
    "platform_retry": 0.2,
    "device_retry": 0.1,
}
"""Of the terminal, in place of those of a walk through its window."""
DELAYS: Mapping[str, Mapping[str, float]] = {
    "drivers.szzt.pad:SzztTimes": {"answer": 0.4, "damaged": 0.1, "watch": 0.4},
    "drivers.gm65.scanner:Gm65Times": {"answer": 0.3, "margin": 0.2, "piece": 0.3},
    "drivers.sam_v.reader:SamVTimes": {"answer": 0.3, "read": 0.5, "probe": 0.1, "pause": 0.03},
    "drivers.sensor_board.board:SensorBoardTimes": {"answer": 0.2},
    "drivers.escpos.printer:EscposTimes": {"answer": 0.2, "look": 0.05, "part": 1.0, "slip": 2.5},
    "drivers.camera.live:CameraTimes": {
        "open": 0.6,
        "read": 0.4,
        "fresh": 0.05,
        "idle": 0.2,
        "first_pause": 0.05,
        "longest_pause": 0.1,
        "status": 0.6,
    },
    "drivers.camera.scanner:CameraScannerTimes": {"patience": 1.0},
    "drivers.ipp.watch:IppPatience": {
        "connect": 0.5,
        "answer": 0.5,
        "submit": 1.0,
        "poll": 0.02,
        "sheet": 2.0,
        "cancel": 1.0,
    },
    "drivers.crt591.line:Crt591Times": {
        "ack": 0.12,
        "clear": 0.05,
        "resend": 0.3,
        "query": 0.8,
        "card": 2.0,
        "move": 2.0,
        "init": 0.6,
        "again": 0.5,
    },
    "drivers.crt591.cards:Crt591CardTimes": {"poll": 0.1},
    "drivers.direct.service:DirectTimes": {"poll": 0.03},
    "kiosk.assembly:ReleaseTimes": {"poll": 0.05},
    "kiosk.assembly:WatchTimes": {"doubt": 0.05, "away_first": 0.05, "away_limit": 0.2},
}
"""Of the drivers, by the module that makes them."""
OTHERS: Mapping[str, object] = {
    "hw_sim.hall.terminal._WALK_LIMITS": LIMITS,
    "hw_sim.hall.terminal._WALK_PRINTER": {"patience": 1.0},
    "kiosk.id_station.WATCH_SECONDS": 0.3,
    "kiosk.assembly._CAMERA_SECONDS": 0.3,
    "hw_sim.cards.slots.HAND_SECONDS": 0.1,
}


def shorten(patches: pytest.MonkeyPatch) -> None:
    """Until the patches are undone."""
    for place, shorter in OTHERS.items():
        patches.setattr(place, shorter)
    for place, delays in DELAYS.items():
        module, name = place.split(":")
        whole = getattr(import_module(module), name)
        patches.setattr(f"{module}.{name}", partial(whole, **delays))
