"""Whether the bytes of a seal are a PNG that may be laid over a certificate.

Checked is what the layout stands on: form, size, and transparency (an opaque picture would cover
the text below it). Its colours are the seal owner's matter: its digest is signed.
"""

from __future__ import annotations

import zlib

LARGEST_FILE = 256 * 1024
"""Bytes."""
SMALLEST_SIDE, LARGEST_SIDE = 64, 2048
"""Pixels."""
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_WITH_ALPHA = (4, 6)
"""Colour types grey and RGB, each with alpha (PNG, third edition, §11.2.1)."""


def is_seal_picture(png: bytes) -> bool:
    """A whole PNG with an alpha channel, every chunk's CRC right, nothing after its end."""
    chunks = _chunks(png)
    if not chunks or len(png) > LARGEST_FILE:
        return False
    (first, header), (last, tail) = chunks[0], chunks[-1]
    if first != b"IHDR" or len(header) != 13 or last != b"IEND" or tail:
        return False
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    sides = (min(width, height), max(width, height))
    return (
        sides[0] >= SMALLEST_SIDE
        and sides[1] <= min(LARGEST_SIDE, 2 * sides[0])
        and header[9] in _WITH_ALPHA
        and any(name == b"IDAT" for name, _ in chunks)
    )


def _chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    """Name and data of each chunk; none when the file is cut, padded or damaged."""
    if not png.startswith(_SIGNATURE):
        return []
    chunks: list[tuple[bytes, bytes]] = []
    at = len(_SIGNATURE)
    while at < len(png):
        size = int.from_bytes(png[at : at + 4], "big")
        name, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        crc = png[at + 8 + size : at + 12 + size]
        if crc != zlib.crc32(name + data).to_bytes(4, "big"):
            return []
        if chunks and chunks[-1][0] == b"IEND":
            return []
        chunks.append((name, data))
        at += 12 + size
    return chunks
