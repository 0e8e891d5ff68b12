"""PKI_SignData and PKI_VerifySign: the holder signs with the card, anybody verifies.

Of both only names and parameters are public. Mark I: iType says where the card is; what is signed
are the text's bytes in GBK, with the default user identity; signatures and certificates are DER in
base64.
"""

from __future__ import annotations

import base64
import binascii

from apdu.channel import Channel, wipe
from apdu.crypto import sm2
from apdu.crypto.certificate import Certificate
from apdu.crypto.errors import MalformedCertificate
from apdu.ministry.address import check_length
from apdu.ministry.desk import Desk, check_kind
from apdu.ministry.encoding import to_gbk
from apdu.ministry.error_numbers import Number, Refusal
from apdu.ministry.pins import pin_buffer
from apdu.ministry.terminal import PinCall
from apdu.pki.application import PkiApplication


def sign(desk: Desk, digits: str, text: str, kind: str) -> str:
    """PKI_SignData: the caller passes the PIN of the PKI application; off unless configured.

    Raises:
        Refusal: UNSUPPORTED: off; BAD_PARAMETER, LENGTH, ILLEGAL_CHARACTERS.
        PinRejected, PinBlocked, UnknownCard, KeyMismatch, CardError: see `PkiApplication`.
    """
    desk.permit(PinCall.SIGN)
    check_length(text)
    message = to_gbk(text)
    with desk.powered(kind) as powered:
        powered.begin()
        application = PkiApplication.open(Channel(powered))
        pin = pin_buffer(digits)
        try:
            application.verify_pin(pin)
        finally:
            wipe(pin)
        return base64.b64encode(application.sign(message).der).decode("ascii")


def verify(desk: Desk, digits: str, certificate: str, text: str, signature: str, kind: str) -> str:
    """PKI_VerifySign: needs neither card nor PIN; one that is passed must be allowed to be.

    Raises:
        Refusal: NOT_VERIFIED: the signature is not one of the certificate's key over `text`;
            ILLEGAL_INPUT: no certificate or no base64; UNSUPPORTED, BAD_PARAMETER, LENGTH,
            ILLEGAL_CHARACTERS as `sign`.
    """
    if digits:
        desk.permit(PinCall.SIGN)
    check_kind(kind)
    check_length(text)
    try:
        key = Certificate.from_der(_bytes(certificate)).public_key
    except MalformedCertificate:
        raise Refusal(Number.ILLEGAL_INPUT) from None
    der = sm2.SignatureEncoding.DER
    if not sm2.verify(key, to_gbk(text), _bytes(signature), encoding=der):
        raise Refusal(Number.NOT_VERIFIED)
    return ""


def _bytes(text: str) -> bytes:
    check_length(text)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(Number.ILLEGAL_INPUT) from None
