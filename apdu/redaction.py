"""What of an exchange may leave the terminal, in a trace or in a recording.

Whatever is not listed here is hidden: the data of every command but SELECT, and every answer but
the control information that SELECT returns and the harmless items of EF05 (发卡机构数据). So a new
instruction or a new file is hidden until somebody has thought about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from apdu import simple_tlv
from apdu.command import Layout
from apdu.commands import Ins
from apdu.errors import MalformedAnswer
from apdu.simple_tlv import Record

SSSE_NAME = bytes.fromhex("7378312E73682EC9E7BBE1B1A3D5CF")
"""Name of the application "sx1.sh.社会保障" (SSSE)."""
_SSSE_FID = bytes.fromhex("DDF1")
_HARMLESS: Mapping[int, int] = MappingProxyType({0x02: 1, 0x03: 4, 0x04: 12, 0x05: 4, 0x06: 4})
"""Items of EF05 and their lengths: card class, version, organisation and dates. Tags 01 (card id)
and 07 (card number) name one person's card."""
_PSAM_COMPUTE = (0x80, 0xFA)


class Content(Enum):
    """Kinds of answer, by what may be shown of them."""

    HIDDEN = "hidden"
    OPEN = "open"
    """What SELECT returns. The FCI of a payment application names no account (EMV book 1, §11.3);
    its records do, and they are hidden."""
    ISSUER = "issuer"
    """EF05 of the SSSE."""
    HOLDER = "holder"
    """EF06 of the SSSE: which items there are, and how long, says nothing about a person."""
    PROOF = "proof"
    """A computed result. Hidden; but whether two of them are equal decides about a card."""


_FILES: Mapping[int, Content] = MappingProxyType({5: Content.ISSUER, 6: Content.HOLDER})
"""Short identifiers of the SSSE's files of which something is known to be harmless."""
_TAGS: Mapping[Content, frozenset[int]] = MappingProxyType(
    {
        Content.ISSUER: frozenset(range(0x01, 0x08)),
        Content.HOLDER: frozenset((0x08, 0x09, 0x4E, 0x0A, 0x0B, 0x0C, 0x0D)),
    }
)


class Redactor:
    """Follows what is selected on one card. In doubt, everything is hidden.

    For each exchange `sending` is called before, `answered` after when there was an answer.
    """

    def __init__(self) -> None:
        self._pending = Content.HIDDEN
        self._selecting: tuple[int, bytes] | None = None
        self.forget()

    def forget(self) -> None:
        """The card was reset: nothing is selected."""
        self._in_ssse = False
        self._file: int | None = None

    def sending(self, command: bytes | bytearray, layout: Layout) -> tuple[bytes | None, Content]:
        """What may be shown of a command's data (None: nothing), and of the answer to it."""
        selects = command[0] == 0 and command[1] == Ins.SELECT.value
        data = bytes(command[layout.data_start :][: layout.nc]) if selects else None
        self._selecting = None if data is None else (command[2], data)
        self._pending = self._content(command)
        return data, self._pending

    def answered(self, sw: int, size: int) -> None:
        """Know what is selected after the answer to the command of `sending`.

        Args:
            sw: its status word.
            size: bytes of its data. What GET RESPONSE brings after some may begin in the middle
                of an item, and would be read as other items than it holds.
        """
        if size:
            self._pending = Content.HIDDEN
        if self._selecting is None:
            return
        p1, data = self._selecting
        done = sw == 0x9000 or sw >> 8 in (0x61, 0x62)
        is_file = len(data) == 2 and data[0] == 0xEF
        if p1 == 0x04 or not is_file:
            self._in_ssse = done and data in (SSSE_NAME, _SSSE_FID)
        self._file = data[1] & 0x1F if done and is_file else None

    def _content(self, command: bytes | bytearray) -> Content:
        cla, ins, p2 = command[0], command[1], command[3]
        if (cla, ins) == _PSAM_COMPUTE:
            return Content.PROOF
        if cla != 0:
            return Content.HIDDEN
        match ins:
            case Ins.SELECT.value:
                return Content.OPEN
            case Ins.INTERNAL_AUTHENTICATE.value:
                return Content.PROOF
            case Ins.GET_RESPONSE.value:
                return self._pending
            case Ins.READ_RECORD.value if self._in_ssse:
                file = p2 >> 3 or self._file
                return _FILES.get(file or 0, Content.HIDDEN)
            case _:
                return Content.HIDDEN


def is_harmless(item: Record) -> bool:
    """Whether the value of this item of EF05 may be shown."""
    return len(item.value) <= _HARMLESS.get(item.tag, -1)


def items(content: Content, data: bytes) -> tuple[Record, ...] | None:
    """The items of an ISSUER or HOLDER answer, padding left out; None when it does not hold just
    what these files hold, and nothing of it may be shown."""
    known = _TAGS.get(content)
    if known is None:
        return None
    try:
        records = simple_tlv.decode(data, skip_padding=True)
    except MalformedAnswer:
        return None
    return records if all(record.tag in known for record in records) else None
