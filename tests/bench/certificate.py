"""A certificate's PDF through the composing process, warm, each time another certificate."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from importlib import resources

from apdu.crypto import sm3
from kiosk.documents import codes
from kiosk.documents.certificate import Certificate, verify
from kiosk.documents.composer import Composer
from tests.bench.figure import Figure, milliseconds
from tests.kiosk.sealed_samples import STAMP, TODAY, Sealer, a_content, demo_book

LIMIT_MS = 25.0
ROUNDS = 60
MONTHS = 24


def figures() -> Iterator[Figure]:
    """Starts one composing process; the certificates are sealed beforehand."""
    sealer = Sealer()
    certificates = [_certificate(sealer, n) for n in range(ROUNDS)]
    composer = Composer(demo_book())
    try:
        for certificate in certificates[:5]:
            composer.pdf(certificate, STAMP)
        times = [
            milliseconds(lambda certificate=certificate: composer.pdf(certificate, STAMP))
            for certificate in certificates[5:]
        ]
    finally:
        composer.close()
    yield Figure.of("certificate.pdf", statistics.median(times), "ms", LIMIT_MS, "limit")


def _certificate(sealer: Sealer, turn: int) -> Certificate:
    """One with a code, and so with digest and QR, of its own; its seal is the demo platform's."""
    first = "".join(codes.ALPHABET[(turn * 7 + place) % 32] for place in range(codes.LENGTH - 1))
    seal = resources.files("hw_sim.platform").joinpath("seal.png").read_bytes()
    content = a_content(
        MONTHS, code=first + codes.check_character(first), seal_sm3=sm3.digest(seal).hex()
    )
    return verify(sealer.seal(content, seal_png=seal), sealer.seals(), today=TODAY)
