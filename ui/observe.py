"""A line of JSON for every change of what can be touched: for automatic hands, voice and keys.

Ids, roles and rectangles only, never a text of the screen.
"""

from __future__ import annotations

import json
from typing import TextIO

from ui.scene import Scene
from ui.views import Screen


class Observer:
    """Writes the focus tree to a stream, one line a change, flushed at once.

    ``{"seq": 1, "view": "Menu", "name": "home", "overlay": false, "size": [w, h],
    "focus": [{"id": "help", "role": "tool", "rect": [x, y, w, h]}]}``
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._sequence = 0
        self._last: str | None = None

    def observe(self, screen: Screen, scene: Scene) -> None:
        """Write a line when this differs from the last one in more than its number."""
        told = {
            "view": type(screen.body).__name__,
            "name": screen.name,
            "overlay": screen.overlay is not None,
            "size": list(scene.size),
            "focus": [
                {"id": thing.id, "role": thing.role.value, "rect": list(thing.rect)}
                for thing in scene.focus
            ],
        }
        text = json.dumps(told, ensure_ascii=True)
        if text == self._last:
            return
        self._last = text
        self._sequence += 1
        self._stream.write(json.dumps({"seq": self._sequence, **told}, ensure_ascii=True) + "\n")
        self._stream.flush()
