"""``yikatong card info`` says what is in the reader, whatever it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len

from hw_sim.cards.catalogue import holder
from kiosk.card.atr import explain, mask_atr
from kiosk.card.exits import CardExit
from kiosk.card.info import _LOCKED, _UNKNOWN
from tests.kiosk.card_cli import Desk, desk_for

_SSSE = "7378312E73682EC9E7BBE1B1A3D5CF"


@pytest.fixture
def desk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Desk:
    return desk_for(monkeypatch, capsys, tmp_path)


def there(told: dict[str, object]) -> list[str]:
    applications = told["applications"]
    assert isinstance(applications, list)
    return [each["aid"] for each in applications if each["presence"] == "there"]


@pytest.mark.parametrize(
    ("card", "algorithm", "version"),
    [("v1", "TDES", "1.00"), ("v2", "TDES", "2.00"), ("v3", "SM4", "3.00")],
)
def test_a_social_security_card_tells_what_it_is(
    desk: Desk, card: str, algorithm: str, version: str
) -> None:
    desk.insert(card)
    answer = desk.card("info", "--json")
    assert answer.code == 0
    told = answer.json
    assert (told["kind"], told["profile"]) == ("social-security", card)
    assert (told["algorithm"], told["consistent"]) == (algorithm, True)
    assert told["version"].startswith(version[:3])
    assert there(told)[:2] == [_SSSE, "D15600000500"]
    assert told["next"] == []


def test_the_bank_application_and_its_directories_are_found(desk: Desk) -> None:
    desk.insert("bank")
    assert "A000000333010101" in there(desk.card("info", "--json").json)


def test_the_pki_application_is_found(desk: Desk) -> None:
    desk.insert("pki")
    assert "504B492EC9E7BBE1B1A3D5CF" in there(desk.card("info", "--json").json)


def test_a_foreign_card_says_what_is_known_and_what_to_try(desk: Desk) -> None:
    desk.insert("unknown")
    answer = desk.card("info")
    assert answer.code == CardExit.UNKNOWN_CARD
    assert "无法识别" in answer.out
    assert "3B69000042414E4B2D" in answer.out
    assert "A000000333010101" in answer.out
    assert all(line in answer.out for line in _UNKNOWN)


def test_a_locked_card_is_no_unknown_card(desk: Desk) -> None:
    desk.insert("blocked")
    answer = desk.card("info")
    assert answer.code == CardExit.BLOCKED
    assert all(line in answer.out for line in _LOCKED)


def test_nothing_names_the_card_or_its_holder(desk: Desk) -> None:
    desk.insert("v3")
    person = holder("v3")
    assert person is not None
    for answer in (desk.card("info"), desk.card("info", "--json"), desk.card("info", "--trace")):
        for secret in (person.card.card_number, person.name, person.number):
            assert secret not in answer.out + answer.err
        assert person.card.card_id.hex().upper() not in answer.out + answer.err
        assert person.card.card_id[8:12].hex().upper() not in answer.out + answer.err


def test_a_card_pulled_at_any_command_is_told(desk: Desk) -> None:
    for number in range(2, 100):
        desk.backend.remove()
        desk.insert("v3", f"{number}:tear")
        answer = desk.card("info")
        assert desk.given_back == number - 1
        if answer.code == 0:
            break
        assert (answer.code, answer.out) == (CardExit.TORN, "")
    assert 15 < number < 40


def test_no_card(desk: Desk) -> None:
    assert desk.card("info").code == CardExit.NO_CARD
    assert desk.given_back == 1


def test_advice_fits_on_a_narrow_terminal() -> None:
    assert all(cell_len(line) <= 78 for line in (*_UNKNOWN, *_LOCKED))


def test_an_answer_to_reset_in_words() -> None:
    told = explain(bytes.fromhex("3BF01100FF8131FE45" + "00"), full=True)
    assert told["protocols"] == ["T=1"]
    assert told["interface"] == {
        "TA1": "11",
        "TB1": "00",
        "TC1": "FF",
        "TD1": "81",
        "TD2": "31",
        "TA3": "FE",
        "TB3": "45",
    }
    assert explain(bytes.fromhex("3B6D0000"), full=True)["readable"] is False


def test_the_tail_of_an_answer_to_reset_is_masked() -> None:
    atr = bytes.fromhex("3B6D00000053480301863142990A17B0C5")
    told = explain(atr, full=False)
    assert told["bytes"] == mask_atr(atr) == "3B6D0000005348030186314299…"
    assert told["historical"] == "005348030186314299…"
    assert told["region_begins"] == "4299"
