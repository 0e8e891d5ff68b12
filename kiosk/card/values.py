"""Stored values for people: masked, with their bytes beside them.

Open is only what `apdu.redaction` calls harmless, and what is blank. Anything else is shown as a
name, a number or a length: what an item that nobody names may hold, nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from apdu import simple_tlv
from apdu.dictionary import CardFile, FieldValue, FileKind, Item
from apdu.errors import MalformedAnswer
from apdu.files import StoredFile
from apdu.formats import Unreadable
from apdu.redaction import is_harmless
from apdu.simple_tlv import Record
from kiosk.card.stored import title
from kiosk.masking import mask_name, mask_number, tail

_ISSUER = "SSSEEF05"
_NAMES = ("name", "name_extension")
_CARD_NUMBER, _CARD_ID = "card_number", "card_id"
_CARD_ID_OPEN = 16
"""Hexadecimal digits of region and RID, which many cards share."""
_NUMBER = 11
"""Digits of the shortest number whose middle is long enough to hide: a telephone's. Shorter ones
may be dates and codes, and are not shown in part."""
_HEX_SHOWN = 32
_JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True, repr=False)
class Row:
    """One item as it is shown.

    Attributes:
        tag: in hexadecimal, or the place in a record without tags.
        name: Chinese and English; indented for a part.
        field: our name for it.
        text: its meaning, masked or not.
        hex: its bytes, masked or not.
    """

    tag: str
    name: str
    field: str
    text: str
    hex: str

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "tag": self.tag, "name": self.name.strip(), "field": self.field,
            "value": self.text, "hex": self.hex,
        }  # fmt: skip


def rows_of(file: CardFile, stored: StoredFile, *, full: bool) -> Iterator[Row]:
    """Every item that a file holds, in the dictionary's order; unknown tags behind them."""
    match file.kind:
        case FileKind.RECORDS:
            yield from _record_rows(file, stored.records, full)
        case FileKind.CYCLIC:
            yield from _entry_rows(file, stored.entries, full)
        case FileKind.TRANSPARENT:
            value = file.decode_content(stored.content)
            raw = value if isinstance(value, bytes) else b""
            item = file.items[0]
            yield Row("", title(item), item.field, _content(raw), hexadecimal(raw, open_=full))


def _record_rows(file: CardFile, records: tuple[Record, ...], full: bool) -> Iterator[Row]:
    values = file.decode(records)
    raw = file.raw_values(records)
    for item in file.items:
        stored, value = raw.get(item.field), values[item.field]
        if stored is None and isinstance(value, Unreadable):
            stored = value.raw
        if stored is None:
            if not item.optional:
                yield Row(_tag(item), title(item), item.field, "缺 absent", "")
            continue
        record = Record(item.tag or 0, stored)
        shown = full or (file.name == _ISSUER and is_harmless(record))
        yield from _item_rows(item, stored, value, shown, "")
    known = {item.tag for item in file.items}
    for record in records:
        if record.tag not in known:
            told = hexadecimal(record.value, open_=full)
            yield Row(f"{record.tag:02X}", "（未知标签 unknown tag）", "", "?", told)


def _entry_rows(file: CardFile, entries: tuple[bytes, ...], full: bool) -> Iterator[Row]:
    for number, (entry, values) in enumerate(
        zip(entries, file.decode_cyclic(entries), strict=True), 1
    ):
        if values is None:
            continue
        at = 0
        for item in file.items:
            end = at + (item.length or 0)
            for row in _item_rows(item, entry[at:end], values[item.field], full, ""):
                yield Row(f"{number}.{item.record}", row.name, row.field, row.text, row.hex)
            at = end


def _item_rows(
    item: Item, raw: bytes, value: FieldValue, open_: bool, indent: str
) -> Iterator[Row]:
    if not isinstance(value, Mapping):
        plain = open_ or value is None
        told = meaning_of(item, value, open_=plain)
        yield Row(_tag(item), indent + title(item), item.field, told, hexadecimal(raw, open_=plain))
        return
    yield Row(_tag(item), indent + title(item), item.field, "", "")
    inner = _parts(raw)
    for part in item.parts:
        yield from _item_rows(
            part, inner.get(part.tag, b""), value[part.field], open_, indent + "  "
        )


def _parts(raw: bytes) -> dict[int | None, bytes]:
    try:
        records: Iterable[Record] = simple_tlv.decode(raw, skip_padding=True)
    except MalformedAnswer:
        return {}
    found: dict[int | None, bytes] = {}
    for record in records:
        found.setdefault(record.tag, record.value)
    return found


def meaning_of(item: Item, value: FieldValue, *, open_: bool) -> str:
    """What a value says; a masked one only its kind and length, or the ends of a number."""
    match value:
        case None:
            return "空 blank"
        case Unreadable():
            size = len(value.raw)
            return value.for_staff() if open_ else f"无法解读 unreadable, {size} B"
        case Mapping():
            return ""
        case date():
            return value.isoformat() if open_ else "日期 date"
        case bytes():
            return value.hex().upper() if open_ else _masked_bytes(item, value)
        case int():
            return str(value) if open_ else "整数 integer"
        case str():
            return value if open_ else _masked(item, value)


def _masked(item: Item, value: str) -> str:
    if item.field in _NAMES:
        return mask_name(value)
    if item.field == _CARD_NUMBER:
        return "…" + tail(value)
    # The last character of a citizen's number may be X.
    if len(value) >= _NUMBER and value.isascii() and value[:-1].isdecimal() and value[-1].isalnum():
        return mask_number(value)
    return f"{len(value)} 字 chars"


def _masked_bytes(item: Item, value: bytes) -> str:
    if item.field == _CARD_ID:
        return value.hex().upper()[:_CARD_ID_OPEN] + "…"
    return f"{len(value)} B"


def hexadecimal(raw: bytes, *, open_: bool) -> str:
    """Bytes as they are stored; of masked ones only how many there are."""
    if not raw:
        return ""
    if not open_:
        return f"·· ×{len(raw)}"
    if len(set(raw)) == 1 and len(raw) > 1:
        return f"{raw[:1].hex().upper()} ×{len(raw)}"
    shown = raw[:_HEX_SHOWN].hex().upper()
    return shown if len(raw) <= _HEX_SHOWN else f"{shown}… ×{len(raw)}"


def _content(raw: bytes) -> str:
    if not raw:
        return "空 blank"
    return f"{'JPEG, ' if raw.startswith(_JPEG) else ''}{len(raw)} B"


def _tag(item: Item) -> str:
    return f"#{item.record}" if item.tag is None else f"{item.tag:02X}"
