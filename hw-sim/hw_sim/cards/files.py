"""The elementary files of one directory: records, cyclic records, transparent bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hw_sim.cards import iso7816 as iso
from hw_sim.cards.access import Access
from hw_sim.cards.contents import Marking, Piece, value_of
from hw_sim.cards.image import Image
from hw_sim.cards.iso7816 import Answer, Command, Handler, SwError
from hw_sim.cards.layout import FileLayout, Item, Kind, Type
from hw_sim.cards.memory import Memory


class Files:
    """Files in the card's memory, and the commands that select, read and write them.

    Args:
        name: of the directory; begins their words in the memory.
        image: says which forms of the commands the card knows.
        may: whether the session has a right.
    """

    def __init__(
        self,
        memory: Memory,
        name: str,
        layouts: Sequence[FileLayout],
        image: Image,
        may: Callable[[Access], bool],
    ) -> None:
        self._memory = memory
        self._name = name
        self._layouts = {layout.fid: layout for layout in layouts}
        self._image = image
        self._may = may
        self._current: FileLayout | None = None
        self.handlers: Mapping[tuple[int, int], Handler] = {
            (0x00, 0xA4): self._select,
            (0x00, 0xB2): self._read_record,
            (0x00, 0xDC): self._update_record,
            (0x00, 0xE2): self._append_record,
            (0x00, 0xB0): self._read_binary,
            (0x00, 0xD6): self._update_binary,
        }

    def issue(self, piece: Piece, marking: Marking) -> None:
        """Writes what issuance leaves. Raises ValueError: a value does not fit."""
        for layout in self._layouts.values():
            match layout.kind:
                case Kind.RECORDS:
                    self._issue_records(layout, piece, marking)
                case Kind.CYCLIC:
                    self._memory.write(self._word(layout, "count"), 0)
                    self._memory.write(self._word(layout, "newest"), 0)
                    if piece.resident is not None:
                        record = b"".join(_bytes(item, piece, marking) for item in layout.items)
                        for _ in range(layout.initial):
                            self._append(layout, record)
                case Kind.TRANSPARENT:
                    content = value_of(layout.value, piece, marking)
                    if len(content) > layout.size:
                        raise ValueError(f"the contents of {layout.fid:04X} do not fit")
                    self._memory.write(
                        self._word(layout, "bytes"), content.ljust(layout.size, b"\0")
                    )

    def drop_selection(self) -> None:
        """No file is the current one."""
        self._current = None

    def _issue_records(self, layout: FileLayout, piece: Piece, marking: Marking) -> None:
        records = [
            _record(item, piece, marking)
            for item in layout.items
            if not item.omit_empty or value_of(item.value, piece, marking)
        ]
        self._memory.write(self._word(layout, "count"), len(records))
        for number, record in enumerate(records, 1):
            self._memory.write(self._word(layout, number), record)

    # --- addressing ----------------------------------------------------------------------------

    def _select(self, command: Command) -> bytes:
        if command.p1 not in self._image.file_selection:
            raise SwError(iso.WRONG_P1_P2)
        self._current = self._found(int.from_bytes(command.data, "big"))
        return b""

    def _found(self, fid: int) -> FileLayout:
        if fid not in self._layouts:
            raise SwError(iso.FILE_NOT_FOUND)
        return self._layouts[fid]

    def _addressed(self, sfi: int, *kinds: Kind) -> FileLayout:
        """The file of a short identifier, which becomes the current one; 0 is the current file."""
        if sfi and not self._image.short_identifiers:
            raise SwError(iso.WRONG_P1_P2)
        if sfi:
            self._current = self._found(0xEF00 | sfi)
        if self._current is None:
            raise SwError(iso.NO_CURRENT_FILE)
        if self._current.kind not in kinds:
            raise SwError(iso.WRONG_FILE_TYPE)
        return self._current

    def _need(self, access: Access) -> None:
        if not self._may(access):
            raise SwError(iso.SECURITY_STATUS)

    def _word(self, layout: FileLayout, what: str | int) -> str:
        return f"{self._name}.{layout.fid:04X}.{what}"

    # --- records -------------------------------------------------------------------------------

    def _read_record(self, command: Command) -> bytes:
        mode = command.p2 & 0x07
        if mode not in (0, 4, 5) or (mode == 5 and not self._image.reads_all_records):
            raise SwError(iso.WRONG_P1_P2)
        if command.data:
            raise SwError(iso.WRONG_LENGTH)
        layout = self._addressed(command.p2 >> 3, Kind.RECORDS, Kind.CYCLIC)
        self._need(layout.read)
        records = self._records(layout)
        if mode == 0:
            if layout.kind is Kind.CYCLIC:
                raise SwError(iso.WRONG_FILE_TYPE)
            for record in records:
                if record[0] == command.p1:
                    return record
            raise SwError(iso.RECORD_NOT_FOUND)
        if not 1 <= command.p1 <= len(records):
            raise SwError(iso.RECORD_NOT_FOUND)
        return records[command.p1 - 1] if mode == 4 else b"".join(records[command.p1 - 1 :])

    def _records(self, layout: FileLayout) -> Sequence[bytes]:
        """In the order of their numbers; a cyclic file's newest is the first."""
        count = self._memory.count(self._word(layout, "count"))
        if layout.kind is Kind.CYCLIC:
            newest = self._memory.count(self._word(layout, "newest"))
            places = [(newest - age) % layout.capacity for age in range(count)]
        else:
            places = list(range(1, count + 1))
        return [self._memory.read(self._word(layout, place)) for place in places]

    def _update_record(self, command: Command) -> bytes:
        if command.p2 & 0x07 != 4:
            raise SwError(iso.WRONG_P1_P2)
        layout = self._addressed(command.p2 >> 3, Kind.RECORDS)
        self._need(layout.write)
        records = self._records(layout)
        if not 1 <= command.p1 <= len(records):
            raise SwError(iso.RECORD_NOT_FOUND)
        old = records[command.p1 - 1]
        if len(command.data) != len(old):
            raise SwError(iso.WRONG_LENGTH)
        if command.data[:2] != old[:2]:
            raise SwError(iso.WRONG_DATA)
        self._memory.write(self._word(layout, command.p1), command.data)
        return b""

    def _append_record(self, command: Command) -> bytes:
        """00 E2 [M §3]: the new record is number 1, the oldest falls out of a full file."""
        if command.p1 or command.p2 & 0x07:
            raise SwError(iso.WRONG_P1_P2)
        layout = self._addressed(command.p2 >> 3, Kind.CYCLIC)
        self._need(layout.write)
        if len(command.data) != layout.record_length:
            raise SwError(iso.WRONG_LENGTH)
        self._append(layout, command.data)
        return b""

    def _append(self, layout: FileLayout, record: bytes) -> None:
        count, newest = self._word(layout, "count"), self._word(layout, "newest")
        place = (self._memory.count(newest) + 1) % layout.capacity
        self._memory.write(self._word(layout, place), record)
        self._memory.write(newest, place)
        self._memory.write(count, min(self._memory.count(count) + 1, layout.capacity))

    # --- bytes ---------------------------------------------------------------------------------

    def _at(self, command: Command) -> tuple[FileLayout, int]:
        """File and offset: P1 is 100xxxxx with a short identifier, or the offset's high byte."""
        short = command.p1 & 0x80
        if short and command.p1 & 0x60:
            raise SwError(iso.WRONG_P1_P2)
        layout = self._addressed(command.p1 & 0x1F if short else 0, Kind.TRANSPARENT)
        return layout, command.p2 if short else command.p1 << 8 | command.p2

    def _read_binary(self, command: Command) -> bytes | Answer:
        """Fewer bytes than Le asks for come under 6282; Le 00 takes what there is."""
        if command.data:
            raise SwError(iso.WRONG_LENGTH)
        layout, offset = self._at(command)
        self._need(layout.read)
        if offset >= layout.size:
            raise SwError(iso.WRONG_OFFSET)
        asked = command.ne or 256
        part = self._memory.read(self._word(layout, "bytes"))[offset : offset + asked]
        return part if len(part) == asked or asked == 256 else Answer(part, iso.END_OF_FILE)

    def _update_binary(self, command: Command) -> bytes:
        layout, offset = self._at(command)
        self._need(layout.write)
        if not command.data:
            raise SwError(iso.WRONG_LENGTH)
        if offset >= layout.size:
            raise SwError(iso.WRONG_OFFSET)
        if offset + len(command.data) > layout.size:
            raise SwError(iso.NO_SPACE)
        word = self._word(layout, "bytes")
        old = self._memory.read(word)
        new = old[:offset] + command.data + old[offset + len(command.data) :]
        self._memory.write(word, new)
        return b""


def _record(item: Item, piece: Piece, marking: Marking) -> bytes:
    """Tag, length, value."""
    if item.raw is not None:
        return item.raw
    assert item.tag is not None
    return bytes((item.tag, item.length)) + _bytes(item, piece, marking)


def _bytes(item: Item, piece: Piece, marking: Marking) -> bytes:
    """The value, filled up to its length. Raises ValueError: it does not fit."""
    if item.parts:
        return b"".join(_record(part, piece, marking) for part in item.parts)
    value = value_of(item.value, piece, marking)
    if not value:
        # An empty BCD value is all filling half-bytes.
        return (b"\xff" if item.type is Type.DIGITS else b"\0") * item.length
    if item.pad is not None:
        value = value.ljust(item.length, bytes([item.pad]))
    if len(value) != item.length:
        raise ValueError(f"record {item.tag or 0:02X} does not fit its length")
    return value
