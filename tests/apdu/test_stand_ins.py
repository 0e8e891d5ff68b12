"""What stands for a hidden value is read as the hidden one would be."""

import pytest

from apdu.formats import Unreadable
from apdu.profile import shipped_profiles
from apdu.recording.stand_ins import StandIns
from apdu.simple_tlv import Record

ITEMS = {
    item.tag: item
    for profile in shipped_profiles().values()
    for file in (profile.issuer_file, profile.holder_file)
    for item in file.items
    if item.tag is not None
}
PERSONAL = (0x07, 0x08, 0x09, 0x4E, 0x0A, 0x0B, 0x0C, 0x0D)
NAME = "欧阳娜娜".encode("gb18030")


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (0x07, b"B00000017"),
        (0x07, b"B00000017\x00\x00"),
        (0x08, b"429900196001010015"),
        (0x09, NAME.ljust(30, b"\x00")),
        (0x09, NAME.ljust(30, b" ")),
        (0x09, NAME),
        (0x4E, NAME.ljust(20, b"\x00")),
        (0x0A, b"2"),
        (0x0B, b"\x15"),
        (0x0C, bytes.fromhex("429901")),
        (0x0D, bytes.fromhex("19600101")),
    ],
)
def test_a_value_is_replaced_by_another_of_its_length(tag: int, value: bytes) -> None:
    stands = StandIns().item(Record(tag, value))
    assert stands is not None
    assert stands != value
    assert len(stands) == len(value)
    item = ITEMS[tag]
    before, after = item.decode(value), item.decode(stands)
    assert type(before) is type(after)
    assert before != after
    assert value[-1:] not in (b"\x00", b" ") or stands[-1:] == value[-1:]


@pytest.mark.parametrize("padding", [b"\x00", b" ", b"\xff"])
@pytest.mark.parametrize("tag", PERSONAL)
def test_a_blank_value_stays(tag: int, padding: bytes) -> None:
    assert StandIns().item(Record(tag, padding * 18)) is None
    assert StandIns().item(Record(tag, b"")) is None


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (0x09, NAME[:3]),
        (0x0B, b"\xab"),
        (0x0C, bytes.fromhex("42990A")),
        (0x0D, b"2012"),
        (0x0D, bytes.fromhex("19609901")),
    ],
)
def test_what_nobody_can_read_stays_unreadable(tag: int, value: bytes) -> None:
    item = ITEMS[tag]
    assert isinstance(item.decode(value), Unreadable)
    stands = StandIns().item(Record(tag, value))
    assert stands is not None
    assert stands != value
    assert isinstance(item.decode(stands), Unreadable)


def test_an_item_of_no_known_kind_is_opaque() -> None:
    assert StandIns().item(Record(0x20, b"secret")) == bytes(6)


def test_every_personal_item_has_a_stand_in() -> None:
    """A new item of EF05 or EF06 needs one before it is recorded."""
    for tag, item in ITEMS.items():
        if tag not in (0x01, 0x02, 0x03, 0x04, 0x05, 0x06):
            size = item.length
            assert size is not None
            stands = StandIns().item(Record(tag, b"1" * size))
            assert stands is not None and stands.strip(b"\x00")
