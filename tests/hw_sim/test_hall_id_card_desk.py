"""The ID reader's part of the hall: what can be asked, pressed and configured."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hw_sim.faults import FaultSyntaxError
from hw_sim.hall.control import Refused
from hw_sim.hall.desk import Desk
from hw_sim.hall.id_card_desk import IdCardDesk
from hw_sim.id_reader.cards import id_card


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[IdCardDesk]:
    desk = IdCardDesk()
    desk.announced = desk.open(tmp_path, tmp_path)  # type: ignore[attr-defined]
    yield desk
    desk.close()
    desk.close()


def ask(desk: IdCardDesk, do: str, **said: Any) -> Any:
    return desk.questions[do]({"do": do, **said})


def test_it_is_a_desk_and_every_verb_can_be_asked(desk: IdCardDesk) -> None:
    whole: Desk = desk
    assert {verb.name for verb in whole.verbs} == set(whole.questions)


def test_a_card_is_put_on_and_taken_off(desk: IdCardDesk) -> None:
    assert ask(desk, "idcard", card="citizen") == {"card": "citizen"}
    assert desk.status()["card"] == "citizen"
    ask(desk, "idcard", card="foreigner")
    assert desk.status()["card"] == "foreigner"
    ask(desk, "idcard-off")
    ask(desk, "idcard-off")
    assert desk.status() == {"plugged": True, "card": "", "cards_read": 0, "illegal": []}


@pytest.mark.parametrize("card", ["", "v3", "resident:999", None])
def test_no_such_card_is_refused_and_the_other_stays(desk: IdCardDesk, card: object) -> None:
    ask(desk, "idcard", card="citizen")
    with pytest.raises(Refused):
        ask(desk, "idcard", card=card)
    assert desk.status()["card"] == "citizen"


def test_the_plug(desk: IdCardDesk) -> None:
    ask(desk, "id-reader", state="unplugged")
    assert desk.status()["plugged"] is False
    assert desk.facts(desk.status())[0].good is False
    ask(desk, "id-reader", state="plugged")
    assert desk.status()["plugged"] is True
    with pytest.raises(Refused):
        ask(desk, "id-reader", state="away")


def test_faults(desk: IdCardDesk) -> None:
    desk.set_fault("1:unlicensed,2:read-failed")
    assert desk.faults_pending == 2
    with pytest.raises(FaultSyntaxError):
        desk.set_fault("1:nonsense")
    desk.set_fault("none")
    assert desk.faults_pending == 0


@pytest.mark.parametrize("plugged", [True, False])
def test_every_press_is_a_question_that_is_answered(desk: IdCardDesk, plugged: bool) -> None:
    ask(desk, "idcard", card="citizen")
    if not plugged:
        ask(desk, "id-reader", state="unplugged")
    presses = desk.presses(desk.status())
    assert [press.arguments["card"] for press in presses if press.chosen] == ["citizen"]
    for press in presses:
        assert 0 < len(press.label) <= 6
        if press.do == "idcard":
            assert press.enabled is plugged and id_card(press.arguments["card"])
        ask(desk, press.do, **press.arguments)
    assert desk.status()["plugged"] is not plugged


def test_a_closed_desk_refuses(tmp_path: Path) -> None:
    with pytest.raises(Refused):
        ask(IdCardDesk(), "idcard-off")


def test_the_terminal_s_configuration(desk: IdCardDesk, tmp_path: Path) -> None:
    announced = desk.announced  # type: ignore[attr-defined]
    assert all(key.startswith(desk.name) for key in announced)
    port = str(tmp_path / "id-reader")
    assert desk.configuration(announced) == {"id_reader": {"driver": "sam-v", "port": port}}
