"""Change of the admin PIN and of the master keys; values of a public program's log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apdu.errors import (
    AuthenticationFailed,
    CardError,
    CardRemoved,
    PersonalisationFailed,
    PinRejected,
    UnexpectedStatus,
)
from apdu.pin import IllegalPin
from apdu.pki import proofs
from apdu.pki.access import KeyPlace
from apdu.pki.application import PkiApplication
from apdu.transport import Transport
from tests.apdu.card_in_process import CardInProcess, insert
from tests.apdu.faults import TEARS, Fault, FaultyCard
from tests.apdu.pki_issuance import ADMIN_PIN, MASTER_KEY, USER_PIN, opened
from tests.apdu.test_pki import SELECT

NEW_PIN, LOGGED_NEW_PIN = b"87654321", b"72923074"
NEW_KEY = bytes(range(16))
KEY = bytearray(range(0x20, 0x30))

ADMIN_DIGEST = "80C4010306C1041234567800"
DIGEST_OF_ADMIN_PIN = "4D59306C7397E06DE3CD82A14A926FBA" + "00" * 16 + "9000"
CHALLENGE = "0084000010"
PROVEN = [
    (ADMIN_DIGEST, DIGEST_OF_ADMIN_PIN),
    (CHALLENGE, "3D3ECC44607070F8935A64A15E8D95BA9000"),
    ("0020010010638C4E4E44182071BA0619F81D35C892", "9000"),
    (CHALLENGE, "84B7B9199A29A245B2ADE3E80BE4EAF39000"),
]
CHANGE = "845E01001491A41964F0736EB6F6003DD1934FFE11E48CEFB3"


# --- the blocks --------------------------------------------------------------------------------


def test_the_logged_mac_is_folded() -> None:
    key = proofs.pin_key(bytearray.fromhex("12345678"))
    assert key.hex().upper() == DIGEST_OF_ADMIN_PIN[:32]
    block = bytearray.fromhex("0472923074" + "80" + "00" * 10)
    challenge = bytes.fromhex("84B7B9199A29A245B2ADE3E80BE4EAF3")
    data = proofs.protect(key, challenge, bytes.fromhex("845E0100"), block)
    assert data.hex().upper() == CHANGE[10:]


def test_the_block_of_a_master_key() -> None:
    block = proofs.key_block(KEY)
    assert block.hex() == "13000000" + KEY.hex() + "80" + "00" * 11
    for size in (0, 15, 17):
        with pytest.raises(ValueError, match="16 bytes"):
            proofs.key_block(bytearray(size))


# --- the admin PIN -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("6988", AuthenticationFailed),
        ("6982", UnexpectedStatus),
        (CardRemoved(), CardRemoved),
    ],
)
def test_the_logged_change_is_sent_once_and_zeros_are_left(
    scripted: Any, answer: str | CardError, error: type[CardError]
) -> None:
    card = scripted(*SELECT, *PROVEN, (CHANGE, answer))
    old, new = bytearray(ADMIN_PIN), bytearray(LOGGED_NEW_PIN)
    with pytest.raises(error) as caught:
        opened(card).change_admin_pin(old, new)
    assert not any(old) and not any(new)
    assert not any(any(card.buffers[at]) for at in (3, 5, 7))
    for secret in (ADMIN_PIN, LOGGED_NEW_PIN):
        assert secret.decode() not in f"{caught.value!r}"


@pytest.mark.parametrize(("sw", "error"), [("63C2", PersonalisationFailed), ("9000", None)])
def test_the_new_pin_is_shown_before_it_is_said_to_be_changed(
    scripted: Any, sw: str, error: type[CardError] | None
) -> None:
    card = scripted(
        *SELECT,
        *PROVEN,
        (CHANGE, "9000"),
        ("80C4010306C1047292307400", DIGEST_OF_ADMIN_PIN),
        (CHALLENGE, "3D3ECC44607070F8935A64A15E8D95BA9000"),
        ("0020010010638C4E4E44182071BA0619F81D35C892", sw),
    )
    application = opened(card)
    if error is None:
        application.change_admin_pin(bytearray(ADMIN_PIN), bytearray(LOGGED_NEW_PIN))
        return
    with pytest.raises(error) as caught:
        application.change_admin_pin(bytearray(ADMIN_PIN), bytearray(LOGGED_NEW_PIN))
    assert getattr(caught.value, "items", None) == ("admin PIN",)


@pytest.mark.parametrize("new", [NEW_PIN, b"1234567", b"1234567890123456"])
def test_the_card_takes_the_new_admin_pin_only(new: bytes) -> None:
    application = opened(insert("pki"))
    application.change_admin_pin(bytearray(ADMIN_PIN), bytearray(new))
    with pytest.raises(PinRejected):
        application.verify_admin_pin(bytearray(ADMIN_PIN))
    application.verify_admin_pin(bytearray(new))


def test_a_wrong_old_pin_costs_one_try() -> None:
    application = opened(insert("pki"))
    old, new = bytearray(b"11111111"), bytearray(NEW_PIN)
    with pytest.raises(PinRejected) as caught:
        application.change_admin_pin(old, new)
    assert caught.value.tries_left == 2
    assert not any(old) and not any(new)


@pytest.mark.parametrize(("old", "new"), [(b"123", NEW_PIN), (ADMIN_PIN, b"12345x")])
def test_illegal_pins_never_reach_the_card(scripted: Any, old: bytes, new: bytes) -> None:
    buffers = bytearray(old), bytearray(new)
    with pytest.raises(IllegalPin):
        opened(scripted(*SELECT)).change_admin_pin(*buffers)
    assert not any(buffers[0]) and not any(buffers[1])


# --- the master keys ---------------------------------------------------------------------------


def change(application: PkiApplication, place: KeyPlace) -> None:
    application.change_master_key(place, bytearray(MASTER_KEY), bytearray(NEW_KEY))


def takes(card: CardInProcess, place: KeyPlace, key: bytes) -> bool:
    try:
        opened(CardInProcess(card.card)).prove_master_key(place, bytearray(key))
    except AuthenticationFailed:
        return False
    return True


def test_each_directory_has_its_own() -> None:
    card = insert("pki")
    application = opened(card)
    for place in KeyPlace:
        assert takes(card, place, MASTER_KEY)
        application = opened(card)
        change(application, place)
        # The application is selected again.
        application.verify_pin(bytearray(USER_PIN))
        assert not takes(card, place, MASTER_KEY)
        assert takes(card, place, NEW_KEY)


def test_the_commands_of_a_change() -> None:
    card = insert("pki")
    application = opened(card)
    begin = len(card.commands)
    change(application, KeyPlace.APPLICATION)
    change(application, KeyPlace.DIRECTORY)
    sent = [command[:5].hex().upper() for command in card.commands[begin:]]
    one = ["0084000010", "0082000010", "0084000010", "84D4010024", "0084000010", "0082000010"]
    master_file, directory, application_name = "00A4000002", "00A404000C", "00A404000C"
    assert sent == [
        *one,
        *(master_file, directory),
        *one,
        *(master_file, directory, application_name),
    ]


@pytest.mark.parametrize("place", KeyPlace)
def test_a_wrong_master_key_changes_nothing(place: KeyPlace) -> None:
    card = insert("pki")
    with pytest.raises(AuthenticationFailed):
        opened(card).change_master_key(place, bytearray(NEW_KEY), bytearray(16))
    assert takes(card, place, MASTER_KEY)


@pytest.mark.parametrize("sizes", [(15, 16), (16, 17), (0, 16)])
def test_what_is_no_key_never_reaches_the_card(scripted: Any, sizes: tuple[int, int]) -> None:
    application = opened(scripted(*SELECT))
    old, new = (bytearray(size) for size in sizes)
    for place in KeyPlace:
        with pytest.raises(ValueError, match="16 bytes"):
            application.change_master_key(place, old, new)
    with pytest.raises(ValueError, match="16 bytes"):
        application.prove_master_key(KeyPlace.DIRECTORY, bytearray(24))


class Stubborn(CardInProcess):
    """Answers a change with success and does nothing."""

    def transmit(self, command: bytes | bytearray) -> bytes:
        if command[0] == 0x84:
            return b"\x90\x00"
        return super().transmit(command)


@pytest.mark.parametrize("place", KeyPlace)
def test_a_card_that_keeps_its_old_secrets_is_found_out(place: KeyPlace) -> None:
    with pytest.raises(PersonalisationFailed, match="master key"):
        change(opened(Stubborn(insert("pki").card)), place)
    with pytest.raises(PersonalisationFailed, match="admin PIN"):
        opened(Stubborn(insert("pki").card)).change_admin_pin(
            bytearray(ADMIN_PIN), bytearray(NEW_PIN)
        )


# --- tears -------------------------------------------------------------------------------------

Change = Callable[[Transport], None]
CHANGES: dict[str, tuple[Change, int]] = {
    "admin PIN": (
        lambda card: opened(card).change_admin_pin(bytearray(ADMIN_PIN), bytearray(NEW_PIN)),
        3 + 3 + 2 + 3,
    ),
    "application": (lambda card: change(opened(card), KeyPlace.APPLICATION), 3 + 6),
    "directory": (lambda card: change(opened(card), KeyPlace.DIRECTORY), 3 + 2 + 6 + 3),
}


def takes_pin(card: CardInProcess, pin: bytes) -> bool:
    try:
        opened(CardInProcess(card.card)).verify_admin_pin(bytearray(pin))
    except PinRejected:
        return False
    return True


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("fault", TEARS)
def test_after_a_tear_the_card_takes_one_of_the_two(fault: Fault, what: str) -> None:
    run, length = CHANGES[what]
    for at in range(1, length + 1):
        card = insert("pki")
        with pytest.raises(CardRemoved):
            run(FaultyCard(card, {at: fault}))
        if what == "admin PIN":
            found = takes_pin(card, ADMIN_PIN), takes_pin(card, NEW_PIN)
        else:
            place = KeyPlace(what)
            found = takes(card, place, MASTER_KEY), takes(card, place, NEW_KEY)
        assert found.count(True) == 1
        if found[0]:
            run(CardInProcess(card.card))
        assert not card.card.bugs
