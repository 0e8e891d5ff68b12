"""``yikatong card apdu``: bytes to the card, words back, and never a PIN."""

from __future__ import annotations

from pathlib import Path

import pytest

from hw_sim.cards.catalogue import holder
from tests.kiosk.card_cli import Desk, desk_for

SELECT = "00A404000F7378312E73682EC9E7BBE1B1A3D5CF"


@pytest.fixture
def desk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Desk:
    return desk_for(monkeypatch, capsys, tmp_path)


def test_each_answer_is_explained(desk: Desk) -> None:
    desk.insert("v3")
    answer = desk.card("apdu", SELECT, "00 B2 03 2C 00", "00A4020002EF1F")
    assert answer.code == 1
    assert "03:332E3030" in answer.out
    assert "9F0C 发卡方数据 issuer data" in answer.out
    assert "< 6A82 文件或应用未找到" in answer.out


@pytest.mark.parametrize("options", [(), ("--json",), ("--trace",)])
def test_what_is_personal_is_masked(desk: Desk, options: tuple[str, ...]) -> None:
    desk.insert("v2")
    person = holder("v2")
    assert person is not None
    answer = desk.card("apdu", *options, SELECT, "00B2013500", "00B2072C00")
    assert answer.code == 0
    for secret in (person.number.encode(), person.card.card_number.encode()):
        assert secret.hex().upper() not in answer.out + answer.err


def test_in_full_only_in_a_demonstration_and_with_a_trace(desk: Desk) -> None:
    desk.insert("v2")
    person = holder("v2")
    assert person is not None
    words = ("apdu", "--full", "--json", SELECT, "00B2013500")
    assert desk.card(*words).code == 7
    audit = desk.demonstration()
    shown = person.number.encode().hex().upper() in desk.card(*words).out
    assert shown
    assert "card.dumped" in (audit / "commands.jsonl").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "command",
    [
        "0020000003271828",
        "00200000",
        "0C20000003271828",
        "805E010007123456FF271828",
        "8424000004AABBCCDD",
        "842400010C0102030405060708AABBCCDD",
        "80C4010305C10327182800",
        "90C4010305C10327182800",
    ],
)
def test_a_command_that_may_carry_a_pin_is_not_sent(desk: Desk, command: str) -> None:
    desk.insert("v3")
    answer = desk.card("apdu", SELECT, command)
    assert (answer.code, answer.out) == (7, "")
    assert "271828" not in answer.err
    assert desk.given_back == 0


@pytest.mark.parametrize("command", ["", "00A4", "0x00A40000", "00A404000F73", "zz"])
def test_what_is_no_command(desk: Desk, command: str) -> None:
    answer = desk.card("apdu", command)
    assert (answer.code, answer.out) == (2, "")


def test_waiting_data_is_fetched_unless_told_otherwise(desk: Desk) -> None:
    desk.insert("v2")
    told = desk.card("apdu", "--json", SELECT).json["exchanges"]
    assert [each["sw"] for each in told] == ["611E", "9000"]
    assert [each["name"] for each in told] == ["SELECT", "GET RESPONSE"]
    told = desk.card("apdu", "--json", "--exact", SELECT).json["exchanges"]
    assert [each["sw"] for each in told] == ["611E"]


def test_a_wrong_length_is_corrected_once(desk: Desk) -> None:
    desk.insert("v2")
    told = desk.card("apdu", "--json", SELECT, "00B2032C00").json["exchanges"]
    assert [each["sw"] for each in told][2:] == ["6C06", "9000"]
    assert told[-1]["answer"] == "03:322E3000"
