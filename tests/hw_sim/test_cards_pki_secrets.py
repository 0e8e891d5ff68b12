"""PINs and master keys of the PKI application."""

from __future__ import annotations

import pytest

from tests.hw_sim.application_cards import PkiCard
from tests.hw_sim.card_terminal import Ask, full, header
from tests.hw_sim.pki_terminal import (
    ADF,
    DDF,
    GENERATE,
    MASTER_KEY,
    enter,
    key_block,
    pin_block,
    pin_key,
    protected,
    prove,
    sm4,
    verify_admin,
    verify_user,
)

NEW_PIN = "87654321"
NEW_KEY = bytes(range(16))


# --- PINs --------------------------------------------------------------------------------------


def test_digest_tells_nothing_about_the_pin(ask: Ask) -> None:
    card = PkiCard()
    enter(ask, card)
    digest, sw = ask(card, "80C4010305C10365432100")
    assert (digest[:16], sw) == (pin_key("654321"), 0x9000)
    assert card.pki.user_pin.tries == 6


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("80C4010303C1036543", 0x6A80),
        ("80C4010303C2010100", 0x6A80),
        ("80C4010302C10000", 0x6A80),
        ("80C4010304C10165C100", 0x6A80),
        ("80C4010301C100", 0x6A80),
        ("80C4010300", 0x6700),
        ("80C4010203C1016500", 0x6A86),
        ("80C4000303C1016500", 0x6A86),
    ],
    ids=header,
)
def test_refusals_of_the_digest(ask: Ask, command: str, sw: int) -> None:
    card = PkiCard()
    enter(ask, card)
    assert ask(card, command)[1] == sw


@pytest.mark.parametrize(("reference", "most"), [("81", 6), ("00", 3)])
def test_pin_counts_down_to_blocked_and_survives_power(ask: Ask, reference: str, most: int) -> None:
    card = PkiCard()
    for left in reversed(range(most)):
        enter(ask, card)
        assert prove(ask, card, f"002001{reference}", bytes(16)) == 0x63C0 | left
        card.power_off()
        card.power_on()
    enter(ask, card)
    right = pin_key("123456" if reference == "81" else "12345678")
    assert prove(ask, card, f"002001{reference}", right) == 0x6983


def test_right_pin_gives_all_tries_back(ask: Ask) -> None:
    card = PkiCard()
    enter(ask, card)
    assert verify_user(ask, card, "654321") == 0x63C5
    assert verify_user(ask, card) == 0x9000
    assert card.pki.user_pin.tries == 6


def test_wrong_pin_ends_what_the_right_one_gave(ask: Ask) -> None:
    card = PkiCard()
    enter(ask, card)
    verify_user(ask, card)
    verify_user(ask, card, "654321")
    assert ask(card, GENERATE)[1] == 0x6982


@pytest.mark.parametrize(
    ("command", "sw"),
    [
        ("0020018103123456", 0x6700),
        ("00200181", 0x6700),
        ("0020008110" + "00" * 16, 0x6A86),
        ("0020010110" + "00" * 16, 0x6A88),
        ("0020018110" + "00" * 16, 0x6984),
    ],
    ids=header,
)
def test_malformed_verify_costs_no_try(ask: Ask, command: str, sw: int) -> None:
    card = PkiCard()
    enter(ask, card)
    assert ask(card, command)[1] == sw
    assert (card.pki.user_pin.tries, card.pki.admin_pin.tries) == (6, 3)


@pytest.mark.parametrize("right", [False, True])
def test_challenge_is_used_once(ask: Ask, right: bool) -> None:
    card = PkiCard()
    enter(ask, card)
    challenge, _ = ask(card, "0084000010")
    proof = "0020018110" + sm4(pin_key("123456"), challenge).hex()
    assert ask(card, proof if right else "0020018110" + "00" * 16)[1] == (
        0x9000 if right else 0x63C5
    )
    assert ask(card, proof)[1] == 0x6984


def test_challenge_of_eight_bytes_is_filled_up_with_zeros(ask: Ask) -> None:
    card = PkiCard()
    enter(ask, card)
    challenge, _ = ask(card, "0084000008")
    proof = sm4(pin_key("123456"), challenge + bytes(8)).hex()
    assert ask(card, "0020018110" + proof)[1] == 0x9000


def test_challenge_of_four_bytes_is_none(ask: Ask) -> None:
    card = PkiCard()
    enter(ask, card)
    ask(card, "0084000004")
    assert ask(card, "0020018110" + "00" * 16)[1] == 0x6984


@pytest.mark.parametrize("pin", ["654321", "123456"], ids=["wrong", "right"])
def test_tear_cannot_save_a_try(ask: Ask, pin: str) -> None:
    card = PkiCard()
    enter(ask, card)
    challenge, _ = ask(card, "0084000010")
    card.tear(bytes.fromhex("0020018110") + sm4(pin_key(pin), challenge))
    assert card.pki.user_pin.tries == 5


@pytest.mark.parametrize("event", ["reset", "power_off", "ADF", "DDF", "MF"])
def test_rights_end_with_the_session(ask: Ask, event: str) -> None:
    card = PkiCard()
    enter(ask, card)
    assert verify_user(ask, card) == verify_admin(ask, card) == 0x9000
    if event in ("reset", "power_off"):
        getattr(card, event)()
    else:
        full(ask, card, {"ADF": ADF, "DDF": DDF, "MF": "00A40000023F00"}[event])
    enter(ask, card)
    assert ask(card, GENERATE)[1] == 0x6982
    ask(card, "00A40000020018")
    assert ask(card, "00D6000001AA")[1] == 0x6982


# --- change of the admin PIN and of the master keys --------------------------------------------


def test_admin_pin_is_changed_under_the_old_one(ask: Ask) -> None:
    card = PkiCard()
    enter(ask, card)
    verify_admin(ask, card)
    change = protected(ask, card, "845E0100", pin_key("12345678"), pin_block(NEW_PIN))
    assert ask(card, change) == (b"", 0x9000)
    assert ask(card, change)[1] == 0x6982
    assert verify_admin(ask, card) == 0x63C2
    assert verify_admin(ask, card, NEW_PIN) == 0x9000


@pytest.mark.parametrize(
    "block",
    [
        "00800000000000000000000000000000",
        "01878000000000000000000000000000",
        "04876543218100000000000000000000",
        "0487654A218000000000000000000000",
        "09876543218765432112800000000000",
        "FF876543218000000000000000000000",
        "0F876543218765432187654321876543",
    ],
    ids=range(7),
)
def test_bad_block_changes_no_pin(ask: Ask, block: str) -> None:
    card = PkiCard()
    enter(ask, card)
    verify_admin(ask, card)
    command = protected(ask, card, "845E0100", pin_key("12345678"), bytes.fromhex(block))
    assert ask(card, command)[1] == 0x6A80
    assert verify_admin(ask, card) == 0x9000


def test_new_admin_pin_may_have_an_odd_number_of_digits(ask: Ask) -> None:
    card = PkiCard()
    enter(ask, card)
    verify_admin(ask, card)
    command = protected(ask, card, "845E0100", pin_key("12345678"), pin_block("1234567F"))
    assert ask(card, command)[1] == 0x9000
    assert verify_admin(ask, card, "1234567F") == 0x9000


def test_torn_change_keeps_the_old_pin(ask: Ask) -> None:
    card = PkiCard()
    enter(ask, card)
    verify_admin(ask, card)
    command = protected(ask, card, "845E0100", pin_key("12345678"), pin_block(NEW_PIN))
    card.tear(bytes.fromhex(command))
    enter(ask, card)
    assert verify_admin(ask, card) == 0x9000


@pytest.mark.parametrize("names", [(DDF,), (DDF, ADF)], ids=["DDF", "ADF"])
def test_master_key_is_replaced_in_one_directory(ask: Ask, names: tuple[str, ...]) -> None:
    card = PkiCard()
    for name in names:
        full(ask, card, name)
    assert prove(ask, card, "00820000", MASTER_KEY) == 0x9000
    change = protected(ask, card, "84D40100", MASTER_KEY, key_block(NEW_KEY))
    assert len(change) == 2 * (5 + 0x24)
    assert ask(card, change) == (b"", 0x9000)
    assert prove(ask, card, "00820000", MASTER_KEY) == 0x63C2
    assert prove(ask, card, "00820000", NEW_KEY) == 0x9000
    full(ask, card, DDF)
    if len(names) == 1:
        full(ask, card, ADF)
    assert prove(ask, card, "00820000", MASTER_KEY) == 0x9000


@pytest.mark.parametrize("names", [(DDF,), (DDF, ADF)], ids=["DDF", "ADF"])
@pytest.mark.parametrize("event", ["reset", "select"])
def test_proof_of_a_master_key_ends_with_the_session(
    ask: Ask, names: tuple[str, ...], event: str
) -> None:
    card = PkiCard()
    for name in names:
        full(ask, card, name)
    assert prove(ask, card, "00820000", MASTER_KEY) == 0x9000
    if event == "reset":
        card.reset()
    for name in names:
        full(ask, card, name)
    change = protected(ask, card, "84D40100", MASTER_KEY, key_block(NEW_KEY))
    assert ask(card, change)[1] == 0x6982


@pytest.mark.parametrize(
    "block",
    ["14000000" + "11" * 16 + "80" + "00" * 11, "13000000" + "11" * 16 + "00" * 12],
    ids=range(2),
)
def test_bad_block_replaces_no_master_key(ask: Ask, block: str) -> None:
    card = PkiCard()
    enter(ask, card)
    prove(ask, card, "00820000", MASTER_KEY)
    command = protected(ask, card, "84D40100", MASTER_KEY, bytes.fromhex(block))
    assert ask(card, command)[1] == 0x6A80
    assert prove(ask, card, "00820000", MASTER_KEY) == 0x9000


def test_torn_replacement_keeps_the_old_master_key(ask: Ask) -> None:
    card = PkiCard()
    enter(ask, card)
    prove(ask, card, "00820000", MASTER_KEY)
    card.tear(bytes.fromhex(protected(ask, card, "84D40100", MASTER_KEY, key_block(NEW_KEY))))
    enter(ask, card)
    assert prove(ask, card, "00820000", MASTER_KEY) == 0x9000


def test_master_key_is_blocked_after_three_wrong_proofs(ask: Ask) -> None:
    card = PkiCard()
    enter(ask, card)
    found = [prove(ask, card, "00820000", NEW_KEY) for _ in range(4)]
    assert found == [0x63C2, 0x63C1, 0x63C0, 0x6983]


@pytest.mark.parametrize("secret", ["admin", "master"])
def test_refusals_of_protected_commands(ask: Ask, secret: str) -> None:
    start, key, block, proof = {
        "admin": ("845E0100", pin_key("12345678"), pin_block(NEW_PIN), "00200100"),
        "master": ("84D40100", MASTER_KEY, key_block(NEW_KEY), "00820000"),
    }[secret]
    card = PkiCard()
    enter(ask, card)
    assert ask(card, protected(ask, card, start, key, block))[1] == 0x6982
    prove(ask, card, proof, key)
    right = bytes.fromhex(protected(ask, card, start, key, block))
    short = right[:4] + bytes([right[4] - 1]) + right[5:-1]
    assert ask(card, short.hex())[1] == 0x6700
    assert ask(card, "84" + right[1:3].hex() + "02" + right[4:].hex())[1] == 0x6A86
    assert ask(card, right[:2].hex() + "00" + right[3:].hex())[1] == 0x6A86
    wrong = right[:-1] + bytes([right[-1] ^ 1])
    assert ask(card, wrong.hex())[1] == 0x6988
    assert ask(card, right.hex())[1] == 0x6982
    prove(ask, card, proof, key)
    assert ask(card, right.hex())[1] == 0x6984
    assert prove(ask, card, proof, key) == 0x9000


@pytest.mark.parametrize(
    ("command", "sw"), [("0082000110" + "00" * 16, 0x6A86), ("0082000008" + "00" * 8, 0x6700)]
)
def test_refusals_of_external_authentication(ask: Ask, command: str, sw: int) -> None:
    card = PkiCard()
    enter(ask, card)
    ask(card, "0084000010")
    assert ask(card, command)[1] == sw
