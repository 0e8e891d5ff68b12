"""``yikatong card call``: the ministry's functions as another program types them."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from apdu.ministry.conventions import ReadAuthentication, shipped_conventions
from hw_sim.cards.catalogue import holder
from kiosk import config, pack
from kiosk.card import counter
from kiosk.config import DEMO_ROOT_KEY
from kiosk.devices import Readers
from tests.kiosk.card_backends import CONTACT, PSAM
from tests.kiosk.card_cli import Desk, desk_for

DEMO = DEMO_ROOT_KEY.parent / "demo"
TODAY = date(2026, 11, 21)


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


def test_the_province_s_pack_says_what_the_arguments_mean(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.demonstration()
    basics = desk.card("call", "iReadCardBas", "1", "--json").json["output"].split("|")
    card = f"{basics[3]}|{basics[2]}|"
    reading = ("call", "iReadCard", "1", "9", card, "SSSEEF05|03|$")
    demo = shipped_conventions()
    ours = replace(demo, read_authentication={"9": ReadAuthentication.KEY})
    found = replace(pack.load(DEMO, pack.read_root(DEMO_ROOT_KEY), today=TODAY), conventions=ours)
    assert desk.card(*reading).out.splitlines()[0] == "-14"
    monkeypatch.setattr(counter, "load_pack", lambda *_, **__: found)
    assert desk.card(*reading).out.splitlines() == ["0", "SSSEEF05|3.00|$"]


def test_a_pack_that_is_not_the_signed_one_is_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.demonstration()

    def altered(*_: object, **__: object) -> None:
        raise pack.PackError(Path("pack.sig"), "", "another one was signed")

    monkeypatch.setattr(counter, "load_pack", altered)
    answer = desk.card("call", "iReadCardBas", "1")
    assert (answer.code, answer.out) == (3, "")
    assert "pack.sig" in answer.err


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
