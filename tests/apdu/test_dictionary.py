"""Every declaration against its own vectors, and each vector spoiled in the usual ways."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import date
from importlib import resources

import pytest

from apdu import simple_tlv
from apdu.dictionary import (
    Access,
    AccessRule,
    Application,
    CardFile,
    FieldValue,
    FileKind,
    Item,
    Vector,
)
from apdu.dictionary_data import tree
from apdu.errors import MalformedAnswer
from apdu.formats import Format, Unreadable
from apdu.profile import CardProfile, shipped_keys, shipped_profiles
from apdu.simple_tlv import Record

PROFILES: Mapping[str, CardProfile] = shipped_profiles()
MARKS = {"A", "B", "C", "I", "M"}


def _files() -> Iterator[tuple[str, CardFile]]:
    for profile in PROFILES.values():
        for file in profile.files.values():
            yield f"{profile.name}-{file.name}", file


def _items() -> Iterator[tuple[str, Item]]:
    for name, file in _files():
        for item in file.items:
            yield f"{name}-{item.field}", item
            for part in item.parts:
                yield f"{name}-{item.field}-{part.field}", part


def _distinct() -> Iterator[tuple[str, Item, Vector]]:
    """Each item of each generation that is not the very same declaration as in an earlier one."""
    seen = set()
    for name, item in _items():
        for number, vector in enumerate(item.vectors):
            key = (name.partition("-")[2], item.form, item.length, vector.record)
            if key not in seen:
                seen.add(key)
                yield f"{name}-{number}", item, vector


EVERY_FILE = pytest.mark.parametrize("file", [pytest.param(f, id=name) for name, f in _files()])
EVERY_ITEM = pytest.mark.parametrize("item", [pytest.param(i, id=name) for name, i in _items()])
EVERY_VECTOR = pytest.mark.parametrize(
    ("item", "vector"), [pytest.param(item, vector, id=name) for name, item, vector in _distinct()]
)


def _stored(item: Item, vector: Vector) -> bytes:
    """The value as it stands on the card."""
    value = vector.record if item.tag is None else vector.record[2:]
    return value.ljust(item.length or 0, b"\x00") if item.form is Format.TRANSPARENT else value


def _is_told(value: FieldValue) -> bool:
    return value is not None and not isinstance(value, Unreadable)


@EVERY_ITEM
def test_every_declaration_has_a_vector_a_mark_and_a_source(item: Item) -> None:
    assert any(_is_told(vector.value) for vector in item.vectors)
    assert item.mark in MARKS
    assert item.source
    assert bool(item.zh) == bool(item.en) == (not item.field.startswith(("tag_", "field_")))


@EVERY_FILE
def test_every_file_has_a_mark_a_source_and_keys_that_exist(file: CardFile) -> None:
    assert file.mark in MARKS
    assert file.source
    assert bool(file.zh) == bool(file.en)
    assert file.fid & 0xFF00 == 0xEF00
    assert file.sfi == file.fid & 0x1F
    assert 1 <= file.sfi <= 30
    assert [item.record for item in file.items] == list(range(1, len(file.items) + 1))
    for rule in (file.read, file.write):
        assert (rule.key in shipped_keys()) is rule.condition.names_key


@EVERY_VECTOR
def test_a_vector_reads_and_writes(item: Item, vector: Vector) -> None:
    stored = _stored(item, vector)
    assert item.decode(stored) == vector.value
    if item.length is None:
        with pytest.raises(ValueError, match="nobody knows"):
            item.encode_value(vector.value)
        return
    assert len(stored) == item.length
    if vector.value is not None:
        assert item.encode_value(vector.value) == stored
    if item.tag is not None:
        assert simple_tlv.decode(vector.record) == (Record(item.tag, stored),)
        assert simple_tlv.encode([item.encode(vector.value)]) == vector.record


@EVERY_VECTOR
def test_a_truncated_vector_is_malformed_as_record_and_never_crashes_as_value(
    item: Item, vector: Vector
) -> None:
    if item.tag is not None:
        for end in range(1, len(vector.record)):
            with pytest.raises(MalformedAnswer):
                simple_tlv.decode(vector.record[:end])
    stored = _stored(item, vector)
    for end in range(len(stored)):
        shorter = item.decode(stored[:end])
        match item.form:
            case Format.CN_DATE | Format.CN_MONTH | Format.INT:
                assert shorter is None or isinstance(shorter, Unreadable)
            case Format.B | Format.B_TLV:
                assert isinstance(shorter, bytes if item.length is None else Unreadable | None)
            case Format.TRANSPARENT:
                assert shorter is None or isinstance(shorter, bytes)
            case Format.AN | Format.ANS | Format.CN | Format.CN_HEX:
                assert shorter is None or isinstance(shorter, str | Unreadable)


@EVERY_VECTOR
def test_a_padded_vector_reads_the_same(item: Item, vector: Vector) -> None:
    for pad in (b"\x00", b" ", b"\xff", b"\x00\x00\x00", b"   ", b"\xff\xff\xff"):
        if item.length is not None:
            assert item.decode(_stored(item, vector) + pad) == vector.value


@EVERY_VECTOR
def test_an_over_long_vector_is_cut_read_whole_or_reported(item: Item, vector: Vector) -> None:
    longer = item.decode(_stored(item, vector) + b"\x41\x42")
    match item.form:
        case Format.AN | Format.ANS:
            assert isinstance(longer, str)
            assert (longer == vector.value) is item.cut
        case Format.TRANSPARENT:
            assert longer == vector.value
        case _ if item.length is None:
            assert isinstance(longer, bytes)
        case _:
            assert isinstance(longer, Unreadable)


@EVERY_VECTOR
def test_a_value_too_long_is_never_written(item: Item, vector: Vector) -> None:
    length, value = item.length or 0, vector.value
    longer: FieldValue
    match value:
        case str():
            longer = value + "1" * (2 * length + 1)
        case bytes():
            longer = value.ljust(length, b"\x01") + b"\x01"
        case int():
            longer = 1 << 8 * length
        case dict():
            longer = {**value, item.parts[-1].field: "1" * 200}
        case _:
            return
    with pytest.raises(ValueError, match=r"\w") as caught:
        item.encode_value(longer)
    if not isinstance(longer, int):
        assert str(longer) not in str(caught.value)


@EVERY_VECTOR
def test_a_blank_field_is_written_and_reads_as_none(item: Item, vector: Vector) -> None:
    if item.length is None:
        return
    blank = item.encode_value(None)
    assert len(blank) == item.length
    assert item.decode(blank) == (bytes(item.length) if item.form is Format.B else None)


@EVERY_FILE
def test_a_whole_file_there_and_back(file: CardFile) -> None:
    known = {item.field: item.vectors[0].value for item in file.items}
    match file.kind:
        case FileKind.RECORDS:
            records = [Record(item.tag or 0, _stored(item, item.vectors[0])) for item in file.items]
            assert file.decode(records) == known
            stranger = Record(0xFE, b"?")
            assert file.decode([*records, records[0], stranger]) == known
            assert file.decode(records[1:])[file.items[0].field] in (
                None,
                known.get(file.items[0].field) if file.items[0].occurrence else None,
            )
        case FileKind.CYCLIC:
            stored = b"".join(_stored(item, item.vectors[0]) for item in file.items)
            assert file.encode_cyclic(known) == stored
            blank = file.encode_cyclic({})
            first, none, short = file.decode_cyclic([stored, bytes(len(stored)), stored[:2]])
            assert (first, none) == (known, None)
            assert short is not None
            assert short.keys() == known.keys()
            assert len(blank) == len(stored)
            with pytest.raises(ValueError, match="not declared"):
                file.encode_cyclic({"nothing": None})
        case FileKind.TRANSPARENT:
            (item,) = file.items
            stored = _stored(item, item.vectors[0])
            assert len(stored) == file.size
            assert file.decode_content(stored) == item.vectors[0].value
            assert file.decode_content(b"") is None
            assert file.decode_content(b"\xff" * len(stored)) is None


# How many items, B-TLV parts counted too, each file has in the first, second and third
# generation; 0 where there is no such file.
COUNTS = {
    "SSSEEF05": (7, 7, 7), "SSSEEF06": (6, 7, 7), "SSSEEF07": (1, 1, 1), "SSSEEF08": (0, 1, 1),
    "SSSEEF0D": (0, 4, 4),
    "DF01EF05": (3, 3, 3), "DF01EF06": (4, 5, 5), "DF01EF07": (1, 2, 2), "DF01EF08": (1, 1, 1),
    "DF01EF09": (5, 3, 3), "DF01EF0A": (3, 3, 3), "DF01EF15": (0, 13, 13),
    "DF01EF16": (0, 1, 1), "DF01EF17": (0, 1, 1), "DF01EF18": (0, 1, 1), "DF01EF19": (0, 1, 1),
    "DF01EF1A": (0, 1, 1),
    "DF02EF05": (15, 24, 24), "DF02EF06": (7, 7, 7), "DF02EF07": (4, 4, 4),
    "DF02EF08": (4, 0, 0), "DF02EF09": (5, 4, 4), "DF02EF15": (0, 18, 18), "DF02EF16": (0, 5, 5),
    "DF03EF05": (8, 8, 8), "DF03EF06": (5, 25, 25), "DF03EF07": (8, 6, 6), "DF03EF15": (0, 3, 3),
    "DF03EF16": (0, 2, 2), "DF03EF17": (0, 5, 5), "DF03EF18": (0, 5, 5), "DF03EF19": (0, 32, 32),
    "DF04EF05": (14, 16, 16), "DF04EF06": (3, 3, 3), "DF04EF08": (7, 7, 7), "DF04EF15": (0, 2, 2),
    "DF07EF05": (0, 5, 5), "DF07EF06": (0, 3, 3), "DF07EF07": (0, 2, 2),
}  # fmt: skip


def test_no_declaration_is_lost() -> None:
    counted: dict[str, list[int]] = {}
    for generation, profile in enumerate(PROFILES.values()):
        for file in profile.files.values():
            row = counted.setdefault(file.name, [0, 0, 0])
            row[generation] = sum(1 + len(item.parts) for item in file.items)
    assert counted == {name: list(row) for name, row in COUNTS.items()}


def test_files_stand_in_tree_order_under_applications_that_are_declared() -> None:
    for profile in PROFILES.values():
        assert all(file.application in profile.applications for file in profile.files.values())
        names = [file.name for file in profile.files.values()]
        assert names == [name for name in COUNTS if name in profile.files]
    first, second, third = PROFILES.values()
    assert "DF07" not in first.applications
    assert list(second.applications) == ["SSSE", "DF01", "DF02", "DF03", "DF04", "DF07"]
    assert second.applications == third.applications
    social = third.applications["SSSE"]
    assert (social.fid, social.aid.decode("gbk")) == (0xDDF1, "sx1.sh.社会保障")
    assert third.applications["DF04"].aid.hex().upper() == "D15600000503"
    assert all(application.mark in MARKS for application in third.applications.values())
    assert {field.name for field in fields(Application)} >= {"mark", "source"}


def test_what_the_third_generation_does_not_publish_is_marked_as_assumed() -> None:
    _, second, third = PROFILES.values()
    for name, file in third.files.items():
        assumed = file.application != "SSSE" or name in ("SSSEEF07", "SSSEEF0D")
        marks = {
            file.mark,
            *(i.mark for i in file.items),
            *(p.mark for i in file.items for p in i.parts),
        }
        assert (marks == {"I"}) is assumed
        assert [item.tag for item in file.items] == [item.tag for item in second.files[name].items]
    assert second.files["DF01EF05"].mark == "B"


def test_access_as_published() -> None:
    files = PROFILES["2"].files
    assert {name: f"{file.read} / {file.write}" for name, file in files.items()} == {
        "SSSEEF05": " / UK_SSSE", "SSSEEF06": " / UK_SSSE", "SSSEEF07": "RK_SSSE / UK_SSSE",
        "SSSEEF08": "RK_SSSE / UK_SSSE", "SSSEEF0D": " / FF",
        "DF01EF05": "PIN|RK1_DF01 / UK1_DF01", "DF01EF06": "PIN|RK1_DF01 / UK4_DF01",
        "DF01EF07": "PIN|RK1_DF01 / UK2_DF01", "DF01EF08": "PIN|RK1_DF01 / UK3_DF01",
        "DF01EF09": "PIN|RK1_DF01 / UK2_DF01", "DF01EF0A": "PIN|RK1_DF01 / UK5_DF01",
        "DF01EF15": "PIN|RK1_DF01 / UK6_DF01", "DF01EF16": " / FF", "DF01EF17": " / FF",
        "DF01EF18": " / FF", "DF01EF19": " / FF", "DF01EF1A": " / FF",
        "DF02EF05": "PIN|RK1_DF02 / FF", "DF02EF06": "PIN|RK1_DF02 / UK2_DF02",
        "DF02EF07": "PIN|RK1_DF02 / UK3_DF02", "DF02EF09": "PIN|RK1_DF02 / UK4_DF02",
        "DF02EF15": "PIN|RK1_DF02 / UK5_DF02", "DF02EF16": "PIN|RK1_DF02 / UK6_DF02",
        "DF03EF05": "PIN|RK2_DF03 / UK1_DF03", "DF03EF06": "PIN|RK1_DF03 / UK2_DF03",
        "DF03EF07": "PIN|RK1_DF03 / UK3_DF03", "DF03EF15": "PIN|RK1_DF03 / UK4_DF03",
        "DF03EF16": "PIN|RK1_DF03 / UK5_DF03", "DF03EF17": "PIN|RK1_DF03 / UK6_DF03",
        "DF03EF18": "PIN|RK1_DF03 / UK7_DF03", "DF03EF19": "PIN|RK1_DF03 / UK8_DF03",
        "DF04EF05": "PIN|RK1_DF04 / UK1_DF04", "DF04EF06": "PIN+RK1_DF04 / UK2_DF04",
        "DF04EF08": "PIN / FF", "DF04EF15": "PIN|RK1_DF04 / UK2_DF04",
        "DF07EF05": "RK1_DF07 / FF", "DF07EF06": "RK2_DF07 / FF", "DF07EF07": "RK3_DF07 / FF",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "condition", "key"),
    [
        ("", Access.FREE, None),
        ("PIN", Access.PIN, None),
        ("FF", Access.NEVER, None),
        ("RK_SSSE", Access.KEY, "RK_SSSE"),
        ("PIN|RK1_DF01", Access.PIN_OR_KEY, "RK1_DF01"),
        ("PIN+RK1_DF04", Access.PIN_AND_KEY, "RK1_DF04"),
    ],
)
def test_access_expressions_parse(text: str, condition: Access, key: str | None) -> None:
    rule = AccessRule.parse(text)
    assert rule == AccessRule(condition, key)
    assert str(rule) == text


@pytest.mark.parametrize(
    "text", ["free", "KEY", "PIN|", "RK|PIN", "PIN|PIN", "PIN+FF", "R K", "|R"]
)
def test_other_access_expressions_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no access expression"):
        AccessRule.parse(text)


def test_repeated_items_are_told_apart_by_their_order() -> None:
    file = PROFILES["2"].files["DF01EF15"]
    first, second = (bytes.fromhex(f"570330{n}3158032020075928" + "41" * 40) for n in ("31", "32"))
    read = file.decode([Record(0x40, first), Record(0x2A, b"\x21"), Record(0x40, second)])
    assert read["tag_2a"] == "21"
    assert read["tag_40_1"] == {"tag_57": "011", "tag_58": "202007", "school": "A" * 40}
    assert read["tag_40_2"] == {"tag_57": "021", "tag_58": "202007", "school": "A" * 40}
    assert read["tag_40_3"] is None


def test_a_b_tlv_that_is_damaged_inside_is_reported_whole_or_by_part() -> None:
    item = PROFILES["2"].files["DF02EF15"].items[0]
    whole = item.vectors[0].record[2:]
    assert isinstance(item.decode(whole[:-1] + b"\x00\x00"), Unreadable | dict)
    assert isinstance(item.decode(b"\x10\x77" + whole[2:]), Unreadable)
    bad_digits = whole.replace(bytes.fromhex("20240229"), bytes.fromhex("2024022A"))
    read = item.decode(bad_digits)
    assert isinstance(read, dict)
    assert read["tag_11"] == Unreadable(bytes.fromhex("2024022A"))
    assert read["tag_10"] == "100"
    without = item.decode(whole[:5] + b"\x00" * 11)
    assert without == {"tag_10": "100", "tag_11": None, "tag_12": None}
    assert item.encode_value({"tag_10": "100"}) == bytes.fromhex("10033130301104FFFFFFFF1203FFFFFF")
    with pytest.raises(ValueError, match="not declared"):
        item.encode_value({"tag_77": "1"})
    with pytest.raises(ValueError, match="parts are needed"):
        item.encode_value("100")


def test_plain_items_take_plain_values_only() -> None:
    file = PROFILES["2"].issuer_file
    for value in ({"a": "b"}, Unreadable(b"x")):
        with pytest.raises(ValueError, match="plain value"):
            file.items[1].encode(value)
    with pytest.raises(ValueError, match="no tag"):
        PROFILES["2"].files["SSSEEF08"].items[0].encode(b"\xff\xd8")


def test_files_name_their_values_and_skip_strangers() -> None:
    file = PROFILES["3"].issuer_file
    records = [Record(0x77, b"?"), Record(3, b"2.0\0"), Record(3, b"3.00")]
    assert file.raw_values(records) == {"version": b"2.0\0"}
    decoded = file.decode(records)
    assert decoded["version"] == "2.0"
    assert decoded["issued"] is None


SMALL = """
[application]
name = "DF01"
zh = "公共应用"
en = "public data"
aid = "D15600000500"
fid = 0xDF01
mark = "A"
source = "here"

[[file]]
name = "EF05"
read = "PIN"
write = "UK1_DF01"
mark = "B"
source = "there"
items = [
    { tag = 0x20, type = "an", length = 2, vectors = [{ value = "10", record = "20023130" }] },
    { tag = 0x21, type = "b-tlv", length = 6, parts = [
        { tag = 0x57, type = "cn-date", length = 4 },
    ] },
]

[[file]]
name = "EF07"
kind = "cyclic"
records = 4
read = ""
write = "FF"
mark = "B"
source = "there"
items = [{ type = "int", length = 4 }]

[[file]]
name = "EF08"
kind = "transparent"
size = 9
read = ""
write = "FF"
mark = "B"
source = "there"
items = [{ type = "transparent", length = 9, field = "content" }]
"""


def test_a_small_dictionary() -> None:
    applications, files = tree([SMALL], "2", {"DF01EF07": {"read": "PIN+RK1_DF01"}})
    assert list(applications) == ["DF01"]
    assert list(files) == ["DF01EF05", "DF01EF07", "DF01EF08"]
    assert files["DF01EF07"].read == AccessRule(Access.PIN_AND_KEY, "RK1_DF01")
    assert [item.field for item in files["DF01EF05"].items] == ["tag_20", "tag_21"]
    assert [item.field for item in files["DF01EF07"].items] == ["field_1"]
    assert files["DF01EF05"].items[1].parts[0].source == "there"
    day = {"tag_57": date(2024, 2, 29)}
    assert files["DF01EF05"].items[1].encode_value(day) == bytes.fromhex("570420240229")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('type = "an"', 'type = "xx"'),
        ("tag = 0x21", "tag = 0x20"),
        ("length = 6", "length = 7"),
        ('type = "b-tlv"', 'type = "b"'),
        ("{ tag = 0x20, ", "{ "),
        ("records = 4\n", ""),
        ("size = 9\n", ""),
        ("size = 9\n", "size = 10\n"),
        ('kind = "cyclic"\n', ""),
        ('name = "EF07"', 'name = "EF05"'),
        ('read = "PIN"', 'read = "magic"'),
        ('mark = "B"\n', ""),
        ('source = "here"\n', ""),
        ("{ tag = 0x20, ", "{ tag = 0x20, optinal = true, "),
        ("{ tag = 0x20, ", '{ tag = 0x20, field = "tag_21", '),
        ('value = "10"', 'value = "1O", record = "zz", records'),
        ("items = [{ type", "items = [{ tag = 1, type"),
        ('{ type = "int", length = 4 }', '{ type = "int" }'),
    ],
)
def test_a_spoiled_dictionary_is_refused(old: str, new: str) -> None:
    assert old in SMALL
    with pytest.raises((ValueError, KeyError, TypeError)):
        tree([SMALL.replace(old, new, 1)], "2")


@pytest.mark.parametrize("access", [{"DF01EF99": {"read": ""}}, {"DF01EF05": {"length": "1"}}])
def test_access_to_what_is_not_declared_is_refused(access: dict[str, dict[str, str]]) -> None:
    with pytest.raises(ValueError, match="declar"):
        tree([SMALL], "2", access)


def test_every_declaration_file_is_shipped_and_read() -> None:
    folder = resources.files("apdu").joinpath("dictionary")
    shipped = {entry.name for entry in folder.iterdir()}
    assert shipped == {f"{name.lower()}.toml" for name in PROFILES["2"].applications}
