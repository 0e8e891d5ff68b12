"""Reading a whole file of item records with as few commands as this card allows.

Cards differ: most return all records at once (mode 5), older ones want record numbers, some only
tags, some no short file identifier, some the exact length of the record. The first way that works
is remembered for the next file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from enum import Enum
from typing import assert_never

from apdu import simple_tlv
from apdu.channel import Channel
from apdu.command import SHORT_NE
from apdu.commands import READ_SELECTED, ReadMode, Select, read_record, select_by_fid
from apdu.dictionary import CardFile, Item
from apdu.errors import MalformedAnswer, UnexpectedStatus
from apdu.response import Response
from apdu.simple_tlv import Record
from apdu.status import Outcome, meaning, raise_for

_COMMAND = "READ RECORD"
_NO_RECORD = 0x6A83
_WRONG_LENGTH = 0x6700
_TAG_AND_LENGTH = 2
_LAST_NUMBER = 30
"""No file of item records has more; a card that answers for ever is left there."""


class Way(Enum):
    """How a card lets its records be read, cheapest first."""

    ALL = "all records, short file identifier"
    NUMBERS = "by number, short file identifier"
    TAGS = "by tag, short file identifier"
    SELECTED_NUMBERS = "by number, file selected first"
    SELECTED_TAGS = "by tag, file selected first"

    def suits(self, file: CardFile) -> bool:
        """Whether all of `file` can be had in this way.

        One short answer ends after 256 bytes, and a tag finds only the first of its records.
        """
        match self:
            case Way.ALL:
                return file.records_size <= SHORT_NE
            case Way.TAGS | Way.SELECTED_TAGS:
                return all(item.occurrence == 1 for item in file.items)
            case Way.NUMBERS | Way.SELECTED_NUMBERS:
                return True
            case _:
                assert_never(self)


_WAYS = tuple(Way)


class _Refused(Exception):
    """This way does not work on this card; perhaps another one does.

    Attributes:
        anew: whether another way may bring this file although this one has brought others.
    """

    def __init__(self, sw: int, *, anew: bool = False) -> None:
        super().__init__()
        self.sw = sw
        self.anew = anew


class RecordReader:
    """Reads files of the selected application.

    Args:
        channel: the card, with the application selected.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._exact = False
        """Whether this card wants to be asked for exactly one record's length."""
        self.way: Way | None = None
        """The way that this card is known to accept."""

    def read(self, file: CardFile) -> tuple[Record, ...]:
        """All records of a file of item records, in the card's order.

        Raises:
            UnexpectedStatus: refused in every way; 6982 is raised at once, because it would be
                the same in every way.
            MalformedAnswer: a record is broken off, each time at another place.
            CardError: see `apdu.errors`.
        """
        refusal = _NO_RECORD
        for way in self._ways(file):
            try:
                records = self._reader(way)(file)
            except _Refused as refused:
                refusal = refused.sw
                # What the card has accepted before, it refuses for the file's sake.
                if way is self.way and not refused.anew:
                    break
                continue
            self.way = self.way or way
            return records
        raise UnexpectedStatus(_COMMAND, refusal)

    def read_entries(self, file: CardFile) -> tuple[bytes, ...]:
        """The records of a cyclic file, newest first, until there is none.

        Raises:
            UnexpectedStatus: refused, by short file identifier and with the file selected.
            MalformedAnswer: a record has another length than declared, and each time another.
            CardError: see `apdu.errors`.
        """
        if self.way not in (Way.SELECTED_NUMBERS, Way.SELECTED_TAGS):
            try:
                return self._entries(file, file.sfi)
            except _Refused:
                pass
        try:
            return self._entries(self._selected(file), READ_SELECTED)
        except _Refused as refused:
            raise UnexpectedStatus(_COMMAND, refused.sw) from None

    def _ways(self, file: CardFile) -> Iterator[Way]:
        known = self.way
        if known is not None and known.suits(file):
            yield known
        for way in _WAYS:
            if way is not known and way.suits(file):
                yield way

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
        try:
            records = simple_tlv.decode(response.data, skip_padding=True)
        except MalformedAnswer:
            raise _Refused(response.sw, anew=True) from None
        # A card that ignores the mode's last bit takes it for "by number" and returns one record.
        if len(records) <= 1 < len(file.items):
            raise _Refused(response.sw, anew=bool(records))
        if not file.required_tags <= {record.tag for record in records}:
            return self._each_alone(file) or records
        return records

    def _each_alone(self, file: CardFile) -> tuple[Record, ...]:
        """The records by number; none where the card does not know them so.

        A record that is shorter than it says swallows those behind it, unless each stands alone.
        """
        try:
            return self._by_number(file, file.sfi)
        except _Refused:
            return ()

    def _by_number(self, file: CardFile, sfi: int) -> tuple[Record, ...]:
        wanted = Counter(item.tag for item in file.items)
        records: list[Record] = []
        for number in range(1, _LAST_NUMBER + 1):
            declared = file.items[number - 1] if number <= len(file.items) else None
            found = self._record(number, ReadMode.BY_NUMBER, sfi, _record_size(declared))
            if found is None:
                break
            records.extend(found)
            wanted -= Counter(record.tag for record in found)
            if not wanted:
                break
        return _some(records)

    def _by_tag(self, file: CardFile, sfi: int) -> tuple[Record, ...]:
        records: list[Record] = []
        for item in file.items:
            if item.tag is not None:
                records.extend(
                    self._record(item.tag, ReadMode.BY_TAG, sfi, _record_size(item)) or ()
                )
        return _some(records)

    def _entries(self, file: CardFile, sfi: int) -> tuple[bytes, ...]:
        size = sum(item.length or 0 for item in file.items)
        entries: list[bytes] = []
        for number in range(1, (file.records or 0) + 1):
            response = self._one(number, ReadMode.BY_NUMBER, sfi, size)
            if response is None:
                break
            if len(response.data) != size:
                # Only what the card stores like that is taken: it gives the same once more.
                again = self._one(number, ReadMode.BY_NUMBER, sfi, size)
                if again is None or again.data != response.data:
                    raise MalformedAnswer("a cyclic record of changing length")
            entries.append(response.data)
        return tuple(entries)

    def _selected(self, file: CardFile) -> CardFile:
        """Select `file`; cards take one P1 or the other."""
        response = self._channel.send(select_by_fid(file.fid, Select.FILE_HERE))
        if not response.ok:
            response = self._channel.send(select_by_fid(file.fid, Select.ANY))
        _check(response, "SELECT")
        return file

    def _record(
        self, p1: int, mode: ReadMode, sfi: int, size: int | None
    ) -> tuple[Record, ...] | None:
        """One record; None when there is none. One that breaks off is asked for again: only what
        the card stores like that is taken, as not whole."""
        broken = b""
        while (response := self._one(p1, mode, sfi, size)) is not None:
            try:
                return simple_tlv.decode(response.data, skip_padding=True)
            except MalformedAnswer:
                if len(response.data) < _TAG_AND_LENGTH or (broken and response.data != broken):
                    raise
                if broken:
                    return (Record(broken[0], broken[_TAG_AND_LENGTH:], whole=False),)
                broken = response.data
        return None

    def _one(self, p1: int, mode: ReadMode, sfi: int, size: int | None = None) -> Response | None:
        """One READ RECORD; None when there is no such record. `size` is the record's, where it
        is known."""
        command = read_record(p1, mode, sfi=sfi)
        exact = command if size is None else read_record(p1, mode, sfi=sfi, ne=size)
        response = self._channel.send(exact if self._exact else command)
        if response.sw == _WRONG_LENGTH and exact is not command and not self._exact:
            response = self._channel.send(exact)
            self._exact = response.sw != _WRONG_LENGTH
        return None if response.sw == _NO_RECORD else _check(response, _COMMAND)


def _record_size(item: Item | None) -> int | None:
    """Bytes of the item's record, where its length is known."""
    return None if item is None or item.length is None else _TAG_AND_LENGTH + item.length


def _check(response: Response, command: str) -> Response:
    if not response.ok and meaning(response.sw, command).outcome in (
        Outcome.REFUSED,
        Outcome.NOT_FOUND,
        Outcome.CARD_FAULT,
        Outcome.WRONG_LE,
        Outcome.UNKNOWN,
    ):
        # A length may be wrong by number and right by tag, where an optional record is absent.
        raise _Refused(response.sw, anew=response.sw == _WRONG_LENGTH)
    return raise_for(command, response)


def _some(records: list[Record]) -> tuple[Record, ...]:
    if not records:
        raise _Refused(_NO_RECORD)
    return tuple(records)
