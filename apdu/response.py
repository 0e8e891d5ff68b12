"""Response APDU (ISO/IEC 7816-4 §5.1): data and the two status bytes."""

from __future__ import annotations

from typing import NamedTuple

from apdu.errors import MalformedAnswer

SW_OK = 0x9000
_MAXIMUM = 65536 + 2


class Response(NamedTuple):
    """One answer of a card.

    Attributes:
        data: 0..65536 bytes; not shown by repr.
        sw: status word, 0..0xFFFF.
    """

    data: bytes
    sw: int

    def __repr__(self) -> str:
        return f"Response({len(self.data)} bytes, sw={self.sw:04X})"

    @property
    def ok(self) -> bool:
        """Whether the card reports plain success, 9000."""
        return self.sw == SW_OK

    @classmethod
    def parse(cls, raw: bytes) -> Response:
        """Split an answer.

        Raises:
            MalformedAnswer: fewer than 2 bytes, or more than any answer may have.
        """
        if not 2 <= len(raw) <= _MAXIMUM:
            raise MalformedAnswer(f"an answer of {len(raw)} bytes")
        return cls(raw[:-2], raw[-2] << 8 | raw[-1])
