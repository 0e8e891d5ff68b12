"""Two declarations of the card's files, made apart: our dictionary and the simulator's layouts.

Neither knows the other, so that one mistake cannot hide on both sides; here they meet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from apdu.card import SocialSecurityCard
from apdu.dictionary import FileKind, Item
from apdu.formats import Format, Unreadable
from apdu.profile import shipped_profiles
from apdu.psam import PsamCustodian
from hw_sim.cards import layout as simulated
from hw_sim.cards.access import Access
from hw_sim.population import DEMO_PIN
from tests.apdu.card_in_process import insert

GENERATIONS = ("1", "2", "3")

TYPES: Mapping[Format, simulated.Type] = {
    Format.AN: simulated.Type.TEXT,
    Format.ANS: simulated.Type.TEXT,
    Format.CN: simulated.Type.DIGITS,
    Format.CN_HEX: simulated.Type.DIGITS,
    Format.CN_DATE: simulated.Type.DIGITS,
    Format.CN_MONTH: simulated.Type.DIGITS,
    Format.INT: simulated.Type.INTEGER,
    Format.B: simulated.Type.BINARY,
    Format.B_TLV: simulated.Type.NESTED,
}
"""The dictionary tells dates from other digits; a card does not."""

Shape = tuple[int | None, simulated.Type, int, Sequence["Shape"]]
"""Tag, type, length and parts of an item."""


def layouts(
    generation: str,
) -> dict[str, tuple[simulated.DirectoryLayout, simulated.FileLayout]]:
    return {
        f"{directory.name}{file.fid:04X}": (directory, file)
        for directory in simulated.load_directories(generation)
        for file in directory.files
    }


def simulated_shape(item: simulated.Item) -> Shape:
    return item.tag, item.type, item.length, [simulated_shape(part) for part in item.parts]


def declared_shape(item: Item, unknown_length: int) -> Shape:
    length = unknown_length if item.length is None else item.length
    parts = [declared_shape(part, 0) for part in item.parts]
    return item.tag, TYPES[item.form], length, parts


def expression(access: Access, directory: simulated.DirectoryLayout) -> str:
    names = {key.kid: key.name for key in directory.keys}
    named = "" if access.kid is None else names[access.kid]
    return access.condition.value.replace("KEY", named)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_both_sides_have_the_same_files_and_access_rules(generation: str) -> None:
    ours = shipped_profiles()[generation].files
    theirs = {
        name: (expression(file.read, directory), expression(file.write, directory))
        for name, (directory, file) in layouts(generation).items()
    }
    assert {name: (str(file.read), str(file.write)) for name, file in ours.items()} == theirs


@pytest.mark.parametrize("generation", GENERATIONS)
def test_both_sides_have_the_same_items_in_the_same_order(generation: str) -> None:
    ours = shipped_profiles()[generation].files
    for name, (_, theirs) in layouts(generation).items():
        file = ours[name]
        assert file.kind.value == theirs.kind.value, name
        if file.kind is FileKind.TRANSPARENT:
            assert file.size == theirs.size, name
            continue
        # Whose length no source tells, the simulator assumes one.
        declared = [
            declared_shape(item, assumed.length)
            for item, assumed in zip(file.items, theirs.items, strict=True)
        ]
        assert declared == [simulated_shape(item) for item in theirs.items], name
        if file.kind is FileKind.CYCLIC:
            assert file.records == theirs.capacity, name


@pytest.mark.parametrize("generation", GENERATIONS)
def test_every_file_of_a_simulated_card_reads_as_declared(generation: str) -> None:
    card = SocialSecurityCard.open(insert(f"v{generation}"))
    card.verify_pin(bytearray(DEMO_PIN.encode()))
    custodian = PsamCustodian(insert("psam"))
    read = 0
    for file in card.profile.files.values():
        # How to show a key of DF07 to a card is not public.
        if file.application == "DF07":
            continue
        stored = card.read_file(file, custodian)
        fields = [file.decode(stored.records), *filter(None, file.decode_cyclic(stored.entries))]
        values = [value for each in fields for value in each.values()]
        parts = [part for value in values if isinstance(value, Mapping) for part in value.values()]
        assert not [value for value in (*values, *parts) if isinstance(value, Unreadable)], (
            file.name
        )
        match file.kind:
            case FileKind.RECORDS:
                tags = [record.tag for record in stored.records]
                needed = [item.tag for item in file.items if not item.optional or item.tag in tags]
                assert tags == needed, file.name
            case FileKind.CYCLIC:
                _, issued = layouts(generation)[file.name]
                assert len(stored.entries) == issued.initial, file.name
            case FileKind.TRANSPARENT:
                assert len(stored.content) == file.size, file.name
        read += 1
    assert read >= 20
