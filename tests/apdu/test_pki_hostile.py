"""The PKI application of a card that answers anything: always an end, never another error, and
nothing accepted that does not verify."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from apdu.channel import Channel
from apdu.crypto import sm2
from apdu.crypto.certificate import Certificate
from apdu.errors import CardError
from apdu.pki.access import KeyPlace
from apdu.pki.application import CardSignature, PkiApplication
from apdu.pki.profile import KeyUse
from tests.apdu.pki_issuance import certificate_of, sealed_pair

OWN = sm2.PrivateKey(bytes(31) + b"\x02")
KEY = OWN.public_key()
CERTIFICATE = certificate_of(KEY)
SEALED = sealed_pair(KEY)
MESSAGE = b"what is signed"
SIGNATURE = sm2.sign(OWN, MESSAGE, encoding=sm2.SignatureEncoding.RAW)
READ_BINARY, SELECT = 0xB0, 0xA4
MOST_COMMANDS = 64
MOST_PIECES = 257
"""GET RESPONSE commands that one answer may take, and one more for a corrected length."""

Files = Mapping[bytes, bytes]


class HostileCard:
    """Holds files that may be anything, and answers other instructions from lists of its own; in
    between, to any command, with noise."""

    def __init__(
        self, files: Files, answers: Mapping[int, bytes], noise: Mapping[int, bytes]
    ) -> None:
        self.files = files
        self.answers = answers
        self.noise = noise
        self.asked = 0
        self.open = b""
        self.atr = b"\x3b\x00"

    def transmit(self, command: bytes | bytearray) -> bytes:
        self.asked += 1
        if self.asked in self.noise:
            return self.noise[self.asked]
        if command[1] == SELECT:
            self.open = bytes(command[5:7])
        if command[1] == READ_BINARY:
            content = self.files.get(self.open, b"")
            at = command[2] << 8 | command[3]
            return content[at : at + command[4]] + b"\x90\x00"
        return self.answers.get(command[1], b"\x90\x00")

    def reset(self) -> bytes:
        return self.atr

    def close(self) -> None:
        pass


def changed(good: bytes) -> st.SearchStrategy[bytes]:
    """As it should be, with a byte changed, cut, longer, or noise."""
    at = st.integers(0, len(good) - 1)
    return st.one_of(
        st.just(good),
        st.just(good),
        st.builds(
            lambda i, x: good[:i] + bytes((good[i] ^ x,)) + good[i + 1 :], at, st.integers(1, 255)
        ),
        at.map(lambda i: good[:i]),
        st.binary(max_size=20).map(lambda more: good + more),
        st.binary(max_size=80),
    )


WORDS = st.sampled_from(
    [b"\x90\x00"] * 6 + [bytes.fromhex(sw) for sw in ("6110", "6C05", "6282", "63C2", "6982")]
)
PUBLIC = b"\xca\x40" + KEY.xy
FILES = st.fixed_dictionaries(
    {
        b"\x00\x12": changed(PUBLIC),
        b"\x00\x14": changed(b"\xca\x40" + SEALED.public_key.xy),
        b"\x00\x18": changed(CERTIFICATE),
        b"\x00\x19": changed(CERTIFICATE),
    }
)
ANSWERS = st.fixed_dictionaries(
    {
        ins: st.tuples(changed(good), WORDS).map(b"".join)
        for ins, good in {
            0xC4: bytes(32),
            0x84: bytes(range(16)),
            0x2A: SIGNATURE,
            0x4E: bytes(16),
        }.items()
    }
)
NOISE = st.dictionaries(
    st.integers(1, 30), st.binary(max_size=4) | WORDS.map(lambda sw: b"noise" + sw), max_size=2
)
CARDS = st.builds(HostileCard, FILES, ANSWERS, NOISE)


def proven(application: PkiApplication) -> None:
    application.verify_pin(bytearray(b"123456"))
    application.verify_admin_pin(bytearray(b"12345678"))


def signed(application: PkiApplication) -> None:
    found = application.sign(MESSAGE)
    assert isinstance(found, CardSignature)
    assert found.raw == SIGNATURE


def signed_digest(application: PkiApplication) -> None:
    assert application.sign_digest(sm2.digest(KEY, MESSAGE)).raw == SIGNATURE


def read(application: PkiApplication) -> None:
    for use in KeyUse:
        found = application.read_certificate(use)
        assert found is None or isinstance(found, Certificate)


def written(application: PkiApplication) -> None:
    assert application.write_certificate(KeyUse.SIGNATURE, CERTIFICATE).der == CERTIFICATE


def generated(application: PkiApplication) -> None:
    assert isinstance(application.generate_key_pair(), sm2.PublicKey)


def imported(application: PkiApplication) -> None:
    application.import_key_pair(SEALED)
    assert application.public_key(KeyUse.ENCRYPTION) == SEALED.public_key


def replaced(application: PkiApplication) -> None:
    application.change_admin_pin(bytearray(b"12345678"), bytearray(b"87654321"))
    for place in KeyPlace:
        application.change_master_key(place, bytearray(16), bytearray(range(16)))


WORK: tuple[Callable[[PkiApplication], None], ...] = (
    proven,
    signed,
    signed_digest,
    read,
    written,
    generated,
    imported,
    replaced,
)


@settings(max_examples=400)
@given(CARDS, st.sampled_from(WORK))
def test_a_hostile_card_is_left_with_a_card_error(
    card: HostileCard, work: Callable[[PkiApplication], None]
) -> None:
    with contextlib.suppress(CardError), warnings.catch_warnings():
        # `cryptography` warns of certificates that it reads all the same.
        warnings.simplefilter("ignore")
        work(PkiApplication.open(Channel(card)))
    assert card.asked <= MOST_COMMANDS + 4 * MOST_PIECES


def test_every_piece_of_work_ends_well_on_a_card_that_answers_as_it_should() -> None:
    files = {
        b"\x00\x12": PUBLIC,
        b"\x00\x14": b"\xca\x40" + SEALED.public_key.xy,
        b"\x00\x18": CERTIFICATE,
    }
    answers = {0xC4: bytes(32), 0x84: bytes(16), 0x2A: SIGNATURE, 0x4E: bytes(16)}
    for work in WORK:
        card = HostileCard(files, {ins: data + b"\x90\x00" for ins, data in answers.items()}, {})
        application = PkiApplication.open(Channel(card))
        opening = card.asked
        work(application)
        assert card.asked > opening
