"""Reading and writing any file of the dictionary: select its application, meet its access rule,
then read or write it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from apdu import commands, simple_tlv
from apdu.authentication import Authentication
from apdu.binary import PIECE, read_content
from apdu.channel import Channel
from apdu.command import Command
from apdu.commands import READ_SELECTED
from apdu.custodian import Custodian
from apdu.dictionary import Access, AccessRule, CardFile, FieldValue, FileKind, Item
from apdu.errors import AccessNever, PinNeeded, PsamUnavailable, UnexpectedStatus
from apdu.profile import CardProfile
from apdu.records import RecordReader
from apdu.selection import Selection
from apdu.simple_tlv import Record
from apdu.status import raise_for

_SECURITY_STATUS = 0x6982
_NO_RECORD = 0x6A83


@dataclass(frozen=True, repr=False)
class StoredFile:
    """What a file holds, as stored. `CardFile` reads it: `decode`, `decode_cyclic` or
    `decode_content`, by the file's kind.

    Attributes:
        records: of a file of item records, in the card's order.
        entries: of a cyclic file, newest first.
        content: of a transparent file.
    """

    records: tuple[Record, ...] = ()
    entries: tuple[bytes, ...] = ()
    content: bytes = b""

    def __repr__(self) -> str:
        return (
            f"StoredFile({len(self.records)} records, {len(self.entries)} entries, "
            f"{len(self.content)} bytes)"
        )


class Files:
    """The files of one card.

    Args:
        channel: the card.
        selection: what is selected on it.
        authentication: of the same card session.
        profile: gives the card's profile when it is first needed; it may read the card.
    """

    def __init__(
        self,
        channel: Channel,
        selection: Selection,
        authentication: Authentication,
        profile: Callable[[], CardProfile],
    ) -> None:
        self._channel = channel
        self._selection = selection
        self._authentication = authentication
        self._profile = profile
        self._records = RecordReader(channel)
        self._present: dict[str, frozenset[str] | None] = {}
        """By file, the items that the card is known to hold; None where that is not known."""
        self.pin_shown = False
        """Whether the card has accepted the PIN in this session."""

    def read(self, file: CardFile, custodian: Custodian, *, size: int | None = None) -> StoredFile:
        """Everything that `file` holds; of a transparent file only the first `size` bytes where
        that is given.

        Raises:
            PinNeeded: the card wants the PIN first.
            PsamUnavailable: the custodian cannot be asked or lacks the key.
            AuthenticationFailed: the card refused the cryptogram, now or earlier.
            AccessNever: nobody may read it.
            MalformedAnswer: a record is broken off.
            CardError: see `apdu.errors`.
        """
        self._enter(file, file.read, custodian)
        try:
            return self.read_freely(file, size=size)
        except UnexpectedStatus as error:
            if error.sw == _SECURITY_STATUS:
                raise PinNeeded(f"{file.name} wants the PIN first") from error
            raise

    def read_freely(self, file: CardFile, *, size: int | None = None) -> StoredFile:
        """As `read`, for a file of the selected application whose rule is met already."""
        self._selection.move_file()
        match file.kind:
            case FileKind.RECORDS:
                return StoredFile(records=self._records.read(file))
            case FileKind.CYCLIC:
                return StoredFile(entries=self._records.read_entries(file))
            case FileKind.TRANSPARENT:
                self._selection.open_file(file)
                wanted = (file.size or 0) if size is None else size
                return StoredFile(content=read_content(self._channel, wanted))
            case _:
                assert_never(file.kind)

    def write_item(
        self, file: CardFile, item: Item, value: FieldValue, custodian: Custodian
    ) -> None:
        """Store one item of a file of item records, encoded strictly.

        A card may lack an optional item, and then those behind it have other record numbers: where
        the file can be read, it is looked at first.

        Raises:
            ValueError: the value is not of the item's format; the card was not asked. The text
                never repeats the value.
            UnexpectedStatus: 6A83: the card lacks this item.
            PinNeeded, PsamUnavailable, AuthenticationFailed, AccessNever: see `read`.
            CardError: see `apdu.errors`.
        """
        record = simple_tlv.encode([item.encode(value)])
        self.update_record(file, self._number(file, item, custodian), record, custodian)

    def write_content(self, file: CardFile, content: bytes, custodian: Custodian) -> None:
        """Store `content` at the beginning of a transparent file; what lies behind stays.

        Raises:
            ValueError: more bytes than the file has; the card was not asked.
            PinNeeded, PsamUnavailable, AuthenticationFailed, AccessNever: see `read`.
            CardError: see `apdu.errors`.
        """
        for offset, chunk in chunks(file, content):
            self.update_part(file, offset, chunk, custodian)

    def update_record(
        self, file: CardFile, number: int, record: bytes, custodian: Custodian
    ) -> None:
        """Store one record: tag, length and value. Raises as `write_item`."""
        command = commands.update_record(number, record)
        self._update(file, "UPDATE RECORD", command, custodian)

    def update_part(self, file: CardFile, offset: int, part: bytes, custodian: Custodian) -> None:
        """Store 1 to 255 bytes of a transparent file. Raises as `write_content`."""
        command = commands.update_binary(READ_SELECTED, offset, part)
        self._update(file, "UPDATE BINARY", command, custodian)

    def _update(self, file: CardFile, name: str, command: Command, custodian: Custodian) -> None:
        self._enter(file, file.write, custodian)
        self._selection.open_file(file)
        raise_for(name, self._channel.send(command))

    def _number(self, file: CardFile, item: Item, custodian: Custodian) -> int:
        """The number of the record that holds `item` on this card."""
        optional = [other for other in file.items if other.optional and other.record <= item.record]
        if not optional:
            return item.record
        if file.name not in self._present:
            self._present[file.name] = self._look(file, custodian)
        present = self._present[file.name]
        if present is None:
            return item.record
        if item.optional and item.field not in present:
            raise UnexpectedStatus("UPDATE RECORD", _NO_RECORD)
        return item.record - sum(other.field not in present for other in optional)

    def _look(self, file: CardFile, custodian: Custodian) -> frozenset[str] | None:
        """The items of a file that lacks none but optional ones. Blank records show no tag, so in
        any other file it cannot be told which of them there are."""
        try:
            found = frozenset(file.raw_values(self.read(file, custodian).records))
        except (PinNeeded, PsamUnavailable, AccessNever, UnexpectedStatus):
            return None
        needed = {item.field for item in file.items if not item.optional}
        return found if needed <= found else None

    def _enter(self, file: CardFile, rule: AccessRule, custodian: Custodian) -> None:
        if rule.condition is Access.NEVER:
            raise AccessNever(f"nobody may do this to {file.name}")
        self._selection.enter(self._profile().applications[file.application])
        self._satisfy(file, rule, custodian)

    def _satisfy(self, file: CardFile, rule: AccessRule, custodian: Custodian) -> None:
        """Show the key that the rule names, where the PIN is not enough."""
        match rule.condition:
            case Access.FREE | Access.PIN | Access.NEVER:
                # Whether the PIN is shown, the card knows best: some ask for none.
                return
            case Access.PIN_AND_KEY if not self.pin_shown:
                raise PinNeeded(f"{file.name} wants the PIN besides a key")
            case Access.PIN_OR_KEY if self.pin_shown:
                return
            case Access.KEY | Access.PIN_AND_KEY | Access.PIN_OR_KEY:
                try:
                    self._show_key(rule, custodian)
                except PsamUnavailable as error:
                    if rule.condition is not Access.PIN_OR_KEY:
                        raise
                    raise PinNeeded(f"{file.name} wants the PIN or a key") from error
            case _:
                assert_never(rule.condition)

    def _show_key(self, rule: AccessRule, custodian: Custodian) -> None:
        if rule.key is None:
            raise ValueError(f"{rule.condition.name} without a key")
        key = self._profile().keys[rule.key]
        if key.key_id is None:
            raise PsamUnavailable(f"no source tells the key id of {key.name}")
        self._authentication.authenticate(custodian, key)


def chunks(file: CardFile, content: bytes) -> tuple[tuple[int, bytes], ...]:
    """Offsets and parts by which `content` is written into a transparent file.

    Raises:
        ValueError: the file is not transparent, or has fewer bytes.
    """
    if file.kind is not FileKind.TRANSPARENT:
        raise ValueError(f"{file.name} is not transparent")
    if len(content) > (file.size or 0):
        raise ValueError(f"{len(content)} bytes do not go into {file.name}")
    return tuple((at, content[at : at + PIECE]) for at in range(0, len(content), PIECE))
