"""The seal of a row: its exact bytes, and that nothing else opens."""

from __future__ import annotations

import gmssl_pyx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.errors import RowForged
from offline_queue.seal import Header, open_sealed, seal
from offline_queue.sm4_gcm import sm4_gcm

KEY = bytes(range(16))
KEY_OBJECT = sm4_gcm(KEY)
NONCE = bytes(range(12))
HEADER = Header(
    seq=7,
    kind="rating",
    key="T429900-0003-x",
    lane="events",
    order="order-a",
    priority=20,
    created=1_795_000_000_000,
    boot="boot-1",
    monotonic=12_345,
    wall=1_795_000_000_001,
    trust="unknown",
    expires=None,
    replaces=3,
)
CONTEXT = (
    b"offline_queue row 2 3 7 20 1795000000000 12345 1795000000001 None 3"
    b" 6:rating14:T429900-0003-x6:events7:order-a6:boot-17:unknown"
)
"""Length before each word; a change here makes the rows of the field unreadable."""

SEALED = bytes.fromhex(
    "000102030405060708090a0b" + "f12fa89ee919f1618def" + "e289e42b91412dad746701aac6d80c26"
)

words = st.text(max_size=4)
headers = st.builds(
    Header,
    seq=st.integers(1, 2**40),
    kind=words,
    key=words,
    lane=words,
    order=words,
    priority=st.integers(0, 99),
    created=st.integers(0, 2**43),
    boot=words,
    monotonic=st.integers(0, 2**43),
    wall=st.integers(-(2**43), 2**43),
    trust=words,
    expires=st.none() | st.integers(0, 2**43),
    replaces=st.none() | st.integers(0, 2**40),
)


def test_the_sealed_bytes_are_nonce_text_tag() -> None:
    assert HEADER.associated_data(3) == CONTEXT
    assert seal(KEY_OBJECT, CONTEXT, b"five stars", NONCE) == SEALED
    assert open_sealed(KEY_OBJECT, CONTEXT, SEALED) == b"five stars"


def test_another_implementation_seals_the_same() -> None:
    text, tag = gmssl_pyx.sm4_gcm_encrypt(KEY, NONCE, CONTEXT, b"five stars")
    assert NONCE + text + tag == SEALED


@pytest.mark.parametrize("at", range(len(SEALED)))
def test_no_byte_may_change(at: int) -> None:
    spoiled = bytearray(SEALED)
    spoiled[at] ^= 1
    with pytest.raises(RowForged, match="seal-broken"):
        open_sealed(KEY_OBJECT, CONTEXT, bytes(spoiled))


@pytest.mark.parametrize("length", [0, 11, 27, len(SEALED) - 1])
def test_no_byte_may_be_missing(length: int) -> None:
    with pytest.raises(RowForged, match="seal-broken"):
        open_sealed(KEY_OBJECT, CONTEXT, SEALED[:length])


@pytest.mark.parametrize(
    "change",
    [{"seq": 8}, {"kind": "audit"}, {"key": "T429900-0003-y"}, {"lane": "alarms"}, {"order": ""},
     {"priority": 10}, {"created": 1_795_000_000_001}, {"boot": "boot-2"}, {"monotonic": 12_346},
     {"wall": 1_795_000_000_002}, {"trust": "confirmed"}, {"expires": 0}, {"replaces": None}],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_no_column_may_change(change: dict[str, object]) -> None:
    with pytest.raises(RowForged, match="seal-broken"):
        open_sealed(KEY_OBJECT, HEADER._replace(**change).associated_data(3), SEALED)


def test_another_version_of_the_key_does_not_open() -> None:
    with pytest.raises(RowForged, match="seal-broken"):
        open_sealed(KEY_OBJECT, HEADER.associated_data(4), SEALED)


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
        ({"kind": "a1:b", "key": ""}, {"kind": "a", "key": "b"}),
        ({"priority": 2, "created": 22}, {"priority": 22, "created": 2}),
    ):
        assert HEADER._replace(**one).associated_data(1) != HEADER._replace(
            **other
        ).associated_data(1)
