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


# The published table: key id, PSAM usage and index, HSM address; None where nothing is public.
KEYS = {
    "RK_SSSE": (0x0A, 0x28, 0x0A, "004C"), "UK_SSSE": (0x04, 0x48, 0x12, "0094"),
    "PUK": (0x06, 0x48, 0x10, "0090"), "STK_SSSE": (None, 0x48, 0x09, "0173"),
    "IRK_SSSE": (None, 0x28, 0x01, "0000"),
    "RK1_DF01": (0x88, 0x67, 0x2E, "004F"), "UK1_DF01": (0x83, 0x48, 0x42, "0097"),
    "UK2_DF01": (0x84, 0x48, 0x43, "009A"), "UK3_DF01": (0x85, 0x47, 0x24, "0176"),
    "UK4_DF01": (0x86, 0x47, 0x25, "0179"), "UK5_DF01": (0x87, 0x48, 0x44, "009D"),
    "UK6_DF01": (0x89, 0x47, 0x2F, None), "RK1_DF02": (0x88, 0x67, 0x35, "0064"),
    "UK2_DF02": (0x84, 0x48, 0x45, None), "UK3_DF02": (0x85, 0x48, 0x46, None),
    "UK4_DF02": (0x86, 0x47, 0x27, None), "UK5_DF02": (0x87, 0x47, 0x28, None),
    "UK6_DF02": (0x89, 0x47, 0x36, None), "RK1_DF03": (0x84, 0x67, 0x2B, "0193"),
    "RK2_DF03": (0x85, 0x67, 0x2C, "0196"), "UK1_DF03": (0x86, 0x48, 0x47, None),
    "UK2_DF03": (0x87, 0x47, 0x29, None), "UK3_DF03": (0x88, 0x48, 0x48, None),
    "UK4_DF03": (0x89, 0x47, 0x37, None), "UK5_DF03": (0x8A, 0x47, 0x38, None),
    "UK6_DF03": (0x8B, 0x47, 0x39, None), "UK7_DF03": (0x8C, 0x47, 0x3A, None),
    "UK8_DF03": (0x8D, 0x47, 0x3B, None), "RK1_DF04": (0x84, 0x67, 0x2D, "0182"),
    "UK1_DF04": (0x85, 0x48, 0x49, None), "UK2_DF04": (0x86, 0x47, 0x2A, None),
    "RK1_DF07": (None, None, 0x3D, "007A"), "RK2_DF07": (None, None, 0x3F, "0080"),
    "RK3_DF07": (None, None, 0x41, "0086"),
}  # fmt: skip


def test_keys_as_published() -> None:
    assert {
        key.name: (key.key_id, key.usage, key.index, key.hsm_address)
        for key in shipped_keys().values()
    } == KEYS


def test_no_two_keys_stand_in_one_place_of_the_psam() -> None:
    places = [
        (key.usage, key.psam_index(algorithm))
        for key in shipped_keys().values()
        for algorithm in (Algorithm.TDES, Algorithm.SM4)
    ]
    assert len(set(places)) == len(places)


def test_keys_carry_their_marks() -> None:
    text = resources.files("apdu").joinpath("profiles", "keys.toml").read_text(encoding="utf-8")
    tables = {table["name"]: table for table in tomllib.loads(text)["key"]}
    assert tables.keys() == shipped_keys().keys()
    assert all(table["mark"] in {"A", "B", "C", "I", "M"} for table in tables.values())
    assert tables["IRK_SSSE"]["mark"] == "I"
    assert [shipped_keys()[name].levels for name in ("RK_SSSE", "UK_SSSE", "RK1_DF01")] == [1, 2, 3]
    assert shipped_keys()["RK1_DF07"].levels == 0
