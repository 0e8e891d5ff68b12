"""The keys that seal certificates, from the data pack (certificates.toml).

They belong to the agencies that issue, not to the platform that delivers: a certificate is
believed for its seal's sake, on the screen and on paper (docs/platform.md, Certificates).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from apdu.crypto.errors import MalformedKey
from apdu.crypto.sm2 import PublicKey
from kiosk.toml_tables import Table

KEY_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_URL = re.compile(r"https://[a-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._-]+)*")
_POINT = re.compile(r"[0-9a-f]{128}")


@dataclass(frozen=True)
class SealKey:
    """One agency's seal.

    Attributes:
        agency: whose seal it is, as printed (出具机构).
        division: that agency's division, 6 digits.
        valid_from, valid_to: first and last day on which it may seal.
    """

    key_id: str
    agency: str
    division: str
    public_key: PublicKey
    valid_from: date
    valid_to: date

    def valid_on(self, day: date) -> bool:
        """Whether it may seal on that day."""
        return self.valid_from <= day <= self.valid_to


@dataclass(frozen=True)
class Seals:
    """All seals of the province, and where a certificate can be verified online.

    Attributes:
        verify_url: without a query; every certificate and its QR name exactly this place.
    """

    verify_url: str
    keys: Mapping[str, SealKey]


def read_seals(top: Table) -> Seals:
    """From ``verify_url`` and ``[[seal]]`` of a table. Raises the table's error."""
    verify_url = top.matching("verify_url", _URL, "an https address without a query")
    keys: dict[str, SealKey] = {}
    for entry in top.tables("seal"):
        seal = _seal(entry)
        if seal.key_id in keys:
            raise entry.problem("key_id", f"{seal.key_id} stands twice")
        keys[seal.key_id] = seal
    if not keys:
        raise top.problem("seal", "expected at least one seal")
    return Seals(verify_url, MappingProxyType(keys))


def _seal(table: Table) -> SealKey:
    point = table.matching("public_key", _POINT, "X ‖ Y as 128 small hex digits")
    try:
        public_key = PublicKey(bytes.fromhex(point))
    except MalformedKey as problem:
        raise table.problem("public_key", str(problem)) from None
    seal = SealKey(
        key_id=table.matching("key_id", KEY_ID, "small letters, digits and dashes, at most 32"),
        agency=table.text("agency"),
        division=table.matching("division", re.compile(r"[0-9]{6}"), "6 digits"),
        public_key=public_key,
        valid_from=table.day("valid_from"),
        valid_to=table.day("valid_to"),
    )
    table.finish()
    if seal.valid_to < seal.valid_from:
        raise table.problem("valid_to", "is before valid_from")
    return seal
