"""Generated stills of QR codes, each spoiled in one way of the hall or in several, more or less.

The same ones every time: each still has a seed of its own.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import segno
from numpy.typing import NDArray

Grey = NDArray[np.uint8]

EACH = 22
"""Stills of one way, the first hardly spoiled, the last beyond what anybody reads."""

_ECARD = b"SSC1:4299A0C3F17D5B2E9048866120AD31"
_URL = b"https://rs.jiangcheng.example/verify?c=7K2M9QXA4T&d=b6d1e0f47a2c9385"
_CHINESE = "江城市人力资源和社会保障局 参保证明 查验码 7K2M-9QXA"


@dataclass(frozen=True)
class Still:
    """A grey picture with one code.

    Attributes:
        way: how it is spoiled.
        payload: what stands in the code, byte for byte.
    """

    way: str
    image: Grey
    payload: bytes


def stills() -> Iterator[Still]:
    """All of them."""
    for way in _WAYS:
        for place in range(EACH):
            yield still(way, place)


def ways() -> tuple[str, ...]:
    """How stills are spoiled."""
    return tuple(_WAYS)


def still(way: str, place: int) -> Still:
    """One of them; `place` 0..EACH-1, the higher the more spoiled."""
    rng = np.random.default_rng([zlib.crc32(way.encode()), place])
    code, payload = _code(way, place)
    image = _WAYS[way](code, place / (EACH - 1), rng)
    return Still(way, image, payload)


def scene(rng: np.random.Generator, height: int = 480, width: int = 640) -> Grey:
    """A hall without any code: surfaces, edges, lamps, lines of text, and the camera's noise."""
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    tilt = rng.uniform(-1, 1, 2)
    base = 120 + 50 * (tilt[0] * (across - 0.5) + tilt[1] * (down - 0.5))
    image = base.astype(np.uint8)
    for _ in range(24):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        size = int(rng.integers(8, height // 3))
        shade = int(rng.integers(20, 235))
        match int(rng.integers(0, 3)):
            case 0:
                cv2.rectangle(image, (x, y), (x + size, y + size // 2), shade, -1)
            case 1:
                cv2.circle(image, (x, y), size // 3, shade, -1)
            case _:
                text = "".join(chr(int(c)) for c in rng.integers(48, 91, 14))
                cv2.putText(image, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, size / 120, shade, 2)
    return _noisy(cv2.GaussianBlur(image, (0, 0), 0.8), 3, rng)


def held_up(payload: bytes, seen: Grey, size: int) -> Grey:
    """A code of so many pixels in the middle of a scene."""
    made = segno.make(payload, mode="byte", micro=False)
    card = cv2.resize(_modules(made), (size, size), interpolation=cv2.INTER_AREA)
    image = seen.copy()
    top, left = (image.shape[0] - size) // 2, (image.shape[1] - size) // 2
    image[top : top + size, left : left + size] = card
    return image


# --- the code and its place in the picture --------------------------------------------------------


def _code(way: str, place: int) -> tuple[Grey, bytes]:
    """A code's modules, and what stands in it."""
    level = "LMQH"[place % 4]
    options: dict[str, object] = {"error": level, "boost_error": False, "micro": False}
    match way:
        case "utf-8":
            payload = _CHINESE[: 8 + place].encode()
            made = segno.make(payload, mode="byte", **options)
        case "gbk":
            payload = _CHINESE[: 8 + place].encode("gb18030")
            made = segno.make(payload, mode="byte", **options)
        case "hanzi":
            text = _CHINESE.replace(" ", "")[: 4 + place % 16]
            payload = text.encode("gb2312")
            made = segno.make(text, mode="hanzi", **options)
        case "dense":
            payload = (_URL * 8)[: 100 + 18 * place]
            made = segno.make(payload, mode="byte", **options)
        case _:
            payload = (_ECARD, _URL)[place % 2]
            made = segno.make(payload, mode="byte", **options)
    return _modules(made), payload


def _modules(code: segno.QRCode) -> Grey:
    """0 or 255 for each, with the quiet zone."""
    modules = np.array([[not dark for dark in row] for row in code.matrix], np.uint8) * 255
    return np.pad(modules, 4, constant_values=255)


def _placed(
    code: Grey,
    rng: np.random.Generator,
    *,
    module: float = 6.0,
    turn: float | None = None,
    lean: float = 0.0,
) -> Grey:
    """The code held before the camera.

    Args:
        module: pixels of one module.
        turn: degrees; None for any within 15.
        lean: how much the far edge is shorter, 0..1.
    """
    side = len(code) * module
    height, width = max(480, int(side * 1.5)), max(640, int(side * 2))
    zoom = 8
    large = cv2.resize(code, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_NEAREST)
    if module < zoom:
        # What is made smaller is averaged first, as a lens and a sensor do.
        large = cv2.GaussianBlur(large, (0, 0), 0.4 * zoom / module)
    edge = len(large)
    middle = np.array([width / 2, height / 2]) + rng.uniform(-20, 20, 2)
    angle = np.deg2rad(rng.uniform(-15, 15) if turn is None else turn)
    spin = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float) * side / 2
    corners[:2, 0] *= 1 - lean
    corners[:, 1] *= 1 - lean / 2
    target = (corners @ spin.T + middle).astype(np.float32)
    source = np.array([[0, 0], [edge, 0], [edge, edge], [0, edge]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)
    held = cv2.warpPerspective(large, matrix, (width, height), flags=cv2.INTER_AREA)
    inside = cv2.warpPerspective(np.full_like(large, 255), matrix, (width, height))
    around = scene(rng, height, width)
    return np.where(inside > 127, held, around).astype(np.uint8)


def _contrast(image: Grey, share: float, middle: float = 128) -> Grey:
    return np.clip((image.astype(float) - 128) * share + middle, 0, 255).astype(np.uint8)


def _noisy(image: Grey, sigma: float, rng: np.random.Generator) -> Grey:
    return np.clip(image + rng.normal(0, sigma, image.shape), 0, 255).astype(np.uint8)


def _motion(image: Grey, length: float, angle: float) -> Grey:
    size = int(length) | 1
    kernel = np.zeros((size, size), np.float32)
    kernel[size // 2] = 1
    spin = cv2.getRotationMatrix2D((size / 2 - 0.5, size / 2 - 0.5), angle, 1)
    kernel = cv2.warpAffine(kernel, spin, (size, size))
    return cv2.filter2D(image, -1, kernel / kernel.sum()).astype(np.uint8)


# --- the ways, `hard` from 0 to 1 -----------------------------------------------------------------


def _blur(code: Grey, hard: float, rng: np.random.Generator) -> Grey:
    image = _placed(code, rng)
    return _noisy(cv2.GaussianBlur(image, (0, 0), 0.5 + 5.0 * hard), 2, rng)


def _shake(code: Grey, hard: float, rng: np.random.Generator) -> Grey:
    return _noisy(_motion(_placed(code, rng), 3 + 14 * hard, rng.uniform(0, 180)), 2, rng)


def _tilt(code: Grey, hard: float, rng: np.random.Generator) -> Grey:
    return _placed(code, rng, turn=rng.uniform(0, 360), lean=0.1 + 0.55 * hard)


def _noise(code: Grey, hard: float, rng: np.random.Generator) -> Grey:
    return _noisy(_contrast(_placed(code, rng), 0.6), 8 + 90 * hard, rng)


def _faint(code: Grey, hard: float, rng: np.random.Generator) -> Grey:
    """Low contrast: a dim phone, or a bleached slip."""
    share = 0.3 * (1 - hard) + 0.02
    image = _contrast(_placed(code, rng), share, rng.choice([40, 128, 225]))
    return _noisy(image, 1.5, rng)


def _small(code: Grey, hard: float, rng: np.random.Generator) -> Grey:
    return _noisy(_placed(code, rng, module=2.4 - 1.3 * hard), 2, rng)


def _shadow(code: Grey, hard: float, rng: np.random.Generator) -> Grey:
    """Uneven light: a lamp from one side, and an edge of shadow across the code."""
    image = _placed(code, rng).astype(float)
    height, width = image.shape
    across, down = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    angle = rng.uniform(0, 2 * np.pi)
    toward = across * np.cos(angle) + down * np.sin(angle)
    light = 1 - (0.4 + 0.55 * hard) * np.clip(0.5 + 1.5 * toward, 0, 1)
    light *= np.where(toward + 0.3 * across > 0.05, 1 - 0.6 * hard, 1)
    return _noisy(np.clip(image * light, 0, 255).astype(np.uint8), 2, rng)


def _glare(code: Grey, hard: float, rng: np.random.Generator) -> Grey:
    """A lamp mirrored in the glass of a phone."""
    image = _placed(code, rng).astype(float)
    height, width = image.shape
    across, down = np.meshgrid(np.arange(width), np.arange(height))
    x, y = width / 2 + rng.uniform(-50, 50), height / 2 + rng.uniform(-50, 50)
    radius = 20 + 60 * hard
    spot = np.exp(-(((across - x) / radius) ** 2 + ((down - y) / (radius * 0.6)) ** 2))
    return _noisy(np.clip(image * 0.8 + 400 * spot, 0, 255).astype(np.uint8), 2, rng)


def _moire(code: Grey, hard: float, rng: np.random.Generator) -> Grey:
    """A screen's rows against the sensor's."""
    image = _placed(code, rng).astype(float)
    rows = np.sin(np.arange(image.shape[0])[:, None] * (0.9 + 0.4 * rng.uniform()))
    columns = np.sin(np.arange(image.shape[1])[None, :] * (1.1 + 0.5 * rng.uniform()))
    image = image * (1 - 0.45 * hard) + 45 * hard * rows + 45 * hard * columns + 30 * hard
    return _noisy(np.clip(image, 0, 255).astype(np.uint8), 3, rng)


def _inverted(code: Grey, hard: float, rng: np.random.Generator) -> Grey:
    """Light on dark, as phones with a dark theme show it."""
    image = _contrast(_placed(255 - code, rng), 0.9 - 0.5 * hard)
    return _noisy(cv2.GaussianBlur(image, (0, 0), 0.5 + 2 * hard), 2, rng)


def _worn(code: Grey, hard: float, rng: np.random.Generator) -> Grey:
    """A printed code with folds and scratches."""
    image = _placed(code, rng)
    height, width = image.shape
    for _ in range(int(2 + 22 * hard)):
        ends = rng.integers(0, [width, height, width, height])
        start, end = (int(ends[0]), int(ends[1])), (int(ends[2]), int(ends[3]))
        cv2.line(image, start, end, int(rng.choice([60, 250])), int(1 + 3 * hard))
    return _noisy(cv2.GaussianBlur(image, (0, 0), 1), 3, rng)


def _jpeg(code: Grey, hard: float, rng: np.random.Generator) -> Grey:
    image = _placed(code, rng, module=4 - 1.5 * hard)
    _, packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(30 - 26 * hard)])
    return cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE).astype(np.uint8)


def _all_at_once(code: Grey, hard: float, rng: np.random.Generator) -> Grey:
    """Tilted, shaken, faint and noisy, each a little."""
    image = _placed(code, rng, module=5 - 2 * hard, lean=0.25 * hard, turn=rng.uniform(0, 360))
    image = cv2.GaussianBlur(image, (0, 0), 0.4 + 1.2 * hard).astype(np.uint8)
    return _noisy(_contrast(image, 0.7 - 0.5 * hard), 3 + 9 * hard, rng)


def _chinese(code: Grey, hard: float, rng: np.random.Generator) -> Grey:
    image = _placed(code, rng, module=5 - 2 * hard, lean=0.15 * hard)
    return _noisy(cv2.GaussianBlur(image, (0, 0), 0.4 + 1.6 * hard), 4 + 8 * hard, rng)


_WAYS: dict[str, Callable[[Grey, float, np.random.Generator], Grey]] = {
    "blur": _blur,
    "shake": _shake,
    "tilt": _tilt,
    "noise": _noise,
    "faint": _faint,
    "small": _small,
    "shadow": _shadow,
    "glare": _glare,
    "moire": _moire,
    "inverted": _inverted,
    "worn": _worn,
    "jpeg": _jpeg,
    "all at once": _all_at_once,
    "dense": _chinese,
    "utf-8": _chinese,
    "gbk": _chinese,
    "hanzi": _chinese,
}
