"""The PKI application of third-generation cards: PINs, key pairs, certificates, signatures.

Two secrets open it: the holder's PIN for the keys, the card centre's admin PIN for the
certificates; a master key guards each of its two directories. No public program signs: that form
is an assumption (mark I), and every signature is verified before it is given away.
"""

from __future__ import annotations

from dataclasses import dataclass

from apdu import pin, pki_secrets
from apdu.channel import Channel, wipe
from apdu.command import SHORT_NE
from apdu.crypto import sm2, sm2_der, sm3
from apdu.crypto.errors import MalformedKey
from apdu.errors import KeyMismatch, MalformedAnswer
from apdu.pki_exchange import PkiExchange
from apdu.pki_profile import KeyUse, PkiProfile, Step, shipped_pki_profile

_KEY_REFERENCE = 0x84
_PUBLIC_FILE, _TEXT, _PRIVATE_FILE = 0xC0, 0xC1, 0xC2
_FID_SIZE = 2


@dataclass(frozen=True, repr=False)
class CardSignature:
    """An SM2 signature with SM3 that the card made and its public key verified.

    Attributes:
        raw: r ‖ s, 64 bytes.
    """

    raw: bytes

    @property
    def der(self) -> bytes:
        """SEQUENCE of r and s, as certificates and most peers write it."""
        return sm2_der.signature_from_raw(self.raw)

    def __repr__(self) -> str:
        return "CardSignature(...)"


class PkiApplication:
    """The application on one card, selected; opened by `PkiApplication.open`.

    Selecting anything else ends what its PINs allowed. After any error but a refused PIN it is
    opened anew.
    """

    def __init__(self, exchange: PkiExchange, profile: PkiProfile) -> None:
        self._exchange = exchange
        self._profile = profile

    @classmethod
    def open(cls, channel: Channel, *, profile: PkiProfile | None = None) -> PkiApplication:
        """Select the application.

        Args:
            channel: the card.
            profile: how it is spoken to; None takes what comes with this package.

        Raises:
            UnknownCard: there is no such application on the card.
            ApplicationBlocked: it, or the card, is locked.
            CardError: see `apdu.errors`.
        """
        profile = profile or shipped_pki_profile()
        exchange = PkiExchange(channel, profile)
        exchange.enter_application()
        return cls(exchange, profile)

    def verify_pin(self, digits: bytearray) -> None:
        """Show the holder's PIN of this application, which is not that of the social security
        application. `digits` and our buffers are zeros afterwards, however it ends.

        Raises:
            IllegalPin: the digits cannot be a PIN; the card was not asked.
            PinRejected: wrong; carries the tries left.
            PinBlocked: the PIN is blocked, now or before.
            CardError: see `apdu.errors`.
        """
        self._verify(Step.VERIFY_USER, digits)

    def verify_admin_pin(self, digits: bytearray) -> None:
        """Show the card centre's PIN; as `verify_pin`."""
        self._verify(Step.VERIFY_ADMIN, digits)

    def generate_key_pair(self) -> sm2.PublicKey:
        """Let the card make a new pair to sign with, and return its public half.

        Needs the holder's PIN. The old pair is gone, and its certificate stands for nothing.

        Raises:
            UnexpectedStatus: refused, with 6982 where the PIN was not shown.
            KeyMismatch: done, says the card, but there is no key.
            CardError: see `apdu.errors`. Whether there is a new pair, `public_key` tells.
        """
        files = self._profile.files[KeyUse.SIGNATURE]
        names = _reference(_PUBLIC_FILE, files.public_key)
        names += _reference(_PRIVATE_FILE, files.private_key)
        self._exchange.do(Step.GENERATE, names)
        key = self.public_key(KeyUse.SIGNATURE)
        if key is None:
            raise KeyMismatch("the card has no pair after making one")
        return key

    def public_key(self, use: KeyUse) -> sm2.PublicKey | None:
        """A pair's public half; None where the card has no such pair yet. Needs no PIN.

        Raises:
            MalformedAnswer: the file holds no point of the curve.
            CardError: see `apdu.errors`.
        """
        form = self._profile.public_key
        content = self._exchange.read(self._profile.files[use].public_key, form.size)
        if len(content) != form.size:
            raise MalformedAnswer(f"a public key file of {len(content)} bytes")
        point = content[form.header :]
        if not any(point):
            return None
        try:
            return sm2.PublicKey(point)
        except MalformedKey:
            raise MalformedAnswer("a public key that is no point of the curve") from None

    def sign(self, message: bytes, *, user_id: bytes = sm2.DEFAULT_USER_ID) -> CardSignature:
        """Sign SM3(Z ‖ message) with the signing pair. Needs the holder's PIN.

        Args:
            message: of any length; the card sees a digest only.
            user_id: the signer's identity that goes into Z; see `apdu.crypto.sm2`.

        Raises:
            KeyMismatch: the card has no pair, or what it made is no signature by it.
            UnexpectedStatus: refused, with 6982 where the PIN was not shown.
            CardError: see `apdu.errors`.
            ValueError: `user_id` longer than 8191 bytes.
        """
        key = self.public_key(KeyUse.SIGNATURE)
        if key is None:
            raise KeyMismatch("the card has no pair to sign with")
        digest = sm2.digest(key, message, user_id=user_id)
        private = self._profile.files[KeyUse.SIGNATURE].private_key
        self._exchange.do(Step.CHOOSE_KEY, _reference(_KEY_REFERENCE, private))
        size = len(key.xy)
        raw = self._exchange.do(Step.SIGN, digest, ne=size, size=size).data
        encoding = sm2.SignatureEncoding.RAW
        if not sm2.verify(key, message, raw, encoding=encoding, user_id=user_id):
            raise KeyMismatch("the card's signature does not verify")
        return CardSignature(raw)

    def _verify(self, step: Step, digits: bytearray) -> None:
        key = bytearray()
        try:
            key = self._pin_key(digits)
            self._exchange.prove(step, key)
        finally:
            wipe(key)
            wipe(digits)

    def _pin_key(self, digits: bytearray) -> bytearray:
        """The SM4 key that a PIN amounts to, 16 bytes. The caller wipes it."""
        form = self._profile.pin
        packed = pin.pack(digits, shortest=form.digits_min, longest=form.digits_max)
        data = bytearray(2 + len(packed))
        try:
            if not form.digest_by_card:
                return pki_secrets.pin_key(packed)
            data[:2] = _TEXT, len(packed)
            data[2:] = packed
            answer = self._exchange.do(Step.DIGEST, data, ne=SHORT_NE, size=sm3.DIGEST_SIZE)
            return bytearray(answer.data[: pki_secrets.KEY_SIZE])
        finally:
            wipe(packed)
            wipe(data)


def _reference(tag: int, fid: int) -> bytes:
    """A data object that names a file."""
    return bytes((tag, _FID_SIZE)) + fid.to_bytes(_FID_SIZE, "big")
