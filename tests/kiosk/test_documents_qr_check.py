"""What a printed sheet's QR proves without the platform, and how forgeries are told."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apdu.crypto import sm3
from kiosk.documents.qr_check import QrCheck, QrState, check_qr
from kiosk.documents.sheet_code import LONGEST, parse_sheet_code
from tests.kiosk.sealed_samples import (
    AGENCY,
    CODE,
    TODAY,
    URL,
    Sealer,
    a_content,
    b64,
    canonical,
)

SEALER = Sealer()
SEALS = SEALER.seals()
CONTENT = a_content()
QR = SEALER.qr(CONTENT)
CLAIMED = {
    "code": CODE,
    "kind": "participation",
    "issued": date(2026, 11, 21),
    "valid_until": date(2027, 2, 19),
    "digest": sm3.digest(canonical(CONTENT)).hex(),
}


def check(text: str, today: date = TODAY) -> QrCheck:
    return check_qr(text, SEALS, today=today)


def test_a_genuine_one_tells_what_is_proved() -> None:
    assert check(QR) == QrCheck(QrState.GENUINE_SEAL, agency=AGENCY, **CLAIMED)


def test_after_its_last_day_it_is_expired() -> None:
    assert check(QR, date(2027, 2, 19)).state is QrState.GENUINE_SEAL
    assert check(QR, date(2027, 2, 20)) == QrCheck(QrState.EXPIRED, agency=AGENCY, **CLAIMED)


def test_a_forged_one_claims_but_proves_no_agency() -> None:
    forged = QrCheck(QrState.FORGED, **CLAIMED)
    assert check(Sealer().qr(CONTENT)) == forged
    assert check(QR[:-86] + "A" * 86) == forged


@pytest.mark.parametrize("part", ["c", "t", "i", "e", "d"])
def test_every_part_is_under_the_signature(part: str) -> None:
    changed = {
        "c": ("c=7F3K", "c=8F3K"),
        "t": ("t=participation", "t=participatiom"),
        "i": ("i=20261121", "i=20261120"),
        "e": ("e=20270219", "e=20280219"),
        "d": (f"d={b64(sm3.digest(canonical(CONTENT)))}", f"d={b64(sm3.digest(b''))}"),
    }[part]
    assert changed[0] in QR
    assert check(QR.replace(*changed)).state is QrState.FORGED


def test_a_signed_code_with_a_wrong_check_character_is_no_certificates() -> None:
    assert check(SEALER.qr(CONTENT, c=CODE[:-1] + "K")).state is QrState.FORGED


def test_a_key_that_is_not_listed_is_unknown() -> None:
    unknown = QrCheck(QrState.UNKNOWN_KEY, **CLAIMED)
    assert check(SEALER.qr(CONTENT, k="seal-9")) == unknown


def test_the_key_must_have_been_valid_when_it_sealed() -> None:
    old = SEALER.seals(valid_to=date(2026, 11, 20))
    assert check_qr(QR, old, today=TODAY).state is QrState.UNKNOWN_KEY
    ended = SEALER.seals(valid_to=TODAY)
    assert check_qr(QR, ended, today=date(2026, 12, 31)).state is QrState.GENUINE_SEAL


@pytest.mark.parametrize(
    "text",
    [
        "",
        URL,
        f"{URL}?c={CODE}",
        "https://example.com/",
        QR.replace("zm.jiangcheng.example", "zm.jiangcheng.example.com"),
        QR.replace("https:", "http:"),
        QR.replace("/v?", "/v/../v?"),
        QR.lower(),
        QR + "&x=1",
        QR + "\n",
        " " + QR,
        QR[:-1],
        QR.replace("&k=seal-1", ""),
        QR.replace("&k=seal-1&t=participation", "&t=participation&k=seal-1"),
        QR.replace("i=20261121", "i=20261321"),
        QR.replace("i=20261121", "i=２0261121"),
        QR + "A" * LONGEST,
    ],
    ids=range(17),
)
def test_other_texts_are_not_ours(text: str) -> None:
    assert check(text) == QrCheck(QrState.NOT_OURS)


def test_a_text_that_is_too_long_is_not_read() -> None:
    address = "https://zm.jiangcheng.example/" + "v" * LONGEST
    assert parse_sheet_code(SEALER.qr(CONTENT, address=address)) is None


def test_a_signature_has_one_spelling_only() -> None:
    """The last of 86 characters has four bits that say nothing; only zeros are taken."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = alphabet[alphabet.index(QR[-1]) + 1]
    assert check(QR[:-1] + other).state is QrState.NOT_OURS


def test_another_place_even_signed_is_not_ours() -> None:
    signed = SEALER.qr(CONTENT, address="https://zm.jiangcheng.example/w")
    assert parse_sheet_code(signed) is not None
    assert check(signed).state is QrState.NOT_OURS


@given(st.text())
def test_any_text_is_answered(text: str) -> None:
    assert check(text).state is QrState.NOT_OURS


@given(st.integers(0, len(QR) - 1), st.characters())
def test_one_other_character_is_never_genuine(at: int, other: str) -> None:
    changed = QR[:at] + other + QR[at + 1 :]
    assert (check(changed).state is QrState.GENUINE_SEAL) == (changed == QR)
