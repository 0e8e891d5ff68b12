"""What a card keeps without power, and how it survives power that goes at any write."""

from __future__ import annotations


class PowerGone(BaseException):
    """In the middle of a command. No exception of a program: nothing in a card may catch it."""


class Memory:
    """Non-volatile memory with an undo log: what a torn or refused command wrote is taken back,
    except what it committed itself, such as a try that is spent.

    Attributes:
        writes_left: how many more it takes until power goes; ``None`` for ever.
    """

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}
        self._undo: list[tuple[str, bytes | None]] = []
        self.writes_left: int | None = None

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def read(self, key: str) -> bytes:
        return self._values[key]

    def count(self, key: str) -> int:
        """A one-byte counter."""
        return self._values[key][0]

    def words(self) -> dict[str, bytes]:
        """All that it holds, by key; a copy."""
        return dict(self._values)

    def write(self, key: str, value: bytes | int) -> None:
        """Raises PowerGone."""
        if self.writes_left is not None:
            if self.writes_left == 0:
                raise PowerGone
            self.writes_left -= 1
        self._undo.append((key, self._values.get(key)))
        self._values[key] = bytes([value]) if isinstance(value, int) else value

    def commit(self) -> None:
        self._undo.clear()

    def roll_back(self) -> None:
        while self._undo:
            key, value = self._undo.pop()
            if value is None:
                del self._values[key]
            else:
                self._values[key] = value
