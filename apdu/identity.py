"""What the card says about itself before any file is read, and whether it agrees with its files.

The answer to reset ends in the card's own bytes; the card identification code (卡识别码) repeats
some of them. Layout deduced from several issued cards (mark I, strong; the consistency test A).
"""

from __future__ import annotations

from typing import NamedTuple

from apdu.errors import MalformedAnswer

CARD_FACTOR_SIZE = 8
CARD_ID_SIZE = 16


class Atr(NamedTuple):
    """An answer to reset (ISO/IEC 7816-3 §8).

    Attributes:
        raw: all of it, 2..33 bytes.
        historical: the historical bytes, 0..15 (卡复位信息: 13 on social security cards).
    """

    raw: bytes
    historical: bytes

    def __repr__(self) -> str:
        return f"Atr({len(self.raw)} bytes)"

    @classmethod
    def parse(cls, raw: bytes) -> Atr:
        """Find the historical bytes.

        Raises:
            MalformedAnswer: too short for what it announces, or too long.
        """
        if not 2 <= len(raw) <= 33 or raw[0] not in (0x3B, 0x3F):
            raise MalformedAnswer("not an answer to reset")
        count, following, at = raw[1] & 0x0F, raw[1] >> 4, 2
        protocols: list[int] = []
        while following:
            at += (following & 0b0111).bit_count()
            if not following & 0b1000:
                break
            if at >= len(raw):
                raise MalformedAnswer("an answer to reset that breaks off")
            protocols.append(raw[at] & 0x0F)
            following, at = raw[at] >> 4, at + 1
        historical = raw[at : at + count]
        # A check byte follows as soon as any protocol besides T=0 is offered (§8.2.5).
        check = 1 if any(protocols) else 0
        if len(historical) != count or len(raw) < at + count + check:
            raise MalformedAnswer("an answer to reset that breaks off")
        return cls(bytes(raw), bytes(historical))

    @property
    def card_factor(self) -> bytes:
        """F_card, the card's diversification factor: the last 8 historical bytes, which end the
        ATR of a contact card.

        Raises:
            MalformedAnswer: there are fewer than 8.
        """
        if len(self.historical) < CARD_FACTOR_SIZE:
            raise MalformedAnswer("the answer to reset holds no diversification factor")
        return self.historical[-CARD_FACTOR_SIZE:]


class CardId(NamedTuple):
    """The card identification code (卡识别码), EF05 tag 01.

    Attributes:
        raw: region (3 bytes BCD), RID of the ministry (5), serial (4), check (4).
    """

    raw: bytes

    def __repr__(self) -> str:
        return "CardId(...)"

    @classmethod
    def parse(cls, raw: bytes) -> CardId:
        """Check length and region.

        Raises:
            MalformedAnswer: not 16 bytes, or the region is not made of digits.
        """
        if len(raw) != CARD_ID_SIZE or not raw[:3].hex().isdecimal():
            raise MalformedAnswer("not a card identification code")
        return cls(bytes(raw))

    @property
    def region(self) -> str:
        """Division code of the issuing place (发卡地区行政区划代码), 6 digits."""
        return self.raw[:3].hex()

    @property
    def serial(self) -> bytes:
        """The card's serial number, 4 bytes."""
        return self.raw[8:12]


def consistent(atr: Atr, card_id: CardId) -> bool:
    """Whether the ATR and the card identification code name the same card.

    Compared are the first two region bytes and the serial; the region's third byte is not in
    the ATR. A copy of the files on another chip fails here.
    """
    tail = atr.historical[-6:]
    return len(tail) == 6 and tail[:2] == card_id.raw[:2] and tail[2:] == card_id.serial
