"""Reading TOML strictly: every key asked for by name and type, everything else refused.

`Table` is what `kiosk.config`, `kiosk.pack` and the audit catalogue read their files with, so
that all of them say the same way what is wrong: file, key, what is expected, what is there.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

E = TypeVar("E", bound=Enum)


class FileProblem(Exception):
    """A data file is not what it must be.

    Attributes:
        file: the file's path.
        key: dotted key inside it, empty when the whole file is meant.
    """

    def __init__(self, file: Path, key: str, problem: str) -> None:
        super().__init__(f"{file}: {key}: {problem}" if key else f"{file}: {problem}")
        self.file = file
        self.key = key


class Table:
    """One TOML table. Call `finish` when all known keys were asked for."""

    def __init__(
        self, values: dict[str, Any], file: Path, error: type[FileProblem], where: str = ""
    ) -> None:
        self._values = values
        self._file = file
        self._error = error
        self._where = where
        self._asked: set[str] = set()

    @classmethod
    def read(cls, file: Path, error: type[FileProblem]) -> Table:
        """Parse a file. Raises `error` when it is missing, not UTF-8 or not TOML."""
        try:
            text = file.read_bytes().decode("utf-8")
        except OSError as problem:
            raise error(file, "", f"cannot be read ({problem.strerror})") from None
        except UnicodeDecodeError:
            raise error(file, "", "is not UTF-8 text") from None
        try:
            return cls(tomllib.loads(text), file, error)
        except tomllib.TOMLDecodeError as problem:
            raise error(file, "", f"is not TOML: {problem}") from None

    @property
    def folder(self) -> Path:
        """Folder of the file, where its relative paths start."""
        return self._file.parent

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        """All keys that are present, in the file's order."""
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def problem(self, key: str, text: str) -> FileProblem:
        """The error to raise about one key."""
        return self._error(self._file, self._path(key), text)

    def text(self, key: str, default: str | None = None, *, empty: bool = False) -> str:
        """A string, not empty unless `empty`."""
        value: str = self._take(key, str, "a text", default)
        if not value and not empty and value != default:
            raise self.problem(key, "expected a text that is not empty")
        return value

    def matching(self, key: str, pattern: re.Pattern[str], expected: str) -> str:
        """A string that the whole pattern fits; ``expected`` says it in words."""
        value: str = self._take(key, str, expected, None)
        if not pattern.fullmatch(value):
            raise self.problem(key, f"expected {expected}")
        return value

    def integer(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number, low..high."""
        value: int = self._take(key, int, f"a whole number {low}..{high}", default)
        if not low <= value <= high:
            raise self.problem(key, f"expected a whole number {low}..{high}, found {value}")
        return value

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """A number with or without a fraction, low..high."""
        value = self._take(key, (int, float), f"a number {low:g}..{high:g}", default)
        if not low <= value <= high:
            raise self.problem(key, f"expected a number {low:g}..{high:g}, found {value:g}")
        return float(value)

    def boolean(self, key: str, default: bool | None = None) -> bool:
        """true or false."""
        value: bool = self._take(key, bool, "true or false", default)
        return value

    def day(self, key: str) -> date:
        """A date without a time."""
        value: date = self._take(key, date, "a date like 2026-01-31", None)
        if isinstance(value, datetime):
            raise self.problem(key, "expected a date like 2026-01-31 without a time")
        return value

    def choice(self, key: str, kind: type[E], default: E | None = None) -> E:
        """A text that is the value of one member of `kind`."""
        expected = "one of " + ", ".join(f'"{member.value}"' for member in kind)
        value = self._take(key, str, expected, None if default is None else str(default.value))
        try:
            return kind(value)
        except ValueError:
            raise self.problem(key, f'expected {expected}, found "{value}"') from None

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """An array of strings, none empty."""
        value = self._take(key, list, "an array of texts", None if default is None else [*default])
        if not all(isinstance(entry, str) and entry for entry in value):
            raise self.problem(key, "expected an array of texts that are not empty")
        return tuple(value)

    def scalars(self, key: str) -> tuple[str | int, ...]:
        """A text or whole number, or an array of such; at least one."""
        value = self._take(key, (str, int, list), "a text or whole number, or an array", None)
        entries = value if isinstance(value, list) else [value]
        if not entries or not all(type(entry) in (str, int) for entry in entries):
            raise self.problem(key, "expected texts or whole numbers")
        return tuple(entries)

    def choices(
        self, key: str, kind: type[E], default: Collection[E] | None = None
    ) -> tuple[E, ...]:
        """An array of values of `kind`, none twice."""
        known = {member.value: member for member in kind}
        names = self.texts(key, None if default is None else tuple(str(m.value) for m in default))
        for name in names:
            if name not in known:
                expected = ", ".join(f'"{value}"' for value in known)
                raise self.problem(key, f'expected some of {expected}, found "{name}"')
        if len(set(names)) != len(names):
            raise self.problem(key, "names something twice")
        return tuple(known[name] for name in names)

    def table(self, key: str) -> Table:
        """A table that must be there."""
        return self._child(key, self._take(key, dict, "a table", None))

    def optional_table(self, key: str) -> Table:
        """A table that may be left out (then it is empty)."""
        return self._child(key, self._take(key, dict, "a table", {}))

    def tables(self, key: str) -> tuple[Table, ...]:
        """An array of tables; left out means none."""
        value = self._take(key, list, "an array of tables", [])
        if not all(isinstance(entry, dict) for entry in value):
            raise self.problem(key, "expected an array of tables")
        return tuple(self._child(f"{key}[{n}]", entry) for n, entry in enumerate(value, 1))

    def finish(self) -> None:
        """Refuse what nobody asked for. Raises the file's error."""
        for key in self._values:
            if key not in self._asked:
                known = ", ".join(sorted(self._asked))
                raise self.problem(key, f"unknown key (known here: {known})")

    def _child(self, key: str, values: dict[str, Any]) -> Table:
        return Table(values, self._file, self._error, self._path(key))

    def _path(self, key: str) -> str:
        return f"{self._where}.{key}" if self._where else key

    def _take(self, key: str, kind: Any, expected: str, default: Any) -> Any:
        self._asked.add(key)
        if key not in self._values:
            if default is None:
                raise self.problem(key, f"missing: expected {expected}")
            return default
        value = self._values[key]
        # bool is an int to Python, but not to whoever writes the file.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.problem(key, f"expected {expected}, found {_NAMES[type(value)]}")
        return value


_NAMES: dict[type, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "an array",
    dict: "a table",
}
