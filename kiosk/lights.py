"""The lights at the slots (灯带): where the screen waits for a hand, the light there blinks."""

from __future__ import annotations

import logging

from drivers.sensors import Light, LightSlot, Sensors
from kiosk.device_watch import DeviceLane
from kiosk.executor import Executor, Result
from kiosk.pages import (
    IdentifyPage,
    Page,
    RatingPage,
    SlipState,
    TakeCardPage,
    TakeSheetPage,
)

log = logging.getLogger(__name__)


def waits_at(page: Page) -> LightSlot | None:
    """Where a page waits for something to be put or taken; None where it waits for nothing."""
    match page:
        case IdentifyPage() | TakeCardPage(card=True):
            return LightSlot.CARD
        case TakeSheetPage():
            return LightSlot.PRINTER
        case RatingPage(slip=SlipState.OUT):
            return LightSlot.RECEIPT
        case _:
            return None


class SlotLights:
    """Sends on the sensors' lane what the lights show; used by one thread.

    A board that is missing, stuck or broken costs the light and nothing else.
    """

    def __init__(self, sensors: DeviceLane[Sensors]) -> None:
        self._sensors = sensors
        self._blinking: LightSlot | None = None

    def follow(self, page: Page, executor: Executor) -> None:
        """The screen shows this page now."""
        slot = waits_at(page)
        if slot is self._blinking or executor.stuck(self._sensors.lane):
            return
        before, self._blinking = self._blinking, slot
        executor.start(
            self._sensors.lane, lambda _report: self._show(before, slot), _ignore, _log_failure
        )

    def _show(self, before: LightSlot | None, slot: LightSlot | None) -> None:
        """On the lane's worker."""
        if before is not None:
            self._sensors.device.show(before, Light.OFF)
        if slot is not None:
            self._sensors.device.show(slot, Light.BLINK)


def _ignore(_value: object) -> None:
    """Lights report nothing on their way."""


def _log_failure(result: Result) -> None:
    if result.error is not None:
        log.error("the lights can't be set", exc_info=result.error)
