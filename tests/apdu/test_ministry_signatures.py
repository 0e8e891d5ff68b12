"""PKI_SignData and PKI_VerifySign, with each other and with the card's own public key."""

import base64

import pytest

from apdu.channel import Channel
from apdu.crypto import sm2
from apdu.ministry.terminal import PinCall
from apdu.pki.application import PkiApplication
from apdu.pki.profile import KeyUse
from tests.apdu.counter import Counter, CounterCard, calls, counter_card, fails
from tests.apdu.pki_issuance import certificate_of

PIN = "123456"
TEXT = "本人同意办理"


@pytest.fixture(scope="module")
def card() -> CounterCard:
    found = counter_card("pki")
    application = PkiApplication.open(Channel(found))
    application.verify_pin(bytearray(PIN.encode()))
    application.generate_key_pair()
    return found


@pytest.fixture(scope="module")
def key(card: CounterCard) -> sm2.PublicKey:
    found = PkiApplication.open(Channel(card)).public_key(KeyUse.SIGNATURE)
    assert found is not None
    return found


def in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_what_the_card_signs_verifies(card: CounterCard, key: sm2.PublicKey) -> None:
    desk = calls(Counter(card), PinCall.SIGN)
    signed = desk.call("PKI_SignData", PIN, TEXT, "1")
    assert signed.number == 0
    der = base64.b64decode(signed.output)
    assert sm2.verify(key, TEXT.encode("gbk"), der, encoding=sm2.SignatureEncoding.DER)
    certificate = in_base64(certificate_of(key))
    nobody = calls(Counter(None))
    told = nobody.call("PKI_VerifySign", "", certificate, TEXT, signed.output, "1")
    assert (told.number, told.output) == (0, "")
    changed = f"{signed.output[:4]}!{signed.output[4:]}"
    assert fails(nobody.call("PKI_VerifySign", "", certificate, TEXT, changed, "1")) == -23
    arguments = ("", certificate, TEXT + "。", signed.output, "1")
    assert fails(nobody.call("PKI_VerifySign", *arguments)) == -15
    other = in_base64(certificate_of(sm2.generate().public_key()))
    assert fails(nobody.call("PKI_VerifySign", "", other, TEXT, signed.output, "1")) == -15


def test_a_wrong_pin_signs_nothing(card: CounterCard) -> None:
    desk = calls(Counter(card), PinCall.SIGN)
    answer = desk.call("PKI_SignData", "654321", TEXT, "1")
    assert fails(answer) == -51
    assert answer.output.endswith("次")
    assert fails(desk.call("PKI_SignData", "1", TEXT, "1")) == -33
    assert desk.call("PKI_SignData", PIN, TEXT, "1").number == 0


def test_a_pin_passes_only_where_the_configuration_allows_it(
    card: CounterCard, key: sm2.PublicKey
) -> None:
    desk = calls(Counter(card), PinCall.VERIFY)
    sent = len(card.commands)
    assert fails(desk.call("PKI_SignData", PIN, TEXT, "1")) == -13
    certificate = in_base64(certificate_of(key))
    assert fails(desk.call("PKI_VerifySign", PIN, certificate, TEXT, "", "1")) == -13
    assert len(card.commands) == sent


@pytest.mark.parametrize(("name", "number"), [("v2", -1), ("unknown", -1)])
def test_cards_that_cannot_sign(name: str, number: int) -> None:
    desk = calls(Counter(counter_card(name)), PinCall.SIGN)
    assert fails(desk.call("PKI_SignData", PIN, TEXT, "1")) == number


@pytest.mark.parametrize(
    ("text", "kind", "number"),
    [("a\0b", "1", -41), ("\ud800", "1", -41), ("a" * 100_000, "1", -42), (TEXT, "9", -14)],
    ids=range(4),
)
def test_what_cannot_be_signed(card: CounterCard, text: str, kind: str, number: int) -> None:
    desk = calls(Counter(card), PinCall.SIGN)
    sent = len(card.commands)
    assert fails(desk.call("PKI_SignData", PIN, text, kind)) == number
    assert len(card.commands) == sent


@pytest.mark.parametrize(
    ("certificate", "signature", "kind", "number"),
    [
        ("", "", "1", -23),
        ("AAAA", "AAAA", "1", -23),
        ("证书", "AAAA", "1", -23),
        (None, "不是", "1", -23),
        (None, "", "1", -15),
        (None, "AAAA", "1", -15),
        (None, "AAAA", "0", -14),
        ("A" * 100_000, "AAAA", "1", -42),
    ],
    ids=range(8),
)
def test_what_does_not_verify(
    key: sm2.PublicKey, certificate: str | None, signature: str, kind: str, number: int
) -> None:
    given = in_base64(certificate_of(key)) if certificate is None else certificate
    desk = calls(Counter(None))
    assert fails(desk.call("PKI_VerifySign", "", given, TEXT, signature, kind)) == number
