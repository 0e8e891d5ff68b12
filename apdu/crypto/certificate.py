"""X.509 certificates of SM2 keys.

`cryptography` reads names, validity and the signed part, but knows neither the curve nor the
signature algorithm: the public key is taken out here, and checked with `apdu.crypto.sm2`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from apdu.crypto import sm2, sm2_der
from apdu.crypto.errors import MalformedCertificate, MalformedKey

_SM2_WITH_SM3 = "1.2.156.10197.1.501"
_SEQUENCE, _LONG, _LONGEST = 0x30, 0x80, 0x82
HEAD_SIZE = 4
"""Bytes from which `announced_size` tells how long a certificate is."""


def announced_size(head: bytes) -> int | None:
    """The size of the DER SEQUENCE that begins with `head` (4 bytes or more), its header
    included; None when no certificate begins so."""
    if len(head) < HEAD_SIZE or head[0] != _SEQUENCE:
        return None
    count = max(0, head[1] - _LONG)
    if head[1] == _LONG or head[1] > _LONGEST:
        return None
    return 2 + count + (int.from_bytes(head[2 : 2 + count], "big") if count else head[1])


@dataclass(frozen=True, repr=False)
class Certificate:
    """One certificate. Its subject may name a person, so its repr does not show it.

    Attributes:
        der: the whole certificate.
        signed: what the issuer signed (TBSCertificate).
        signature: the issuer's, DER.
        public_key: the subject's key.
        subject, issuer: names (RFC 4514).
        serial: the issuer's number for it.
        not_before, not_after: from when and until when it is valid, in UTC.
    """

    der: bytes
    signed: bytes
    signature: bytes
    public_key: sm2.PublicKey
    subject: str
    issuer: str
    serial: int
    not_before: datetime
    not_after: datetime

    def __repr__(self) -> str:
        return f"Certificate({len(self.der)} bytes, until {self.not_after:%Y-%m-%d})"

    @classmethod
    def from_der(cls, der: bytes) -> Certificate:
        """Read a certificate that was signed with SM2 and SM3 for an SM2 key.

        Raises:
            MalformedCertificate: it is none, or something follows it.
        """
        from cryptography import x509

        try:
            found = x509.load_der_x509_certificate(der)
            if found.signature_algorithm_oid.dotted_string != _SM2_WITH_SM3:
                raise MalformedCertificate("a certificate that is not signed with SM2 and SM3")
            signed = found.tbs_certificate_bytes
            return cls(
                der=der,
                signed=signed,
                signature=found.signature,
                public_key=sm2.PublicKey.from_der(sm2_der.spki_of_certificate(signed)),
                subject=found.subject.rfc4514_string(),
                issuer=found.issuer.rfc4514_string(),
                serial=found.serial_number,
                not_before=found.not_valid_before_utc,
                not_after=found.not_valid_after_utc,
            )
        except (ValueError, TypeError, MalformedKey):
            # `cryptography` raises either of the first two for values that X.509 forbids.
            raise MalformedCertificate("no certificate of an SM2 key") from None

    def is_signed_by(self, issuer: sm2.PublicKey) -> bool:
        """Whether the issuer's key made the signature, with the default user id (GM/T 0015)."""
        return sm2.verify(issuer, self.signed, self.signature, encoding=sm2.SignatureEncoding.DER)
