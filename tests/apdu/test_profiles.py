"""Card generations and their keys."""

import tomllib
from importlib import resources

import pytest

from apdu.custodian import Algorithm
from apdu.dictionary import Access, AccessRule
from apdu.errors import UnknownCard
from apdu.profile import CardProfile, choose, shipped_keys, shipped_profiles


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
    assert v2.holder_file.read == AccessRule(Access.FREE, None)
    assert v3.holder_file.read == AccessRule(Access.KEY, "RK_SSSE")
    assert v3.holder_key == shipped_keys()["RK_SSSE"]
    assert v3.holder_key is not None
    assert (v3.holder_key.key_id, v3.holder_key.hsm_address) == (0x0A, "004C")
    optional = [item.field for item in v3.holder_file.items if item.optional]
    assert optional == ["name_extension"]
    lengths = [item.length for item in v3.issuer_file.items]
    assert lengths == [16, 1, 4, 12, 4, 4, 9]


def _text() -> str:
    return resources.files("apdu").joinpath("profiles", "v3.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[access.SSSEEF06]", "[access.SSSEEF99]"),
        ('algorithm = "03"', 'algorithm = "04"'),
        ('read = "RK_SSSE"', 'read = "RK_NONE"'),
        ('internal = "IRK_SSSE"', 'internal = "RK_NONE"'),
        ("digits_min = 4", "digits = 4"),
        ('read = "RK_SSSE"', 'read = "magic"'),
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
