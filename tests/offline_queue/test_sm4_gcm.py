"""SM4-GCM by libgcrypt and by `cryptography`: the same bytes, and which of them is taken."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given
from hypothesis import strategies as st

from offline_queue import libgcrypt, sm4_gcm
from offline_queue.libgcrypt import Libgcrypt
from offline_queue.sm4_gcm import TAG_SIZE, ByCryptography, Sm4Gcm, by_libgcrypt

KEY, NONCE, DATA = bytes(range(16)), bytes(12), b"row 7"
LONGEST = 128 * 1024


def gcrypt(key: bytes) -> Sm4Gcm:
    """Every Debian has the library, as has CI."""
    make = by_libgcrypt()
    assert make is not None
    return make(key)


both = pytest.mark.parametrize("make", [gcrypt, ByCryptography])


@given(
    key=st.binary(min_size=16, max_size=16),
    nonce=st.binary(min_size=12, max_size=12),
    data=st.binary(max_size=300),
    text=st.binary(max_size=300) | st.integers(4000, 10_000).map(bytes),
)
def test_both_give_the_same_bytes(key: bytes, nonce: bytes, data: bytes, text: bytes) -> None:
    one, other = gcrypt(key), ByCryptography(key)
    sealed = one.encrypt(nonce, data, text)
    assert sealed == other.encrypt(nonce, data, text)
    assert one.decrypt(nonce, data, sealed) == other.decrypt(nonce, data, sealed) == text


@both
def test_the_longest_body_goes_there_and_back(make: type[Sm4Gcm]) -> None:
    cipher, text = make(KEY), b"\xa5" * LONGEST
    assert cipher.decrypt(NONCE, DATA, cipher.encrypt(NONCE, DATA, text)) == text
    assert len(cipher.encrypt(NONCE, DATA, b"")) == TAG_SIZE


@both
@pytest.mark.parametrize("at", range(9 + TAG_SIZE))
def test_a_changed_byte_does_not_open(make: type[Sm4Gcm], at: int) -> None:
    cipher = make(KEY)
    sealed = bytearray(cipher.encrypt(NONCE, DATA, b"nine byte"))
    sealed[at] ^= 0x80
    with pytest.raises(InvalidTag):
        cipher.decrypt(NONCE, DATA, bytes(sealed))
    sealed[at] ^= 0x80
    for nonce, data in ((b"\1" * 12, DATA), (NONCE, b"row 8"), (NONCE, b"")):
        with pytest.raises(InvalidTag):
            cipher.decrypt(nonce, data, bytes(sealed))
    # What was refused leaves nothing behind for what comes next.
    assert cipher.decrypt(NONCE, DATA, bytes(sealed)) == b"nine byte"


@both
@pytest.mark.parametrize("size", [0, 1, TAG_SIZE - 1])
def test_less_than_a_tag_does_not_open(make: type[Sm4Gcm], size: int) -> None:
    cipher = make(KEY)
    sealed = cipher.encrypt(NONCE, DATA, b"")
    with pytest.raises(InvalidTag):
        cipher.decrypt(NONCE, DATA, sealed[:size])
    assert cipher.decrypt(NONCE, DATA, sealed) == b""


@both
@pytest.mark.parametrize("size", [0, 15, 17, 24, 32])
def test_a_key_of_another_length_is_refused(make: type[Sm4Gcm], size: int) -> None:
    with pytest.raises(ValueError):
        make(bytes(size))


def test_threads_do_not_mix_up_their_rows() -> None:
    cipher, other = gcrypt(KEY), ByCryptography(KEY)

    def seal(number: int) -> bytes:
        nonce = number.to_bytes(12, "big")
        return cipher.encrypt(nonce, b"%d" % number, number.to_bytes(2, "big") * 2000)

    patience = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            sealed = list(threads.map(seal, range(2000)))
    finally:
        sys.setswitchinterval(patience)
    for number, found in enumerate(sealed):
        text = other.decrypt(number.to_bytes(12, "big"), b"%d" % number, found)
        assert text == number.to_bytes(2, "big") * 2000


def test_no_plain_text_stays_in_the_buffer() -> None:
    cipher = Libgcrypt(libgcrypt.load(), KEY)
    sealed = cipher.encrypt(NONCE, DATA, b"nobody reads this")
    assert cipher.decrypt(NONCE, DATA, sealed) == b"nobody reads this"
    spoiled = sealed[:-1] + bytes((sealed[-1] ^ 1,))
    with pytest.raises(InvalidTag):
        cipher.decrypt(NONCE, DATA, spoiled)
    assert not any(cipher._room.raw[: len(sealed) - TAG_SIZE])


@pytest.mark.parametrize("name", ["libno-such-thing.so.20", "libc.so.6"])
def test_without_the_library_cryptography_does_it(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(libgcrypt, "_NAME", name)
    sm4_gcm._quickest.cache_clear()
    try:
        assert isinstance(sm4_gcm.sm4_gcm(KEY), ByCryptography)
    finally:
        sm4_gcm._quickest.cache_clear()


def test_a_library_that_calculates_wrongly_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Libgcrypt.encrypt

    def wrong(self: Libgcrypt, nonce: bytes, data: bytes, text: bytes) -> bytes:
        return right(self, nonce, data, text)[:-1] + b"\0"

    monkeypatch.setattr(Libgcrypt, "encrypt", wrong)
    assert by_libgcrypt() is None


def test_one_that_does_not_know_sm4_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libgcrypt, "_SM4", 9_999)
    assert by_libgcrypt() is None


def test_it_is_taken_where_it_is() -> None:
    sm4_gcm._quickest.cache_clear()
    assert isinstance(sm4_gcm.sm4_gcm(KEY), Libgcrypt)
