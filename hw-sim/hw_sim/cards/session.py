"""What one session with the social security application has opened, and what never goes back."""

from __future__ import annotations

import hmac

from hw_sim.cards import iso7816 as iso
from hw_sim.cards.access import Access
from hw_sim.cards.iso7816 import SwError
from hw_sim.cards.memory import Memory


class Session:
    """The PIN check is the whole application's; keys count in the directory that holds them."""

    def __init__(self) -> None:
        self.pin_verified = False
        self.authenticated: set[int] = set()

    def may(self, access: Access) -> bool:
        """Whether the PIN check and the authentications give this right."""
        return access.granted(pin=self.pin_verified, keys=self.authenticated)

    def end(self) -> None:
        """Power went."""
        self.pin_verified = False
        self.authenticated.clear()


class Tries:
    """A counter of wrong answers in a row, spent before each comparison.

    Args:
        word: of the counter in the memory.
        most: its value after a right answer.
    """

    def __init__(self, memory: Memory, word: str, most: int) -> None:
        self._memory = memory
        self._word = word
        self.most = most

    @property
    def left(self) -> int:
        return self._memory.count(self._word)

    @left.setter
    def left(self, tries: int) -> None:
        self._memory.write(self._word, tries)

    def compare(self, given: bytes, expected: bytes, wrong: int | None = None) -> None:
        """Spends a try for good, so that a tear cannot save it, and gives all back when right.

        Args:
            wrong: status word of a wrong answer; 63Cx by default.

        Raises:
            SwError: none are left, or the answer is wrong.
        """
        left = self.need()
        self.left = left - 1
        self._memory.commit()
        if not hmac.compare_digest(given, expected):
            raise iso.tries_left(left - 1) if wrong is None else SwError(wrong)
        self.left = self.most

    def need(self) -> int:
        """How many are left. Raises SwError(6983): none."""
        if self.left == 0:
            raise SwError(iso.BLOCKED)
        return self.left
