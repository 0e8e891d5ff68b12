"""A certificate in a transparent file of the PKI application, whole or not at all."""

from __future__ import annotations

from apdu.binary import PIECE
from apdu.crypto.certificate import HEAD_SIZE, Certificate, announced_size
from apdu.crypto.errors import MalformedCertificate
from apdu.errors import MalformedAnswer
from apdu.pki.exchange import PkiExchange
from apdu.pki.profile import CertificateForm

_ERASED = (b"\x00", b"\xff")


def read_certificate(exchange: PkiExchange, fid: int, form: CertificateForm) -> Certificate | None:
    """The certificate in a file; None where it begins with nothing.

    Its size stands in its own DER header; what follows it in the file is old or padding.

    Raises:
        MalformedAnswer: the file begins with something else, or breaks off.
        CardError: see `apdu.errors`.
    """
    content = exchange.read(fid, PIECE)
    head = content[:HEAD_SIZE]
    if any(not head.strip(filler) for filler in _ERASED):
        return None
    size = announced_size(head)
    if size is None or size > form.most:
        raise MalformedAnswer("a certificate file that begins with something else")
    if len(content) < size:
        content += exchange.read_on(len(content), size - len(content))
    try:
        return Certificate.from_der(content[:size])
    except MalformedCertificate:
        raise MalformedAnswer("a certificate file that holds no certificate") from None


def write_certificate(exchange: PkiExchange, fid: int, form: CertificateForm, der: bytes) -> bool:
    """Put a certificate into a file and read it back; whether the card gave back the same.

    Its head goes away first and its first piece is written last, so that a file that was torn in
    between holds no certificate, and never parts of two (order: mark I).

    Raises:
        ValueError: it is longer than any file.
        CardError: see `apdu.errors`.
    """
    if len(der) > form.most:
        raise ValueError(f"a certificate of {len(der)} bytes is longer than {form.most}")
    exchange.open_file(fid)
    exchange.write(0, bytes(HEAD_SIZE))
    for at in (*range(form.piece, len(der), form.piece), 0):
        exchange.write(at, der[at : at + form.piece])
    return exchange.read_on(0, len(der)) == der
