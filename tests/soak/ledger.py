"""The far end: it remembers by key what it was sent, and by message what that did."""

from __future__ import annotations

import random
from collections import defaultdict


class Ledger:
    """Knows what must be there in the end, and what was done.

    Attributes:
        stored: messages of which the terminal said that they are on the disk.
        effects: the keys under which each message had an effect.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.stored: set[int] = set()
        self.effects: dict[int, set[str]] = defaultdict(set)
        self._receipts: dict[str, str] = {}
        self._refused: set[int] = set()
        self.patient = False
        """Takes everything from now on."""

    def hear(self, line: str) -> str | None:
        """What a terminal said; the answer, where it waits for one."""
        match line.split():
            case ["stored", number]:
                self.stored.add(int(number))
            case ["ask", key]:
                return self._receipts.get(key, "none")
            case ["send", key, number]:
                return self._take(key, int(number))
        return None

    def _take(self, key: str, number: int) -> str:
        if key in self._receipts:
            return self._receipts[key]
        # Business says no to some, once, under whatever key.
        if number % 11 == 0 and number not in self._refused:
            self._refused.add(number)
            return "refused"
        luck = self._rng.random()
        if luck < 0.05 and not self.patient:
            return "later"
        self.effects[number].add(key)
        self._receipts[key] = f"r-{len(self._receipts) + 1}"
        # The effect is there, and the answer gets lost.
        return "later" if luck > 0.95 and not self.patient else self._receipts[key]

    @property
    def lost(self) -> set[int]:
        """Acknowledged, and without any effect."""
        return {number for number in self.stored if not self.effects.get(number)}

    @property
    def double(self) -> set[int]:
        """With more than one effect."""
        return {number for number, keys in self.effects.items() if len(keys) > 1}
