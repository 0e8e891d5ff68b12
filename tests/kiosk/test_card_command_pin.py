"""``yikatong card pin``: asked without echo, sent once, kept nowhere."""

from __future__ import annotations

import os
import termios
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from apdu import card as card_module
from apdu.profile import CardProfile, shipped_profiles
from drivers.szzt.pad import SzztPinPad
from hw_sim.cards.social_security import SocialSecurityCard
from hw_sim.pad.device import PadDevice
from hw_sim.population import DEMO_PIN
from kiosk.card import pin_entry
from kiosk.card.exits import CardExit
from kiosk.config import TerminalConfig
from kiosk.pad_station import PadStation
from tests.kiosk.card_backends import CONTACT
from tests.kiosk.card_cli import Answer, Desk, desk_for
from tests.kiosk.typed_pins import typing

OTHER, WRONG = "271828", "909090"


@pytest.fixture
def desk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Desk:
    return desk_for(monkeypatch, capsys, tmp_path)


def change(desk: Desk, *typed: str, options: tuple[str, ...] = ()) -> tuple[Answer, str]:
    """The answer, and what the terminal showed."""
    with pytest.MonkeyPatch.context() as patch, typing(patch, *typed) as typist:
        answer = desk.card("pin", "change", *options)
        shown = typist.finish()
        assert typist.silent
        return answer, shown


def pin_of(desk: Desk, digits: str) -> int:
    """The card's status word for this PIN."""
    faulty = desk.backend.there(CONTACT)
    assert faulty is not None
    assert isinstance(faulty.card, SocialSecurityCard)
    faulty.card.power_on()
    body = bytes.fromhex(digits)
    select = bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF")
    faulty.card.execute(select)
    answer = faulty.card.execute(bytes.fromhex("00200000") + bytes((len(body),)) + body)
    assert answer is not None
    return int.from_bytes(answer[-2:], "big")


def with_status_query(asked: bool) -> Callable[[], Mapping[str, CardProfile]]:
    profiles = {
        version: replace(profile, pin=replace(profile.pin, status_query=asked))
        for version, profile in shipped_profiles().items()
    }
    return lambda: profiles


def test_a_new_pin(desk: Desk, tmp_path: Path) -> None:
    desk.insert("v3")
    file = tmp_path / "kept.txt"
    options = ("--trace", "--record", str(file))
    answer, shown = change(desk, DEMO_PIN, OTHER, OTHER, options=options)
    assert answer.code == 0
    everything = answer.out + shown + file.read_text("ascii")
    assert "CHANGE PIN" in everything
    leaked = [pin for pin in (DEMO_PIN, OTHER) if pin in everything]
    assert leaked == []
    assert pin_of(desk, OTHER) == 0x9000


def test_a_wrong_old_pin_tells_the_tries_left(desk: Desk) -> None:
    desk.insert("v3")
    answer, shown = change(desk, WRONG, OTHER, OTHER)
    assert answer.code == CardExit.PIN_WRONG
    assert "还可试 2 次" in shown
    assert pin_of(desk, DEMO_PIN) == 0x9000


def test_new_pins_that_differ_never_reach_the_card(desk: Desk) -> None:
    desk.insert("v3")
    answer, _ = change(desk, DEMO_PIN, OTHER, WRONG, options=("--trace",))
    assert answer.code == 2
    assert pin_of(desk, DEMO_PIN) == 0x9000


@pytest.mark.parametrize("typed", ["12", "12345a", "12345678901234567"])
def test_what_is_no_pin_never_reaches_the_card(desk: Desk, typed: str) -> None:
    desk.insert("v3")
    answer, shown = change(desk, DEMO_PIN, typed, typed, options=("--trace",))
    assert answer.code == 2
    assert "CHANGE PIN" not in shown
    assert len(typed) < 6 or typed not in shown


def test_a_blocked_pin(desk: Desk) -> None:
    desk.insert("pin-locked")
    answer, _ = change(desk, DEMO_PIN, OTHER, OTHER)
    assert answer.code == CardExit.PIN_BLOCKED


def test_a_pin_is_not_taken_from_a_pipe(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.insert("v3")
    with open("/dev/null", encoding="ascii") as nothing:  # noqa: PTH123
        monkeypatch.setattr("sys.stdin", nothing)
        answer = desk.card("pin", "change")
    assert answer.code == 2
    assert "管道" in answer.err
    assert desk.given_back == 1


def test_ctrl_c_turns_the_echo_on_and_gives_the_card_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.insert("v3")

    def interrupted(_fd: int, _buffers: list[bytearray]) -> int:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, typing(patch) as typist:
        monkeypatch.setattr("os.readv", interrupted)
        assert desk.card("pin", "change").code == 130
        assert termios.tcgetattr(typist._slave)[3] & termios.ECHO
    assert desk.given_back == 1


def test_every_buffer_is_zeros_afterwards(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.insert("v3")
    buffers = [bytearray(pin.encode()) for pin in (DEMO_PIN, OTHER, OTHER)]
    given = iter(buffers)
    monkeypatch.setattr(pin_entry, "at_keyboard", lambda _prompt: next(given))
    assert desk.card("pin", "change").code == 0
    assert not any(any(buffer) for buffer in buffers)


def test_the_line_that_was_typed_is_zeros_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[bytearray] = []
    read = os.readv

    def readv(fd: int, buffers: list[bytearray]) -> int:
        lines.extend(buffers)
        return read(fd, buffers)

    with pytest.MonkeyPatch.context() as patch, typing(patch, OTHER):
        monkeypatch.setattr("os.readv", readv)
        digits = pin_entry.at_keyboard("PIN: ")
    assert bytes(digits) == OTHER.encode()
    assert not any(any(line) for line in lines)


def test_at_the_pad_where_there_is_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    desk.insert("v3")
    device = PadDevice(tmp_path / "pad")
    device.plug()

    def pad_of(_config: TerminalConfig | None, length: tuple[int, int]) -> PadStation:
        return PadStation(
            lambda: SzztPinPad(str(device.link)),
            lambda: bytearray.fromhex("0123456789ABCDEFFEDCBA9876543210"),
            load_master=True,
            length=length,
            seconds=60,
        )

    def press() -> None:
        for digits in (DEMO_PIN, OTHER, OTHER):
            while device.entry.name != "RUNNING":
                time.sleep(0.002)
            device.press(f"{digits}#")
            while device.entry.name == "RUNNING":
                time.sleep(0.002)

    monkeypatch.setattr(pin_entry, "pad_of", pad_of)
    threading.Thread(target=press, daemon=True).start()
    try:
        answer = desk.card("pin", "change")
    finally:
        device.unplug()
    assert answer.code == 0
    assert "密码键盘" in answer.err
    assert pin_of(desk, OTHER) == 0x9000


def test_tries_are_asked_only_where_that_costs_none(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.insert("v3")
    answer = desk.card("pin", "status", "--trace")
    assert answer.code == CardExit.NOT_ASKED
    assert "VERIFY" not in answer.err
    monkeypatch.setattr(card_module, "shipped_profiles", with_status_query(True))
    answer = desk.card("pin", "status", "--json")
    assert answer.code == 0
    assert answer.json == {"profile": "v3", "asked": True, "tries_left": 3}
    desk.insert("pin-locked")
    answer = desk.card("pin", "status")
    assert answer.code == CardExit.PIN_BLOCKED
    assert "已锁定" in answer.out
