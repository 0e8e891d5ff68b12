"""``yikatong card pin change --reader-keys``: typed at the reader, never seen by the host."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from drivers.ccid.pin_entry import GET_FEATURE_REQUEST
from hw_sim.population import DEMO_PIN
from kiosk.card.exits import CardExit
from kiosk.commands import Exit
from tests.drivers.test_ccid_pin_structure import FEATURES
from tests.kiosk import card_backends
from tests.kiosk.card_cli import Desk, desk_for
from tests.kiosk.test_card_command_pin import OTHER, WRONG, pin_of

MODIFY = 0x42330007
BEFORE_COMMAND = 20
"""Bytes of PIN_MODIFY_STRUCTURE before its ulDataLength (PC/SC part 10, 2.5.3)."""


class ReaderKeys:
    """A reader whose holder types; it fills the command that it was given and sends it."""

    def __init__(self, old: str = DEMO_PIN, new: str = OTHER, ends: int | None = None) -> None:
        self.old, self.new, self.ends = bytes.fromhex(old), bytes.fromhex(new), ends
        self.offers: bytes | None = bytes(FEATURES)
        self.used = 0

    def control(self, card: card_backends._Connection, code: int, data: bytes) -> bytes | None:
        if code == GET_FEATURE_REQUEST:
            return self.offers
        if code != MODIFY:
            return b""
        self.used += 1
        if self.ends is not None:
            return self.ends.to_bytes(2, "big")
        size = int.from_bytes(data[BEFORE_COMMAND : BEFORE_COMMAND + 4], "little")
        command = bytearray(data[BEFORE_COMMAND + 4 :])
        assert len(command) == size
        place = 5
        command[place : place + len(self.old)] = self.old
        place += len(self.old) + 1
        command[place : place + len(self.new)] = self.new
        return card.transmit(command)


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> ReaderKeys:
    keys = ReaderKeys()
    monkeypatch.setattr(
        card_backends._Connection,
        "control",
        lambda card, code, data: keys.control(card, code, data),
        raising=False,
    )
    return keys


@pytest.fixture
def desk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Desk:
    return desk_for(monkeypatch, capsys, tmp_path)


def test_a_new_pin_that_the_host_never_sees(desk: Desk, keys: ReaderKeys) -> None:
    desk.insert("v3")
    answer = desk.card("pin", "change", "--reader-keys", "6", "--trace", "--json")
    assert answer.code == 0
    assert json.loads(answer.out) == {"changed": True}
    assert pin_of(desk, OTHER) == 0x9000
    seen = answer.out + answer.err
    leaked = [pin for pin in (DEMO_PIN, OTHER) if pin in seen]
    assert leaked == []


def test_a_wrong_old_pin_costs_a_try(desk: Desk, keys: ReaderKeys) -> None:
    desk.insert("v3")
    keys.old = bytes.fromhex(WRONG)
    answer = desk.card("pin", "change", "--reader-keys", "6")
    assert answer.code == CardExit.PIN_WRONG
    assert pin_of(desk, DEMO_PIN) == 0x9000


@pytest.mark.parametrize(
    ("ends", "code", "told"),
    [
        (0x6400, Exit.DEVICE, "超时"),
        (0x6401, Exit.INTERRUPTED, "取消"),
        (0x6402, Exit.USAGE, "两次新密码不一致"),
        (0x6403, Exit.USAGE, "位数不对"),
        (0x6B80, Exit.DEVICE, "读卡器拒绝"),
    ],
)
def test_how_an_entry_ends_is_told(
    desk: Desk, keys: ReaderKeys, ends: int, code: Exit, told: str
) -> None:
    desk.insert("v3")
    keys.ends = ends
    answer = desk.card("pin", "change", "--reader-keys", "6")
    assert answer.code == code
    assert told in answer.err
    assert pin_of(desk, DEMO_PIN) == 0x9000


@pytest.mark.parametrize("digits", ["5", "3", "18"])
def test_a_number_of_digits_that_does_not_go_is_not_asked_for(
    desk: Desk, keys: ReaderKeys, digits: str
) -> None:
    desk.insert("v3")
    answer = desk.card("pin", "change", "--reader-keys", digits)
    assert answer.code == Exit.USAGE
    assert keys.used == 0


@pytest.mark.parametrize("offers", [None, b"", b"\x06\x04\x42\x33\x00\x06"])
def test_a_reader_without_keys_for_it(desk: Desk, keys: ReaderKeys, offers: bytes | None) -> None:
    desk.insert("v3")
    keys.offers = offers
    answer = desk.card("pin", "change", "--reader-keys", "6")
    assert answer.code == Exit.DEVICE
    assert "不能自己收密码" in answer.err
    assert keys.used == 0


def test_keyboard_and_reader_exclude_each_other(desk: Desk) -> None:
    assert desk.card("pin", "change", "--reader-keys", "6", "--keyboard").code == Exit.USAGE
