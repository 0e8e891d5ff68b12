"""通用读卡 and 通用写卡: any item of any file of the card's dictionary, by its address."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import assert_never

from apdu.custodian import Custodian, KeyReference
from apdu.dictionary import Access, AccessRule, CardFile, FieldValue, FileKind, Item
from apdu.errors import UnexpectedStatus
from apdu.files import StoredFile
from apdu.ministry.address import (
    FileAddress,
    FileValues,
    ItemAddress,
    format_values,
    parse_addresses,
    parse_values,
)
from apdu.ministry.conventions import ReadAuthentication
from apdu.ministry.desk import Desk, OpenCard
from apdu.ministry.error_numbers import Number, Refusal
from apdu.ministry.hsm_steps import Nobody, Steps, show_key
from apdu.ministry.item_texts import text_of, text_of_parts, value_of
from apdu.ministry.terminal import PinPrompt
from apdu.status import Outcome, meaning

_WHOLE_CONTENT = ((), (ItemAddress(1),))
"""How a transparent file's content is addressed: without a tag (mark A) or as 01 (mark C)."""


@dataclass(frozen=True)
class _Place:
    """A file that an address names, found in the card's dictionary, and its items."""

    name: str
    file: CardFile
    record: int | None
    items: tuple[Item, ...]


def read_items(desk: Desk, kind: str, authentication: str, info: str, address: str) -> str:
    """iReadCard: the values, in the places of their address (mark C), after the holder's PIN or
    with the terminal's keys as `authentication` says.

    Raises:
        Refusal: BAD_PARAMETER: also for a file or a tag that cards of this kind do not have;
            DIFFERS_FROM_CARD; as `parse_addresses`.
        CardError: see `apdu.errors`.
    """
    how = desk.conventions.read_authentication.get(authentication)
    if how is None:
        raise Refusal(Number.BAD_PARAMETER)
    addresses = parse_addresses(address)
    with desk.open(kind, info) as opened:
        places = _found(desk, opened, addresses)
        match how:
            case ReadAuthentication.PIN:
                (digits,) = opened.ask(PinPrompt.PIN)
                opened.card.verify_pin(digits)
            case ReadAuthentication.KEY:
                pass
            case _:
                assert_never(how)
        return _values(opened, places, desk.custodian)


def read_items_by_hsm(desk: Desk, kind: str, info: str, address: str) -> Steps:
    """iReadCard_HSM_Step1 and 2: the HSM opens the one key that all these files want.

    Raises:
        Refusal: HSM_NOT_NEEDED: they are free; BAD_PARAMETER: they want several keys; as
            `read_items` and `show_key`.
        CardError: see `apdu.errors`.
    """
    addresses = parse_addresses(address)
    with desk.open(kind, info) as opened:
        places = _found(desk, opened, addresses)
        key = _only_key(opened, [(place.file, place.file.read) for place in places])
        yield from show_key(desk, opened, key, "iReadCard_HSM")
        return _values(opened, places, Nobody())


def write_items(desk: Desk, kind: str, info: str, address: str, data: str) -> str:
    """iWriteCard: everything is checked before anything is written; an empty value blanks its
    field (mark I).

    Raises:
        Refusal: BAD_PARAMETER: the values are not in the places of the address; UNSUPPORTED: a
            cyclic file; as `read_items` and `value_of`.
        CardError: see `apdu.errors`. What was written before it stays written.
    """
    addresses, values = parse_addresses(address), parse_values(data)
    with desk.open(kind, info) as opened:
        places = _found(desk, opened, addresses)
        _write(opened, _paired(places, addresses, values), desk.custodian)
    return ""


def write_items_by_hsm(desk: Desk, kind: str, info: str, address: str) -> Steps:
    """iWriteCard_HSM_Step1 and 2: as `write_items`; the values come with the second step. Raises
    as `read_items_by_hsm` and `write_items`."""
    addresses = parse_addresses(address)
    with desk.open(kind, info) as opened:
        places = _found(desk, opened, addresses)
        key = _only_key(opened, [(place.file, place.file.write) for place in places])
        _, data = yield from show_key(desk, opened, key, "iWriteCard_HSM")
        _write(opened, _paired(places, addresses, parse_values(data)), Nobody())
    return ""


def _found(desk: Desk, opened: OpenCard, addresses: Iterable[FileAddress]) -> list[_Place]:
    return [_place(desk, opened, address) for address in addresses]


def _place(desk: Desk, opened: OpenCard, address: FileAddress) -> _Place:
    application, file_name = address.file[:-4], address.file[-4:]
    name = desk.conventions.applications.get(application, application) + file_name
    file = opened.card.profile.files.get(name)
    if file is None or (address.record is not None) is not (file.kind is FileKind.CYCLIC):
        raise Refusal(Number.BAD_PARAMETER)
    match file.kind:
        case FileKind.RECORDS:
            if not address.items:
                raise Refusal(Number.BAD_PARAMETER)
            items = tuple(_item(file, item) for item in address.items)
        case FileKind.TRANSPARENT:
            if address.items not in _WHOLE_CONTENT:
                raise Refusal(Number.BAD_PARAMETER)
            items = file.items
        case FileKind.CYCLIC:
            if address.items or (address.record or 0) > (file.records or 0):
                raise Refusal(Number.BAD_PARAMETER)
            items = file.items
        case _:
            assert_never(file.kind)
    return _Place(address.file, file, address.record, items)


def _item(file: CardFile, address: ItemAddress) -> Item:
    for item in file.items:
        if (item.tag, item.occurrence) == address:
            return item
    raise Refusal(Number.BAD_PARAMETER)


def _only_key(opened: OpenCard, rules: Iterable[tuple[CardFile, AccessRule]]) -> KeyReference:
    """The key of all `rules`, with its application selected."""
    wanted: dict[tuple[str, str], CardFile] = {}
    for file, rule in rules:
        if rule.condition is Access.NEVER:
            raise Refusal(Number.SECURITY_STATUS)
        if rule.key is not None:
            wanted[file.application, rule.key] = file
    if not wanted:
        raise Refusal(Number.HSM_NOT_NEEDED)
    if len(wanted) > 1:
        raise Refusal(Number.BAD_PARAMETER)
    (((_, name), file),) = wanted.items()
    key = opened.card.profile.keys[name]
    if key.key_id is None:
        raise Refusal(Number.KEY_NOT_FOUND)
    opened.card.enter(file)
    return key


def _values(opened: OpenCard, places: Sequence[_Place], custodian: Custodian) -> str:
    stored: dict[str, StoredFile] = {}
    # What a shown key opens comes first: its rights end with the next application.
    for place in sorted(places, key=lambda place: place.file.read.key is None):
        if place.file.name not in stored:
            stored[place.file.name] = opened.card.read_file(place.file, custodian)
    return format_values(
        FileValues(place.name, place.record, _texts(place, stored[place.file.name]))
        for place in places
    )


def _texts(place: _Place, stored: StoredFile) -> tuple[str, ...]:
    file = place.file
    match file.kind:
        case FileKind.RECORDS:
            raw = file.raw_values(stored.records)
            return tuple(_text(item, raw.get(item.field)) for item in place.items)
        case FileKind.TRANSPARENT:
            return (text_of(file.items[0], file.decode_content(stored.content)),)
        case FileKind.CYCLIC:
            entries = stored.entries[(place.record or 1) - 1 :][:1]
            if not entries:
                raise Refusal(Number.NO_RECORD)
            (fields,) = file.decode_cyclic(entries)
            return (text_of_parts(file.items, fields or {}),)
        case _:
            assert_never(file.kind)


def _text(item: Item, raw: bytes | None) -> str:
    if raw is not None:
        return text_of(item, item.decode(raw))
    if not item.optional:
        raise Refusal(Number.NO_RECORD)
    return text_of(item, None)


def _paired(
    places: Sequence[_Place], addresses: Sequence[FileAddress], values: Sequence[FileValues]
) -> list[tuple[_Place, tuple[FieldValue, ...]]]:
    if [(file.file, file.record) for file in addresses] != [
        (file.file, file.record) for file in values
    ]:
        raise Refusal(Number.BAD_PARAMETER)
    return [
        (place, _encoded(place, given.values)) for place, given in zip(places, values, strict=True)
    ]


def _encoded(place: _Place, texts: Sequence[str]) -> tuple[FieldValue, ...]:
    if place.file.kind is FileKind.CYCLIC:
        # How cards take a new record of one was not seen anywhere.
        raise Refusal(Number.UNSUPPORTED)
    if len(texts) != len(place.items):
        raise Refusal(Number.BAD_PARAMETER)
    return tuple(value_of(item, text) for item, text in zip(place.items, texts, strict=True))


def _write(
    opened: OpenCard, pairs: Iterable[tuple[_Place, tuple[FieldValue, ...]]], custodian: Custodian
) -> None:
    files = opened.card.files
    for place, values in pairs:
        for item, value in zip(place.items, values, strict=True):
            if place.file.kind is FileKind.TRANSPARENT:
                # All of it: what was there before must not show behind a shorter content.
                files.write_content(place.file, item.encode_value(value), custodian)
                continue
            try:
                files.write_item(place.file, item, value, custodian)
            except UnexpectedStatus as error:
                absent = meaning(error.sw, error.command).outcome is Outcome.NOT_FOUND
                # A card without a 姓名扩展 holds none.
                if not (absent and value is None and item.optional):
                    raise
