"""E-cards at the platform: a code is looked at once, and follows the card."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hw_sim.population import CardState, population
from tests.hw_sim.platform_terminal import NewDatabase, Stage, new_idempotency_key, rows, staged

PERSON = population()[0]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory, new_database: NewDatabase) -> Path | str:
    return new_database(tmp_path_factory.mktemp("platform"))


@pytest.fixture(scope="module")
def stage(database: Path | str) -> Iterator[Stage]:
    with staged(database) as stage:
        yield stage


def test_a_fresh_code_names_its_holder(stage: Stage) -> None:
    code = stage.server.issue_ecard("v3")
    assert re.fullmatch(r"SSC1[0-9A-Za-z]{40}", code)
    answer = stage.verify(code)
    assert answer.status == 200
    holder = answer.document["holder"]
    ticket = holder.pop("ticket")
    assert re.fullmatch(r"[0-9a-f]{32}", ticket)
    assert holder == {"aac002": PERSON.number, "aac003": PERSON.name}
    assert answer.document["result"] == "verified"


def test_a_code_is_good_for_one_look(stage: Stage) -> None:
    code = stage.server.issue_ecard("v3")
    assert stage.verify(code).document["result"] == "verified"
    assert stage.verify(code).document == {"result": "used", "holder": None}


def test_the_same_request_gets_the_first_answer(stage: Stage) -> None:
    request = {
        "code": stage.server.issue_ecard("v3"),
        "channel": "self-service",
        "aab301": "429900",
    }
    key = new_idempotency_key()
    first = stage.terminal.call("POST", "/v1/ecard-verifications", request, key=key)
    again = stage.terminal.call("POST", "/v1/ecard-verifications", request, key=key)
    assert first.document["result"] == "verified"
    assert again.body == first.body
    other = request | {"code": stage.server.issue_ecard("v2")}
    reply = stage.terminal.call("POST", "/v1/ecard-verifications", other, key=key)
    assert reply.problem == "conflicting-reuse"


@pytest.mark.parametrize("word", ["expired", "used", "wrong-channel"])
def test_codes_that_are_no_good_from_the_start(stage: Stage, word: str) -> None:
    code = stage.server.issue_ecard("v3", word)
    for _ in range(2):
        assert stage.verify(code).document == {"result": word, "holder": None}


@pytest.mark.parametrize("code", ["SSC1" + "x" * 40, "!", "~" * 512, "6" * 18])
def test_a_code_that_is_not_ours_is_unknown(stage: Stage, code: str) -> None:
    assert stage.verify(code).document == {"result": "unknown", "holder": None}


def test_a_code_is_told_by_every_character(stage: Stage) -> None:
    code = stage.server.issue_ecard("v3")
    for other in (code.swapcase(), code[:-1], code + "0", "SSC2" + code[4:]):
        assert stage.verify(other).document["result"] == "unknown"
    assert stage.verify(code).document["result"] == "verified"


def test_a_code_lives_for_a_minute(stage: Stage) -> None:
    in_time, late = stage.server.issue_ecard("v3"), stage.server.issue_ecard("v3")
    stage.pass_time(59)
    assert stage.verify(in_time).document["result"] == "verified"
    stage.pass_time(1)
    assert stage.verify(late).document["result"] == "expired"


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (CardState.LOST, "card-lost"),
        (CardState.TEMPORARILY_LOST, "card-lost"),
        (CardState.LOCKED, "card-locked"),
        (CardState.SEALED, "card-locked"),
        (CardState.CANCELLED, "card-cancelled"),
    ],
)
def test_the_ecard_follows_the_card(stage: Stage, state: CardState, word: str) -> None:
    card = population()[12].card
    code = stage.server.issue_ecard("resident:12")
    stage.server.set_card_state(card.card_number, state)
    assert stage.verify(code).document == {"result": word, "holder": None}
    # The first look used it up, also when the card is back.
    stage.server.set_card_state(card.card_number, CardState.NORMAL)
    assert stage.verify(code).document["result"] == "used"
    assert stage.verify(stage.server.issue_ecard("resident:12")).document["result"] == "verified"


@pytest.mark.parametrize(
    ("name", "index"), [("lost", 3), ("cancelled", 4), ("risk-warn", 40), ("no-record", 54)]
)
def test_names_of_holders(stage: Stage, name: str, index: int) -> None:
    reply = stage.verify(stage.server.issue_ecard(name))
    if index > 6:
        assert reply.document["holder"]["aac002"] == population()[index].number
    else:
        assert reply.document == {"result": f"card-{name}", "holder": None}


@pytest.mark.parametrize("name", ["unknown", "mute", "psam", "nobody", "resident:9999", ""])
def test_a_card_without_a_holder_has_no_ecard(stage: Stage, name: str) -> None:
    with pytest.raises(LookupError):
        stage.server.issue_ecard(name)


def test_a_state_that_no_code_has(stage: Stage) -> None:
    with pytest.raises(ValueError, match="torn"):
        stage.server.issue_ecard("v3", "torn")


def test_of_many_terminals_at_once_one_gets_the_holder(stage: Stage) -> None:
    terminals = [stage.another_terminal() for _ in range(6)]
    for _ in range(5):
        code = stage.server.issue_ecard("v3")
        with ThreadPoolExecutor(len(terminals)) as pool:
            replies = list(pool.map(lambda by, code=code: stage.verify(code, by=by), terminals))
        words = sorted(reply.document["result"] for reply in replies)
        assert words == ["used"] * 5 + ["verified"]


def test_a_terminal_of_another_division_learns_nothing(stage: Stage) -> None:
    code = stage.server.issue_ecard("v3")
    assert stage.verify(code, aab301="110000").problem == "forbidden"
    assert stage.verify(code).document["result"] == "verified"


@pytest.mark.parametrize(
    "changes",
    [
        {"code": ""},
        {"code": "x" * 513},
        {"code": "a b"},
        {"code": "电子社保卡"},
        {"code": None},
        {"channel": "payment"},
        {"aab301": "4299"},
        {"busiSeq": "1"},
    ],
    ids=str,
)
def test_a_verification_has_a_form(stage: Stage, changes: dict[str, object]) -> None:
    request = {"code": "x", "channel": "self-service", "aab301": "429900"} | changes
    reply = stage.terminal.call("POST", "/v1/ecard-verifications", request)
    assert reply.problem == "invalid"


def test_a_code_is_kept_as_its_digest_only(stage: Stage, database: Path | str) -> None:
    code = stage.server.issue_ecard("v3")
    kept = str(rows(database, "SELECT * FROM ecard_codes"))
    assert hashlib.new("sm3", code.encode()).hexdigest() in kept
    assert code not in kept
    assert code[4:] not in kept
