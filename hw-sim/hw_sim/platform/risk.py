"""Risk rules: allow, warn, or block with a code, by item and person (``risk.toml``)."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files

from sqlalchemy.orm import Session

from hw_sim.platform import wire
from hw_sim.platform.asking import person_asking
from hw_sim.platform.idempotency import Exchange
from hw_sim.platform.model import Person
from hw_sim.platform.operations import answer
from hw_sim.platform.problems import Answer
from hw_sim.platform.residents import facts

_ALLOW = wire.RiskAnswer(verdict="allow", code="")


@cache
def _rules() -> Mapping[tuple[str, int], wire.RiskAnswer]:
    """By item code and person id."""
    text = files("hw_sim.platform").joinpath("risk.toml").read_text("utf-8")
    holders = facts()["ecard_holders"]
    return {
        (rule["item"], holders[rule["holder"]] + 1): wire.RiskAnswer(
            verdict=rule["verdict"], code=rule["code"]
        )
        for rule in tomllib.loads(text)["rule"]
    }


def risk_of(item: str, person: Person) -> wire.RiskAnswer:
    """What the rules say when this person asks for this item."""
    return _rules().get((item, person.id), _ALLOW)


def risk_verdict(request: wire.RiskRequest, exchange: Exchange) -> Callable[[Session], Answer]:
    """Raises of the effect: Problem, as ``person_asking``."""

    def effect(session: Session) -> Answer:
        return answer(risk_of(request.item, person_asking(session, request, exchange)))

    return effect
