"""Recordings of whole workflows, kept as text: whoever changes what goes to a card sees it.

``pytest tests/apdu/test_golden_transcripts.py --regenerate`` writes them anew from the simulated
cards; the difference is for a reviewer to read.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from apdu.holder import Holder, Issuer
from apdu.reading import CardReading
from apdu.recording.recorder import RecordingTransport
from apdu.recording.replay import Mode, ReplayTransport
from apdu.recording.stand_ins import StandIns
from apdu.recording.transcript import Transcript
from hw_sim.cards.catalogue import holder
from hw_sim.population import DEMO_PIN
from tests.apdu.card_in_process import insert
from tests.apdu.workflows import WORKFLOWS, WRONG_PIN, Workflow

FOLDER = Path(__file__).parent / "transcripts"
KEY = b"the golden transcripts are the same each time"

KEPT = {workflow.name: workflow for workflow in WORKFLOWS if workflow.repeats}

each_workflow = pytest.mark.parametrize("workflow", KEPT.values(), ids=KEPT.keys())


def record(workflow: Workflow) -> tuple[dict[str, str], object]:
    """The text of each transcript by its file's name, and what the workflow returned."""
    stand_ins = StandIns(KEY)
    card, psam = (
        RecordingTransport(insert(name), stand_ins, clock=lambda: 0)
        for name in (workflow.card, "psam")
    )
    outcome = workflow.run(card, psam)
    found = {f"{workflow.name}.txt": card, f"{workflow.name}-psam.txt": psam}
    texts = {name: each.transcript for name, each in found.items()}
    return {name: each.text() for name, each in texts.items() if each.events}, outcome


def replay(workflow: Workflow, mode: Mode = Mode.STRICT) -> object:
    """What the workflow returns on its golden transcripts."""
    card, psam = (_transport(f"{workflow.name}{kind}.txt", mode) for kind in ("", "-psam"))
    outcome = workflow.run(card, psam)
    assert card.depleted and psam.depleted
    return outcome


def _transport(name: str, mode: Mode) -> ReplayTransport:
    file = FOLDER / name
    text = file.read_text("ascii") if file.exists() else "# ATR: 3B00\n"
    return ReplayTransport(Transcript.parse(text), mode=mode)


@each_workflow
def test_a_workflow_says_to_the_card_what_it_said(workflow: Workflow, regenerate: bool) -> None:
    texts, _ = record(workflow)
    if regenerate:
        for name, text in texts.items():
            (FOLDER / name).write_text(text, "ascii")
    kept = {path.name: path.read_text("ascii") for path in FOLDER.glob("*.txt")}
    names = {f"{workflow.name}.txt", f"{workflow.name}-psam.txt"}
    assert {name: text for name, text in kept.items() if name in names} == texts


def test_no_transcript_is_left_over() -> None:
    names = {f"{workflow}{kind}.txt" for workflow in KEPT for kind in ("", "-psam")}
    assert {path.name for path in FOLDER.iterdir()} <= names


def nobody(reading: CardReading) -> CardReading:
    """A reading without what its transcript hides."""
    no_issuer: Any = {"card_id": b"", "card_number": ""}
    no_holder: Any = {
        "social_security_number": "",
        "name": "",
        "sex": None,
        "nation": "",
        "birthplace": "",
        "birth_date": None,
    }
    found = reading.holder
    return replace(
        reading,
        atr=reading.atr[:-4],
        issuer=replace(reading.issuer, **no_issuer),
        holder=None if found is None else replace(found, **no_holder),
    )


@pytest.mark.parametrize("mode", Mode)
@each_workflow
def test_a_replay_gives_the_same_but_for_the_person(workflow: Workflow, mode: Mode) -> None:
    _, truth = record(workflow)
    outcome = replay(workflow, mode)
    if not isinstance(truth, CardReading):
        assert outcome == truth
        return
    assert isinstance(outcome, CardReading)
    assert nobody(outcome) == nobody(truth)
    assert (outcome.genuine, outcome.consistent) == (truth.genuine, truth.consistent)
    assert outcome.issuer.card_number == "A00000000" != truth.issuer.card_number
    assert outcome.issuer.card_id[:8] == truth.issuer.card_id[:8]
    assert outcome.issuer.card_id[8:12] == outcome.atr[-4:] != truth.atr[-4:]
    check_holder(outcome.holder, truth.holder)


def check_holder(found: Holder | None, truth: Holder | None) -> None:
    if truth is None:
        assert found is None
        return
    assert found is not None
    assert (found.name, found.social_security_number) == ("某某", "429900190001010012")
    assert truth.name != found.name
    assert found.birth_date is not None and found.birth_date.isoformat() == "1900-01-01"


@each_workflow
def test_a_transcript_holds_nothing_of_the_card_or_its_holder(workflow: Workflow) -> None:
    resident = holder(workflow.card)
    assert resident is not None
    secrets = (
        DEMO_PIN,
        WRONG_PIN,
        resident.number.encode().hex(),
        resident.name.encode("gb18030").hex(),
        resident.card.card_number.encode().hex(),
        resident.card.serial.hex(),
        f"{resident.born:%Y%m%d}",
    )
    for name in (f"{workflow.name}.txt", f"{workflow.name}-psam.txt"):
        file = FOLDER / name
        text = file.read_text("ascii").lower() if file.exists() else ""
        for at, secret in enumerate(secrets):
            assert secret.lower() not in text, f"secret {at}"


def test_the_issuer_is_recorded_in_full_but_for_the_card() -> None:
    _, truth = record(KEPT["read-v3"])
    outcome = replay(KEPT["read-v3"])
    assert isinstance(truth, CardReading) and isinstance(outcome, CardReading)
    mine, theirs = outcome.issuer, truth.issuer
    assert isinstance(mine, Issuer)
    assert (mine.version, mine.organisation, mine.issued, mine.expires, mine.region) == (
        theirs.version,
        theirs.organisation,
        theirs.issued,
        theirs.expires,
        theirs.region,
    )
