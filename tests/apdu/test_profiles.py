"""Every declared item against its own vectors, and each vector spoiled in the usual ways."""

import tomllib
from collections.abc import Iterator
from importlib import resources

import pytest

from apdu import simple_tlv
from apdu.custodian import Algorithm
from apdu.errors import MalformedAnswer, UnknownCard
from apdu.formats import Format, Unreadable
from apdu.profile import (
    Access,
    CardProfile,
    Item,
    Vector,
    choose,
    shipped_keys,
    shipped_profiles,
)
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
    for end in range(item.length):
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
            item.encode(vector.value + "1" * (2 * item.length + 1))


def test_profiles_are_chosen_by_the_first_character_only() -> None:
    profiles = shipped_profiles()
    for version, name in (("1.0", "v1"), ("2.01", "v2"), ("2.0", "v2"), ("3.00", "v3")):
        assert choose(profiles, version).name == name
    for version in ("", "4.00", "x"):
        with pytest.raises(UnknownCard):
            choose(profiles, version)


def test_what_the_generations_differ_in() -> None:
    v1, v2, v3 = (shipped_profiles()[digit] for digit in "123")
    assert [profile.algorithm for profile in (v1, v2, v3)] == [
        Algorithm.TDES,
        Algorithm.TDES,
        Algorithm.SM4,
    ]
    assert [item.tag for item in v1.holder_file.items] == [8, 9, 0xA, 0xB, 0xC, 0xD]
    assert [item.tag for item in v2.holder_file.items] == [8, 9, 0x4E, 0xA, 0xB, 0xC, 0xD]
    assert [file.items for file in (v2.holder_file, v3.holder_file)] == [v2.holder_file.items] * 2
    assert (v1.holder_key, v2.holder_key) == (None, None)
    assert v2.holder_file.read is Access.FREE
    assert v3.holder_file.read is Access.KEY
    assert v3.holder_key == shipped_keys()["RK_SSSE"]
    assert v3.holder_key is not None
    assert (v3.holder_key.key_id, v3.holder_key.hsm_address) == (0x0A, "004C")
    optional = [item.field for item in v3.holder_file.items if item.optional]
    assert optional == ["name_extension"]
    lengths = [item.length for item in v3.issuer_file.items]
    assert lengths == [16, 1, 4, 12, 4, 4, 9]


def test_files_name_their_values_and_skip_strangers() -> None:
    file = shipped_profiles()["3"].issuer_file
    records = [Record(0x77, b"?"), Record(3, b"2.0\0"), Record(3, b"3.00")]
    assert file.raw_values(records) == {"version": b"2.0\0"}
    decoded = file.decode(records)
    assert decoded["version"] == "2.0"
    assert decoded["issued"] is None


def _text() -> str:
    return resources.files("apdu").joinpath("profiles", "v3.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('type = "an"', 'type = "xx"'),
        ("record = 2\n", "record = 9\n"),
        ("tag = 0x02", "tag = 0x01"),
        ('name = "EF06"', 'name = "EF07"'),
        ('algorithm = "03"', 'algorithm = "04"'),
        ('holder = "RK_SSSE"', 'holder = "RK_NONE"'),
        ("digits_min = 4", "digits = 4"),
        ('read = "key"', 'read = "magic"'),
    ],
)
def test_a_spoiled_profile_is_refused(old: str, new: str) -> None:
    text = _text()
    assert old in text
    with pytest.raises((ValueError, KeyError, TypeError)):
        CardProfile.from_toml(text.replace(old, new, 1), shipped_keys())


def test_a_province_can_bring_its_own() -> None:
    profile = CardProfile.from_toml(_text().replace("tries = 3", "tries = 6"), shipped_keys())
    assert profile.pin.tries == 6


def test_keys_carry_their_marks() -> None:
    text = resources.files("apdu").joinpath("profiles", "keys.toml").read_text(encoding="utf-8")
    tables = {table["name"]: table for table in tomllib.loads(text)["key"]}
    assert tables.keys() == shipped_keys().keys()
    assert tables["IRK_SSSE"]["mark"] == "I"
    irk, reading = shipped_keys()["IRK_SSSE"], shipped_keys()["RK_SSSE"]
    assert (irk.usage, irk.index, irk.hsm_address, irk.levels) == (0x28, 0x01, "0000", 1)
    assert (reading.usage, reading.index, reading.levels) == (0x28, 0x0A, 1)
    assert [shipped_keys()[name].levels for name in ("UK_SSSE", "PUK")] == [2, 2]
