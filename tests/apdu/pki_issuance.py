"""What a CA gives to a PKI card in a test: certificates, and a sealed pair to decrypt with."""

from __future__ import annotations

import base64
import functools

from apdu.channel import Channel
from apdu.crypto import sm2, sm4
from apdu.pki.application import PkiApplication
from apdu.pki.sealed_pair import SealedKeyPair
from apdu.transport import Transport

USER_PIN, ADMIN_PIN = b"123456", b"12345678"
MASTER_KEY = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
CA = sm2.PrivateKey(bytes(31) + b"\x03")
SESSION_KEY = bytes(range(0x40, 0x50))
DECRYPTION_KEY = bytes(range(1, 33))

_ALGORITHM = bytes.fromhex("300A06082A811CCF55018375")
_SIGNED = base64.b64decode(
    "MIHLAgECMAoGCCqBHM9VAYN1MB8xCzAJBgNVBAYTAkNOMRAwDgYDVQQKDAdEZW1vIENBMCAXDTI2"
    "MTEyMjAyMjEyM1oYDzIxMjYxMDI5MDIyMTIzWjAcMQswCQYDVQQGEwJDTjENMAsGA1UEAwwEZGVt"
    "bzBZMBMGByqGSM49AgEGCCqBHM9VAYItA0IABFbO/WDXyHwADVjvV/pzuk2cDfoIwIpzMUlcLh2j"
    "8r1SMbfn5syBifZoU1zg+OrxvW3oTBgvbI5xb3gNOpcKI8M="
)
"""TBSCertificate that the openssl command made; its last 64 bytes are the key."""
_ISSUER, _SUBJECT, _NO_NAME = _SIGNED[18:51], _SIGNED[85:115], b"\x30\x00"


def certificate_of(key: sm2.PublicKey, *, nameless: bool = False) -> bytes:
    """A certificate of about 296 bytes; of 237 without names of issuer and subject."""
    signed = _SIGNED[: -len(key.xy)] + key.xy
    if nameless:
        signed = b"\x30\x81\x90" + signed[3:].replace(_ISSUER, _NO_NAME).replace(_SUBJECT, _NO_NAME)
    signature = sm2.sign(CA, signed, encoding=sm2.SignatureEncoding.DER)
    body = signed + _ALGORITHM + bytes((0x03, len(signature) + 1, 0x00)) + signature
    size = len(body).to_bytes(2, "big")
    return b"\x30" + (b"\x82" + size if body[255:] else b"\x81" + size[1:]) + body


def sealed_pair(key: sm2.PublicKey) -> SealedKeyPair:
    """The same pair each time, sealed for the card with this signing key."""
    envelope = sm2.encrypt(key, SESSION_KEY, encoding=sm2.CiphertextEncoding.RAW)
    public = sm2.PrivateKey(DECRYPTION_KEY).public_key()
    return SealedKeyPair(envelope, public, sm4.encrypt_ecb(SESSION_KEY, DECRYPTION_KEY))


def opened(card: Transport) -> PkiApplication:
    return PkiApplication.open(Channel(card))


def unlocked(card: Transport) -> PkiApplication:
    """Both PINs shown."""
    application = opened(card)
    application.verify_pin(bytearray(USER_PIN))
    application.verify_admin_pin(bytearray(ADMIN_PIN))
    return application


@functools.cache
def other_key() -> sm2.PublicKey:
    """Not that of any card."""
    return sm2.PrivateKey(bytes(31) + b"\x04").public_key()
