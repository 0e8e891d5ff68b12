"""The shape of a file's tables, so that a record tells which table it can be of."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from offline_queue.damage.image import Image
from offline_queue.damage.pages import Value

_TYPES: dict[str, type] = {"INTEGER": int, "TEXT": str, "BLOB": bytes, "REAL": float}


@dataclass(frozen=True)
class Column:
    """A column as it stands in a record.

    Attributes:
        alias: it is the rowid; its field is empty.
    """

    name: str
    type: str
    required: bool
    alias: bool

    def takes(self, serial_type: int) -> bool:
        """Whether a field of a serial type can be of this column."""
        if serial_type == 0:
            return self.alias or not self.required
        if self.alias:
            return False
        if serial_type >= 12:
            return self.type == ("TEXT" if serial_type % 2 else "BLOB")
        return self.type == ("REAL" if serial_type == 7 else "INTEGER")


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        root: the page where its tree begins in a new file.
        columns: in the order of the record, which without rowid begins with the key.
    """

    name: str
    root: int
    columns: tuple[Column, ...]

    def fits(self, types: Sequence[int]) -> bool:
        """Whether a record with these serial types can be of this table."""
        return len(types) == len(self.columns) and all(
            column.takes(kind) for column, kind in zip(self.columns, types, strict=True)
        )

    def row(self, rowid: int, fields: Sequence[Value]) -> dict[str, Value] | None:
        """The fields by column; None when they are not of this table."""
        if len(fields) != len(self.columns):
            return None
        row: dict[str, Value] = {}
        for column, value in zip(self.columns, fields, strict=True):
            if column.alias:
                if value is not None:
                    return None
                row[column.name] = rowid
            elif value is None:
                if column.required:
                    return None
                row[column.name] = None
            elif not isinstance(value, _TYPES[column.type]):
                return None
            else:
                row[column.name] = value
        return row

    def insert(
        self, connection: sqlite3.Connection, row: Mapping[str, Value], *, replace: bool = False
    ) -> None:
        """Store a row.

        Args:
            replace: in place of one with the same key.

        Raises:
            sqlite3.IntegrityError: a constraint does not hold.
        """
        verb = "INSERT OR REPLACE" if replace else "INSERT"
        names = ", ".join(column.name for column in self.columns)
        marks = ", ".join(f":{column.name}" for column in self.columns)
        connection.execute(
            f"{verb} INTO {self.name} ({names}) VALUES ({marks})",
            dict(row),
        )


class Layout:
    """The tables of an open file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        rowid_tables = {
            name: not without
            for _schema, name, kind, _count, without, _strict in connection.execute(
                "PRAGMA table_list"
            )
            if kind == "table" and not name.startswith("sqlite_")
        }
        roots = dict(
            connection.execute("SELECT name, rootpage FROM sqlite_schema WHERE type = 'table'")
        )
        self.tables = {
            name: Table(name, roots[name], _columns(connection, name, rowid))
            for name, rowid in rowid_tables.items()
        }

    def roots(self, image: Image) -> dict[str, int]:
        """Where tables begin in a damaged file, as far as its schema can be read."""
        roots: dict[str, int] = {}
        for _rowid, fields in image.tree(1):
            match fields:
                case ("table", str(name), _, int(root), _) if name in self.tables:
                    roots[name] = root
                case _:
                    continue
        return roots


def _columns(connection: sqlite3.Connection, table: str, rowid: bool) -> tuple[Column, ...]:
    found = connection.execute(f"PRAGMA table_info({table})").fetchall()
    keys = sum(1 for row in found if row[5])
    if not rowid:
        found.sort(key=lambda row: (row[5] == 0, row[5]))
    return tuple(
        Column(
            name,
            kind,
            required=bool(notnull or (key and not rowid)),
            alias=rowid and keys == 1 and bool(key) and kind == "INTEGER",
        )
        for _cid, name, kind, notnull, _default, key in found
    )
