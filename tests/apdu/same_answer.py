"""A card that answers the same to everything."""

from __future__ import annotations


class SameAnswer:
    """A `Transport`; see the module."""

    atr = b""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer

    def transmit(self, command: bytes | bytearray) -> bytes:
        return self.answer

    def reset(self) -> bytes:
        return b""

    def close(self) -> None:
        """There is nothing to give back."""
