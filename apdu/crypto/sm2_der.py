"""The few DER structures around SM2: signature, ciphertext, public and private key.

DER here is strict: shortest lengths, shortest positive integers, nothing after the end
(X.690 §10), so that one signature has one encoding only.
"""

from __future__ import annotations

from apdu.crypto import sm2_curve as curve
from apdu.crypto.errors import MalformedCertificate, MalformedCiphertext, MalformedKey

SIZE = curve.FIELD_SIZE
SPKI_PREFIX = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")
"""SubjectPublicKeyInfo up to and including the 04 of the uncompressed point: OIDs
id-ecPublicKey and sm2p256v1 (1.2.156.10197.1.301)."""
_SEC1_HEAD = bytes.fromhex("30770201010420")
_SEC1_MIDDLE = bytes.fromhex("a00a06082a811ccf5501822da14403420004")
_INTEGER, _OCTETS, _SEQUENCE = 0x02, 0x04, 0x30
_VERSION = 0xA0


class _Bad(Exception):
    """The bytes are not strict DER."""


def _wrap(tag: int, body: bytes) -> bytes:
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def _unwrap(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """Body of the first element, which must carry `tag`, and what follows it."""
    if len(data) < 2 or data[0] != tag:
        raise _Bad
    length, start = data[1], 2
    if length >= 0x80:
        count = length & 0x7F
        start += count
        if not 1 <= count <= 4 or len(data) < start or data[2] == 0:
            raise _Bad
        length = int.from_bytes(data[2:start], "big")
        if length < 0x80:
            raise _Bad
    if len(data) < start + length:
        raise _Bad
    return data[start : start + length], data[start + length :]


def _integer(number: bytes) -> bytes:
    stripped = number.lstrip(b"\x00") or b"\x00"
    return _wrap(_INTEGER, b"\x00" + stripped if stripped[0] & 0x80 else stripped)


def _take_integer(data: bytes) -> tuple[bytes, bytes]:
    """The first element as a positive integer of exactly 32 bytes, and the rest."""
    body, rest = _unwrap(data, _INTEGER)
    if not body or body[0] & 0x80:
        raise _Bad
    if body[0] == 0 and len(body) > 1:
        if not body[1] & 0x80:
            raise _Bad
        body = body[1:]
    if len(body) > SIZE:
        raise _Bad
    return body.rjust(SIZE, b"\x00"), rest


def signature_from_raw(raw: bytes) -> bytes:
    """r‖s (64 bytes) as SEQUENCE of two INTEGERs."""
    return _wrap(_SEQUENCE, _integer(raw[:SIZE]) + _integer(raw[SIZE:]))


def signature_to_raw(der: bytes) -> bytes | None:
    """The 64 bytes r‖s of a DER signature; None when it is not strict DER."""
    try:
        body, rest = _unwrap(der, _SEQUENCE)
        r, after_r = _take_integer(body)
        s, after_s = _take_integer(after_r)
    except _Bad:
        return None
    return None if rest or after_s else r + s


def ciphertext_from_parts(c1: bytes, c3: bytes, c2: bytes) -> bytes:
    """SM2Cipher of GB/T 35276: SEQUENCE { x, y, hash, ciphertext }."""
    body = _integer(c1[:SIZE]) + _integer(c1[SIZE:]) + _wrap(_OCTETS, c3) + _wrap(_OCTETS, c2)
    return _wrap(_SEQUENCE, body)


def ciphertext_to_parts(der: bytes) -> tuple[bytes, bytes, bytes]:
    """C1 (64 bytes, no 04), C3 (32) and C2 of an SM2Cipher.

    Raises:
        MalformedCiphertext: not strict DER of that shape.
    """
    try:
        body, rest = _unwrap(der, _SEQUENCE)
        x, body = _take_integer(body)
        y, body = _take_integer(body)
        c3, body = _unwrap(body, _OCTETS)
        c2, body = _unwrap(body, _OCTETS)
    except _Bad:
        raise MalformedCiphertext("not a DER SM2Cipher") from None
    if rest or body or len(c3) != SIZE:
        raise MalformedCiphertext("not a DER SM2Cipher")
    return x + y, c3, c2


def spki_from_xy(xy: bytes) -> bytes:
    """SubjectPublicKeyInfo (RFC 5280) of the point x‖y."""
    return SPKI_PREFIX + xy


def spki_to_xy(der: bytes) -> bytes:
    """The 64 bytes x‖y of an SM2 SubjectPublicKeyInfo.

    Raises:
        MalformedKey: another algorithm, curve or point form.
    """
    if not der.startswith(SPKI_PREFIX) or len(der) != len(SPKI_PREFIX) + 2 * SIZE:
        raise MalformedKey("not an uncompressed SM2 public key")
    return der[len(SPKI_PREFIX) :]


def spki_of_certificate(tbs: bytes) -> bytes:
    """SubjectPublicKeyInfo, still encoded, of a TBSCertificate (RFC 5280 §4.1).

    Raises:
        MalformedCertificate: it is not built like one.
    """
    try:
        rest, after = _unwrap(tbs, _SEQUENCE)
        if rest[:1] == bytes((_VERSION,)):
            rest = _unwrap(rest, _VERSION)[1]
        # serialNumber, signature, issuer, validity, subject
        for tag in (_INTEGER, _SEQUENCE, _SEQUENCE, _SEQUENCE, _SEQUENCE):
            rest = _unwrap(rest, tag)[1]
        following = _unwrap(rest, _SEQUENCE)[1]
    except _Bad:
        raise MalformedCertificate("not built like a certificate") from None
    if after:
        raise MalformedCertificate("not built like a certificate")
    return rest[: len(rest) - len(following)]


def sec1_from_key(d: bytes, xy: bytes) -> bytes:
    """ECPrivateKey (RFC 5915) with curve and public key."""
    return _SEC1_HEAD + d + _SEC1_MIDDLE + xy


def sec1_to_key(der: bytes) -> bytes:
    """The 32 bytes d of an ECPrivateKey on the SM2 curve.

    Raises:
        MalformedKey: another shape or curve.
    """
    start = len(_SEC1_HEAD)
    middle = der[start + SIZE : start + SIZE + len(_SEC1_MIDDLE)]
    whole = start + SIZE + len(_SEC1_MIDDLE) + 2 * SIZE
    if len(der) != whole or not der.startswith(_SEC1_HEAD) or middle != _SEC1_MIDDLE:
        raise MalformedKey("not an SM2 private key with its public key")
    return der[start : start + SIZE]
