"""The PIN of the social security application (domain facts §3)."""

from __future__ import annotations

from collections.abc import Mapping

from hw_sim.cards import iso7816 as iso
from hw_sim.cards.iso7816 import Command, Handler, SwError
from hw_sim.cards.memory import Memory
from hw_sim.cards.session import Session, Tries

_LENGTHS = range(2, 9)


class Pin:
    """VERIFY and CHANGE, and what a protected command may do to the PIN.

    Args:
        empty_verify: whether VERIFY without data tells the tries left.
    """

    def __init__(self, memory: Memory, session: Session, *, tries: int, empty_verify: bool) -> None:
        self._memory = memory
        self._session = session
        self._empty_verify = empty_verify
        self.tries = Tries(memory, "pin.tries", tries)
        self.handlers: Mapping[tuple[int, int], Handler] = {
            (0x00, 0x20): self._verify,
            (0x80, 0x5E): self._change,
        }

    def issue(self, digits: str, tries_left: int) -> None:
        """Writes the initial PIN."""
        self._memory.write("pin", packed(digits))
        self.tries.left = tries_left

    def unblock(self) -> None:
        """All tries again for the old PIN."""
        self.tries.left = self.tries.most

    def reload(self, block: bytes) -> None:
        """A new PIN out of a block: length, digits in BCD, 80 00... Raises SwError(6A80)."""
        length = block[0]
        new, rest = block[1 : 1 + length], block[1 + length :]
        # Seven bytes of PIN fill the block of a 3DES card and leave no room for padding.
        padded = rest == b"\x80".ljust(len(rest), b"\0") if rest else len(new) == length
        if length not in _LENGTHS or not padded or not _is_pin(new):
            raise SwError(iso.WRONG_DATA)
        self._session.pin_verified = False
        self._memory.write("pin", new)
        self.unblock()

    def _verify(self, command: Command) -> bytes:
        if command.p1 or command.p2:
            raise SwError(iso.WRONG_P1_P2)
        if not command.data and self._empty_verify:
            raise iso.tries_left(self.tries.need())
        if len(command.data) not in _LENGTHS:
            raise SwError(iso.WRONG_LENGTH)
        self._compare(command.data)
        self._session.pin_verified = True
        return b""

    def _change(self, command: Command) -> bytes:
        if (command.p1, command.p2) != (0x01, 0x00):
            raise SwError(iso.WRONG_P1_P2)
        old, separator, new = command.data.partition(b"\xff")
        if not separator or len(old) not in _LENGTHS or len(new) not in _LENGTHS:
            raise SwError(iso.WRONG_LENGTH)
        if not _is_pin(new):
            raise SwError(iso.WRONG_DATA)
        self._compare(old)
        self._memory.write("pin", new)
        return b""

    def _compare(self, given: bytes) -> None:
        self._session.pin_verified = False
        self.tries.compare(given, self._memory.read("pin"))


def packed(digits: str) -> bytes:
    """Digits in BCD, an odd number of them filled up with F (domain facts §3)."""
    return bytes.fromhex(digits + "f" * (len(digits) % 2))


def _is_pin(value: bytes) -> bool:
    return value.hex().removesuffix("f").isdecimal()
