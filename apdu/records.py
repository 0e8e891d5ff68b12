"""Reading a whole file of item records with as few commands as this card allows.

Cards differ: most return all records at once (mode 5), older ones want record numbers, some only
tags, some no short file identifier. The first way that works is remembered for the next file.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import assert_never

from apdu import simple_tlv
from apdu.channel import Channel
from apdu.commands import READ_SELECTED, ReadMode, Select, read_record, select_by_fid
from apdu.dictionary import CardFile
from apdu.errors import UnexpectedStatus
from apdu.response import Response
from apdu.simple_tlv import Record
from apdu.status import Outcome, meaning, raise_for

_COMMAND = "READ RECORD"
_NO_RECORD = 0x6A83
_LAST_NUMBER = 30
"""No file of item records has more; a card that answers for ever is left there."""


class Way(Enum):
    """How a card lets its records be read, cheapest first."""

    ALL = "all records, short file identifier"
    NUMBERS = "by number, short file identifier"
    TAGS = "by tag, short file identifier"
    SELECTED_NUMBERS = "by number, file selected first"
    SELECTED_TAGS = "by tag, file selected first"


class _Refused(Exception):
    """This way does not work on this card; perhaps another one does."""

    def __init__(self, sw: int) -> None:
        super().__init__()
        self.sw = sw


class RecordReader:
    """Reads files of the selected application.

    Args:
        channel: the card, with the application selected.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.way: Way | None = None
        """The way that this card is known to accept."""

    def read(self, file: CardFile) -> tuple[Record, ...]:
        """All records of `file`, in the card's order.

        Raises:
            UnexpectedStatus: refused in every way; 6982 is raised at once, because it would be
                the same in every way.
            MalformedAnswer: a record is broken off.
            CardError: see `apdu.errors`.
        """
        ways = tuple(Way) if self.way is None else (self.way,)
        refusal = _NO_RECORD
        for way in ways:
            try:
                records = self._reader(way)(file)
            except _Refused as refused:
                refusal = refused.sw
                continue
            self.way = way
            return records
        raise UnexpectedStatus(_COMMAND, refusal)

    def _reader(self, way: Way) -> Callable[[CardFile], tuple[Record, ...]]:
        match way:
            case Way.ALL:
                return self._all
            case Way.NUMBERS:
                return lambda file: self._by_number(file, file.sfi)
            case Way.TAGS:
                return lambda file: self._by_tag(file, file.sfi)
            case Way.SELECTED_NUMBERS:
                return lambda file: self._by_number(self._selected(file), READ_SELECTED)
            case Way.SELECTED_TAGS:
                return lambda file: self._by_tag(self._selected(file), READ_SELECTED)
            case _:
                assert_never(way)

    def _all(self, file: CardFile) -> tuple[Record, ...]:
        response = self._one(1, ReadMode.ALL_FROM, file.sfi)
        if response is None:
            raise _Refused(_NO_RECORD)
        records = simple_tlv.decode(response.data, skip_padding=True)
        # A card that ignores the mode's last bit takes it for "by number" and returns one record.
        if len(records) <= 1 < len(file.items):
            raise _Refused(response.sw)
        return records

    def _by_number(self, file: CardFile, sfi: int) -> tuple[Record, ...]:
        wanted = {item.tag for item in file.items}
        records: list[Record] = []
        for number in range(1, _LAST_NUMBER + 1):
            response = self._one(number, ReadMode.BY_NUMBER, sfi)
            if response is None:
                break
            found = simple_tlv.decode(response.data, skip_padding=True)
            records.extend(found)
            wanted -= {record.tag for record in found}
            if not wanted:
                break
        return _some(records)

    def _by_tag(self, file: CardFile, sfi: int) -> tuple[Record, ...]:
        records: list[Record] = []
        for tag in (item.tag for item in file.items if item.tag is not None):
            response = self._one(tag, ReadMode.BY_TAG, sfi)
            if response is not None:
                records.extend(simple_tlv.decode(response.data, skip_padding=True))
        return _some(records)

    def _selected(self, file: CardFile) -> CardFile:
        """Select `file`; cards take one P1 or the other."""
        response = self._channel.send(select_by_fid(file.fid, Select.FILE_HERE))
        if not response.ok:
            response = self._channel.send(select_by_fid(file.fid, Select.ANY))
        _check(response, "SELECT")
        return file

    def _one(self, p1: int, mode: ReadMode, sfi: int) -> Response | None:
        """One READ RECORD; None when there is no such record."""
        response = self._channel.send(read_record(p1, mode, sfi=sfi))
        return None if response.sw == _NO_RECORD else _check(response, _COMMAND)


def _check(response: Response, command: str) -> Response:
    if meaning(response.sw, command).outcome in (
        Outcome.REFUSED,
        Outcome.NOT_FOUND,
        Outcome.CARD_FAULT,
        Outcome.WRONG_LE,
        Outcome.UNKNOWN,
    ):
        raise _Refused(response.sw)
    return raise_for(command, response)


def _some(records: list[Record]) -> tuple[Record, ...]:
    if not records:
        raise _Refused(_NO_RECORD)
    return tuple(records)
