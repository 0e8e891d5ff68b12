"""Access expressions of card files (domain facts §2.9): free, PIN, KEY, PIN|KEY, PIN+KEY, FF."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import assert_never


class Condition(Enum):
    FREE = ""
    PIN = "PIN"
    KEY = "KEY"
    PIN_OR_KEY = "PIN|KEY"
    PIN_AND_KEY = "PIN+KEY"
    NEVER = "FF"


@dataclass(frozen=True)
class Access:
    """One right of one file.

    Attributes:
        kid: identifier of the key that counts, ``None`` where no key does.
    """

    condition: Condition
    kid: int | None

    def __post_init__(self) -> None:
        if (self.kid is not None) != ("KEY" in self.condition.value):
            raise ValueError(f"access {self.condition.name} and its key do not fit")

    @classmethod
    def parse(cls, expression: str, kids: Mapping[str, int]) -> Access:
        """An expression with a key's name for ``KEY``, such as ``PIN|RK1_DF01``.

        Args:
            kids: identifiers of the directory's keys by name.

        Raises:
            ValueError: there is no such key or no such form.
        """
        for lead in ("PIN|", "PIN+", ""):
            name = expression.removeprefix(lead)
            if expression.startswith(lead) and name in kids:
                return cls(Condition(f"{lead}KEY"), kids[name])
        return cls(Condition(expression), None)

    def granted(self, *, pin: bool, keys: Collection[int]) -> bool:
        """Whether the right is given after the PIN check and these external authentications."""
        key = self.kid in keys
        match self.condition:
            case Condition.FREE:
                return True
            case Condition.PIN:
                return pin
            case Condition.KEY:
                return key
            case Condition.PIN_OR_KEY:
                return pin or key
            case Condition.PIN_AND_KEY:
                return pin and key
            case Condition.NEVER:
                return False
            case _:
                assert_never(self.condition)
