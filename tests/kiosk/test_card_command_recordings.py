"""``yikatong card trace`` and ``card replay``: a session is kept, names nobody, and reads again."""

from __future__ import annotations

from pathlib import Path

import pytest

from hw_sim.cards.catalogue import holder
from kiosk.card.exits import CardExit
from tests.kiosk.card_cli import Desk, desk_for


@pytest.fixture
def desk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Desk:
    return desk_for(monkeypatch, capsys, tmp_path)


@pytest.mark.parametrize("card", ["v1", "v2", "v3"])
def test_what_was_recorded_reads_again_without_a_card(desk: Desk, card: str) -> None:
    desk.insert(card)
    live = desk.card("trace", "card.txt", "--json")
    assert live.code == 0
    desk.backend.remove()
    again = desk.card("replay", "card.txt", "--json")
    assert again.code == 0
    for same in ("profile", "genuine", "consistent", "holder_unavailable", "apdus"):
        assert again.json[same] == live.json[same]
    assert again.json["genuine"] is True
    assert again.json["holder"]["name"] == "*某"


def test_a_recording_names_nobody(desk: Desk) -> None:
    desk.insert("v3")
    person = holder("v3")
    assert person is not None
    answer = desk.card("read", "--record", "card.txt")
    assert answer.code == 0
    kept = Path("card.txt").read_text("ascii") + Path("card-psam.txt").read_text("ascii")
    for secret in (
        person.number.encode(),
        person.name.encode("gb18030"),
        person.card.card_number.encode(),
        person.card.card_id[8:12],
    ):
        assert secret.hex().upper() not in kept


def test_a_trace_shows_each_command_as_it_goes(desk: Desk) -> None:
    desk.insert("v3")
    answer = desk.card("trace", "card.txt")
    assert "INTERNAL AUTHENTICATE" in answer.err
    assert "真卡" in answer.out


def test_a_session_that_failed_is_kept_too(desk: Desk) -> None:
    desk.insert("v3", "3:tear")
    assert desk.card("trace", "card.txt").code == CardExit.TORN
    again = desk.card("replay", "card.txt")
    assert again.code == CardExit.TORN


def test_a_file_is_never_written_over(desk: Desk) -> None:
    desk.insert("v3")
    Path("card.txt").write_text("mine", encoding="ascii")
    assert desk.card("trace", "card.txt").code == 2
    assert desk.card("info", "--record", "card.txt").code == 2
    assert Path("card.txt").read_text("ascii") == "mine"


def test_a_transcript_that_is_not_kept_is_told(desk: Desk) -> None:
    desk.insert("v3")
    answer = desk.card("read", "--record", "no/such/folder/card.txt")
    assert answer.code == 1
    assert "记录没有存成" in answer.err


@pytest.mark.parametrize(
    ("text", "line"),
    [("", 0), ("# ATR: 3B00\n00A4\n", 2), ("# ATR: 3B00\nhello\n", 2)],
)
def test_a_broken_transcript_names_its_line(desk: Desk, text: str, line: int) -> None:
    Path("card.txt").write_text(text, encoding="ascii")
    answer = desk.card("replay", "card.txt")
    assert (answer.code, answer.out) == (CardExit.TRANSCRIPT, "")
    assert f"第 {line} 行" in answer.err


def test_another_command_than_recorded_names_its_line(desk: Desk) -> None:
    desk.insert("v3")
    desk.card("trace", "card.txt")
    text = Path("card.txt").read_text("ascii").replace("00B2012D00", "00B2022D00")
    Path("other.txt").write_text(text, encoding="ascii")
    answer = desk.card("replay", "other.txt", "--psam", "card-psam.txt")
    assert (answer.code, answer.out) == (CardExit.TRANSCRIPT, "")
    where = 1 + text.splitlines().index("00B2022D00")
    assert f"line {where}" in answer.err


def test_a_transcript_with_more_than_a_reading_is_told(desk: Desk) -> None:
    desk.insert("v3")
    desk.card("trace", "card.txt")
    with Path("card.txt").open("a", encoding="ascii") as file:
        file.write("00A40000023F00\n6A82\n")
    assert desk.card("replay", "card.txt", "--mode", "forward").code == 0
    answer = desk.card("replay", "card.txt")
    assert answer.code == CardExit.TRANSCRIPT
    assert "没用到" in answer.err


def test_there_is_no_such_file(desk: Desk) -> None:
    answer = desk.card("replay", "no.txt")
    assert (answer.code, answer.out) == (2, "")
