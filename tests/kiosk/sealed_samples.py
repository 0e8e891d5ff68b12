"""Sealed certificates for tests, made with a key of their own, and altered as a test wants."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from apdu.crypto import sm2, sm3
from kiosk.documents import codes
from kiosk.documents.certificate import Certificate, SealedCertificate, verify
from kiosk.documents.composer import PrintStamp
from kiosk.documents.seals import SealKey, Seals
from kiosk.documents.templates import CertificateBook, read_book
from kiosk.pack_signature import PackError
from kiosk.toml_tables import Table

TODAY = date(2026, 11, 21)
AGENCY = "江城市社会保险事业管理中心（演示）"
URL = "https://zm.jiangcheng.example/v"
NAME = "王秀芳"
CODE = "7F3K92MDQ4TXB8A" + codes.check_character("7F3K92MDQ4TXB8A")
STAMP = PrintStamp(
    terminal_id="T429900-0003",
    printed_at=datetime(2026, 11, 21, 9, 42, 10, tzinfo=timezone(timedelta(hours=8))),
    serial="0003-20261121-000017",
)
PACK = Path(__file__).parents[2] / "kiosk" / "packs" / "demo"

Document = dict[str, Any]
_RAW = sm2.SignatureEncoding.RAW


@cache
def seal_png(size: int = 354, colour: tuple[int, int, int, int] = (197, 20, 31, 230)) -> bytes:
    """A red ring on a transparent ground."""
    picture = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    ImageDraw.Draw(picture).ellipse((4, 4, size - 5, size - 5), outline=colour, width=size // 30)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


@cache
def demo_book() -> CertificateBook:
    """The demo pack's certificates.toml and template."""
    return read_book(Table.read(PACK / "certificates.toml", PackError))


def a_content(months: int = 12, **changes: Any) -> Document:
    """The content of a participation certificate over that many months up to 2026-10."""
    rows = []
    for back in range(months - 1, -1, -1):
        ordinal = 2026 * 12 + 9 - back
        rows.append(
            {
                "month": f"{ordinal // 12:04d}-{ordinal % 12 + 1:02d}",
                "aab001": "4299000012345" if back < 18 else "4299000067890",
                "base_fen": 840_600 if back < 11 else 791_250,
                "pension_fen": 67_248 if back < 11 else 63_300,
                "unemployment_fen": 4_203 if back < 11 else 3_956,
                "settled": back > 0,
            }
        )
    names = {"4299000012345": "江城市第一纺织有限责任公司", "4299000067890": "江城市长江机械厂"}
    used = dict.fromkeys(row["aab001"] for row in rows)
    content: Document = {
        "kind": "participation",
        "code": CODE,
        "number": "429900-2026-000001",
        "agency": AGENCY,
        "aab301": "429900",
        "issued_at": "2026-11-21T09:42:05+08:00",
        "as_of": "2026-11-20",
        "valid_until": "2027-02-19",
        "holder": {"aac003": NAME, "number": "429***********0021", "sex": "女"},
        "period": {
            "from": rows[0]["month"] if rows else "2025-11",
            "to": rows[-1]["month"] if rows else "2026-10",
        },
        "insurances": [
            _insurance("110", "paying", "2011-05", 186),
            _insurance("210", "paused", "2013-01", 152),
            _insurance("410", "receiving", "2011-05", None),
        ],
        "units": [{"aab001": number, "aab004": names[number]} for number in used],
        "rows": rows,
        "seal_sm3": sm3.digest(seal_png()).hex(),
        "verify_url": URL,
    }
    return {**content, **changes}


def _insurance(kind: str, state: str, first: str, months: int | None) -> Document:
    return {"aae140": kind, "state": state, "from": first, "to": "2026-10", "months": months}


def canonical(content: Document) -> bytes:
    """The one spelling that is signed."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode(
        "utf-8"
    )


def b64(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")


def compact(day: str) -> str:
    return day[:10].replace("-", "")


@dataclass(frozen=True)
class Sealer:
    """An agency with its key, and the list of seals that names it."""

    key: sm2.PrivateKey = field(default_factory=sm2.generate)
    key_id: str = "seal-1"

    def seals(self, **changes: Any) -> Seals:
        """The list with this one seal; changes are to its entry."""
        entry = SealKey(
            key_id=self.key_id,
            agency=AGENCY,
            division="429900",
            public_key=self.key.public_key(),
            valid_from=date(2026, 1, 1),
            valid_to=date(2030, 12, 31),
        )
        return Seals(URL, {self.key_id: replace(entry, **changes)})

    def sign(self, message: bytes) -> bytes:
        return sm2.sign(self.key, message, encoding=_RAW)

    def qr(self, content: Document, text: bytes | None = None, **changes: str) -> str:
        """The QR for a content; ``changes`` are to its parameters, before it is signed."""
        parts = {
            "c": content["code"],
            "k": self.key_id,
            "t": content["kind"],
            "i": compact(content["issued_at"]),
            "e": compact(content["valid_until"]),
            "d": b64(sm3.digest(canonical(content) if text is None else text)),
            **changes,
        }
        address = parts.pop("address", content["verify_url"])
        signed = address + "?" + "&".join(f"{name}={value}" for name, value in parts.items())
        return f"{signed}&s={b64(self.sign(signed.encode()))}"

    def seal(
        self, content: Document, text: bytes | None = None, **changes: Any
    ) -> SealedCertificate:
        """Seal a content, or `text` in its place; ``changes`` are to the finished certificate."""
        signed = canonical(content) if text is None else text
        sealed = SealedCertificate(
            content=signed,
            signature=self.sign(signed),
            key_id=self.key_id,
            seal_png=seal_png(),
            qr=self.qr(content, signed),
        )
        return replace(sealed, **changes)

    def certificate(self, months: int = 12, **changes: Any) -> Certificate:
        """A verified certificate."""
        return verify(self.seal(a_content(months, **changes)), self.seals(), today=TODAY)
