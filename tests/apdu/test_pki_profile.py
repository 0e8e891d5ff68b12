"""How the PKI application is spoken to, as declared."""

import re
from collections.abc import Callable
from importlib import resources

import pytest

from apdu.pki.profile import KeyUse, PkiProfile, Step, shipped_pki_profile

PROFILE = shipped_pki_profile()
TEXT = resources.files("apdu").joinpath("profiles", "pki.toml").read_text(encoding="utf-8")


def test_the_names_are_those_of_the_facts() -> None:
    assert PROFILE.directory == b"PKI." + bytes.fromhex("C9E7BBE1B1A3D5CF")
    assert PROFILE.directory[4:].decode("gb18030") == "社会保障"
    assert PROFILE.application == b"SS.CERT.ADF1"


def test_every_command_has_mark_and_source() -> None:
    assert set(PROFILE.commands) == set(Step)
    for form in PROFILE.commands.values():
        assert form.label and form.source
        assert form.mark in set("ABCIM")


def test_each_pair_has_files_of_its_own() -> None:
    files = [PROFILE.files[use] for use in KeyUse]
    named = {fid for each in files for fid in vars(each).values()}
    assert named == {0x12, 0x13, 0x14, 0x15, 0x18, 0x19}


def test_every_value_outside_the_commands_has_its_mark() -> None:
    values, _, _ = TEXT.partition("[[command]]")
    above = ""
    for line in values.splitlines():
        if re.match(r"\w+ = ", line) and not line.startswith("name"):
            assert "mark " in line + above, line
        above = above + line if line.startswith("#") else ""


Change = Callable[[str], str]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: text.replace('name = "sign"', 'name = "sing"'),
        lambda text: text[: text.rindex("[[command]]")],
        lambda text: text.replace('name = "encryption"', 'name = "signature"'),
        lambda text: text.replace("size = 66", "size = 65"),
        lambda text: text.replace("845E0100", "845E01"),
        lambda text: text.replace("digits_min", "digits_mim"),
        lambda text: text.replace("piece = 112", "peace = 112"),
        lambda text: text.replace("challenge = 16", ""),
    ],
)
def test_what_is_no_profile_is_refused(change: Change) -> None:
    assert change(TEXT) != TEXT
    with pytest.raises((KeyError, TypeError, ValueError)):
        PkiProfile.from_toml(change(TEXT))
