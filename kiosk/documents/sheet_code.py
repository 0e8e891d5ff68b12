"""The text in a sheet's QR: address, code, dates, digest, and the seal's signature over them.

``<verify_url>?c=<code>&k=<key>&t=<kind>&i=<issued>&e=<valid until>&d=<digest>&s=<signature>``
(docs/platform.md, Certificates). Nothing of it is personal.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import date

from apdu.crypto import sm2
from apdu.crypto.sm2 import PublicKey, SignatureEncoding

LONGEST = 512
"""Characters; the contract's texts have some 250."""
_DIGEST_SIZE = 32
_SIGNATURE_SIZE = 64
_FORM = re.compile(
    r"(?P<signed>(?P<address>https?://[!->@-~]+)"
    r"\?c=(?P<code>[2-9A-HJ-NP-Z]{16})"
    r"&k=(?P<key_id>[a-z0-9][a-z0-9-]{0,31})"
    r"&t=(?P<kind>[a-z0-9][a-z0-9-]{0,31})"
    r"&i=(?P<issued>[0-9]{8})"
    r"&e=(?P<valid_until>[0-9]{8})"
    r"&d=(?P<digest>[A-Za-z0-9_-]{43}))"
    r"&s=(?P<signature>[A-Za-z0-9_-]{86})"
)


@dataclass(frozen=True)
class SheetCode:
    """A QR text of the right form; nothing of it is proved.

    Attributes:
        address: what stands before the question mark.
        digest: SM3 of the certificate's content, 32 bytes.
        signature: r ‖ s, 64 bytes.
        signed: the bytes that the signature is over.
    """

    address: str
    code: str
    key_id: str
    kind: str
    issued: date
    valid_until: date
    digest: bytes
    signature: bytes
    signed: bytes

    def is_signed_by(self, key: PublicKey) -> bool:
        """Whether this key made the signature."""
        return sm2.verify(key, self.signed, self.signature, encoding=SignatureEncoding.RAW)


def parse_sheet_code(text: str) -> SheetCode | None:
    """The parts of a QR text; None when it has another form."""
    match = _FORM.fullmatch(text) if len(text) <= LONGEST else None
    if match is None:
        return None
    digest = _decode(match["digest"], _DIGEST_SIZE)
    signature = _decode(match["signature"], _SIGNATURE_SIZE)
    issued, valid_until = _day(match["issued"]), _day(match["valid_until"])
    if digest is None or signature is None or issued is None or valid_until is None:
        return None
    return SheetCode(
        address=match["address"],
        code=match["code"],
        key_id=match["key_id"],
        kind=match["kind"],
        issued=issued,
        valid_until=valid_until,
        digest=digest,
        signature=signature,
        signed=match["signed"].encode("ascii"),
    )


def _decode(text: str, size: int) -> bytes | None:
    """base64url without padding, in its one canonical spelling."""
    octets = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    spelling = base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")
    return octets if len(octets) == size and spelling == text else None


def _day(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None
