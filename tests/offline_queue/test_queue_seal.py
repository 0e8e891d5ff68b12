"""The seal of a row: its exact bytes, and that nothing else opens."""

from __future__ import annotations

import gmssl_pyx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.errors import RowForged
from offline_queue.seal import Header, SealKeys

KEY = bytes(range(16))
NONCE = bytes(range(12))
HEADER = Header(
    seq=7,
    kind="rating",
    key="T429900-0003-x",
    order="order-a",
    priority=20,
    created=1_795_000_000_000,
)
CONTEXT = (
    b"\0\0\0\x13offline_queue row 1" + b"\0\0\0\x013" + b"\0\0\0\x017" + b"\0\0\0\x06rating"
    b"\0\0\0\x0eT429900-0003-x" + b"\0\0\0\x07order-a" + b"\0\0\0\x0220" + b"\0\0\0\r1795000000000"
)
"""Length before each field; a change here makes the rows of the field unreadable."""

SEALED = bytes.fromhex(
    "000102030405060708090a0b" + "f12fa89ee919f1618def" + "1913fc3506371621510687ea50b13047"
)

headers = st.builds(
    Header,
    seq=st.integers(1, 2**40),
    kind=st.text(max_size=4),
    key=st.text(max_size=4),
    order=st.text(max_size=4),
    priority=st.integers(0, 99),
    created=st.integers(0, 2**43),
)


def test_the_sealed_bytes_are_nonce_text_tag() -> None:
    keys = SealKeys({3: KEY}, current=3)
    assert HEADER.associated_data(3) == CONTEXT
    assert keys.seal(HEADER, b"five stars", NONCE) == SEALED
    assert keys.open(HEADER, 3, SEALED) == b"five stars"


def test_another_implementation_seals_the_same() -> None:
    text, tag = gmssl_pyx.sm4_gcm_encrypt(KEY, NONCE, CONTEXT, b"five stars")
    assert NONCE + text + tag == SEALED


@pytest.mark.parametrize("at", range(len(SEALED)))
def test_no_byte_may_change(at: int) -> None:
    spoiled = bytearray(SEALED)
    spoiled[at] ^= 1
    with pytest.raises(RowForged, match="seal-broken"):
        SealKeys({3: KEY}, current=3).open(HEADER, 3, bytes(spoiled))


@pytest.mark.parametrize("length", [0, 11, 27, len(SEALED) - 1])
def test_no_byte_may_be_missing(length: int) -> None:
    with pytest.raises(RowForged, match="seal-broken"):
        SealKeys({3: KEY}, current=3).open(HEADER, 3, SEALED[:length])


@pytest.mark.parametrize(
    "change",
    [{"seq": 8}, {"kind": "audit"}, {"key": "T429900-0003-y"}, {"order": ""}, {"priority": 10},
     {"created": 1_795_000_000_001}],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_no_column_may_change(change: dict[str, object]) -> None:
    with pytest.raises(RowForged, match="seal-broken"):
        SealKeys({3: KEY}, current=3).open(HEADER._replace(**change), 3, SEALED)


def test_another_version_of_the_same_key_does_not_open() -> None:
    with pytest.raises(RowForged, match="seal-broken"):
        SealKeys({3: KEY, 4: KEY}, current=3).open(HEADER, 4, SEALED)


def test_an_unknown_version_is_told_apart() -> None:
    with pytest.raises(RowForged, match="key-unknown"):
        SealKeys({4: KEY}, current=4).open(HEADER, 3, SEALED)


@given(headers, headers, st.integers(1, 12), st.integers(1, 12))
def test_different_headers_never_have_the_same_context(
    one: Header, other: Header, version: int, other_version: int
) -> None:
    same = (one, version) == (other, other_version)
    assert (one.associated_data(version) == other.associated_data(other_version)) == same


def test_a_field_lends_no_bytes_to_its_neighbour() -> None:
    for one, other in (
        ({"kind": "ab", "key": "c"}, {"kind": "a", "key": "bc"}),
        ({"seq": 1, "kind": "1"}, {"seq": 11, "kind": ""}),
        ({"priority": 2, "created": 22}, {"priority": 22, "created": 2}),
    ):
        assert HEADER._replace(**one).associated_data(1) != HEADER._replace(
            **other
        ).associated_data(1)


@pytest.mark.parametrize(
    ("keys", "current"), [({1: KEY}, 2), ({0: KEY}, 0), ({1: KEY[:15]}, 1), ({1: KEY * 2}, 1)]
)
def test_keys_of_another_form_are_refused(keys: dict[int, bytes], current: int) -> None:
    with pytest.raises(ValueError, match="key"):
        SealKeys(keys, current)


def test_keys_are_not_shown() -> None:
    assert repr(SealKeys({1: KEY, 2: KEY}, 2)) == "SealKeys(versions=[1, 2], current=2)"
