"""From fingers to decisions: one finger counts, down and up on the same thing is a touch.

No SDL here: positions are pixels, times are seconds of any steady clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from ui.inputs import Touched, TouchedNothing
from ui.scene import Focusable, Role, Scene

DEBOUNCE_SECONDS = 0.3
"""A second touch of the same thing within this time is a trembling hand or a bouncing panel."""

KEY_DEBOUNCE_SECONDS = 0.08
"""The same for a key, which people mean to press twice: no longer than a panel bounces."""

STALE_SECONDS = 5.0
"""A finger that rests so long may have been lost by its panel; the next one counts then."""

Pointer = tuple[str, int, int]
"""Kind (finger or mouse), device and finger."""


@dataclass
class TouchTracker:
    """Follows the one pointer that counts.

    Attributes:
        debounce: seconds, see `DEBOUNCE_SECONDS`.
        key_debounce: seconds, see `KEY_DEBOUNCE_SECONDS`.
        pressed: id of the thing that a finger rests on now, or empty: to be drawn darker.
    """

    debounce: float = DEBOUNCE_SECONDS
    key_debounce: float = KEY_DEBOUNCE_SECONDS
    pressed: str = ""
    _pointer: Pointer | None = None
    _since: float = 0.0
    _target: Focusable | None = None
    _last: tuple[str, float] | None = None

    def down(self, pointer: Pointer, at: tuple[float, float], scene: Scene, now: float) -> None:
        """A finger arrives; a second one while the first rests is ignored."""
        if self._pointer not in (None, pointer) and now - self._since < STALE_SECONDS:
            return
        self._pointer, self._since = pointer, now
        self._target = scene.at(*at)
        self.pressed = self._target.id if self._target else ""

    def move(self, pointer: Pointer, at: tuple[float, float]) -> None:
        """Away from its thing a finger no longer presses it; back on it, it does again."""
        if pointer == self._pointer and self._target is not None:
            self.pressed = self._target.id if self._target.rect.holds(*at) else ""

    def up(
        self, pointer: Pointer, at: tuple[float, float], now: float
    ) -> Touched | TouchedNothing | None:
        """A finger leaves: what it touched, or None when it does not count."""
        if pointer != self._pointer:
            return None
        target = self._target
        self._pointer, self._target, self.pressed = None, None, ""
        if target is None or not target.rect.holds(*at):
            return TouchedNothing()
        if self._last is not None:
            last_id, last_time = self._last
            debounce = self.key_debounce if target.role is Role.KEY else self.debounce
            if last_id == target.id and 0 <= now - last_time < debounce:
                self._last = (target.id, now)
                return None
        self._last = (target.id, now)
        return Touched(target.id)

    def scene_changed(self, scene: Scene) -> None:
        """What was pressed must still be there, at the same place, to be touched."""
        if self._target is not None and self._target not in scene.focus:
            self._target, self.pressed = None, ""
