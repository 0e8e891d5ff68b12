"""Codes in pictures: each decoder alone, and all of them one after the other, on one thread.

A still counts as read with the exact bytes of its code only. Many are spoiled beyond what anybody
reads: the rates compare decoders, they foretell none in a hall.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator

import cv2
import numpy as np
from pyzbar import pyzbar

from drivers.decoding import CodeRefused, decode
from drivers.decoding.readers import by_wechat, by_zxing
from tests.bench.figure import Figure, median_ms, milliseconds
from tests.bench.qr_stills import Grey, held_up, scene, stills

EMPTY_LIMIT_MS = 5.0
ROWS, COLUMNS = 720, 1280
FRAMES = 8
ROUNDS = 10
CODE = b"SSC1:4299A0C3F17D5B2E9048866120AD31"

Read = Callable[[Grey], frozenset[bytes]]
Frame = Grey


def figures() -> Iterator[Figure]:
    """Of a subject first our own figure, then each decoder's beside ours."""
    cv2.setNumThreads(1)
    yield from _of_stills()
    seen = [scene(np.random.default_rng([7, n]), ROWS, COLUMNS) for n in range(FRAMES)]
    yield from _of_frames("qr.empty_frame", [_coloured(grey, n) for n, grey in enumerate(seen)])
    held = [held_up(CODE, grey, 300) for grey in seen]
    yield from _of_frames("qr.code_frame", [_coloured(grey, n) for n, grey in enumerate(held)])


def _of_stills() -> Iterator[Figure]:
    every = list(stills())
    shares: dict[str, float] = {}
    means: dict[str, float] = {}
    for name, read in {"cascade": _cascade, **_singles()}.items():
        good, times = 0, []
        for still in every:
            found: list[frozenset[bytes]] = []
            times.append(milliseconds(lambda s=still, r=read, f=found: f.append(r(s.image))))
            good += still.payload in found[0]
        shares[name], means[name] = 100 * good / len(every), statistics.mean(times)
    ours, our_mean = shares.pop("cascade"), means.pop("cascade")
    best = max(shares, key=lambda name: shares[name])
    peer = f"{best}, the best alone, of {len(every)} stills"
    yield _share("qr.stills", ours, shares[best], peer)
    for name, share in shares.items():
        yield _share(f"qr.stills.{name}", share, ours, "all, one after the other")
    yield Figure.of("qr.stills_ms", our_mean, "ms", means[best], f"{best}, mean of a still")
    for name, mean in means.items():
        yield Figure.of(f"qr.stills_ms.{name}", mean, "ms", our_mean, "all, one after the other")


def _share(name: str, value: float, against: float, peer: str) -> Figure:
    """More is better: the ratio is turned, so that below 1 stays so."""
    ratio = round(against / value, 3) if value else 0.0
    return Figure(name, round(value, 1), "%", round(against, 1), ratio, peer)


def _of_frames(name: str, frames: list[Frame]) -> Iterator[Figure]:
    """Colours in for us, grey in for the decoders alone."""
    ours = statistics.median(
        median_ms(lambda f=frame: _cascade_of_frames(f), ROUNDS) for frame in frames
    )
    yield Figure.of(name, ours, "ms", EMPTY_LIMIT_MS, f"limit, {COLUMNS}x{ROWS}, from colours on")
    greys = [_grey(frame) for frame in frames]
    for decoder, read in _singles().items():
        read(greys[0])
        good, times = 0, []
        for grey in greys:
            found: list[frozenset[bytes]] = []
            times.append(milliseconds(lambda g=grey, r=read, f=found: f.append(r(g))))
            good += CODE in found[0]
        peer = f"ours; reads {good} of {len(frames)}"
        yield Figure.of(f"{name}.{decoder}", statistics.median(times), "ms", ours, peer)


# --- the decoders ---------------------------------------------------------------------------------


def _singles() -> dict[str, Read]:
    opencv = cv2.QRCodeDetector()

    def by_opencv(image: Grey) -> frozenset[bytes]:
        try:
            _, texts, _, _ = opencv.detectAndDecodeMulti(image)
        except (UnicodeDecodeError, cv2.error):
            return frozenset()
        return frozenset(text.encode() for text in texts if text)

    return {
        "zxing-cpp": lambda image: by_zxing(image).payloads,
        # As it comes: ours would drop some that are right, as it can't tell them from wrong ones.
        "pyzbar": lambda image: frozenset(
            each.data for each in pyzbar.decode(image, symbols=[pyzbar.ZBarSymbol.QRCODE])
        ),
        "wechat": lambda image: by_wechat(image).payloads,
        "opencv": by_opencv,
    }


def _cascade(image: Grey) -> frozenset[bytes]:
    return _decoded(image, still=True)


def _cascade_of_frames(frame: Frame) -> frozenset[bytes]:
    return _decoded(_grey(frame), still=False)


def _decoded(image: Grey, *, still: bool) -> frozenset[bytes]:
    try:
        found = decode(image, still=still)
    except CodeRefused:
        return frozenset()
    return frozenset() if found is None else frozenset({found.payload})


# --- frames ---------------------------------------------------------------------------------------


def _coloured(grey: Grey, turn: int) -> Frame:
    """As a camera sends it, with the noise of its sensor in each colour."""
    noise = np.random.default_rng([8, turn]).normal(0, 6, (*grey.shape, 3))
    return np.clip(grey[..., None] + noise, 0, 255).astype(np.uint8)


def _grey(frame: Frame) -> Grey:
    return cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
