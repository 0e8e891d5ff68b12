"""The text of every document that the ID reader reads, by an encoder of its own."""

from dataclasses import fields
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.id_card import (
    IdCard,
    IdCardKind,
    IdCardUnreadable,
    Sex,
    decode_text,
    id_card_facts,
    read_id_card,
)
from drivers.id_reader import RawIdCard
from tests.drivers.id_reader_double import PHOTO, cells

FACTS = id_card_facts()
LAYOUTS = {layout["kind"]: layout for layout in FACTS["layout"]}

# Written down a second time from domain card.md §6: where each field begins, and how long it is.
PLACES = {
    "citizen": {
        "name": (0, 30), "sex": (30, 2), "nation": (32, 4), "born": (36, 16),
        "address": (52, 70), "number": (122, 36), "authority": (158, 30),
        "valid_from": (188, 16), "valid_until": (204, 16),
    },
    "permit": {
        "name": (0, 30), "sex": (30, 2), "born": (36, 16), "address": (52, 70),
        "number": (122, 36), "authority": (158, 30), "valid_from": (188, 16),
        "valid_until": (204, 16), "pass_number": (220, 18), "issues": (238, 4), "kind": (248, 2),
    },
    "foreigner-old": {
        "english_name": (0, 120), "sex": (120, 2), "number": (122, 30),
        "nationality": (152, 6), "name": (158, 30), "valid_from": (188, 16),
        "valid_until": (204, 16), "born": (220, 16), "version": (236, 4), "authority": (240, 8),
        "kind": (248, 2),
    },
    "foreigner": {
        "name": (0, 30), "sex": (30, 2), "issues": (32, 4), "born": (36, 16),
        "english_name": (52, 70), "number": (122, 36), "valid_from": (188, 16),
        "valid_until": (204, 16), "english_name_rest": (220, 22), "nationality": (242, 6),
        "kind": (248, 2), "related": (250, 6),
    },
}  # fmt: skip
VALUES = {
    "citizen": {
        "name": "王秀芳", "sex": "2", "nation": "01", "born": "19780116",
        "address": "江城市人民路1号2栋301室", "number": "429900197801160029",
        "authority": "江城市公安局", "valid_from": "20200102", "valid_until": "20400102",
    },
    "permit": {
        "name": "样本甲", "sex": "2", "born": "19940823", "address": "江城市样本路1号",
        "number": "810000199408230021", "authority": "江城市公安局", "valid_from": "20220901",
        "valid_until": "20270901", "pass_number": "H00000000", "issues": "01", "kind": "J",
    },
    "foreigner-old": {
        "english_name": "SPECIMEN, ALPHA", "sex": "1", "number": "XXX110099010101",
        "nationality": "XXX", "name": "样本", "valid_from": "20200101",
        "valid_until": "20291231", "born": "19900101", "version": "01", "authority": "1500",
        "kind": "I",
    },
    "foreigner": {
        "name": "样本乙", "sex": "2", "issues": "00", "born": "19810803",
        "english_name": "SPECIMEN, A VERY LONG NAME THAT GOE", "english_name_rest": "S ON HERE",
        "number": "911124198108030024", "valid_from": "20231201", "valid_until": "20331130",
        "nationality": "XXX", "kind": "Y", "related": "",
    },
}  # fmt: skip
KINDS = list(PLACES)


def encode(layout, /, **changed):
    """The 256 bytes of a card."""
    text = bytearray(cells(("", 256)))
    for name, value in (VALUES[layout] | changed).items():
        start, length = PLACES[layout][name]
        text[start : start + length] = cells((value, length))
    assert len(text) == 256
    return bytes(text)


def read(text):
    return read_id_card(RawIdCard(text, PHOTO))


def field_of(text):
    with pytest.raises(IdCardUnreadable) as caught:
        read(text)
    return caught.value.field


def test_every_declaration_is_tested():
    assert set(KINDS) == set(LAYOUTS) == {kind.value for kind in IdCardKind}


@pytest.mark.parametrize("kind", KINDS)
def test_a_layout_fills_the_text_and_stands_where_it_was_written_down(kind):
    at, places = 0, {}
    for name, length, form in LAYOUTS[kind]["fields"]:
        assert length % 2 == 0
        if form not in ("reserved", "letter") or (form == "letter" and kind != "citizen"):
            places[name] = (at, length)
        at += length
    assert at == 256 and places == PLACES[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_round_trip(kind):
    card = read(encode(kind))
    values = VALUES[kind]
    assert card.kind is IdCardKind(kind) and card.photo == PHOTO
    assert card.sex is {"1": Sex.MALE, "2": Sex.FEMALE}[values["sex"]]
    for name in ("born", "valid_from", "valid_until"):
        assert f"{getattr(card, name):%Y%m%d}" == values[name]
    assert card.english_name == values.get("english_name", "") + values.get("english_name_rest", "")
    for name in ("name", "number", "nation", "nationality", "address", "authority", "version",
                 "pass_number", "related"):  # fmt: skip
        assert getattr(card, name) == values.get(name, "")
    assert card.issues == int(values.get("issues", "0"))


@pytest.mark.parametrize("kind", KINDS)
def test_truncated_and_over_long(kind):
    text = encode(kind)
    for wrong in (b"", text[:-1], text[:-2], text[:128], text + b" \0", text * 2):
        assert field_of(wrong) == "text"


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_filled_to_its_end_and_emptied(kind):
    """A field that fills its room keeps its neighbours; an empty one is read or named."""
    optional = {"address", "authority", "version", "related", "english_name_rest"}
    optional |= {"name"} if kind.startswith("foreigner") else set()
    for name, (_, length) in PLACES[kind].items():
        if name in optional | {"name", "english_name"}:
            filled = "甲" * (length // 2)
            card = read(encode(kind, **{name: filled}))
            assert filled in getattr(card, name, card.english_name)
        if name == "kind":
            continue
        emptied = encode(kind, **{name: ""})
        if name in optional:
            read(emptied)
        else:
            assert field_of(emptied) == name


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_any_byte_may_be_wrong(kind, data):
    """Whatever stands there: a card, or a named field."""
    text = bytearray(encode(kind))
    for _ in range(data.draw(st.integers(1, 4))):
        text[data.draw(st.integers(0, 255))] = data.draw(st.integers(0, 255))
    try:
        card = read(bytes(text))
    except IdCardUnreadable as error:
        names = {name for layout in LAYOUTS.values() for name, _, _ in layout["fields"]}
        assert error.field in names
    else:
        assert card.number and card.valid_from >= card.born


@given(st.binary(min_size=256, max_size=256))
def test_garbage_is_no_card(text):
    with pytest.raises(IdCardUnreadable):
        read(text)


@pytest.mark.parametrize("letter", ["A", "j", "\0", "长"])
def test_a_letter_of_no_known_document(letter):
    assert field_of(encode("permit", kind=letter)) == "kind"


@pytest.mark.parametrize("kind", KINDS)
def test_another_document_s_letter_does_not_make_it_one(kind):
    for other in KINDS:
        text = bytearray(encode(kind))
        text[248:250] = LAYOUTS[other]["letter"].encode("utf-16-le")
        if other != kind and {kind, other} != {"citizen", "permit"}:
            assert field_of(bytes(text))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sex", "3"), ("sex", "男"), ("nation", "00"), ("nation", "57"), ("nation", "1"),
        ("born", "19780231"), ("born", "1978011"), ("born", "１９７８０１１６"), ("born", "长期"),
        ("valid_from", "长期"), ("valid_until", "20201301"), ("valid_until", "长"),
        ("number", "42990019780116002"), ("number", "42990019780116002x"),
        ("number", "429900 97801160029"), ("name", "王\n芳"), ("name", "王\0芳"),
        ("address", "路\x1b[2J"),
    ],
)  # fmt: skip
def test_what_no_card_can_say_names_its_field(name, value):
    assert field_of(encode("citizen", **{name: value})) == name


def test_dates_that_contradict_each_other():
    assert field_of(encode("citizen", valid_until="20200101")) == "valid_until"
    assert field_of(encode("citizen", born="20200103")) == "valid_from"
    assert read(encode("citizen", valid_until="20200102")).valid_until == date(2020, 1, 2)


def test_a_card_for_life():
    assert read(encode("citizen", valid_until="长期")).valid_until is None


@pytest.mark.parametrize("name", ["𠮷野", "\ue863某", "王\U00030edd"])
def test_rare_characters_stay_as_they_are(name):
    assert read(encode("citizen", name=name)).name == name


@pytest.mark.parametrize("half", ["\ud842", "\udfb7"])
def test_half_a_pair_of_surrogates_is_no_name(half):
    text = bytearray(encode("citizen"))
    text[0:2] = half.encode("utf-16-le", "surrogatepass")
    assert field_of(bytes(text)) == "name"


def test_padding_goes_and_spaces_within_stay():
    assert decode_text(" A  B   ".encode("utf-16-le")) == " A  B"


def test_nations_and_sexes():
    nations = FACTS["nations"]
    assert list(nations) == [f"{code:02d}" for code in (*range(1, 57), 97, 98)]
    assert len(set(nations.values())) == 58
    assert {Sex(word) for word in FACTS["sex"].values()} == set(Sex)
    assert (nations["01"], nations["43"], nations["56"]) == ("汉", "乌孜别克", "基诺")


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_a_card_shows(kind):
    card = read(encode(kind))
    shown = repr(card) + str(card) + str(IdCardUnreadable("name"))
    for each in fields(IdCard):
        value = getattr(card, each.name)
        if each.name != "kind" and isinstance(value, str) and len(value) > 2:
            assert value not in shown
