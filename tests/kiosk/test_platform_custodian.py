"""The platform's key service as custodian, against a second implementation of the contract."""

from __future__ import annotations

import logging
import traceback
from dataclasses import replace

import gmalg
import pytest

from apdu.custodian import Algorithm, AuthenticationRequest, KeyReference, ProtectionRequest
from apdu.errors import PsamUnavailable
from kiosk.platform.custodian import PlatformCustodian
from kiosk.platform.errors import PlatformAnswerMalformed, PlatformRefused, Problem
from tests.kiosk.platform_double import problem
from tests.kiosk.platform_line import Line

CRYPTOGRAMS, PROTECTED = "POST /v1/hsm/cryptograms", "POST /v1/hsm/protected-commands"
ENCRYPTION_KEY = "GET /v1/hsm/encryption-key"
BLOCKS = {
    Algorithm.TDES: bytes.fromhex("0397531880000000"),
    Algorithm.SM4: bytes.fromhex("03975318800000000000000000000000"),
}


def asked(
    address: str | None = "004C", algorithm: Algorithm = Algorithm.SM4
) -> AuthenticationRequest:
    key = KeyReference("RK_SSSE", 0x0A, 0x28, 0x0A, address)
    return AuthenticationRequest(algorithm, key, bytes(range(8)), "429900", bytes(8), b"\xff" * 8)


def reload(algorithm: Algorithm = Algorithm.SM4, address: str | None = "0173") -> ProtectionRequest:
    key = KeyReference("STK_SSSE", None, 0x48, 0x09, address)
    header, block = bytes.fromhex("84240001"), bytearray(BLOCKS[algorithm])
    return ProtectionRequest(algorithm, key, bytes(range(8)), "429900", bytes(8), header, block)


class KeyService:
    """The key that new PINs are encrypted to, and its private half."""

    def __init__(self) -> None:
        self._private, self.public = b"", b""
        # gmalg leaves leading zero bytes away.
        while len(self.public) != 65:
            self._private, self.public = gmalg.SM2().generate_keypair()

    def opened(self, block: str) -> bytes:
        plain: bytes = gmalg.SM2(self._private).decrypt(bytes.fromhex(block))
        return plain


@pytest.fixture
def service(line: Line) -> KeyService:
    made = KeyService()
    line.double.answers[ENCRYPTION_KEY] = (200, {"public_key": made.public[1:].hex()})
    return made


def test_a_cryptogram_is_asked_by_the_keys_address(line: Line) -> None:
    custodian = PlatformCustodian(line.client())
    line.double.answers[CRYPTOGRAMS] = (200, {"cryptogram": "0011223344556677"})
    assert custodian.cryptogram(asked()) == bytes.fromhex("0011223344556677")
    assert line.double.seen[0].document == {
        "key": "004C",
        "algorithm": "03",
        "card_factor": "0001020304050607",
        "aab301": "429900",
        "challenge": "0000000000000000",
        "data": "FFFFFFFFFFFFFFFF",
    }


@pytest.mark.parametrize("algorithm", BLOCKS)
def test_a_new_pin_travels_encrypted(line: Line, service: KeyService, algorithm: Algorithm) -> None:
    answer = bytes(range(len(BLOCKS[algorithm]) + 4))
    line.double.answers[PROTECTED] = (200, {"data": answer.hex()})
    request = reload(algorithm)
    assert PlatformCustodian(line.client()).protect(request) == answer
    assert request.block == BLOCKS[algorithm], "its owner wipes it"
    document = line.double.seen[1].document
    assert service.opened(document.pop("block")) == BLOCKS[algorithm]
    assert document == {
        "key": "0173",
        "algorithm": algorithm.value,
        "card_factor": "0001020304050607",
        "aab301": "429900",
        "challenge": "0000000000000000",
        "command": "84240001",
    }


def test_a_command_without_data_needs_no_encryption(line: Line) -> None:
    line.double.answers[PROTECTED] = (200, {"data": "A0A1A2A3"})
    request = replace(reload(), header=bytes.fromhex("84240000"), block=bytearray())
    assert PlatformCustodian(line.client()).protect(request) == bytes.fromhex("A0A1A2A3")
    (seen,) = line.double.seen
    assert (seen.document["command"], seen.document["block"]) == ("84240000", "")


def test_each_reload_takes_the_key_of_the_hour(line: Line, service: KeyService) -> None:
    line.double.answers[PROTECTED] = (200, {"data": "00" * 20})
    custodian = PlatformCustodian(line.client())
    custodian.protect(reload())
    other = KeyService()
    line.double.answers[ENCRYPTION_KEY] = (200, {"public_key": other.public[1:].hex()})
    custodian.protect(reload())
    first, second = (seen.document["block"] for seen in line.double.seen if seen.body)
    assert service.opened(first) == other.opened(second) == BLOCKS[Algorithm.SM4]


def test_the_custodian_without_key_or_line_cannot_tell(line: Line) -> None:
    custodian = PlatformCustodian(line.client())
    assert custodian.cryptogram(asked()) is None
    assert len(line.double.seen) == 1
    for unheard in (asked(None), asked(algorithm=Algorithm.SSF33)):
        assert custodian.cryptogram(unheard) is None
    for unheard_too in (reload(address=None), replace(reload(), algorithm=Algorithm.SSF33)):
        assert custodian.protect(unheard_too) is None
    assert len(line.double.seen) == 1, "what the contract does not know is not asked"
    line.double.changes = [lambda reply: replace(reply, status=503)] * 6
    with pytest.raises(PsamUnavailable):
        custodian.cryptogram(asked())
    with pytest.raises(PsamUnavailable):
        custodian.protect(reload())
    line.double.answers[CRYPTOGRAMS] = problem("forbidden", 403)
    with pytest.raises(PlatformRefused):
        custodian.cryptogram(asked())


def test_a_key_that_is_not_held_is_none(line: Line, service: KeyService) -> None:
    line.double.answers[PROTECTED] = problem("not-found", 404)
    assert PlatformCustodian(line.client()).protect(reload()) is None
    assert service.opened(line.double.seen[1].document["block"])


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (ENCRYPTION_KEY, {"public_key": "11" * 64}),
        (ENCRYPTION_KEY, {"public_key": "11" * 63}),
        (ENCRYPTION_KEY, {}),
        (PROTECTED, {"data": "00" * 19}),
        (PROTECTED, {"data": "00" * 21}),
        (PROTECTED, {"data": "zz" * 20}),
        (PROTECTED, {"data": "00" * 20, "more": ""}),
    ],
)
def test_answers_of_another_form_are_malformed(
    line: Line, service: KeyService, question: str, answer: dict[str, str]
) -> None:
    line.double.answers[PROTECTED] = (200, {"data": "00" * 20})
    line.double.answers[question] = (200, answer)
    with pytest.raises(PlatformAnswerMalformed):
        PlatformCustodian(line.client()).protect(reload())


def test_no_pin_in_what_goes_out_or_what_is_said(
    line: Line, service: KeyService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    custodian = PlatformCustodian(line.client())
    line.double.answers[PROTECTED] = problem("invalid", 422)
    with pytest.raises(PlatformRefused) as caught:
        custodian.protect(reload())
    assert caught.value.problem is Problem.INVALID
    line.double.answers[PROTECTED] = (200, {"data": BLOCKS[Algorithm.SM4].hex()})
    with pytest.raises(PlatformAnswerMalformed) as malformed:
        custodian.protect(reload())
    said = caplog.text + repr(reload())
    for error in (caught.value, malformed.value):
        said += "".join(traceback.format_exception(error))
    said += "".join(seen.body.decode() + seen.path + str(seen.headers) for seen in line.double.seen)
    assert service.opened(line.double.seen[1].document["block"])
    assert "975318" not in said
