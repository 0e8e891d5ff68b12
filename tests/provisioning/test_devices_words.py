"""Everything that a device can say of itself has words, and no words are for nothing."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import provisioning.devices.words as words_module
from drivers.device import DeviceKind
from drivers.watch import GONE
from provisioning.devices.rounds import Occupied
from provisioning.devices.vocabulary import vocabulary
from provisioning.devices.words import kind_name, note, obstacle, question

WORDS = tomllib.loads(Path(words_module.__file__).with_name("words.toml").read_text("utf-8"))


@pytest.mark.parametrize("kind", DeviceKind)
def test_every_obstacle_and_note_of_every_kind_has_words(kind: DeviceKind) -> None:
    for text in (kind_name(kind), question(kind)):
        assert text.zh and text.en
    reasons, notes = vocabulary(kind)
    assert next(iter(reasons)).value == GONE, "the first member of every kind"
    for reason in (*reasons, *Occupied):
        found = obstacle(kind, reason.value)
        assert found.told.zh and found.told.en and found.advice.zh and found.advice.en
    for each in notes:
        found = note(kind, each.value)
        assert found.told.zh and found.told.en and found.advice.zh and found.advice.en


def test_no_words_are_for_nothing() -> None:
    said: dict[str, set[str]] = {
        "reason": {member.value for member in Occupied},
        "note": set(),
    }
    for kind in DeviceKind:
        reasons, notes = vocabulary(kind)
        said["reason"] |= {member.value for member in reasons}
        said["note"] |= {member.value for member in notes}
        for sort, enum in (("reason", reasons), ("note", notes)):
            own = set(WORDS[sort].get(kind.value, {}))
            assert own <= {member.value for member in enum}, (kind, sort)
    for sort, values in said.items():
        assert set(WORDS[sort]["any"]) <= values, sort
    assert set(WORDS["kind"]) == set(WORDS["asked"]) == {kind.value for kind in DeviceKind}
