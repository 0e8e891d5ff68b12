"""The PKI application of third-generation cards: PINs, key pairs, certificates, signatures.

Two secrets open it: the holder's PIN for the keys, the card centre's admin PIN for the
certificates; a master key guards each of its two directories. No public program signs: that form
is an assumption (mark I), and every signature is verified before it is given away.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from apdu.channel import Channel
from apdu.crypto import sm2, sm2_der, sm3
from apdu.crypto.certificate import Certificate
from apdu.crypto.errors import MalformedKey
from apdu.errors import KeyMismatch, MalformedAnswer, PersonalisationFailed
from apdu.pki import proofs
from apdu.pki.access import KeyPlace, replace_admin_pin, replace_master_key, show_pin
from apdu.pki.certificate_file import read_certificate, write_certificate
from apdu.pki.exchange import PkiExchange, file_reference
from apdu.pki.profile import KeyUse, PkiProfile, Step, shipped_pki_profile
from apdu.pki.sealed_pair import SealedKeyPair, import_pair

_KEY_REFERENCE, _PUBLIC_FILE, _PRIVATE_FILE = 0x84, 0xC0, 0xC2
_SIGNATURE_SIZE = 64
_RAW = sm2.SignatureEncoding.RAW
_NO_SIGNATURE = "the card's signature does not verify"


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
        show_pin(self._exchange, self._profile.pin, Step.VERIFY_USER, digits)

    def verify_admin_pin(self, digits: bytearray) -> None:
        """Show the card centre's PIN; as `verify_pin`."""
        show_pin(self._exchange, self._profile.pin, Step.VERIFY_ADMIN, digits)

    def generate_key_pair(self) -> sm2.PublicKey:
        """Let the card make a new pair to sign with, and return its public half.

        Needs the holder's PIN. The old pair is gone, and its certificate stands for nothing.

        Raises:
            UnexpectedStatus: refused, with 6982 where the PIN was not shown.
            KeyMismatch: done, says the card, but there is no key.
            CardError: see `apdu.errors`. Whether there is a new pair, `public_key` tells.
        """
        files = self._profile.files[KeyUse.SIGNATURE]
        names = file_reference(_PUBLIC_FILE, files.public_key)
        names += file_reference(_PRIVATE_FILE, files.private_key)
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
        key = self._signing_key()
        raw = self._signature(sm2.digest(key, message, user_id=user_id))
        if not sm2.verify(key, message, raw, encoding=_RAW, user_id=user_id):
            raise KeyMismatch(_NO_SIGNATURE)
        return CardSignature(raw)

    def sign_digest(self, digest: bytes) -> CardSignature:
        """Sign what somebody else digested: e = SM3(Z ‖ message), 32 bytes, as `sm2.digest` makes
        it. Whoever calls this vouches for a message that nobody here has seen.

        Raises:
            ValueError: `digest` has another length; the card was not asked.
            KeyMismatch, UnexpectedStatus, CardError: as `sign`.
        """
        if len(digest) != sm3.DIGEST_SIZE:
            raise ValueError(f"an SM3 digest has {sm3.DIGEST_SIZE} bytes, not {len(digest)}")
        key = self._signing_key()
        raw = self._signature(digest)
        if not sm2.verify_digest(key, digest, raw, encoding=_RAW):
            raise KeyMismatch(_NO_SIGNATURE)
        return CardSignature(raw)

    def read_certificate(self, use: KeyUse) -> Certificate | None:
        """The certificate of a pair, None where there is none. Needs no PIN.

        It may be left over from an earlier pair: then its `public_key` is another one.

        Raises:
            MalformedAnswer: the file holds something else.
            CardError: see `apdu.errors`.
        """
        fid = self._profile.files[use].certificate
        return read_certificate(self._exchange, fid, self._profile.certificate)

    def write_certificate(self, use: KeyUse, der: bytes) -> Certificate:
        """Store the certificate of a pair and read it back. Needs both PINs (mark C).

        Raises:
            MalformedCertificate: `der` is no certificate of an SM2 key; nothing was written.
            KeyMismatch: it is not that of the card's pair; nothing was written.
            PersonalisationFailed: the card gives back another one than was written.
            UnexpectedStatus: refused, with 6982 where a PIN was not shown.
            CardError: see `apdu.errors`. The file holds no certificate then, or the whole one.
            ValueError: it is longer than any file.
        """
        certificate = Certificate.from_der(der)
        if self.public_key(use) != certificate.public_key:
            raise KeyMismatch("a certificate that is not that of the card's pair")
        fid = self._profile.files[use].certificate
        form = self._profile.certificate
        if not write_certificate(self._exchange, fid, form, der):
            raise PersonalisationFailed((f"{use.value} certificate",))
        return certificate

    def import_key_pair(self, pair: SealedKeyPair) -> None:
        """Store the pair to decrypt with, which the CA sealed for this card (mark B). Needs the
        holder's PIN.

        Raises:
            PersonalisationFailed: the card gives back another public half than was stored.
            UnexpectedStatus: refused: no PIN, or not sealed for this card.
            CardError: see `apdu.errors`. The public half may be new already and the private one
                old: the import is repeated as a whole before a certificate is written for it.
        """
        import_pair(self._exchange, self._profile, pair)
        if self.public_key(KeyUse.ENCRYPTION) != pair.public_key:
            raise PersonalisationFailed(("encryption key pair",))

    def change_admin_pin(self, old: bytearray, new: bytearray) -> None:
        """Replace the card centre's PIN. Both and our buffers are zeros afterwards, however it
        ends.

        Raises:
            IllegalPin: one of them cannot be a PIN; the card was not asked to change it.
            PinRejected, PinBlocked: the old one was wrong.
            PersonalisationFailed: changed, said the card, and refused the new one.
            CardError: see `apdu.errors`. Which one it takes now, `verify_admin_pin` tells.
        """
        replace_admin_pin(self._exchange, self._profile.pin, old, new)

    def prove_master_key(self, place: KeyPlace, key: bytearray) -> None:
        """Show that we have a directory's master key. The caller wipes it.

        Raises:
            AuthenticationFailed: it is another one, which costs one of few tries.
            CardError: see `apdu.errors`.
            ValueError: `key` does not have 16 bytes; the card was not asked.
        """
        proofs.check_key(key)
        with self._within(place):
            self._exchange.prove(Step.PROVE_MASTER_KEY, key)

    def change_master_key(self, place: KeyPlace, old: bytearray, new: bytearray) -> None:
        """Replace the master key of one directory. The caller wipes both.

        On a whole card the application's goes first, then the directory's (mark C: two programs
        differ); each is a call of its own, so that the caller knows how far it came.

        Raises:
            AuthenticationFailed: the old one is another one, which costs one of few tries.
            PersonalisationFailed: changed, said the card, and refused the new one.
            CardError: see `apdu.errors`. Which one it takes now, `prove_master_key` tells.
            ValueError: a key does not have 16 bytes; the card was not asked.
        """
        for key in (old, new):
            proofs.check_key(key)
        with self._within(place):
            replace_master_key(self._exchange, old, new)

    def _signing_key(self) -> sm2.PublicKey:
        key = self.public_key(KeyUse.SIGNATURE)
        if key is None:
            raise KeyMismatch("the card has no pair to sign with")
        return key

    def _signature(self, digest: bytes) -> bytes:
        """What the card makes of a digest, 64 bytes."""
        private = self._profile.files[KeyUse.SIGNATURE].private_key
        self._exchange.do(Step.CHOOSE_KEY, file_reference(_KEY_REFERENCE, private))
        answer = self._exchange.do(Step.SIGN, digest, ne=_SIGNATURE_SIZE, size=_SIGNATURE_SIZE)
        return answer.data

    @contextlib.contextmanager
    def _within(self, place: KeyPlace) -> Iterator[None]:
        """The directory selected, and the application afterwards if all went well."""
        if place is KeyPlace.DIRECTORY:
            self._exchange.enter_directory()
        yield
        if place is KeyPlace.DIRECTORY:
            self._exchange.enter_application()
