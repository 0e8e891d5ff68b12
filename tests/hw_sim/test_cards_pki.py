"""Known answers, selection and files of the PKI application."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_sim.cards.catalogue import make_card
from hw_sim.cards.iso7816 import Card
from hw_sim.cards.pki_crypto import command_mac
from hw_sim.cards.pki_image import load_pki_image
from tests.hw_sim.application_cards import PkiCard
from tests.hw_sim.card_terminal import SSSE, Ask, full, header
from tests.hw_sim.pki_terminal import (
    ADF,
    CHOOSE,
    DDF,
    GENERATE,
    enter,
    mac,
    pin_key,
    public_key,
    verify_admin,
    verify_user,
)

KEY = bytes(range(16))
ADF_BY_FID = "00A4000002DF01"
CERTIFICATE = bytes(range(256)) * 2 + b"end"


def drawing(*challenges: str) -> Callable[[int], bytes]:
    """A source of random numbers that gives these."""
    left = iter(challenges)
    return lambda length: bytes.fromhex(next(left))


# --- known answers: values that a public issuance program logged -------------------------------


def test_logged_user_pin_is_taken(ask: Ask) -> None:
    card = PkiCard(random_bytes=drawing("178CEDCF32C5D7990216632170C7CD37"))
    enter(ask, card)
    digest, sw = ask(card, "80C4010305C10312345600")
    assert sw == 0x9000
    assert digest.hex().upper() == (
        "3DE741F445DD357BEA4E6C3FE6437036F62B5E3EC0F00D62796EDB4305ED627F"
    )
    ask(card, "0084000010")
    assert ask(card, "0020018110358B51056B9B9EB2C96B20E7DB7A6B8F") == (b"", 0x9000)


def test_logged_change_of_the_admin_pin_is_taken(ask: Ask) -> None:
    source = drawing(
        "3D3ECC44607070F8935A64A15E8D95BA", "84B7B9199A29A245B2ADE3E80BE4EAF3", "00" * 16
    )
    card = PkiCard(random_bytes=source)
    enter(ask, card)
    ask(card, "0084000010")
    assert ask(card, "0020010010638C4E4E44182071BA0619F81D35C892")[1] == 0x9000
    ask(card, "0084000010")
    assert ask(card, "845E01001491A41964F0736EB6F6003DD1934FFE11E48CEFB3")[1] == 0x9000
    assert verify_admin(ask, card, "72923074") == 0x9000


def test_mac_is_folded_and_not_cut() -> None:
    challenge = bytes.fromhex("84B7B9199A29A245B2ADE3E80BE4EAF3")
    message = bytes.fromhex("845E01001491A41964F0736EB6F6003DD1934FFE11")
    assert command_mac(pin_key("12345678"), challenge, message).hex() == "e48cefb3"


@given(st.binary(max_size=100), st.binary(min_size=16, max_size=16))
def test_mac_agrees_with_another_library(message: bytes, challenge: bytes) -> None:
    assert command_mac(KEY, challenge, message) == mac(KEY, challenge, message)


# --- selection ---------------------------------------------------------------------------------


@pytest.mark.parametrize("t0", [False, True])
def test_directories_give_the_logged_fci(ask: Ask, t0: bool) -> None:
    card = PkiCard(t0=t0)
    assert full(ask, card, DDF) == (
        bytes.fromhex("6F14840C504B492EC9E7BBE1B1A3D5CF730492023330"),
        0x9000,
    )
    expected = bytes.fromhex("6F0E840C53532E434552542E41444631"), 0x9000
    for command in (ADF, ADF, ADF_BY_FID):
        assert full(ask, card, command) == expected


@pytest.mark.parametrize("command", [ADF, ADF_BY_FID])
def test_application_is_found_under_its_directory_only(ask: Ask, command: str) -> None:
    card = PkiCard()
    assert ask(card, command)[1] == 0x6A82
    enter(ask, card)
    full(ask, card, "00A40000023F00")
    assert ask(card, command)[1] == 0x6A82
    assert ask(card, "00A40000020012")[1] == 0x6A82


@pytest.mark.parametrize("command", [GENERATE, "80C4010305C10312345600"], ids=header)
def test_directory_holds_no_keys_and_no_pins(ask: Ask, command: str) -> None:
    card = PkiCard()
    full(ask, card, DDF)
    assert ask(card, command)[1] == 0x6E00


@pytest.mark.parametrize("name", ["pki", "pki+strict"])
def test_card_of_the_catalogue_holds_the_application(ask: Ask, name: str) -> None:
    card = make_card(name)
    assert full(ask, card, ADF)[1] == 0x6A82
    enter(ask, card)
    assert verify_user(ask, card) == 0x9000
    assert ask(card, GENERATE)[1] == 0x9000
    assert full(ask, card, SSSE)[1] == 0x9000
    assert full(ask, card, ADF)[1] == 0x6A82
    enter(ask, card)
    assert public_key(ask, card) != bytes(64)
    assert ask(card, GENERATE)[1] == 0x6982


# --- files -------------------------------------------------------------------------------------


def write(ask: Ask, card: PkiCard, fid: str, content: bytes, piece: int = 0x70) -> None:
    assert ask(card, f"00A4000002{fid}")[1] == 0x9000
    for start in range(0, len(content), piece):
        part = content[start : start + piece]
        command = f"00D6{start:04X}{len(part):02X}" + part.hex()
        assert ask(card, command) == (b"", 0x9000)


@pytest.mark.parametrize("fid", ["0018", "0019"])
@pytest.mark.parametrize("t0", [False, True])
def test_certificate_is_written_in_pieces_and_read_freely(ask: Ask, fid: str, t0: bool) -> None:
    card = PkiCard(t0=t0)
    enter(ask, card)
    verify_admin(ask, card)
    write(ask, card, fid, CERTIFICATE)
    card.reset()
    enter(ask, card)
    ask(card, f"00A4000002{fid}")
    content = b"".join(
        ask(card, f"00B0{start:04X}00")[0] for start in range(0, len(CERTIFICATE), 256)
    )
    assert content == CERTIFICATE.ljust(768, b"\x00")


def test_torn_piece_leaves_the_old_bytes(ask: Ask) -> None:
    card = PkiCard()
    enter(ask, card)
    verify_admin(ask, card)
    write(ask, card, "0018", CERTIFICATE)
    card.tear(bytes.fromhex("00D6000070") + bytes(0x70))
    enter(ask, card)
    ask(card, "00A40000020018")
    assert ask(card, "00B0000000") == (CERTIFICATE[:256], 0x9000)


@pytest.mark.parametrize(
    ("fid", "command", "sw"),
    [
        ("0018", "00B0080000", 0x6B00),
        ("0018", "00B0000001AA", 0x6700),
        ("0018", "00D6000000", 0x6700),
        ("0018", "00D6080001AA", 0x6B00),
        ("0018", "00D607FF02AAAA", 0x6A84),
        ("0012", "00B0004200", 0x6B00),
        ("0012", "00D6000001AA", 0x6982),
        ("0013", "00B0000000", 0x6982),
        ("0013", "00D6000001AA", 0x6982),
        ("0014", "00D6000001AA", 0x6982),
        ("0015", "00B0000000", 0x6982),
        ("0015", "00D6000001AA", 0x6982),
        ("0018", "00B0930000", 0x6982),
        ("0018", "00B0810000", 0x6A82),
        ("0018", "00B0B80000", 0x6A86),
        ("0018", "00A40000020016", 0x6A82),
        ("0018", "00A400000112", 0x6700),
    ],
)
def test_refusals_of_the_files_with_both_pins(ask: Ask, fid: str, command: str, sw: int) -> None:
    card = PkiCard()
    enter(ask, card)
    verify_user(ask, card)
    verify_admin(ask, card)
    assert ask(card, f"00A4020002{fid}")[1] == 0x9000
    assert ask(card, command)[1] == sw


def test_user_pin_alone_writes_no_certificate(ask: Ask) -> None:
    card = PkiCard()
    enter(ask, card)
    verify_user(ask, card)
    ask(card, "00A40000020018")
    assert ask(card, "00D6000001AA")[1] == 0x6982


def test_no_file_is_selected_at_first(ask: Ask) -> None:
    card = PkiCard()
    enter(ask, card)
    assert ask(card, "00B0000000")[1] == 0x6986
    ask(card, "00A40000020018")
    full(ask, card, ADF)
    assert ask(card, "00B0000000")[1] == 0x6986


def test_last_byte_of_a_file_is_within_reach(ask: Ask) -> None:
    card = PkiCard()
    enter(ask, card)
    verify_admin(ask, card)
    ask(card, "00A40000020018")
    assert ask(card, "00D607FF01AA")[1] == 0x9000
    assert ask(card, "00B007FF01") == (b"\xaa", 0x9000)


def test_short_identifier_makes_its_file_the_current_one(ask: Ask) -> None:
    card = PkiCard()
    enter(ask, card)
    verify_admin(ask, card)
    assert ask(card, "00D6980203AABBCC")[1] == 0x9000
    assert ask(card, "00B0000302") == (b"\xbb\xcc", 0x9000)


def test_image_names_every_file_of_its_pairs() -> None:
    image = load_pki_image()
    for pair in image.pairs:
        assert image.files[pair.public].size == 66
        assert image.files[pair.private].size == 32


# --- any command -------------------------------------------------------------------------------

_HEADERS = st.sampled_from(
    [
        "80C40103", "00200181", "00200100", "845E0100", "00820000", "84D40100", "80400000",
        "80C98200", "80C98280", "002241B6", "002A9E9A", "804E0001", "804A0210", "80C24000",
        "80C2C001", "00D60000", "00B00000", "00B09200", "00840000", "00C00000", "00A40000",
    ]
)  # fmt: skip
LOAD = "804A021012C110" + KEY.hex()
IMPORT_PUBLIC = "80C2400046C0020014CA40" + "11" * 64
IMPORT_PRIVATE = "80C2C00126C2020015CB20" + "11" * 32
_WHOLE = st.sampled_from([DDF, ADF, GENERATE, CHOOSE, LOAD, IMPORT_PUBLIC, IMPORT_PRIVATE])
_OBJECTS = st.builds(
    lambda tag, length, value: bytes((tag, length)) + value,
    st.sampled_from([0x84, 0xC0, 0xC1, 0xC2, 0xCA, 0xCB]),
    st.integers(0, 255),
    st.binary(max_size=32),
)
_COMMANDS = st.one_of(
    st.binary(max_size=40),
    st.builds(
        lambda start, body: bytes.fromhex(start) + bytes([len(body)]) + body,
        _HEADERS,
        st.one_of(st.binary(max_size=40), st.lists(_OBJECTS, max_size=3).map(b"".join)),
    ),
    _WHOLE.map(bytes.fromhex),
)


def _quiet(card: Card, command: str) -> tuple[bytes, int]:
    answer = card.execute(bytes.fromhex(command))
    assert answer is not None
    return answer[:-2], int.from_bytes(answer[-2:], "big")


@given(st.lists(_COMMANDS, max_size=20), st.booleans())
def test_no_command_finds_a_bug(commands: list[bytes], t0: bool) -> None:
    card = PkiCard(t0=t0)
    enter(_quiet, card)
    verify_user(_quiet, card)
    for command in commands:
        answer = card.execute(command)
        assert answer is not None
        assert len(answer) >= 2
    assert card.bugs == []
