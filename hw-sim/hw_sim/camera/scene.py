"""What the simulated camera sees: the hall, codes and pictures that are held up, noise.

Every picture is drawn here; nothing is taken from a real hall or person.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""Rows x columns x 3: blue, green, red."""

COLUMNS, ROWS = 1280, 720
LONGEST_CODE = 2_953
"""Bytes; a QR code of version 40 holds no more in byte mode (ISO/IEC 18004)."""

_QUIET_ZONE = 4


@dataclass(frozen=True)
class HeldCode:
    """A QR code on a white card.

    Attributes:
        size: pixels of its edge, with the quiet zone.
        turn: degrees it is turned by.
        lean: how much its far edge is shorter, 0 to below 1.
        blur: standard deviation of the lens's blur, pixels.
        across, down: its middle, as a share of the picture.
    """

    payload: bytes = field(repr=False)
    size: int = 320
    turn: float = 0.0
    lean: float = 0.0
    blur: float = 0.0
    across: float = 0.5
    down: float = 0.5


@dataclass(frozen=True, eq=False)
class HeldPicture:
    """A picture in front of the camera, such as a face.

    Attributes:
        width: pixels that it takes.
        across, down: its middle, as a share of the camera's picture.
    """

    image: Picture = field(repr=False)
    width: int = 480
    across: float = 0.5
    down: float = 0.5


Held = HeldCode | HeldPicture


def draw(held: tuple[Held, ...], *, dark: bool = False) -> Picture:
    """The hall with what is held up in it, without noise.

    Raises:
        ValueError: no QR code holds a payload; the text does not repeat it.
    """
    if dark:
        return np.full((ROWS, COLUMNS, 3), 4, np.uint8)
    seen = _hall().copy()
    for each in held:
        match each:
            case HeldCode():
                _hold_code(seen, each)
            case HeldPicture():
                _hold_picture(seen, each)
    return seen


def noisy(seen: Picture, rng: np.random.Generator, sigma: float = 5.0) -> Picture:
    """As the sensor gives it."""
    # A tile of noise, moved and turned, is a tenth of the work of as much fresh noise.
    tile = rng.normal(0, sigma, (ROWS // 4, COLUMNS // 4, 3)).astype(np.int16)
    grain = np.tile(tile, (4, 4, 1))
    grainy: Picture = np.clip(seen + grain, 0, 255).astype(np.uint8)
    return grainy


def jpeg(seen: Picture, quality: int = 85) -> bytes:
    """As it goes on the wire."""
    _, packed = cv2.imencode(".jpg", seen, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return bytes(packed)


@cache
def _hall() -> Picture:
    """A wall with a window, a counter, a notice board and a floor; no code, nobody."""
    seen = np.empty((ROWS, COLUMNS, 3), np.uint8)
    light = np.linspace(190, 110, COLUMNS)[None, :] - np.linspace(0, 40, ROWS)[:, None]
    seen[:] = np.clip(light[:, :, None] + np.array([6, 2, -4]), 0, 255).astype(np.uint8)
    cv2.rectangle(seen, (60, 60), (380, 330), (235, 228, 210), -1)
    for x in (60, 166, 273, 380):
        cv2.line(seen, (x, 60), (x, 330), (120, 118, 116), 6)
    cv2.rectangle(seen, (880, 90), (1210, 320), (150, 96, 40), -1)
    for row in range(5):
        y = 130 + 40 * row
        cv2.putText(seen, "NOTICE 0429 9000", (900, y), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (240,) * 3)
    cv2.rectangle(seen, (0, 520), (COLUMNS, 580), (70, 84, 110), -1)
    for x in range(0, COLUMNS, 80):
        cv2.line(seen, (x, 580), (2 * x - COLUMNS // 2, ROWS), (96, 100, 104), 2)
    return cv2.GaussianBlur(seen, (0, 0), 1.0).astype(np.uint8)


def _hold_code(seen: Picture, code: HeldCode) -> None:
    modules = _modules(code.payload)
    zoom = 8
    card = cv2.resize(modules, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_NEAREST)
    edge = len(card)
    if code.size < edge:
        card = cv2.GaussianBlur(card, (0, 0), 0.4 * edge / code.size)
    half = code.size / 2
    far = half * (1 - code.lean)
    corners = np.array([[-far, -half], [far, -half], [half, half], [-half, half]])
    angle = np.deg2rad(code.turn)
    spin = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    target = corners @ spin.T + [code.across * COLUMNS, code.down * ROWS]
    source = np.array([[0, 0], [edge, 0], [edge, edge], [0, edge]])
    matrix = cv2.getPerspectiveTransform(source.astype(np.float32), target.astype(np.float32))
    size = (COLUMNS, ROWS)
    held = cv2.warpPerspective(card, matrix, size, flags=cv2.INTER_LINEAR)
    inside = cv2.warpPerspective(np.full_like(card, 255), matrix, size) > 127
    if code.blur:
        held = cv2.GaussianBlur(held, (0, 0), code.blur, borderType=cv2.BORDER_REPLICATE)
    seen[inside] = held[inside][:, None]


def _hold_picture(seen: Picture, held: HeldPicture) -> None:
    rows, columns = held.image.shape[:2]
    height = max(1, round(held.width * rows / columns))
    image = cv2.resize(held.image, (held.width, height), interpolation=cv2.INTER_AREA)
    left = round(held.across * COLUMNS - held.width / 2)
    top = round(held.down * ROWS - height / 2)
    part = image[max(0, -top) : ROWS - top, max(0, -left) : COLUMNS - left]
    top, left = max(0, top), max(0, left)
    seen[top : top + part.shape[0], left : left + part.shape[1]] = part


def _modules(payload: bytes) -> NDArray[np.uint8]:
    """0 or 255 for each module, with the quiet zone."""
    from qrcode import QRCode
    from qrcode.constants import ERROR_CORRECT_L

    if not 0 < len(payload) <= LONGEST_CODE:
        raise ValueError(f"a code holds 1 to {LONGEST_CODE} bytes")
    code = QRCode(error_correction=ERROR_CORRECT_L, border=_QUIET_ZONE)
    # In one piece: cut into pieces, some payloads would not fit any more.
    code.add_data(payload, optimize=0)
    code.make(fit=True)
    return np.where(np.array(code.get_matrix()), 0, 255).astype(np.uint8)
