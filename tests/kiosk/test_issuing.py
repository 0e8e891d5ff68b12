"""Asking for a certificate leaves an intent, whose end is known sooner or later."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kiosk import issuing
from kiosk.clock import VirtualClock
from kiosk.documents.certificate import CertificateRefused, Refusal
from kiosk.intents import IntentOutcome, Intents
from kiosk.issuing import Issuing
from kiosk.platform.errors import Outage, PlatformRefused, PlatformUnavailable, Problem
from kiosk.platform.models import Asker, Evidence, Submission
from tests.kiosk.terminal_double import NUMBER, TICKET, Audit

ASKER = Asker(NUMBER, None, TICKET, frozenset({Evidence.ECARD_VERIFIED}))


class Line:
    def __init__(self) -> None:
        self.answer: Callable[[], object] = object
        self.keys: list[str] = []
        self.known: dict[str, Submission] = {}

    def certificate(self, asker: Asker, kind: str, months: int, *, key: str) -> object:
        self.keys.append(key)
        return self.answer()

    def submission(self, key: str) -> Submission | None:
        return self.known.get(key)


def _raise(error: Exception) -> Callable[[], object]:
    def answer() -> object:
        raise error

    return answer


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def intents(tmp_path: Path) -> Intents:
    return Intents(tmp_path / "intents.sqlite", VirtualClock())


@pytest.fixture
def desk(line: Line, intents: Intents, monkeypatch: pytest.MonkeyPatch) -> Issuing:
    monkeypatch.setattr(issuing, "verify", lambda sealed, seals, today: sealed)
    seals: Any = None
    client: Any = line
    audit = Audit()
    return Issuing(
        client, intents, seals, "T429900-0003", VirtualClock(), audit.write, lambda n: bytes(n)
    )


def _outcome(intents: Intents, key: str) -> IntentOutcome | None:
    found = intents.find(key)
    assert found is not None
    return found.outcome


def test_the_intent_stands_before_the_question_and_names_nobody(
    desk: Issuing, line: Line, intents: Intents
) -> None:
    seen = []
    line.answer = lambda: seen.append(intents.unsettled())
    desk.issue(ASKER, "participation", 24)
    ((intent,),) = seen
    assert json.loads(intent.payload) == {"kind": "participation", "months": 24}
    assert _outcome(intents, line.keys[0]) is IntentOutcome.DONE


def test_what_is_under_way_is_not_asked_for_meanwhile(
    desk: Issuing, line: Line, intents: Intents
) -> None:
    """The courier sets right what is open whenever the line comes back, on a thread of its own."""
    settled: list[int] = []
    line.answer = lambda: settled.append(desk.settle_open())
    desk.issue(ASKER, "participation", 24)
    assert settled == [0]
    assert _outcome(intents, line.keys[0]) is IntentOutcome.DONE


def test_a_refusal_settles_it(desk: Issuing, line: Line, intents: Intents) -> None:
    line.answer = _raise(PlatformRefused(Problem.FORBIDDEN))
    with pytest.raises(PlatformRefused):
        desk.issue(ASKER, "participation", 24)
    assert _outcome(intents, line.keys[0]) is IntentOutcome.FAILED


def test_a_refusal_of_the_moment_leaves_it_open(
    desk: Issuing, line: Line, intents: Intents
) -> None:
    line.answer = _raise(PlatformRefused(Problem.IN_PROGRESS))
    with pytest.raises(PlatformRefused):
        desk.issue(ASKER, "participation", 24)
    assert _outcome(intents, line.keys[0]) is None


@pytest.mark.parametrize(
    ("known", "outcome"),
    [
        (Submission(201, {}), IntentOutcome.DONE),
        (Submission(403, {}), IntentOutcome.FAILED),
        (None, IntentOutcome.FAILED),
    ],
)
def test_a_lost_answer_is_asked_for_by_its_key(
    desk: Issuing,
    line: Line,
    intents: Intents,
    known: Submission | None,
    outcome: IntentOutcome,
) -> None:
    line.answer = _raise(PlatformUnavailable(Outage.CUT_SHORT))
    with pytest.raises(PlatformUnavailable):
        desk.issue(ASKER, "participation", 24)
    (key,) = line.keys
    assert _outcome(intents, key) is None
    if known is not None:
        line.known[key] = known
    assert desk.settle_open() == 1
    assert _outcome(intents, key) is outcome
    assert desk.settle_open() == 0


def test_what_is_not_what_it_must_be_goes_no_further(
    desk: Issuing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> object:
        raise CertificateRefused(Refusal.SIGNATURE)

    monkeypatch.setattr(issuing, "verify", refuse)
    with pytest.raises(CertificateRefused):
        desk.issue(ASKER, "participation", 24)
