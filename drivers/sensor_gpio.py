"""Sensors and lights on lines of a GPIO chip, by libgpiod.

The kernel debounces and keeps the edges that nobody has looked at yet, so that a tamper loop that
was open for a moment is seen at the next look.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from drivers.device import most_urgent
from drivers.sensors import Light, LightSlot, SensorsNote, SensorsReason, SensorsStatus

if TYPE_CHECKING:
    from gpiod import LineRequest

_MANY = 64
_READS = 16
"""Reads of so many edges at one look: a line that never stops flickering must not hold us up."""


@dataclass(frozen=True)
class SensorGpioTimes:
    """Delays in seconds.

    Attributes:
        door, presence: that a level must stay to count.
        blink: that a blinking light is on, and off.
    """

    door: float = 0.2
    presence: float = 0.3
    blink: float = 0.5


class GpioLines(Protocol):
    """Offsets of lines on the chip, None for what is not wired."""

    @property
    def door(self) -> int | None: ...
    @property
    def tamper(self) -> int | None: ...
    @property
    def presence(self) -> int | None: ...
    @property
    def card_light(self) -> int | None: ...
    @property
    def receipt_light(self) -> int | None: ...
    @property
    def printer_light(self) -> int | None: ...


class SensorGpio:
    """`Sensors` on a GPIO chip. The lines are requested by the first call, and again after they
    were lost.

    Args:
        chip: such as ``/dev/gpiochip0``.
        lines: a line is on when the door is open, the tamper loop is open, somebody is present,
            or a light shines.
        active_low: names of the lines (`GpioLines`) that are on when they are low.
        request: as `gpiod.request_lines`, None for that.
    """

    def __init__(
        self,
        chip: str,
        lines: GpioLines,
        times: SensorGpioTimes | None = None,
        *,
        active_low: frozenset[str] = frozenset(),
        request: Callable[..., LineRequest] | None = None,
    ) -> None:
        self._chip = chip
        self._times = times or SensorGpioTimes()
        self._active_low = active_low
        self._request = request
        self._door, self._tamper, self._presence = lines.door, lines.tamper, lines.presence
        places = {
            LightSlot.CARD: lines.card_light,
            LightSlot.RECEIPT: lines.receipt_light,
            LightSlot.PRINTER: lines.printer_light,
        }
        self._lights = {slot: line for slot, line in places.items() if line is not None}
        self._wanted = dict.fromkeys(self._lights, Light.OFF)
        # libgpiod's requests are not for several threads, and blinking needs one.
        self._lock = threading.RLock()
        self._lines: LineRequest | None = None
        self._bright = False
        self._changed = threading.Event()
        self._blinker: threading.Thread | None = None

    def status(self) -> SensorsStatus:
        with self._lock:
            try:
                return self._look()
            except (OSError, ValueError):
                self._lose()
                return SensorsStatus(SensorsReason.GONE)

    def show(self, slot: LightSlot, light: Light) -> bool:
        with self._lock:
            if slot not in self._lights:
                return True
            self._wanted[slot] = light
            try:
                self._opened()
                self._shine()
            except (OSError, ValueError):
                self._lose()
                return False
            finally:
                self._blink()
        return True

    def close(self) -> None:
        with self._lock:
            self._wanted = dict.fromkeys(self._lights, Light.OFF)
            if self._lines is not None:
                with contextlib.suppress(OSError, ValueError):
                    self._shine()
            self._lose()
            blinker, self._blinker = self._blinker, None
            self._changed.set()
        if blinker is not None:
            blinker.join(1)

    def _look(self) -> SensorsStatus:
        """Raises OSError: the chip is gone, or its lines are somebody else's."""
        from gpiod import EdgeEvent
        from gpiod.line import Value

        lines = self._opened()
        tampered = False
        for _ in range(_READS):
            if not lines.wait_edge_events(0):
                break
            tampered = tampered or any(
                edge.line_offset == self._tamper and edge.event_type is EdgeEvent.Type.RISING_EDGE
                for edge in lines.read_edge_events(_MANY)
            )
        watched = [line for line in (self._door, self._tamper, self._presence) if line is not None]
        levels = dict(zip(watched, lines.get_values(watched), strict=True)) if watched else {}
        on = {line for line, value in levels.items() if value is Value.ACTIVE}
        reasons = {SensorsReason.TAMPERED} if tampered or self._tamper in on else set()
        return SensorsStatus(
            most_urgent(reasons, SensorsReason),
            frozenset({SensorsNote.DOOR_OPEN} if self._door in on else ()),
            self._presence in on,
        )

    def _opened(self) -> LineRequest:
        """Raises OSError: there is no such chip, or a line is taken."""
        if self._lines is None:
            import gpiod

            request = self._request or gpiod.request_lines
            self._lines = request(self._chip, consumer="yikatong", config=self._settings())
            self._shine()
        return self._lines

    def _settings(self) -> dict[Any, Any]:
        from gpiod import LineSettings
        from gpiod.line import Direction, Edge, Value

        def sensor(name: str, stays: float) -> LineSettings:
            return LineSettings(
                direction=Direction.INPUT,
                edge_detection=Edge.BOTH,
                active_low=name in self._active_low,
                debounce_period=timedelta(seconds=stays),
            )

        found = {
            self._door: sensor("door", self._times.door),
            # The shortest opening counts.
            self._tamper: sensor("tamper", 0),
            self._presence: sensor("presence", self._times.presence),
        }
        for slot, line in self._lights.items():
            found[line] = LineSettings(
                direction=Direction.OUTPUT,
                active_low=f"{slot.value}_light" in self._active_low,
                output_value=Value.INACTIVE,
            )
        return {line: settings for line, settings in found.items() if line is not None}

    def _shine(self) -> None:
        """Raises OSError: the chip is gone."""
        from gpiod.line import Value

        if self._lines is None or not self._lights:
            return
        levels: dict[int | str, Value] = {}
        for slot, line in self._lights.items():
            light = self._wanted[slot]
            on = light is Light.ON or (light is Light.BLINK and self._bright)
            levels[line] = Value.ACTIVE if on else Value.INACTIVE
        self._lines.set_values(levels)

    def _lose(self) -> None:
        lines, self._lines = self._lines, None
        if lines is not None:
            with contextlib.suppress(OSError):
                lines.release()

    # --- blinking --------------------------------------------------------------------------------

    def _blink(self) -> None:
        """A thread lives as long as a light blinks."""
        if self._blinker is None and Light.BLINK in self._wanted.values():
            self._changed.clear()
            self._blinker = threading.Thread(target=self._run, name="lights", daemon=True)
            self._blinker.start()

    def _run(self) -> None:
        while not self._changed.wait(self._times.blink):
            with self._lock:
                if self._blinker is not threading.current_thread():
                    return
                if Light.BLINK not in self._wanted.values():
                    self._blinker = None
                    return
                self._bright = not self._bright
                with contextlib.suppress(OSError, ValueError):
                    self._shine()
