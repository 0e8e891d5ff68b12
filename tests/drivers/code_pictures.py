"""Pictures of codes for tests, made by segno."""

from __future__ import annotations

from typing import Any

import numpy as np
import segno

from drivers.frames import Picture


def code_picture(payload: bytes | str, module: int = 4, **options: Any) -> Picture:
    """Grey, with the quiet zone; bytes stand in it as they are."""
    if isinstance(payload, bytes):
        options.setdefault("mode", "byte")
    made = segno.make(payload, micro=False, **options)
    modules = np.array([[not dark for dark in row] for row in made.matrix], np.uint8) * 255
    padded = np.pad(modules, 4, constant_values=255)
    return np.kron(padded, np.ones((module, module), np.uint8))


def beside(*pictures: Picture) -> Picture:
    """On one sheet."""
    rows = max(len(each) for each in pictures)
    return np.hstack(
        [np.pad(each, ((0, rows - len(each)), (0, 0)), constant_values=255) for each in pictures]
    )
