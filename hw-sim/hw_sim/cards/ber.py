"""BER-TLV (ISO/IEC 8825-1) as the simulated cards write it."""

from __future__ import annotations


def ber(tag: str, value: bytes) -> bytes:
    """One element with the shortest length; ``tag`` in hex, ``value`` up to 255 bytes."""
    length = bytes([len(value)])
    return bytes.fromhex(tag) + (length if len(value) < 0x80 else b"\x81" + length) + value
