"""Nothing is rendered that an agency of the pack did not seal for this very day and place."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apdu.crypto import sm3
from kiosk.documents.certificate import (
    Certificate,
    CertificateRefused,
    Refusal,
    SealedCertificate,
    verify,
)
from kiosk.documents.content import CertificateKind, InsuranceKind, Sex
from kiosk.platform.models import Month, PaymentState
from tests.kiosk.sealed_samples import (
    CODE,
    NAME,
    TODAY,
    Document,
    Sealer,
    a_content,
    canonical,
    seal_png,
)

SEALER = Sealer()
SEALS = SEALER.seals()


def refusal(sealed: SealedCertificate, today: date = TODAY, **seal: Any) -> CertificateRefused:
    with pytest.raises(CertificateRefused) as caught:
        verify(sealed, SEALER.seals(**seal), today=today)
    text = str(caught.value)
    assert NAME not in text and "429*" not in text and CODE not in text
    return caught.value


def sealed(content: Document | None = None, **changes: Any) -> SealedCertificate:
    return SEALER.seal(a_content() if content is None else content, **changes)


def test_a_good_certificate_is_read_whole() -> None:
    certificate = verify(sealed(), SEALS, today=TODAY)
    assert isinstance(certificate, Certificate)
    assert certificate.kind is CertificateKind.PARTICIPATION
    assert certificate.code == CODE
    assert certificate.number == "429900-2026-000001"
    assert certificate.division == "429900"
    assert certificate.issued_at == datetime.fromisoformat("2026-11-21T09:42:05+08:00")
    assert (certificate.as_of, certificate.valid_until) == (date(2026, 11, 20), date(2027, 2, 19))
    assert (certificate.holder.name, certificate.holder.sex) == (NAME, Sex.FEMALE)
    assert certificate.holder.number == "429***********0021"
    assert (certificate.period_first, certificate.period_last) == (
        Month(2025, 11),
        Month(2026, 10),
    )
    first, _, third = certificate.insurances
    assert (first.kind, first.state, first.months) == (
        InsuranceKind.PENSION,
        PaymentState.PAYING,
        186,
    )
    assert third.months is None
    assert [unit.number for unit in certificate.units] == ["4299000012345"]
    assert len(certificate.rows) == 12
    last = certificate.rows[-1]
    assert (last.month, last.base_fen, last.settled) == (Month(2026, 10), 840_600, False)
    assert (last.pension_fen, last.unemployment_fen) == (67_248, 4_203)
    assert certificate.seal_png == seal_png()
    assert certificate.digest == sm3.digest(canonical(a_content()))


def test_nothing_of_it_is_shown_by_repr() -> None:
    before = sealed()
    certificate = verify(before, SEALS, today=TODAY)
    for value in (before, certificate, certificate.holder, *certificate.rows, *certificate.units):
        assert repr(value) == f"<{type(value).__name__}>"


def test_a_foreign_key_is_refused() -> None:
    other = Sealer()
    assert refusal(other.seal(a_content())).reason is Refusal.SIGNATURE
    assert refusal(sealed(key_id="seal-2")).reason is Refusal.KEY_UNKNOWN


@pytest.mark.parametrize("signature", [b"", bytes(64), b"\xff" * 64, bytes(63), bytes(72)])
def test_a_signature_that_is_none_is_refused(signature: bytes) -> None:
    assert refusal(sealed(signature=signature)).reason is Refusal.SIGNATURE


def test_the_key_must_be_valid_today_and_on_the_day_of_issue() -> None:
    assert refusal(sealed(), valid_to=date(2026, 11, 20)).reason is Refusal.KEY_EXPIRED
    assert refusal(sealed(), valid_from=date(2026, 11, 22)).reason is Refusal.KEY_EXPIRED
    tomorrow = TODAY + timedelta(days=1)
    assert refusal(sealed(), tomorrow, valid_from=tomorrow).reason is Refusal.KEY_EXPIRED
    assert refusal(sealed(), tomorrow, valid_to=TODAY).reason is Refusal.KEY_EXPIRED
    seals = SEALER.seals(valid_from=TODAY, valid_to=TODAY)
    assert verify(sealed(), seals, today=TODAY).code == CODE


def test_the_check_character_counts() -> None:
    for code in (CODE[:-1] + "K", CODE[:-1], CODE.lower(), CODE + "2"):
        assert refusal(sealed(a_content(code=code))).reason is Refusal.CODE


def test_another_agency_or_division_than_the_seals_is_refused() -> None:
    assert refusal(sealed(), agency="江城市另一中心").reason is Refusal.AGENCY
    assert refusal(sealed(), division="429901").reason is Refusal.AGENCY


def test_its_own_validity_counts() -> None:
    last = date(2027, 2, 19)
    assert verify(sealed(), SEALS, today=last).valid_until == last
    assert refusal(sealed(), last + timedelta(days=1)).reason is Refusal.NOT_VALID
    assert verify(sealed(), SEALS, today=TODAY - timedelta(days=1)).code == CODE
    assert refusal(sealed(), TODAY - timedelta(days=2)).reason is Refusal.NOT_VALID


@pytest.mark.parametrize(
    "url", ["https://zm.jiangcheng.example.com/v", "http://zm.jiangcheng.example/v"]
)
def test_another_place_of_verification_is_refused(url: str) -> None:
    assert refusal(sealed(a_content(verify_url=url))).reason is Refusal.VERIFY_URL


def test_another_picture_is_refused() -> None:
    other = seal_png(colour=(20, 20, 200, 255))
    assert refusal(sealed(seal_png=other)).reason is Refusal.SEAL


def chunk(name: bytes, data: bytes, wrong: int = 0) -> bytes:
    crc = zlib.crc32(name + data) ^ wrong
    return struct.pack("!I", len(data)) + name + data + struct.pack("!I", crc)


def png(
    width: int = 64,
    height: int = 64,
    colour: int = 6,
    tail: bytes = chunk(b"IEND", b""),
    name: bytes = b"IHDR",
) -> bytes:
    header = struct.pack("!IIBBBBB", width, height, 8, colour, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(64 * (1 + 64 * 4))))
    return b"\x89PNG\r\n\x1a\n" + chunk(name, header) + body + tail


@pytest.mark.parametrize(
    "picture",
    [
        b"",
        b"GIF89a",
        png()[:8],
        png()[:-1],
        png() + b"\0",
        png() + chunk(b"tEXt", b"x"),
        png() + chunk(b"IEND", b""),
        png(tail=chunk(b"tEXt", b"")),
        png().replace(b"PNG\r\n\x1a\n", b"PNG\n\n\x1a\n"),
        png(name=b"iHDR"),
        png(tail=b""),
        png(tail=chunk(b"IEND", b"", wrong=1)),
        png(tail=chunk(b"IEND", b"x")),
        png(colour=2),
        png(colour=3),
        png(width=63),
        png(width=2049, height=2049),
        png(height=129),
        png(width=0),
        png(tail=chunk(b"tEXt", bytes(256 * 1024)) + chunk(b"IEND", b"")),
        b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""),
    ],
    ids=range(21),
)
def test_a_picture_that_cannot_be_laid_over_a_sheet_is_refused_though_sealed(
    picture: bytes,
) -> None:
    content = a_content(seal_sm3=sm3.digest(picture).hex())
    assert refusal(sealed(content, seal_png=picture)).reason is Refusal.SEAL


def test_the_smallest_and_the_largest_picture_are_fine() -> None:
    for picture in (png(), png(height=128), png(width=2048, height=2048), png(colour=4)):
        content = a_content(seal_sm3=sm3.digest(picture).hex())
        assert verify(sealed(content, seal_png=picture), SEALS, today=TODAY).code == CODE


@pytest.mark.parametrize(
    "change",
    [
        {"c": "2" * 16},
        {"k": "seal-2"},
        {"t": "pension"},
        {"i": "20261122"},
        {"e": "20270220"},
        {"d": "A" * 43},
        {"address": "https://zm.jiangcheng.example/w"},
        {"s": "A" * 86},
        {"x": "1"},
    ],
    ids=str,
)
def test_a_qr_that_says_something_else_is_refused_though_signed(change: dict[str, str]) -> None:
    content = a_content()
    assert refusal(sealed(content, qr=SEALER.qr(content, **change))).reason is Refusal.QR


def test_a_qr_signed_by_another_is_refused() -> None:
    content = a_content()
    assert refusal(sealed(content, qr=Sealer().qr(content))).reason is Refusal.QR


def test_the_qr_of_another_certificate_is_refused() -> None:
    assert refusal(sealed(qr=SEALER.qr(a_content(11)))).reason is Refusal.QR


ANYTHING = st.builds(
    SealedCertificate,
    content=st.binary(max_size=300),
    signature=st.one_of(st.binary(max_size=80), st.binary(min_size=64, max_size=64)),
    key_id=st.sampled_from(["seal-1", "", "王"]),
    seal_png=st.binary(max_size=100),
    qr=st.text(max_size=300),
)


@given(ANYTHING)
def test_garbage_is_refused_and_nothing_else(garbage: SealedCertificate) -> None:
    with pytest.raises(CertificateRefused):
        verify(garbage, SEALS, today=TODAY)


@given(st.data())
def test_one_flipped_bit_anywhere_is_refused(data: st.DataObject) -> None:
    good = sealed()
    name = data.draw(st.sampled_from(["content", "signature", "seal_png"]))
    octets = bytearray(getattr(good, name))
    at = data.draw(st.integers(0, 8 * len(octets) - 1))
    octets[at // 8] ^= 1 << at % 8
    with pytest.raises(CertificateRefused):
        verify(replace(good, **{name: bytes(octets)}), SEALS, today=TODAY)
