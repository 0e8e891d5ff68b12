"""The order in which decoders are asked, and when one is not worth its time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

import numpy as np

from drivers.code_scanner import LONGEST_CODE
from drivers.decoding.outcome import Decoded, Decoder, NotExact, TwoCodes
from drivers.decoding.readers import Read, by_pyzbar, by_wechat, by_zxing
from drivers.decoding.treatments import (
    Treatment,
    denoised,
    evened,
    grown,
    reduced,
    sharpened,
    smoothed,
)
from drivers.frames import Picture

LONGEST_EDGE = 20_000
"""Pixels of a picture's longer edge; zxing-cpp takes 65,535, and sees small pictures three times as
large."""


class _Step(NamedTuple):
    decoder: Decoder
    read: Callable[[Picture], Read]
    treatment: Treatment


_FOR_STILLS = (
    _Step(Decoder.PYZBAR, by_pyzbar, lambda image: image),
    _Step(Decoder.ZXING, by_zxing, sharpened),
    _Step(Decoder.ZXING, by_zxing, evened),
    _Step(Decoder.ZXING, by_zxing, grown),
    _Step(Decoder.ZXING, by_zxing, smoothed),
    # Smoothed, as it is then six times faster where there is no code, and reads as many.
    _Step(Decoder.WECHAT, by_wechat, smoothed),
)


def decode(
    image: Picture, still: bool = False, decoders: Collection[Decoder] = tuple(Decoder)
) -> Decoded | None:
    """The code in a picture.

    Args:
        image: grey, rows x columns, of at most `LONGEST_EDGE` each.
        still: a picture that somebody took and that no better one follows: everything is tried,
            up to half a second. Else it is one of many frames: a code that was found and could
            not be read is looked at more closely, and nothing is done about a picture without.
        decoders: those that may be asked, for comparison.

    Returns:
        None when there is no code that anybody can read; codes that are empty or longer than
        `LONGEST_CODE` count as none.

    Raises:
        TwoCodes: different codes are in the picture. The same one twice is fine.
        NotExact: only a decoder that changes such a payload could read it.
    """
    if image.ndim != 2 or image.dtype != np.uint8:
        raise ValueError("a grey picture of bytes is needed")
    if max(image.shape) > LONGEST_EDGE:
        raise ValueError(f"a picture of at most {LONGEST_EDGE} pixels an edge is needed")
    if not image.size:
        return None
    spoiled = False
    for decoder, read in _reads(np.ascontiguousarray(image), still, frozenset(decoders)):
        if len(read.payloads) + read.spoiled > 1:
            raise TwoCodes
        for payload in read.payloads:
            if 0 < len(payload) <= LONGEST_CODE:
                return Decoded(payload, decoder)
        spoiled = spoiled or read.spoiled
    if spoiled:
        raise NotExact
    return None


def _reads(
    image: Picture, still: bool, decoders: frozenset[Decoder]
) -> Iterator[tuple[Decoder, Read]]:
    """What each says, asked only when it is wanted."""
    if still:
        if Decoder.ZXING in decoders:
            yield Decoder.ZXING, by_zxing(image)
        treated = reduced(image)
        for step in _FOR_STILLS:
            if step.decoder in decoders:
                yield step.decoder, step.read(step.treatment(treated))
    elif Decoder.ZXING in decoders:
        first = by_zxing(denoised(image))
        yield Decoder.ZXING, first
        for place in first.suspects[:1]:
            suspect = np.ascontiguousarray(image[place])
            yield Decoder.ZXING, by_zxing(suspect)
            if Decoder.PYZBAR in decoders:
                yield Decoder.PYZBAR, by_pyzbar(suspect)
