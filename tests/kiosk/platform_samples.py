"""Answers of the platform as the contract writes them, for tests to use and to spoil."""

from __future__ import annotations

import base64
from typing import Any

from hypothesis import strategies as st

from kiosk.platform.models import Month
from tests.kiosk.platform_line import NAME, NUMBER, TICKET

EMPLOYER = "江城市第一纺织厂"
SEAL = b"\x89PNG\r\n\x1a\n" + bytes(range(92))
MASKED = "429***********0029"
ECARD: dict[str, Any] = {
    "result": "verified",
    "holder": {"aac002": NUMBER, "aac003": NAME, "ticket": TICKET},
}
RISK: dict[str, Any] = {"verdict": "block", "code": "R-07"}
EVENT: dict[str, Any] = {"event_no": "E-1"}
CERTIFICATE: dict[str, Any] = {
    "content": '{"holder":{"aac003":"王秀芳"},"kind":"participation"}',
    "signature": bytes(range(64)).hex(),
    "key_id": "seal-1",
    "seal": base64.b64encode(SEAL).decode(),
    "qr": "https://zm.jiangcheng.example/v?c=23456789ABCDEFGH&k=seal-1&s=" + "A" * 86,
}
VERIFICATION: dict[str, Any] = {
    "result": "genuine",
    "shown": {
        "kind": "participation",
        "number": "429900-2026-000001",
        "agency": "江城市社会保险中心",
        "issued_at": "2026-11-20T09:30:00+08:00",
        "valid_until": "2027-02-18",
        "name": "王*芳",
        "holder_number": MASKED,
    },
}
OVERVIEW: dict[str, Any] = {
    "aac003": NAME,
    "as_of": "2026-11-20",
    "blocks": {
        "pension": {
            "available": True,
            "months": 291,
            "account_fen": 8_765_432,
            "retirement": "2029-08",
            "state": "paying",
            "recent": [
                {"month": str(Month(2025 + (i + 10) // 12, (i + 10) % 12 + 1)),
                 "base_fen": 500_000 + i, "settled": i != 11}
                for i in range(12)
            ],
        },
        "unemployment": {"available": True, "months": 120, "state": "paused"},
        "work_injury": {"available": True, "state": "receiving", "employer": EMPLOYER},
        "annuity": {"available": True, "balance_fen": 1_234_567, "as_of": "2026-10"},
        "personal_pension": {
            "available": True,
            "state": "open",
            "year_paid_fen": 600_000,
            "year_limit_fen": 1_200_000,
        },
    },
}  # fmt: skip

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10**15) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
