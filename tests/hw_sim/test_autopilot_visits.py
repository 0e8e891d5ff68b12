"""The visits as data: complete, well formed, ending where a hall wants its visitors to end."""

from __future__ import annotations

from pathlib import Path

import pytest

from hw_sim.cards.catalogue import canonical_name
from hw_sim.cards.faults import parse_faults
from hw_sim.dispenser.device import DISPENSER_FAULTS
from hw_sim.faults import Schedule
from hw_sim.hall.slot import INSERTABLE, Way
from hw_sim.hall.steps import (
    FAILURES,
    SCREENS,
    Expect,
    ExpectAlarm,
    Insert,
    Press,
    Remove,
    Sim,
    Stays,
    Visit,
    described,
)
from hw_sim.hall.visits import VISITS
from hw_sim.hall.visits.moves import LIMIT
from hw_sim.hall.walk import NoSuchVisit, chosen
from hw_sim.id_reader.cards import id_card
from hw_sim.id_reader.device import FAULTS as ID_FAULTS
from hw_sim.id_reader.device import READ_FAULTS
from hw_sim.pad.device import KEYS
from hw_sim.pad.frames import FAULTS as PAD_FAULTS
from hw_sim.platform.ecards import CodeState, holder_named
from hw_sim.platform.faults import FaultPlan
from hw_sim.printer.device import FAULTS as PRINTER_FAULTS
from hw_sim.scanner.device import ANSWER_FAULTS
from hw_sim.scanner.frames import CODE_FAULTS
from hw_sim.serial_device import WIRE_FAULTS
from kiosk.failures import kinds
from kiosk.pages import IdCardProblem

ROOT = Path(__file__).parents[2]


def ids(visit: Visit) -> str:
    return visit.name


def test_names_are_unique() -> None:
    assert len({visit.name for visit in VISITS}) == len(VISITS)


@pytest.mark.parametrize("visit", VISITS, ids=ids)
def test_visit_ends_at_home_with_an_empty_slot(visit: Visit) -> None:
    *_, last = (step for step in visit.steps if isinstance(step, Expect | Stays))
    assert last.screen == "home"
    inside = False
    for step in visit.steps:
        if isinstance(step, Insert):
            assert not inside
            inside = True
        elif isinstance(step, Remove):
            assert inside
            inside = False
        elif step == Expect("failure.card-captured", LIMIT):
            inside = False
    assert not inside


@pytest.mark.parametrize("visit", VISITS, ids=ids)
def test_what_was_broken_is_mended_by_its_end(visit: Visit) -> None:
    well = {
        "platform": "up",
        "reader": "plugged",
        "pad": "plugged",
        "scanner": "plugged",
        "id-reader": "plugged",
        "printer": "on",
        "paper": "in",
        "jam": "clear",
        "door": "closed",
        "dispenser": "plugged",
        "bin": "empty",
        "sensors": "plugged",
        "presence": "off",
        "slip-paper": "in",
    }
    state = dict(well)
    for step in visit.steps:
        if isinstance(step, Sim) and step.do in state:
            state[step.do] = step.arguments["state"]
    assert state == well


@pytest.mark.parametrize("visit", VISITS, ids=ids)
def test_an_id_card_is_taken_away_in_the_end(visit: Visit) -> None:
    asked = [step.do for step in visit.steps if isinstance(step, Sim)]
    moves = [do for do in asked if do.startswith("idcard")]
    assert not moves or moves[-1] == "idcard-off"


@pytest.mark.parametrize("visit", VISITS, ids=ids)
def test_cards_keys_and_faults_exist(visit: Visit) -> None:
    for step in visit.steps:
        match step:
            case Insert(card=card):
                canonical_name(card)
            case Press(keys=keys):
                assert set(keys) <= set(KEYS)
            case Sim(do="fault", arguments={"what": "none"}):
                pass
            case Sim(do="fault", arguments={"where": "card", "what": what}):
                assert parse_faults(what)
            case Sim(do="fault", arguments={"where": "pad", "what": what}):
                Schedule(WIRE_FAULTS | PAD_FAULTS).set(what)
            case Sim(do="fault", arguments={"where": "platform", "what": what}):
                FaultPlan(what)
            case Sim(do="fault", arguments={"where": "scanner", "what": what}):
                Schedule(ANSWER_FAULTS | CODE_FAULTS).set(what)
            case Sim(do="fault", arguments={"where": "printer", "what": what}):
                of_jobs = {f"job-{name}": value for name, value in PRINTER_FAULTS.items()}
                Schedule(PRINTER_FAULTS | of_jobs).set(what)
            case Sim(do="fault", arguments={"where": "id_reader", "what": what}):
                Schedule(WIRE_FAULTS | ID_FAULTS | READ_FAULTS).set(what)
            case Sim(do="idcard", arguments={"card": card}):
                id_card(card)
            case Sim(do="ecard", arguments={"card": card, "state": state}):
                holder_named(card)
                CodeState(state)
            case Sim(do="fault", arguments={"where": "dispenser", "what": what}):
                Schedule(WIRE_FAULTS | DISPENSER_FAULTS).set(what)
            case Sim(do="pcscd"):
                assert visit.ways == {Way.PCSCD}
            case Sim(do="reader"):
                assert Way.DIRECT not in visit.ways
            case Sim(do="bin" | "stick" | "dispenser"):
                assert visit.ways == {Way.DISPENSER}
            case _:
                pass


def test_every_kind_of_the_hall_is_visited() -> None:
    cards = {step.card for visit in VISITS for step in visit.steps if isinstance(step, Insert)}
    assert cards == {name for name, _, _ in INSERTABLE} - {"resident:N"}
    expected = {step.screen for visit in VISITS for step in visit.steps if isinstance(step, Expect)}
    for failure in (
        "card-not-genuine", "card-unknown", "card-mute", "card-lost", "card-cancelled",
        "pin-blocked", "card-removed", "reader-gone", "pad-gone", "pad-tampered",
        "platform-unavailable",
    ):  # fmt: skip
        assert f"failure.{failure}" in expected
    assert {"pin.rejected", "overview", "card-status", "take-card"} <= expected
    for problem in (
        "not-ours", "expired", "used", "wrong-channel", "offline",
        "card-platform", "certificate", "government-service",
    ):  # fmt: skip
        assert f"identify.{problem}" in expected
    for problem in IdCardProblem:
        assert f"identify.{problem.value}" in expected
    assert {
        *("preview", "printing", "printing.waiting", "take-sheet", "rating", "risk", "no-proof"),
        *("verified.genuine", "verified.offline.forged", "verified.offline.genuine-seal"),
        *("failure.print-unknown", "failure.certificate-offline", "failure.risk-blocked"),
    } <= expected
    assert any(isinstance(step, ExpectAlarm) for visit in VISITS for step in visit.steps)


def test_failures_are_those_of_the_terminal() -> None:
    assert set(kinds()) == FAILURES


@pytest.mark.parametrize("kind", [Expect, lambda name: Stays(name, 1)])
def test_screen_of_another_name_is_refused(kind: object) -> None:
    with pytest.raises(ValueError, match="no screen"):
        kind("pin.reject")  # type: ignore[operator]
    assert "pin.rejected" in SCREENS


def test_keys_are_never_told() -> None:
    assert described(Press("123456#")) == "press 7 keys"
    assert "123456" not in repr(Press("123456#"))


def test_choice_by_part_of_the_name() -> None:
    assert [visit.name for visit in chosen(["V3 CARD"])] == ["v3 card"]
    assert chosen(None) == VISITS
    with pytest.raises(NoSuchVisit, match="walks away"):
        chosen(["nonsense"])
