"""``yikatong card call``: the ministry's functions as another program types them."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from hw_sim.cards.catalogue import holder
from kiosk import config
from kiosk.card import counter
from kiosk.devices import Readers
from tests.kiosk.card_backends import CONTACT, PSAM
from tests.kiosk.card_cli import Desk, desk_for


@pytest.fixture
def desk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Desk:
    made = desk_for(monkeypatch, capsys, tmp_path)
    readers = Readers(made.backend.service, CONTACT, PSAM)
    monkeypatch.setattr(counter, "open_readers", lambda _card: readers)
    made.insert("v3")
    return made


def test_a_call_is_answered_by_number_and_output_and_audited(desk: Desk) -> None:
    audit = desk.demonstration()
    answer = desk.card("call", "iReadCardBas", "1", "--json")
    assert answer.code == 0
    person = holder("v3")
    assert person is not None
    told = answer.json
    assert (told["name"], told["number"]) == ("iReadCardBas", 0)
    right = told["output"].split("|")[1] == person.number
    assert right
    assert audited(audit) == ["iReadCardBas"]


def audited(audit: Path) -> list[str]:
    """The functions that the audit log names."""
    lines = (audit / "commands.jsonl").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line) for line in lines]
    return [event["detail"]["call"] for event in events if event["event"] == "card.called"]


def test_a_refusal_is_its_number(desk: Desk) -> None:
    desk.demonstration()
    desk.backend.remove()
    answer = desk.card("call", "iReadCardBas", "1")
    assert answer.code == 1
    assert answer.out.splitlines()[0] == "-2"


def test_nobody_is_shown_where_it_is_not_open_or_not_audited(desk: Desk) -> None:
    assert desk.card("call", "iReadCardBas", "1").code == 7
    audit = desk.demonstration()
    audit.parent.joinpath("keys").rename(audit.parent / "lost")
    answer = desk.card("call", "iReadCardBas", "1")
    assert (answer.code, answer.out) == (4, "")


def test_a_pin_is_no_argument(desk: Desk) -> None:
    desk.demonstration()
    answer = desk.card("call", "iVerifyPINK", "1", "271828")
    assert answer.code == 1
    assert answer.out.splitlines()[0] == "-13"
    assert "271828" not in answer.out + answer.err


def test_a_counter_in_the_field_is_open_by_its_configuration(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = desk.demonstration()
    demo = config.load(Path(".state/demo/terminal.toml"))
    field = replace(demo, kind=config.Kind.FIELD)
    monkeypatch.setattr(config, "load", lambda _file: field)
    assert desk.card("call", "iReadCardBas", "1").code == 7
    field = replace(field, card=replace(field.card, ministry_calls=True))
    assert desk.card("call", "iReadCardBas", "1").code == 0
    assert audited(audit) == ["iReadCardBas"]


def test_lines_in_one_session(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    audit = desk.demonstration()
    monkeypatch.setattr("sys.stdin", io.StringIO('["iGetReaderInfo"]\n["nosuch"]\n'))
    answer = desk.card("call", "--lines")
    assert answer.code == 0
    assert [json.loads(line)["number"] for line in answer.out.splitlines()] == [0, -13]
    assert audited(audit) == ["iGetReaderInfo", "unknown"]


@pytest.mark.parametrize("words", [(), ("iReadCardBas", "1", "--lines")])
def test_either_a_name_or_lines(desk: Desk, words: tuple[str, ...]) -> None:
    assert desk.card("call", *words).code == 2
