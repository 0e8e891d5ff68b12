"""X.509 certificates of SM2 keys. The two below were made by the openssl command."""

import base64
import subprocess
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apdu.crypto import sm2, sm2_der
from apdu.crypto.certificate import Certificate, announced_size
from apdu.crypto.errors import MalformedCertificate

CA_DER = base64.b64decode(
    "MIIBgjCCASigAwIBAgIBATAKBggqgRzPVQGDdTAfMQswCQYDVQQGEwJDTjEQMA4GA1UECgwHRGVt"
    "byBDQTAgFw0yNjExMjIwMjIxMjNaGA8yMTI2MTAyOTAyMjEyM1owHzELMAkGA1UEBhMCQ04xEDAO"
    "BgNVBAoMB0RlbW8gQ0EwWTATBgcqhkjOPQIBBggqgRzPVQGCLQNCAAQJ+d8xHlQhoVDdfRYeS8XG"
    "chefrRgz/AdrsI/zVvNQIMzqSQziZ3WlLcbqcYzBqmAK7QX7814ISmYy9gctqa0To1MwUTAdBgNV"
    "HQ4EFgQU+eJRYUwvDp6AkT/9owjkfAGiQbQwHwYDVR0jBBgwFoAU+eJRYUwvDp6AkT/9owjkfAGi"
    "QbQwDwYDVR0TAQH/BAUwAwEB/zAKBggqgRzPVQGDdQNIADBFAiEA4goP887EiXwcZ6USWzbyQMlm"
    "qk5KEJpa+IXae+vMRL0CICJitHjLsqjhBuHwFhE5p+VxPJazSeuVWn4S5Nbu+BGM"
)
CARD_DER = base64.b64decode(
    "MIIBJDCBywIBAjAKBggqgRzPVQGDdTAfMQswCQYDVQQGEwJDTjEQMA4GA1UECgwHRGVtbyBDQTAg"
    "Fw0yNjExMjIwMjIxMjNaGA8yMTI2MTAyOTAyMjEyM1owHDELMAkGA1UEBhMCQ04xDTALBgNVBAMM"
    "BGRlbW8wWTATBgcqhkjOPQIBBggqgRzPVQGCLQNCAARWzv1g18h8AA1Y71f6c7pNnA36CMCKczFJ"
    "XC4do/K9UjG35+bMgYn2aFNc4Pjq8b1t6EwYL2yOcW94DTqXCiPDMAoGCCqBHM9VAYN1A0gAMEUC"
    "IQDwxaljlFq09bEnYhF6Frb5fcPshLzGhjYSFJP5V/3cQwIgQEKfH576kPDqTkY9L5TneZRfasF3"
    "unCquNYa1hSUPyY="
)
CA, CARD = Certificate.from_der(CA_DER), Certificate.from_der(CARD_DER)


def test_what_a_certificate_tells() -> None:
    assert CARD.subject == "CN=demo,C=CN"
    assert CARD.issuer == CA.subject == "O=Demo CA,C=CN"
    assert (CA.serial, CARD.serial) == (1, 2)
    assert (CARD.not_before.year, CARD.not_after.year) == (2026, 2126)
    assert CARD.not_after.utcoffset() is not None
    assert CA.public_key.xy.hex().startswith("09f9df311e5421a1")
    assert CARD.public_key == sm2.PrivateKey(bytes(31) + b"\x02").public_key()
    assert CARD.der == CARD_DER


def test_who_signed_it() -> None:
    assert CARD.is_signed_by(CA.public_key)
    assert CA.is_signed_by(CA.public_key)
    assert not CARD.is_signed_by(CARD.public_key)


def test_its_repr_names_nobody() -> None:
    assert repr(CARD) == "Certificate(296 bytes, until 2126-10-29)"
    assert "demo" not in str(CARD)


@pytest.mark.parametrize(
    ("head", "size"),
    [
        (CARD_DER[:4], 296),
        (CARD_DER, 296),
        (bytes.fromhex("3003020101"), 5),
        (bytes.fromhex("30818000"), 131),
        (bytes.fromhex("3082FFFF"), 65539),
        (bytes.fromhex("308201"), None),
        (bytes.fromhex("30800000"), None),
        (bytes.fromhex("3083000100"), None),
        (bytes.fromhex("30FF0001"), None),
        (bytes(4), None),
        (b"\xff" * 4, None),
        (b"", None),
    ],
)
def test_the_announced_size(head: bytes, size: int | None) -> None:
    assert announced_size(head) == size


@pytest.mark.parametrize(
    "der",
    [
        b"",
        bytes(300),
        CARD_DER[:-1],
        CARD_DER + b"\0",
        CARD_DER.replace(bytes.fromhex("2A811CCF5501822D"), bytes.fromhex("2A811CCF5501822E")),
        CARD_DER.replace(bytes.fromhex("2A811CCF55018375"), bytes.fromhex("2A811CCF55018376")),
        CARD_DER.replace(CARD.public_key.xy, bytes(64)),
        CARD_DER.replace(b"\x04" + CARD.public_key.xy, b"\x06" + CARD.public_key.xy),
    ],
    ids=["empty", "zeros", "short", "long", "curve", "algorithm", "off-curve", "hybrid-point"],
)
def test_what_is_no_certificate_of_an_sm2_key(der: bytes) -> None:
    with pytest.raises(MalformedCertificate):
        Certificate.from_der(der)


def test_the_public_key_needs_all_that_stands_before_it() -> None:
    for cut in range(len(CARD.signed)):
        with pytest.raises(MalformedCertificate):
            sm2_der.spki_of_certificate(CARD.signed[:cut])
    with pytest.raises(MalformedCertificate):
        sm2_der.spki_of_certificate(CARD.signed + b"\0")
    assert sm2_der.spki_of_certificate(CARD.signed) == CARD.public_key.to_der()
    assert sm2_der.spki_of_certificate(CA.signed) == CA.public_key.to_der()


@settings(max_examples=300)
@given(st.integers(0, len(CARD_DER) - 1), st.integers(1, 255))
def test_a_changed_certificate_is_malformed_or_not_signed(at: int, change: int) -> None:
    changed = bytearray(CARD_DER)
    changed[at] ^= change
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = Certificate.from_der(bytes(changed))
        except MalformedCertificate:
            return
    same = (found.signed, found.signature) == (CARD.signed, CARD.signature)
    assert found.is_signed_by(CA.public_key) is same


@pytest.mark.peer
def test_openssl_agrees(tmp_path: Path) -> None:
    for name, der in (("ca", CA_DER), ("card", CARD_DER)):
        (tmp_path / name).write_bytes(der)
    key = ["openssl", "x509", "-in", "card", "-inform", "DER", "-noout", "-pubkey"]
    shown = subprocess.run(key, cwd=tmp_path, check=True, capture_output=True)
    assert shown.stdout.decode() == CARD.public_key.to_pem()
    verify = ["openssl", "verify", "-CAfile", "ca.pem", "-vfyopt", "distid:1234567812345678"]
    pem = ["openssl", "x509", "-inform", "DER", "-in"]
    for name in ("ca", "card"):
        subprocess.run([*pem, name, "-out", f"{name}.pem"], cwd=tmp_path, check=True)
    done = subprocess.run([*verify, "card.pem"], cwd=tmp_path, check=True, capture_output=True)
    assert done.stdout.strip() == b"card.pem: OK"
