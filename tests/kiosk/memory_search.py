"""What stands in this process's memory, in freed memory too. Linux."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

_MASK = 0x5A
_OTHER = bytes(octet ^ _MASK for octet in range(256))
_PIECE = 1 << 20


def masked(octets: Iterable[int]) -> bytes:
    """A secret in a form that is not the secret: whoever searches must not be what is found.
    Of a secret that is given octet by octet no copy is made."""
    return bytes(octet ^ _MASK for octet in octets)


def unmasked(secret: bytes) -> Iterator[int]:
    """Octet by octet."""
    return (octet ^ _MASK for octet in secret)


def times_found(secrets: Iterable[bytes]) -> int:
    """How often any of these, given `masked`, stands in memory that can be written to."""
    wanted = list(secrets)
    overlap = max(map(len, wanted)) - 1
    found = 0
    memory = os.open("/proc/self/mem", os.O_RDONLY)
    piece = bytearray(_PIECE + overlap)
    try:
        for start, end in _regions():
            for at in range(start, end, _PIECE):
                size = min(_PIECE + overlap, end - at)
                with memoryview(piece) as view:
                    try:
                        got = os.preadv(memory, [view[:size]], at)
                    except OSError:
                        # A guard page, or memory of a device.
                        continue
                other = piece[:got].translate(_OTHER)
                found += sum(other.count(secret) for secret in wanted)
                piece[:] = bytes(len(piece))
    finally:
        os.close(memory)
    return found


def _regions() -> list[tuple[int, int]]:
    found = []
    for line in Path("/proc/self/maps").read_text().splitlines():
        span, rights, *_ = line.split()
        if rights.startswith("rw"):
            start, end = span.split("-")
            found.append((int(start, 16), int(end, 16)))
    return found
