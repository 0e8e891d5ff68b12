"""What issuance (制卡) writes into the files: values of one piece of plastic and its holder.

A value is named by a word of `_ISSUER` (there before the card has a holder) or `_HOLDER`, or it is
``text:`` with characters (GB 18030) or ``hex:`` with bytes. Everything but the words of `_ISSUER`
is empty on a blank card (白卡).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from types import MappingProxyType

from hw_sim.population import DIVISION, Resident

_RID = bytes.fromhex("D156000005")


@dataclass(frozen=True)
class Piece:
    """One piece of plastic.

    Attributes:
        card_id: 卡识别码, 16 bytes.
        resident: its holder; ``None`` for a blank.
    """

    card_id: bytes
    resident: Resident | None

    @classmethod
    def issued(cls, resident: Resident) -> Piece:
        """The card of a resident."""
        return cls(resident.card.card_id, resident)

    @classmethod
    def blank(cls, number: int) -> Piece:
        """A blank of the demo city's stock; ``number`` below 2**24 tells it from the others.
        Raises OverflowError."""
        serial = b"\x02" + number.to_bytes(3, "big")
        return cls(bytes.fromhex(DIVISION) + _RID + serial + b"\xff" * 4, None)

    @property
    def serial(self) -> bytes:
        """The 4 bytes that also end the ATR (domain facts §1.1)."""
        return self.card_id[8:12]


@dataclass(frozen=True)
class Marking:
    """What the generation itself writes into EF05 (domain facts §1.3, §2.1)."""

    version: str
    card_class: str


def check_value(value: str) -> None:
    """Raises ValueError: the value names nothing."""
    known = not value or value.startswith(("text:", "hex:")) or value in {*_ISSUER, *_HOLDER}
    if not known:
        raise ValueError(f"unknown value {value}")


def value_of(value: str, piece: Piece, marking: Marking) -> bytes:
    """The bytes that a value stands for, empty where there are none."""
    if value in _ISSUER:
        return _ISSUER[value](piece, marking)
    if piece.resident is None or not value:
        return b""
    if value.startswith("text:"):
        return value.removeprefix("text:").encode("gb18030")
    if value.startswith("hex:"):
        return bytes.fromhex(value.removeprefix("hex:"))
    return _HOLDER[value](piece.resident)


def _organisation(piece: Piece, _: Marking) -> bytes:
    """初始化机构编号: RID-like prefix, division twice, a number (domain facts §2.1)."""
    division = piece.card_id[:3]
    return bytes.fromhex("9156000002") + division + division + b"\x01"


def _bcd_date(day: date) -> bytes:
    return bytes.fromhex(f"{day:%Y%m%d}")


def _name(resident: Resident) -> bytes:
    return resident.name.encode("gb18030")


def _household(resident: Resident) -> bytes:
    return f"江城市东湖区解放路{resident.index % 180 + 1}号".encode("gb18030")


def _residence(resident: Resident) -> bytes:
    return f"江城市南岸区滨江大道{resident.index % 90 + 10}号{resident.index % 6 + 1}室".encode(
        "gb18030"
    )


def _phone(resident: Resident) -> bytes:
    """No mobile number begins with 129."""
    return f"129{resident.index:08d}".encode("ascii")


def _work_began(resident: Resident) -> date:
    return date(resident.born.year + 22, 7, 1 + resident.index % 28)


def _certificate_number(resident: Resident) -> bytes:
    return f"{DIVISION}{_work_began(resident).year}{resident.index:06d}".encode("ascii")


@cache
def _photo(index: int) -> bytes:
    """A JPEG of 358 x 441 pixels, the size of the card's face: a drawn head, nobody's."""
    # The picture library takes longer to load than everything else of a card.
    from PIL import Image, ImageDraw

    picture = Image.new("L", (358, 441), 250)
    draw = ImageDraw.Draw(picture)
    shade = 90 + index % 100
    draw.ellipse((109, 80, 249, 260), fill=shade)
    draw.pieslice((39, 280, 319, 640), 180, 360, fill=shade)
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=25)
    return target.getvalue()


_ISSUER: Mapping[str, Callable[[Piece, Marking], bytes]] = MappingProxyType(
    {
        "card_id": lambda piece, _: piece.card_id,
        "card_class": lambda _, marking: marking.card_class.encode("ascii"),
        "version": lambda _, marking: marking.version.encode("ascii"),
        "organisation": _organisation,
    }
)

_HOLDER: Mapping[str, Callable[[Resident], bytes]] = MappingProxyType(
    {
        "issued": lambda resident: _bcd_date(resident.card.issued),
        "expires": lambda resident: _bcd_date(resident.card.expires),
        "card_number": lambda resident: resident.card.card_number.encode("ascii"),
        "number": lambda resident: resident.number.encode("ascii"),
        # Bytes, not characters: a GB 18030 name may be cut within a character, and joins again.
        "name": lambda resident: _name(resident)[:30],
        "name_extension": lambda resident: _name(resident)[30:],
        "sex": lambda resident: resident.sex.value.encode("ascii"),
        "nation": lambda resident: bytes.fromhex(resident.nation),
        "birthplace": lambda resident: bytes.fromhex(resident.birthplace),
        "born": lambda resident: _bcd_date(resident.born),
        "photo": lambda resident: _photo(resident.index),
        "household_address": _household,
        "residence_address": _residence,
        "phone": _phone,
        "email": lambda resident: f"resident{resident.index}@example.com".encode("ascii"),
        "employer": lambda resident: "江城市示范机械有限公司".encode("gb18030"),
        "employer_code": lambda resident: f"4299{resident.index % 7:05d}".encode("ascii"),
        "work_began": lambda resident: _bcd_date(_work_began(resident)),
        "insured_since": lambda resident: _bcd_date(_work_began(resident))[:3],
        "graduated": lambda resident: bytes.fromhex(f"{resident.born.year + 22}06"),
        "certificate_number": _certificate_number,
    }
)
