"""BER-TLV, as in the answer to SELECT."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apdu import ber_tlv
from apdu.ber_tlv import DataObject
from apdu.errors import MalformedAnswer

TAGS = st.sampled_from([0x50, 0x6F, 0x84, 0xA5, 0x88, 0x5F2D, 0x9F0C, 0xBF0C, 0x9F8101])
OBJECTS = st.lists(
    st.builds(DataObject, TAGS, st.binary(max_size=20) | st.integers(128, 70000).map(bytes)),
    max_size=5,
)
AID = "7378312E73682EC9E7BBE1B1A3D5CF"
FCI = bytes.fromhex("6F16840F" + AID + "A503880105")
FCI_WITH_FLAG = bytes.fromhex("6F1C840F" + AID + "A5098801059F0C03860103")


@given(OBJECTS)
def test_there_and_back(objects: list[DataObject]) -> None:
    assert ber_tlv.decode(ber_tlv.encode(objects)) == tuple(objects)


@given(OBJECTS, st.sampled_from([b"\x00", b"\xff"]), st.integers(1, 4))
def test_padding_is_skipped_only_on_request(
    objects: list[DataObject], pad: bytes, count: int
) -> None:
    data = pad * count + ber_tlv.encode(objects) + pad * count
    assert ber_tlv.decode(data, skip_padding=True) == tuple(objects)
    with pytest.raises(MalformedAnswer):
        ber_tlv.decode(data)


@given(st.binary(max_size=60), st.booleans())
def test_foreign_bytes_decode_or_are_malformed(data: bytes, skip: bool) -> None:
    try:
        objects = ber_tlv.decode(data, skip_padding=skip)
        found = ber_tlv.find(data, 0x6F, 0xA5, 0x9F0C)
    except MalformedAnswer:
        return
    assert sum(len(item.value) for item in objects) <= len(data)
    assert found is None or found in data


def test_the_control_information_of_a_card() -> None:
    assert ber_tlv.find(FCI, 0x6F, 0x84) == bytes.fromhex(AID)
    assert ber_tlv.find(FCI, 0x6F, 0xA5, 0x88) == b"\x05"
    assert ber_tlv.find(FCI, 0x6F, 0xA5, 0x9F0C, 0x86) is None
    assert ber_tlv.find(FCI_WITH_FLAG, 0x6F, 0xA5, 0x9F0C, 0x86) == b"\x03"


def test_the_bytes_of_a_tag_inside_another_value_do_not_match() -> None:
    disguised = ber_tlv.encode([DataObject(0x84, bytes.fromhex("5A0142")), DataObject(0x5A, b"x")])
    assert ber_tlv.find(disguised, 0x5A) == b"x"


def test_a_walk_meets_every_object_in_order() -> None:
    record = bytes.fromhex("70085A01125A011350000000700570035A0114FF")
    tags = [(item.tag, item.value.hex()) for item in ber_tlv.walk(record)]
    assert [value for tag, value in tags if tag == 0x5A] == ["12", "13", "14"]
    assert [tag for tag, _ in tags] == [0x70, 0x5A, 0x5A, 0x50, 0x70, 0x70, 0x5A]


def test_a_walk_does_not_look_into_plain_values() -> None:
    disguised = bytes.fromhex("70099F0C035A01425A0199")
    found = [item.value for item in ber_tlv.walk(disguised) if item.tag == 0x5A]
    assert found == [b"\x99"]


@given(OBJECTS, st.integers(0, 7))
def test_a_walk_goes_as_deep_as_cards_nest(objects: list[DataObject], depth: int) -> None:
    data = ber_tlv.encode([item for item in objects if not item.constructed])
    inner = list(ber_tlv.walk(data))
    for _ in range(depth):
        data = ber_tlv.encode([DataObject(0x70, data)])
    assert list(ber_tlv.walk(data))[depth:] == inner
    assert [item.tag for item in ber_tlv.walk(data)][:depth] == [0x70] * depth


@pytest.mark.parametrize("data", ["70", "7002 5A02", "7003 5A0112 84", "7002 9F81", "70 03 5A0212"])
def test_a_walk_over_broken_objects_is_malformed(data: str) -> None:
    with pytest.raises(MalformedAnswer):
        list(ber_tlv.walk(bytes.fromhex(data)))


def test_a_walk_is_not_led_into_the_depth() -> None:
    data = b""
    for _ in range(8):
        data = ber_tlv.encode([DataObject(0x70, data)])
    with pytest.raises(MalformedAnswer, match="deep"):
        list(ber_tlv.walk(data))


@given(st.binary(max_size=300))
def test_a_walk_over_foreign_bytes_ends(data: bytes) -> None:
    try:
        objects = list(ber_tlv.walk(data))
    except MalformedAnswer:
        return
    assert all(item.value in data for item in objects)


def test_a_list_of_wanted_objects() -> None:
    wanted = ber_tlv.tags_and_lengths(bytes.fromhex("9F7A01 9F0206 5F2A02 9500 DFC10A04"))
    assert wanted == ((0x9F7A, 1), (0x9F02, 6), (0x5F2A, 2), (0x95, 0), (0xDFC10A, 4))
    assert ber_tlv.tags_and_lengths(b"") == ()


@pytest.mark.parametrize("data", ["9F", "9F02", "95", "9F020695", "9F81818101", "0001"])
def test_a_broken_list_of_wanted_objects_is_malformed(data: str) -> None:
    with pytest.raises(MalformedAnswer):
        ber_tlv.tags_and_lengths(bytes.fromhex(data))


@pytest.mark.parametrize(
    ("length", "head"),
    [(127, "847F"), (128, "848180"), (255, "8481FF"), (256, "84820100"), (65536, "8483010000")],
)
def test_lengths_are_written_shortest(length: int, head: str) -> None:
    assert ber_tlv.encode([DataObject(0x84, bytes(length))])[: len(head) // 2].hex() == head.lower()


@pytest.mark.parametrize("data", ["84", "9F", "9F81", "9F818181", "8480", "848400000001", "8402AA"])
def test_broken_objects_are_malformed(data: str) -> None:
    with pytest.raises(MalformedAnswer):
        ber_tlv.decode(bytes.fromhex(data))


@pytest.mark.parametrize("tag", [-1, 0, 0xFF, 0x9F, 0x84AA, 0x9F818181])
def test_impossible_tags_are_refused(tag: int) -> None:
    with pytest.raises(ValueError, match="tag"):
        ber_tlv.encode([DataObject(tag, b"")])


def test_constructed_is_told_by_the_first_byte() -> None:
    assert DataObject(0x6F, b"").constructed
    assert DataObject(0xBF0C, b"").constructed
    assert not DataObject(0x9F0C, b"").constructed
    assert "secret" not in repr(DataObject(0x84, b"secret"))
