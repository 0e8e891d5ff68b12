"""SM2: what was changed, spoiled or written loosely never passes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apdu.crypto import sm2, sm2_curve, sm2_der, sm2_pure
from apdu.crypto.errors import MalformedCiphertext
from apdu.crypto.sm2 import CiphertextEncoding, PrivateKey, SignatureEncoding
from tests.apdu.sm2_example import KEY, MESSAGE, PUBLIC, SIGNATURE, XY, D

DER, RAW = SignatureEncoding.DER, SignatureEncoding.RAW


BIT = st.integers(0, 8 * 1024 - 1)
"""Which bit of a value is turned round, counted in a circle: values differ in length."""


def flipped(bit: int, value: bytes) -> bytes:
    changed = bytearray(value)
    changed[bit // 8 % len(changed)] ^= 1 << bit % 8
    return bytes(changed)


def another_key(bit: int) -> PrivateKey:
    return PrivateKey(flipped(bit, D[:31]) + D[31:])


@settings(max_examples=60)
@given(BIT, st.sampled_from(SignatureEncoding))
def test_a_changed_signature_message_or_key_never_verifies(
    bit: int, encoding: SignatureEncoding
) -> None:
    signature = sm2.sign(KEY, MESSAGE, encoding=encoding)
    assert sm2.verify(PUBLIC, MESSAGE, signature, encoding=encoding)
    assert not sm2.verify(PUBLIC, MESSAGE, flipped(bit, signature), encoding=encoding)
    assert not sm2.verify(PUBLIC, flipped(bit, MESSAGE), signature, encoding=encoding)
    other = another_key(bit).public_key()
    assert not sm2.verify(other, MESSAGE, signature, encoding=encoding)


@settings(max_examples=60)
@given(BIT, st.sampled_from(CiphertextEncoding), st.binary(min_size=1, max_size=40))
def test_a_changed_ciphertext_or_key_never_decrypts(
    bit: int, encoding: CiphertextEncoding, plaintext: bytes
) -> None:
    ciphertext = sm2.encrypt(PUBLIC, plaintext, encoding=encoding)
    assert sm2.decrypt(KEY, ciphertext, encoding=encoding) == plaintext
    with pytest.raises(MalformedCiphertext):
        sm2.decrypt(KEY, flipped(bit, ciphertext), encoding=encoding)
    with pytest.raises(MalformedCiphertext):
        sm2.decrypt(another_key(bit), ciphertext, encoding=encoding)


@given(st.binary(max_size=80), st.sampled_from(SignatureEncoding))
def test_junk_is_no_signature(junk: bytes, encoding: SignatureEncoding) -> None:
    assert not sm2.verify(PUBLIC, MESSAGE, junk, encoding=encoding)


@pytest.mark.parametrize("number", [0, sm2_curve.N, sm2_curve.N + 1, 2**256 - 1])
def test_numbers_out_of_range_are_no_signature(number: int, refused: None) -> None:
    out = number.to_bytes(32, "big")
    for raw in (out + SIGNATURE[32:], SIGNATURE[:32] + out):
        assert not sm2.verify(PUBLIC, MESSAGE, raw, encoding=RAW)
    negative = (sm2_curve.N - int.from_bytes(SIGNATURE[:32], "big")).to_bytes(32, "big")
    assert not sm2_pure.verify(XY, sm2.DEFAULT_USER_ID, MESSAGE, SIGNATURE[:32] + negative)


@given(st.integers(0, 2**256 - 1), st.integers(0, 2**256 - 1))
def test_der_signatures_have_one_encoding(r: int, s: int) -> None:
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    der = sm2_der.signature_from_raw(raw)
    assert sm2_der.signature_to_raw(der) == raw
    assert sm2_der.signature_to_raw(der + b"\0") is None
    assert sm2_der.signature_to_raw(der[:-1]) is None


@pytest.mark.parametrize(
    "der",
    ["3006020101020181", "30070202000102017F", "308106020101020101", "3006020100" "0201",
     "3003020101", "3105020101020101", "30800201010201010000"],
)  # fmt: skip
def test_loose_der_is_no_signature(der: str) -> None:
    assert sm2_der.signature_to_raw(bytes.fromhex(der)) is None


_R, _S = SIGNATURE[:32].hex(), SIGNATURE[32:].hex()


@pytest.mark.parametrize("backend", ["libcrypto", "pure"])
@pytest.mark.parametrize(
    ("der", "verdict"),
    [
        (f"3046022100{_R}022100{_S}", True),
        (f"3045 0220{_R} 022100{_S}", False),
        (f"3045 022100{_R} 0220{_S}", False),
        (f"3047 02220000{_R} 022100{_S}", False),
        (f"308146 022100{_R} 022100{_S}", False),
        (f"30820046 022100{_R} 022100{_S}", False),
        (f"3048 02812100{_R} 02812100{_S}", False),
        (f"3080 022100{_R} 022100{_S} 0000", False),
        (f"3048 022100{_R} 022100{_S} 0500", False),
        (f"3046 022100{_R} 022100{_S} 00", False),
        (f"3046 042100{_R} 022100{_S}", False),
        (f"3023 022100{_R} 0200", False),
        (f"3026 022100{_R} 020100", False),
    ],
    ids=[
        "strict", "r-negative", "s-negative", "r-padded", "length-long", "length-longer",
        "inner-length-long", "indefinite", "third-element", "trailing-byte", "octets-for-r",
        "s-empty", "s-zero",
    ],
)  # fmt: skip
def test_a_signature_has_one_der_form(
    der: str, verdict: bool, backend: str, request: pytest.FixtureRequest
) -> None:
    if backend == "pure":
        request.getfixturevalue("refused")
    assert sm2.verify(PUBLIC, MESSAGE, bytes.fromhex(der), encoding=DER) is verdict
