"""Pictures from files of any origin, as far as they can be trusted: first the header, then limits,
and only then the pixels."""

from __future__ import annotations

import sys
import warnings
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

    from drivers.frames import Picture

STANDARD_INPUT = "-"
LONGEST_FILE = 64 * 1024 * 1024
"""Bytes."""
LARGEST_PICTURE = 50_000_000
"""Pixels; more than telephones take. A header may claim any number in a file of few bytes."""

_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
"""None that runs a program or holds commands."""


class Unreadable(Exception):
    """No picture could be had.

    Attributes:
        word: why, for machines.
    """

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


MISSING = "missing"
DIRECTORY = "directory"
FORBIDDEN = "forbidden"
UNREADABLE = "unreadable"
EMPTY = "empty"
TOO_LARGE = "too-large"
NO_PICTURE = "no-picture"
DAMAGED = "damaged"


def grey_picture(name: str) -> Picture:
    """The picture in a file, or on standard input for ``-``; of several, the first.

    Raises:
        Unreadable: there is none.
    """
    data = _bytes_of(name)
    if not data:
        raise Unreadable(EMPTY)
    if len(data) > LONGEST_FILE:
        raise Unreadable(TOO_LARGE)
    return _decoded(data)


def _bytes_of(name: str) -> bytes:
    try:
        if name == STANDARD_INPUT:
            return sys.stdin.buffer.read(LONGEST_FILE + 1)
        with Path(name).open("rb") as file:
            return file.read(LONGEST_FILE + 1)
    except FileNotFoundError:
        raise Unreadable(MISSING) from None
    except IsADirectoryError:
        raise Unreadable(DIRECTORY) from None
    except PermissionError:
        raise Unreadable(FORBIDDEN) from None
    except (OSError, ValueError):
        # ValueError: a zero byte in the name.
        raise Unreadable(UNREADABLE) from None


def _decoded(data: bytes) -> Picture:
    from PIL import Image, UnidentifiedImageError

    from drivers.decoding import LONGEST_EDGE

    with warnings.catch_warnings():
        # Pillow has a limit of its own, which warns where ours refuses.
        warnings.simplefilter("ignore")
        try:
            image = Image.open(BytesIO(data), formats=_FORMATS)
        except Image.DecompressionBombError:
            raise Unreadable(TOO_LARGE) from None
        except UnidentifiedImageError:
            raise Unreadable(NO_PICTURE) from None
        except Exception:
            # Pillow's readers raise whatever a damaged header leads them to.
            raise Unreadable(DAMAGED) from None
        if image.width * image.height > LARGEST_PICTURE or max(image.size) > LONGEST_EDGE:
            raise Unreadable(TOO_LARGE)
        try:
            return _grey(image)
        except Exception:
            raise Unreadable(DAMAGED) from None


def _grey(image: Image.Image) -> Picture:
    import numpy as np
    from PIL import Image

    # A large JPEG is then decoded to grey at once, in a third of the memory.
    image.draft("L", image.size)
    image.load()
    if image.mode.startswith(("I", "F")):
        # More than 8 bits: Pillow's own conversion would cut off all above 255.
        deep = np.asarray(image, dtype=np.float64)
        low, high = float(deep.min()), float(deep.max())
        scaled = (deep - low) * (255 / (high - low) if high > low else 0)
        return scaled.astype(np.uint8)
    if "A" in image.mode or "transparency" in image.info:
        # Codes are drawn without their paper: dark on nothing.
        coloured = image.convert("RGBA")
        paper = Image.new("RGBA", coloured.size, "white")
        paper.alpha_composite(coloured)
        image = paper
    return np.asarray(image.convert("RGB").convert("L"), dtype=np.uint8)
