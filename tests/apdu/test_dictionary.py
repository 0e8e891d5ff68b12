"""Every declared item against its own vectors, and each vector spoiled in the usual ways."""

from collections.abc import Iterator

import pytest

from apdu import simple_tlv
from apdu.dictionary import Item, Vector
from apdu.errors import MalformedAnswer
from apdu.formats import Format, Unreadable
from apdu.profile import shipped_profiles
from apdu.simple_tlv import Record


def items() -> Iterator[tuple[str, Item]]:
    for profile in shipped_profiles().values():
        for file in profile.files.values():
            for item in file.items:
                yield f"{profile.name}-{file.name}-{item.field}", item


def vectors() -> Iterator[tuple[str, Item, Vector]]:
    for name, item in items():
        for number, vector in enumerate(item.vectors):
            yield f"{name}-{number}", item, vector


EVERY_ITEM = pytest.mark.parametrize(
    "item", [pytest.param(item, id=name) for name, item in items()]
)
EVERY_VECTOR = pytest.mark.parametrize(
    ("item", "vector"), [pytest.param(item, vector, id=name) for name, item, vector in vectors()]
)


@EVERY_ITEM
def test_every_declaration_has_a_vector_and_a_source(item: Item) -> None:
    assert any(vector.value is not None for vector in item.vectors)
    assert item.mark in {"A", "B", "C", "I", "M"}
    assert item.source
    assert item.zh
    assert item.en


@EVERY_VECTOR
def test_a_vector_reads_and_writes(item: Item, vector: Vector) -> None:
    (record,) = simple_tlv.decode(vector.record)
    assert record.tag == item.tag
    assert len(record.value) == item.length
    assert item.decode(record.value) == vector.value
    if vector.value is not None:
        assert item.encode(vector.value) == record
        assert simple_tlv.encode([item.encode(vector.value)]) == vector.record


@EVERY_VECTOR
def test_a_truncated_vector_is_malformed_as_record_and_never_crashes_as_value(
    item: Item, vector: Vector
) -> None:
    for end in range(1, len(vector.record)):
        with pytest.raises(MalformedAnswer):
            simple_tlv.decode(vector.record[:end])
    for end in range(item.length or 0):
        shorter = item.decode(vector.record[2 : 2 + end])
        assert shorter is None or isinstance(shorter, (str, Unreadable, bytes))


@EVERY_VECTOR
@pytest.mark.parametrize("pad", [b"\x00", b" ", b"\xff"])
@pytest.mark.parametrize("count", [1, 3])
def test_a_padded_vector_reads_the_same(item: Item, vector: Vector, pad: bytes, count: int) -> None:
    assert item.decode(vector.record[2:] + pad * count) == vector.value


@EVERY_VECTOR
def test_an_over_long_vector_is_cut_read_whole_or_reported(item: Item, vector: Vector) -> None:
    longer = item.decode(vector.record[2:] + b"\x41\x42")
    match item.form:
        case Format.AN | Format.ANS:
            assert isinstance(longer, str)
            assert (longer == vector.value) is item.cut
        case _:
            assert isinstance(longer, Unreadable)


@EVERY_VECTOR
def test_a_value_too_long_is_never_written(item: Item, vector: Vector) -> None:
    if isinstance(vector.value, str):
        with pytest.raises(ValueError, match="do not fit"):
            item.encode(vector.value + "1" * (2 * (item.length or 0) + 1))


def test_files_name_their_values_and_skip_strangers() -> None:
    file = shipped_profiles()["3"].issuer_file
    records = [Record(0x77, b"?"), Record(3, b"2.0\0"), Record(3, b"3.00")]
    assert file.raw_values(records) == {"version": b"2.0\0"}
    decoded = file.decode(records)
    assert decoded["version"] == "2.0"
    assert decoded["issued"] is None
