"""The configuration that the demonstration writes is one that the terminal takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hw_sim.hall.terminal import (
    LANDSCAPE,
    PORTRAIT,
    DemoState,
    NotDemoState,
    TerminalScreen,
    environment,
    write_configuration,
)
from kiosk.config import Kind, load
from kiosk.device_config import CardDriver
from tests.hw_sim import desk_facts


def announced(folder: Path, **changes: Any) -> dict[str, Any]:
    key = folder / "pad-tmk.hex"
    key.write_text("00" * 16)
    key.chmod(0o600)
    return {
        "csock_name": "/run/x/pcscd.comm",
        "contact_reader": "Yikatong Contact Reader 00 00",
        "psam_reader": "Yikatong PSAM Slot 00 00",
        "way": "pcscd",
        "direct": None,
        "pad": str(folder / "pad"),
        "scanner": str(folder / "scanner"),
        "printer": "ipp://127.0.0.1:4712/ipp/print",
        "platform": "http://127.0.0.1:4711",
        "enrolment_code": "ABCD-EFGH",
        "pad_master_key_file": str(key),
        **desk_facts.announced(),
        **changes,
    }


@pytest.mark.parametrize("walk", [True, False])
@pytest.mark.parametrize(
    "screen", [TerminalScreen(PORTRAIT, fullscreen=True), TerminalScreen(LANDSCAPE, 0.5)]
)
def test_terminal_takes_it(tmp_path: Path, walk: bool, screen: TerminalScreen) -> None:
    file = tmp_path / "terminal.toml"
    write_configuration(file, announced(tmp_path), screen, walk=walk)
    config = load(file)
    assert config.kind is Kind.DEMO
    assert (config.screen.width, config.screen.height) == screen.pixels
    assert config.screen.fullscreen is screen.fullscreen
    assert config.card.contact_reader == "Yikatong Contact Reader 00 00"
    assert config.platform.url == "http://127.0.0.1:4711"
    assert config.pad is not None
    assert config.pad.port == str(tmp_path / "pad")
    assert config.scanner is not None
    assert config.scanner.port == str(tmp_path / "scanner")
    assert config.printer is not None
    assert config.printer.url == "ipp://127.0.0.1:4712/ipp/print"
    assert (config.printer.patience < 10) is walk
    assert (config.limits.warning_seconds < 20) is walk
    # The one-time code is no part of a terminal's configuration.
    assert "ABCD-EFGH" not in file.read_text()


def test_terminal_takes_the_direct_sockets(tmp_path: Path) -> None:
    file = tmp_path / "terminal.toml"
    direct = {"contact": "127.0.0.1:4001", "psam": "127.0.0.1:4002"}
    hall = announced(tmp_path, csock_name=None, way="direct", direct=direct)
    write_configuration(file, hall, TerminalScreen(PORTRAIT), walk=True)
    card = load(file).card
    assert card.driver is CardDriver.DIRECT
    assert card.contact_address is not None
    assert card.contact_address.port == 4001
    assert environment(hall) == {}


def test_terminal_takes_the_dispenser(tmp_path: Path) -> None:
    file = tmp_path / "terminal.toml"
    hall = announced(tmp_path, csock_name=None, way="dispenser", contact_reader="", psam_reader="")
    write_configuration(file, hall, TerminalScreen(PORTRAIT), walk=True)
    config = load(file)
    assert config.card.driver is CardDriver.DISPENSER
    assert config.card.dispenser is config.dispenser is not None
    assert config.card.psam == "[dispenser]"
    assert config.limits.card_offer_seconds == 8
    assert environment(hall) == {}


def test_environment_leads_to_our_pcscd(tmp_path: Path) -> None:
    assert environment(announced(tmp_path)) == {"PCSCLITE_CSOCK_NAME": "/run/x/pcscd.comm"}


def test_state_lasts_while_the_province_is_the_same(tmp_path: Path) -> None:
    state = DemoState(tmp_path / "demo")
    assert state.open()
    assert not state.enrolled
    state.remember()
    (state.terminal / "key").touch()
    again = DemoState(tmp_path / "demo")
    assert again.open()
    assert again.enrolled
    assert (again.terminal / "key").exists()


def test_state_of_another_province_begins_anew_on_both_sides(tmp_path: Path) -> None:
    state = DemoState(tmp_path / "demo")
    state.open()
    state.remember()
    state.hall.mkdir()
    for half in (state.terminal, state.hall):
        (half / "key").touch()
    mark = tmp_path / "demo" / "demo.json"
    mark.write_text(json.dumps({**json.loads(mark.read_text()), "province": "0" * 64}))
    again = DemoState(tmp_path / "demo")
    assert not again.open()
    assert not again.enrolled
    assert not list((tmp_path / "demo").rglob("key"))


def test_start_that_ended_before_the_enrolment_begins_anew(tmp_path: Path) -> None:
    state = DemoState(tmp_path / "demo")
    state.open()
    (state.terminal / "key").touch()
    assert DemoState(tmp_path / "demo").open()
    assert not (state.terminal / "key").exists()


def test_state_that_no_demonstration_made_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "terminal").mkdir()
    (tmp_path / "terminal" / "key").touch()
    with pytest.raises(NotDemoState):
        DemoState(tmp_path).open()
    assert (tmp_path / "terminal" / "key").exists()
