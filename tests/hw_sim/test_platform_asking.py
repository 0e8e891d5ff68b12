"""Who asks: by a card or by a ticket, on the three endpoints that name a person; risk rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hw_sim.population import population
from tests.hw_sim.platform_terminal import NewDatabase, Stage, Terminal, by_card, rows, staged

ITEM = "429900-CERT-PARTICIPATION"
ENDPOINTS: dict[str, dict[str, object]] = {
    "/v1/overviews": {"purpose": "self-query"},
    "/v1/risk-verdicts": {"item": ITEM},
    "/v1/certificates": {"kind": "participation", "months": 24},
}
STRANGER = {"aac002": "42990019000101999X"}

Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory, new_database: NewDatabase) -> Path | str:
    return new_database(tmp_path_factory.mktemp("platform"))


@pytest.fixture(scope="module")
def stage(database: Path | str) -> Iterator[Stage]:
    with staged(database) as stage:
        yield stage


@pytest.fixture(params=ENDPOINTS)
def ask(request: pytest.FixtureRequest, stage: Stage) -> Ask:
    """Asks one endpoint; gives the problem's name, or the whole reply."""
    path = request.param

    def give(person: dict[str, Any], by: Terminal | None = None) -> Any:
        reply = (by or stage.terminal).call("POST", path, person | ENDPOINTS[path])
        assert reply.problem or reply.status in (200, 201)
        return reply.problem or reply

    return give


def test_a_card_or_a_ticket_names_a_person(stage: Stage, ask: Ask) -> None:
    assert ask(by_card(0)).document
    assert ask(by_card(0) | {"evidence": ["card-genuine"]}).document
    asked = stage.by_ecard("v3")
    assert ask(asked).document
    assert ask(asked | {"ticket": asked["ticket"].upper()}).document


def test_both_or_neither_is_invalid(stage: Stage, ask: Ask) -> None:
    asked = stage.by_ecard("v3")
    both = by_card(0) | asked | {"evidence": ["card-genuine", "ecard-verified"]}
    assert ask(both) == "invalid"
    for name in ("ticket", "aaz501"):
        assert ask({key: value for key, value in both.items() if key != name}) != "invalid"
    neither = {key: value for key, value in both.items() if key not in ("ticket", "aaz501")}
    assert ask(neither) == "invalid"
    assert ask(both | {"ticket": None}) == "invalid"


def test_each_needs_its_own_evidence(stage: Stage, ask: Ask) -> None:
    asked = stage.by_ecard("v3")
    assert ask(by_card(0) | {"evidence": ["ecard-verified", "pin-verified"]}) == "forbidden"
    assert ask(asked | {"evidence": ["card-genuine", "pin-verified"]}) == "forbidden"
    assert ask(asked | {"evidence": ["ecard-verified"] * 2}) == "invalid"
    assert ask(asked | {"evidence": []}) == "invalid"


def test_an_id_card_names_its_holder(ask: Ask) -> None:
    named = {"aac002": population()[0].number}
    assert ask(named | {"evidence": ["id-card"]}).document
    assert ask(named | {"evidence": ["card-genuine", "pin-verified"]}) == "invalid"
    assert ask(named | {"aac002": "911124198108030024", "evidence": ["id-card"]}) == "not-found"
    assert ask(named | {"aac002": "XXX110090010101", "evidence": ["id-card"]}) == "invalid"


def test_an_id_card_does_not_make_another_s_card_one_s_own(stage: Stage, ask: Ask) -> None:
    other = {"aac002": population()[1].number}
    assert ask(by_card(0) | other | {"evidence": ["card-genuine", "id-card"]}) == "forbidden"
    assert ask(by_card(0) | {"evidence": ["id-card"]}) == "forbidden"
    ticket = stage.by_ecard("v3")
    assert ask(ticket | {"evidence": ["id-card"]}) == "forbidden"
    assert ask(ticket | other | {"evidence": ["ecard-verified", "id-card"]}) == "forbidden"


def test_what_is_another_persons_is_refused(stage: Stage, ask: Ask) -> None:
    other = {"aac002": population()[1].number}
    assert ask(by_card(0) | other) == "forbidden"
    assert ask(stage.by_ecard("v3") | other) == "forbidden"
    assert ask(by_card(0) | STRANGER) == "not-found"
    assert ask(stage.by_ecard("v3") | STRANGER) == "not-found"
    assert ask(stage.by_ecard("v3") | {"ticket": "0" * 32}) == "forbidden"


def test_a_ticket_is_for_the_terminal_that_got_it(stage: Stage, ask: Ask) -> None:
    asked = stage.by_ecard("v3")
    assert ask(asked, stage.another_terminal()) == "forbidden"
    assert ask(asked).document


def test_a_ticket_lives_for_a_quarter_of_an_hour(stage: Stage, ask: Ask) -> None:
    asked = stage.by_ecard("v3")
    stage.pass_time(899)
    assert ask(asked).document
    stage.pass_time(1)
    assert ask(asked) == "forbidden"


def test_a_new_ticket_does_not_end_another(stage: Stage, ask: Ask) -> None:
    first, second = stage.by_ecard("v3"), stage.by_ecard("v2")
    assert ask(first).document
    assert ask(second).document


def test_tickets_are_kept_as_digests_and_not_for_ever(stage: Stage, database: Path | str) -> None:
    ticket = stage.by_ecard("v3")["ticket"]
    stage.pass_time(901)
    stage.by_ecard("v2")
    kept = [digest for (digest,) in rows(database, "SELECT digest FROM tickets")]
    assert len(kept) == 1
    assert ticket not in kept


def test_an_overview_by_ticket_is_the_one_by_card(stage: Stage) -> None:
    purpose = {"purpose": "self-query"}
    by_ticket = stage.terminal.call("POST", "/v1/overviews", stage.by_ecard("v3") | purpose)
    assert by_ticket.document["aac003"] == "王秀芳"
    assert by_ticket.body == stage.terminal.call("POST", "/v1/overviews", by_card(0) | purpose).body


@pytest.mark.parametrize(
    ("card", "item", "verdict"),
    [
        ("v3", ITEM, {"verdict": "allow", "code": ""}),
        ("risk-warn", ITEM, {"verdict": "warn", "code": "R-0101"}),
        ("risk-block", ITEM, {"verdict": "block", "code": "R-0201"}),
        ("risk-block", "429900-QUERY-ALL", {"verdict": "allow", "code": ""}),
        ("v3", "no.such-item", {"verdict": "allow", "code": ""}),
    ],
)
def test_risk_rules(stage: Stage, card: str, item: str, verdict: dict[str, str]) -> None:
    reply = stage.terminal.call("POST", "/v1/risk-verdicts", stage.by_ecard(card) | {"item": item})
    assert (reply.status, reply.document) == (200, verdict)


@pytest.mark.parametrize("item", ["", "x" * 41, "a b", "事项", 1])
def test_an_item_has_a_form(stage: Stage, item: object) -> None:
    reply = stage.terminal.call("POST", "/v1/risk-verdicts", by_card(0) | {"item": item})
    assert reply.problem == "invalid"


def test_the_rules_hold_for_certificates(stage: Stage) -> None:
    path = "/v1/certificates"
    blocked = stage.terminal.call("POST", path, stage.by_ecard("risk-block") | ENDPOINTS[path])
    assert blocked.problem == "forbidden"
    assert "R-0201" in blocked.document["detail"]
    warned = stage.terminal.call("POST", path, stage.by_ecard("risk-warn") | ENDPOINTS[path])
    assert json.loads(warned.document["content"])["kind"] == "participation"
