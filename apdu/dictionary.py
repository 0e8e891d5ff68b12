"""The file dictionary of the social security card: applications, files and items, as data.

The declarations are ``dictionary/*.toml``, one file an application, each declaration once, with
mark, source and test vectors beside it. `apdu.dictionary_data` reads them; a province may bring
its own in the same form.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import NamedTuple, Self

from apdu import formats, simple_tlv
from apdu.errors import MalformedAnswer
from apdu.formats import Format, Unreadable, Value
from apdu.simple_tlv import Record

Reading = Value | Unreadable | None
"""What one stored value says: the value, by its format; `Unreadable` when it is not of its
format; None when it is blank or absent."""
Parts = Mapping[str, Reading]
"""What a B-TLV item says: its parts by field name."""
FieldValue = Reading | Parts
Fields = Mapping[str, FieldValue]
"""What a file's records, or one cyclic record, say: every declared field by name."""
_Reader = Callable[[bytes], FieldValue]


class FileKind(Enum):
    """How an elementary file is organised."""

    RECORDS = "records"
    """Item records: tag, length, value."""
    TRANSPARENT = "transparent"
    """Bytes, read by offset."""
    CYCLIC = "cyclic"
    """Records of one layout without tags; record 1 is the newest."""


class Access(Enum):
    """What an access expression asks for."""

    FREE = ""
    KEY = "KEY"
    PIN = "PIN"
    PIN_OR_KEY = "PIN|KEY"
    PIN_AND_KEY = "PIN+KEY"
    NEVER = "FF"

    @property
    def names_key(self) -> bool:
        """Whether a key belongs to it."""
        return "KEY" in self.value


@dataclass(frozen=True)
class AccessRule:
    """What reading or writing a file takes.

    Attributes:
        condition: PIN, key, both, either, nothing, or never.
        key: the key's name in ``profiles/keys.toml``; None where no key counts.
    """

    condition: Access
    key: str | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an access expression with the key's name in the place of ``KEY``: empty (free),
        ``PIN``, ``RK_SSSE``, ``PIN|RK1_DF01``, ``PIN+RK1_DF04``, ``FF`` (never).

        Raises:
            ValueError: it is none.
        """
        for operator in "|+":
            left, found, name = text.partition(operator)
            if found:
                if left != "PIN" or not _is_key_name(name):
                    raise ValueError(f"{text!r} is no access expression")
                return cls(Access(f"PIN{operator}KEY"), name)
        if text in ("", "PIN", "FF"):
            return cls(Access(text), None)
        if not _is_key_name(text):
            raise ValueError(f"{text!r} is no access expression")
        return cls(Access.KEY, text)

    def __str__(self) -> str:
        return self.condition.value.replace("KEY", self.key or "")


def _is_key_name(text: str) -> bool:
    return text not in ("PIN", "KEY", "FF") and text.isidentifier() and text.isupper()


@dataclass(frozen=True)
class Application:
    """One directory of the card.

    Attributes:
        name: ``SSSE``, ``DF01`` ... as the ministry's addresses name it.
        zh, en: its title.
        aid: its name for SELECT, 5..16 bytes.
        fid: two-byte identifier.
    """

    name: str
    zh: str
    en: str
    aid: bytes
    fid: int
    mark: str
    source: str


@dataclass(frozen=True)
class Vector:
    """A known answer.

    Attributes:
        value: what the item holds, a B-TLV's by part; None for a blank field.
        record: as stored: tag, length and value; only the value where there is no tag.
    """

    value: FieldValue
    record: bytes


@dataclass(frozen=True)
class Item:
    """One item of a file, one part of a B-TLV, or one field of a cyclic record.

    Attributes:
        record: its record number, from 1; of a part or field, its position.
        tag: its tag; None in cyclic and transparent files, which have none.
        occurrence: which of the records of this tag it is, from 1.
        field: our name for it, such as ``card_id``; ``tag_2a`` where no source names it.
        zh, en: its name in the standard, and in English; empty where no source names it.
        form: how the value is written.
        length: bytes of the stored value; None where no source tells: then never written.
        parts: the items inside a B-TLV, in their order.
        optional: whether a healthy card may lack it.
        cut: whether only the first `length` bytes of a longer value count.
        mark, source: how sure the declaration is, and from where.
        vectors: known answers.
    """

    record: int
    tag: int | None
    occurrence: int
    field: str
    zh: str
    en: str
    form: Format
    length: int | None
    parts: tuple[Item, ...]
    optional: bool
    cut: bool
    mark: str
    source: str
    vectors: tuple[Vector, ...]

    def encode(self, value: FieldValue) -> Record:
        """The record that stores `value`. Raises ValueError; see `encode_value`."""
        if self.tag is None:
            raise ValueError(f"{self.field} has no tag")
        return Record(self.tag, self.encode_value(value))

    def encode_value(self, value: FieldValue) -> bytes:
        """The stored form of `value`, `length` bytes; None becomes a blank field.

        Raises:
            ValueError: see `formats.encode`; also for a part that is not declared and for an
                item of unknown length. The text never repeats the value.
        """
        if self.length is None:
            raise ValueError(f"{self.field}: nobody knows its length")
        if self.parts:
            return self._encode_parts({} if value is None else value)
        if value is None:
            return formats.blank(self.form, self.length)
        if isinstance(value, Mapping | Unreadable):
            raise ValueError(f"{self.field}: a plain value is needed")
        return formats.encode(self.form, value, self.length)

    def decode(self, raw: bytes) -> FieldValue:
        """Read a stored value leniently; never raises. See `formats.decode`."""
        return self.reader(raw)

    @cached_property
    def reader(self) -> _Reader:
        """What `decode` does, made once."""
        form, length = self.form, self.length
        if length is None:
            return lambda raw: formats.decode(form, raw, len(raw))
        read = formats.reader(form, length)
        if self.cut:
            return lambda raw: read(raw[:length])
        if self.parts:
            return lambda raw: self._decode_parts(read(raw))
        return read

    def _encode_parts(self, value: FieldValue) -> bytes:
        if not isinstance(value, Mapping):
            raise ValueError(f"{self.field}: parts are needed")
        if value.keys() - {part.field for part in self.parts}:
            raise ValueError(f"{self.field}: a part that is not declared")
        return simple_tlv.encode(part.encode(value.get(part.field)) for part in self.parts)

    def _decode_parts(self, stored: formats.Read) -> FieldValue:
        if not isinstance(stored, bytes):
            return stored
        try:
            records = simple_tlv.decode(stored, skip_padding=True)
        except MalformedAnswer:
            return Unreadable(stored)
        found: dict[int | None, bytes] = {}
        for record in records:
            found.setdefault(record.tag, record.value)
        parts = {part.field: part.decode_plain(found.get(part.tag, b"")) for part in self.parts}
        return parts if any(value is not None for value in parts.values()) else None

    def decode_plain(self, raw: bytes) -> Reading:
        """As `decode`, for an item that has no parts."""
        value = self.decode(raw) if raw else None
        return None if isinstance(value, Mapping) else value


class _Declared(NamedTuple):
    """What one record of a tag is: the name of its field, and what reads that."""

    field: str
    read: _Reader
    following: _Declared | None
    """What the next record of the same tag is."""


@dataclass(frozen=True)
class CardFile:
    """One elementary file.

    Attributes:
        name: application and file, such as ``SSSEEF05``, as the ministry's addresses name it.
        application: the application's name.
        zh, en: its title; empty where no source names it.
        fid: two-byte identifier.
        sfi: short identifier, 1..30.
        kind: how it is organised.
        read, write: what reading and writing take.
        size: bytes of a transparent file; None for the others.
        records: how many records a cyclic file keeps; None for the others.
        items: in record order; of a cyclic file, the fields of one record; of a transparent
            file, one item, which is the whole content.
    """

    name: str
    application: str
    zh: str
    en: str
    fid: int
    sfi: int
    kind: FileKind
    read: AccessRule
    write: AccessRule
    size: int | None
    records: int | None
    items: tuple[Item, ...]
    mark: str
    source: str

    def raw_values(self, records: Iterable[Record]) -> dict[str, bytes]:
        """Stored values by field name. Unknown tags, more records of a tag than declared and
        records that are not whole are left out."""
        values, expected = {}, self._by_tag.copy()
        for tag, value, whole in records:
            declared = expected.get(tag)
            if declared is not None:
                name, _read, expected[tag] = declared
                if whole:
                    values[name] = value
        return values

    @cached_property
    def records_size(self) -> int:
        """Bytes of all item records together, as far as their lengths are known."""
        return sum(2 + (item.length or 0) for item in self.items)

    @cached_property
    def required_tags(self) -> frozenset[int | None]:
        """Tags that a healthy card has."""
        return frozenset(item.tag for item in self.items if not item.optional)

    @cached_property
    def _by_tag(self) -> dict[int | None, _Declared | None]:
        """What the first record of each tag is."""
        found: dict[int | None, _Declared | None] = {}
        for item in reversed(self.items):
            found[item.tag] = _Declared(item.field, item.reader, found.get(item.tag))
        return found

    def decode(self, records: Iterable[Record]) -> Fields:
        """Read the item records of a file of kind RECORDS; never raises.

        Returns:
            every declared field: `str` for text, digits and months (YYYYMM), `date`, `int`,
            `bytes`; for a B-TLV a mapping of its parts with values of the same types; None for
            a blank or absent field; `Unreadable` where a value is not of its format or its
            record is not whole.
        """
        fields, expected = self._absent.copy(), self._by_tag.copy()
        for tag, value, whole in records:
            declared = expected.get(tag)
            if declared is not None:
                name, read, expected[tag] = declared
                fields[name] = read(value) if whole else Unreadable(value)
        return fields

    @cached_property
    def _absent(self) -> dict[str, FieldValue]:
        """The fields of a card that has none of them."""
        return dict.fromkeys(item.field for item in self.items)

    def decode_cyclic(self, records: Iterable[bytes]) -> tuple[Fields | None, ...]:
        """Read the records of a file of kind CYCLIC, newest first; never raises.

        Returns:
            one for each record: values as `decode` gives them, or None for a blank record. A
            field that a short record lacks is None.
        """
        return tuple(self._cyclic(record) for record in records)

    def _cyclic(self, record: bytes) -> Fields | None:
        if not record.strip(b"\x00") or not record.strip(b"\xff"):
            return None
        fields: dict[str, FieldValue] = {}
        at = 0
        for item in self.items:
            end = at + (item.length or 0)
            fields[item.field] = item.decode_plain(record[at:end])
            at = end
        return fields

    def encode_cyclic(self, values: Fields) -> bytes:
        """The record of a file of kind CYCLIC that stores `values`; an absent one is blank.

        Raises:
            ValueError: see `Item.encode_value`; also for a field that is not declared.
        """
        if values.keys() - {item.field for item in self.items}:
            raise ValueError(f"{self.name}: a field that is not declared")
        return b"".join(item.encode_value(values.get(item.field)) for item in self.items)

    def decode_content(self, content: bytes) -> Reading:
        """Read the content of a file of kind TRANSPARENT: bytes without the padding behind
        them; None when blank. Never raises."""
        return self.items[0].decode_plain(content)
