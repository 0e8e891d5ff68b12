"""Every file of the dictionary: read with its right, refused without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest

from apdu import simple_tlv
from apdu.card import SocialSecurityCard
from apdu.custodian import FirstThatCan
from apdu.dictionary import Access, AccessRule, CardFile, FileKind
from apdu.errors import AccessNever, CardError, PinNeeded, PsamUnavailable
from apdu.files import StoredFile
from apdu.profile import Profiles, shipped_profiles
from hw_sim.population import DEMO_PIN
from tests.scenarios.bench import Bench
from tests.scenarios.conftest import BenchCard

NOBODY = FirstThatCan([])
GENERATIONS = ("v1", "v2", "v3")
NOT_ON_THE_CARD = frozenset(("SSSEEF0D",))
"""One province's."""
KEY_UNKNOWN = "DF07"
"""How to show a key of this application to a card is not public."""


def believing_all_is_free() -> Profiles:
    """Profiles of a terminal that asks no right before it reads."""
    free = AccessRule(Access.FREE, None)

    def opened(files: Mapping[str, CardFile]) -> Mapping[str, CardFile]:
        return MappingProxyType({name: replace(file, read=free) for name, file in files.items()})

    return {
        version: replace(profile, files=opened(profile.files))
        for version, profile in shipped_profiles().items()
    }


def files_of(card: SocialSecurityCard) -> list[CardFile]:
    return [file for file in card.profile.files.values() if file.name not in NOT_ON_THE_CARD]


def held(bench: Bench, file: CardFile) -> bytes:
    """What the far end has in this file, in its order."""
    place = f"{file.application}.{file.name.removeprefix(file.application)}."
    words = {
        word.removeprefix(place): value
        for word, value in bench.memory().items()
        if word.startswith(place)
    }
    if file.kind is FileKind.TRANSPARENT:
        return words["bytes"]
    return b"".join(words[number] for number in sorted(filter(str.isdecimal, words), key=int))


def told(file: CardFile, stored: StoredFile) -> bytes:
    match file.kind:
        case FileKind.TRANSPARENT:
            return stored.content
        case FileKind.CYCLIC:
            return b"".join(stored.entries)
        case FileKind.RECORDS:
            return simple_tlv.encode(stored.records)


@pytest.mark.parametrize("name", GENERATIONS)
def test_with_pin_and_keys_every_file_is_what_the_card_holds(
    bench_card: BenchCard, name: str
) -> None:
    bench = bench_card(name)
    card = bench.open()
    card.verify_pin(bytearray(DEMO_PIN.encode()))
    wrong = []
    for file in files_of(card):
        if file.application == KEY_UNKNOWN:
            with pytest.raises(PsamUnavailable):
                card.read_file(file, bench.custodian)
        elif told(file, card.read_file(file, bench.custodian)) != held(bench, file):
            wrong.append(file.name)
    assert wrong == []


@pytest.mark.parametrize("name", GENERATIONS)
def test_the_key_alone_opens_what_wants_no_pin(bench_card: BenchCard, name: str) -> None:
    bench = bench_card(name)
    card = bench.open()
    for file in files_of(card):
        if file.application == KEY_UNKNOWN:
            continue
        if file.read.condition in (Access.PIN, Access.PIN_AND_KEY):
            with pytest.raises(PinNeeded):
                card.read_file(file, bench.custodian)
        else:
            assert told(file, card.read_file(file, bench.custodian)) == held(bench, file), file.name


@pytest.mark.parametrize("name", GENERATIONS)
def test_without_a_right_neither_the_terminal_nor_the_card_gives_it(
    bench_card: BenchCard, name: str
) -> None:
    bench = bench_card(name)
    profiles = shipped_profiles()
    card = SocialSecurityCard.open(bench.transport, profiles=believing_all_is_free())
    ours = bench.open()
    for file in files_of(card):
        rule = profiles[card.profile.version].files[file.name].read
        if rule.condition is Access.FREE:
            continue
        with pytest.raises(CardError) as refused:
            ours.read_file(profiles[card.profile.version].files[file.name], NOBODY)
        assert isinstance(refused.value, PinNeeded | PsamUnavailable), file.name
        with pytest.raises(PinNeeded):
            card.read_file(file, NOBODY)


@pytest.mark.parametrize(
    ("name", "file"), [("v1", "DF02EF05"), ("v2", "DF07EF05"), ("v3", "DF04EF08")]
)
def test_what_nobody_may_write_stays(bench_card: BenchCard, name: str, file: str) -> None:
    bench = bench_card(name)
    card, before = bench.open(), bench.memory()
    card.issuer()
    declared = card.profile.files[file]
    with pytest.raises(AccessNever):
        card.files.update_record(declared, 1, b"\x00\x01\x00", bench.custodian)
    assert bench.memory() == before


@pytest.mark.parametrize(
    ("name", "file", "field", "value"),
    [
        ("v1", "SSSEEF06", "nation", "05"),
        ("v2", "DF01EF06", "telephone", "12900000007"),
        ("v3", "DF01EF0A", "nationality", "HKG"),
    ],
)
def test_an_item_is_written_with_its_key_and_reads_back(
    bench_card: BenchCard, name: str, file: str, field: str, value: str
) -> None:
    bench = bench_card(name)
    card, before = bench.open(), bench.memory()
    card.issuer()
    declared = card.profile.files[file]
    (item,) = [item for item in declared.items if item.field == field]
    with pytest.raises(PsamUnavailable):
        card.files.write_item(declared, item, value, NOBODY)
    assert bench.memory() == before
    card.files.write_item(declared, item, value, bench.custodian)
    changed = {word for word, held in bench.memory().items() if held != before[word]}
    assert changed == {f"{file[:4]}.{file[4:]}.{item.record}"}
    again = bench.again()
    again.verify_pin(bytearray(DEMO_PIN.encode()))
    again.issuer()
    assert declared.decode(again.read_file(declared, bench.custodian).records)[field] == value
