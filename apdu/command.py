"""Command APDU (ISO/IEC 7816-4 §5.1): a value, its seven encodings, and back."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, Self

SHORT_NC = 255
"""Most data bytes that a short command carries."""
SHORT_NE = 256
EXTENDED_NC = 65535
EXTENDED_NE = 65536
_HEADER = 4


class Case(Enum):
    """ISO/IEC 7816-3 §12.1: whether data goes out, comes back, and how lengths are coded."""

    CASE_1 = "1"
    CASE_2S = "2S"
    CASE_2E = "2E"
    CASE_3S = "3S"
    CASE_3E = "3E"
    CASE_4S = "4S"
    CASE_4E = "4E"


class _Parts(NamedTuple):
    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes | bytearray
    ne: int | None


class Command(_Parts):
    """One command to a card.

    Attributes:
        cla, ins, p1, p2: header, 0..255 each.
        data: command data, 0..65535 bytes. A `bytearray` is kept, not copied, so that whoever
            put a secret into it can wipe it.
        ne: most bytes expected back, 1..65536; None expects none. Kept apart from the Le byte,
            where 00 means 256 and absence means nothing.

    Raises:
        ValueError: a part is out of range.
    """

    __slots__ = ()

    def __new__(
        cls,
        cla: int,
        ins: int,
        p1: int,
        p2: int,
        data: bytes | bytearray = b"",
        ne: int | None = None,
    ) -> Self:
        if (cla | ins | p1 | p2) >> 8:
            raise ValueError("CLA, INS, P1 and P2 are bytes")
        if len(data) > EXTENDED_NC:
            raise ValueError(f"{len(data)} data bytes are more than {EXTENDED_NC}")
        if ne is not None and not 1 <= ne <= EXTENDED_NE:
            raise ValueError(f"Ne {ne} is not in 1..{EXTENDED_NE}")
        return super().__new__(cls, cla, ins, p1, p2, data, ne)

    def __repr__(self) -> str:
        header = f"{self.cla:02X}{self.ins:02X}{self.p1:02X}{self.p2:02X}"
        return f"Command({header}, nc={len(self.data)}, ne={self.ne})"

    @property
    def case(self) -> Case:
        """The case that `encode` uses: short whenever both lengths allow it."""
        nc, ne = len(self.data), self.ne
        extended = nc > SHORT_NC or (ne is not None and ne > SHORT_NE)
        match nc > 0, ne is not None, extended:
            case False, False, _:
                return Case.CASE_1
            case False, True, False:
                return Case.CASE_2S
            case False, True, True:
                return Case.CASE_2E
            case True, False, False:
                return Case.CASE_3S
            case True, False, True:
                return Case.CASE_3E
            case True, True, False:
                return Case.CASE_4S
            case _:
                return Case.CASE_4E

    def encode(self) -> bytearray:
        """The command's bytes, in a buffer that the caller may wipe after use."""
        out = bytearray((self.cla, self.ins, self.p1, self.p2))
        data, ne = self.data, self.ne
        # A length of 256 (or 65536) is written as zero.
        if len(data) <= SHORT_NC and (ne is None or ne <= SHORT_NE):
            if data:
                out.append(len(data))
                out += data
            if ne is not None:
                out.append(ne & 0xFF)
            return out
        out.append(0)
        if data:
            out += len(data).to_bytes(2, "big")
            out += data
        if ne is not None:
            out += (ne & 0xFFFF).to_bytes(2, "big")
        return out

    @classmethod
    def parse(cls, raw: bytes | bytearray) -> Command:
        """The command that these bytes encode, in any of the seven cases.

        The result encodes itself as short as it can, so an extended encoding of small lengths
        comes back shorter.

        Raises:
            ValueError: the lengths do not fit the bytes.
        """
        layout = Layout.of(raw)
        data = bytes(raw[layout.data_start : layout.data_start + layout.nc])
        return cls(raw[0], raw[1], raw[2], raw[3], data, layout.ne)


class Layout(NamedTuple):
    """Where the parts of an encoded command lie; holds lengths only, never its data.

    Attributes:
        case: the case that these bytes use.
        data_start: offset of the data.
        nc: data bytes.
        ne: most bytes expected back, or None.
    """

    case: Case
    data_start: int
    nc: int
    ne: int | None

    @classmethod
    def of(cls, raw: bytes | bytearray) -> Layout:
        """Measure an encoded command. Raises ValueError when the lengths do not fit."""
        size = len(raw)
        if size < _HEADER:
            raise ValueError(f"{size} bytes are no command")
        body = size - _HEADER
        if body == 0:
            return cls(Case.CASE_1, _HEADER, 0, None)
        first = raw[_HEADER]
        if body == 1:
            return cls(Case.CASE_2S, size, 0, first or SHORT_NE)
        if first:
            if body == 1 + first:
                return cls(Case.CASE_3S, _HEADER + 1, first, None)
            if body == 2 + first:
                return cls(Case.CASE_4S, _HEADER + 1, first, raw[-1] or SHORT_NE)
        elif body >= 3:
            number = int.from_bytes(raw[_HEADER + 1 : _HEADER + 3], "big")
            if body == 3:
                return cls(Case.CASE_2E, size, 0, number or EXTENDED_NE)
            if number and body == 3 + number:
                return cls(Case.CASE_3E, _HEADER + 3, number, None)
            if number and body == 5 + number:
                ne = int.from_bytes(raw[-2:], "big") or EXTENDED_NE
                return cls(Case.CASE_4E, _HEADER + 3, number, ne)
        raise ValueError(f"the lengths in a command of {size} bytes do not fit")
