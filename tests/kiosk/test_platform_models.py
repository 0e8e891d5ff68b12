"""Reading the platform's answers: to the letter of the contract, and nothing shown by repr."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.platform import answers, wire
from kiosk.platform.errors import PlatformAnswerMalformed
from kiosk.platform.models import (
    AccountState,
    AlarmReceipt,
    Annuity,
    CardVerdict,
    Catalogue,
    Contribution,
    Month,
    NoAnnuity,
    Overview,
    PaymentState,
    Pension,
    PersonalPension,
    Status,
    Submission,
    Unavailable,
    UnavailableReason,
    Unemployment,
    WorkInjury,
)
from kiosk.platform.overview_answer import decode_overview
from tests.kiosk.platform_line import NAME
from tests.kiosk.platform_samples import EMPLOYER, JSON, OVERVIEW


def test_all_five_blocks() -> None:
    overview = decode_overview(OVERVIEW)
    assert (overview.name, overview.as_of) == (NAME, date(2026, 11, 20))
    assert isinstance(overview.pension, Pension)
    assert overview.pension.recent[0] == Contribution(Month(2025, 11), 500_000, True)
    assert overview.pension.recent[11] == Contribution(Month(2026, 10), 500_011, False)
    assert overview.pension.retirement == Month(2029, 8)
    assert (overview.pension.months, overview.pension.account_fen) == (291, 8_765_432)
    assert overview.pension.state is PaymentState.PAYING
    assert overview.unemployment == Unemployment(120, PaymentState.PAUSED)
    assert overview.work_injury == WorkInjury(PaymentState.RECEIVING, EMPLOYER)
    assert overview.annuity == Annuity(1_234_567, Month(2026, 10))
    assert overview.personal_pension == PersonalPension(AccountState.OPEN, 600_000, 1_200_000)


def test_blocks_without_data() -> None:
    document = copy.deepcopy(OVERVIEW)
    blocks = document["blocks"]
    blocks["pension"]["retirement"] = None
    blocks["annuity"] = {"available": True, "state": "none"}
    for name, reason in (("unemployment", "maintenance"), ("work_injury", "not-connected")):
        blocks[name] = {"available": False, "reason": reason}
    blocks["personal_pension"] = {"available": False, "reason": "no-record"}
    overview = decode_overview(document)
    assert isinstance(overview.pension, Pension)
    assert overview.pension.retirement is None
    assert overview.annuity == NoAnnuity()
    assert overview.unemployment == Unavailable(UnavailableReason.MAINTENANCE)
    assert overview.work_injury == Unavailable(UnavailableReason.NOT_CONNECTED)
    assert overview.personal_pension == Unavailable(UnavailableReason.NO_RECORD)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        for name in value:
            yield (*path, name)
            yield from _paths(value[name], (*path, name))
    elif isinstance(value, list):
        yield from _paths(value[0], (*path, 0))


def _at(document: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        document = document[step]
    return document


PATHS = list(_paths(OVERVIEW))
WRONG: dict[str, Callable[[Any, Any], None]] = {
    "missing": lambda parent, name: parent.pop(name),
    "another type": lambda parent, name: parent.update(
        {name: 1.5 if not isinstance(parent[name], int) else "1"}
    ),
    "null": lambda parent, name: parent.update({name: None}),
    "a list": lambda parent, name: parent.update({name: [parent[name]]}),
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)))
def test_every_field_is_needed_and_typed(path: tuple[Any, ...], wrong: str) -> None:
    document = copy.deepcopy(OVERVIEW)
    if wrong == "null" and path[-1] == "retirement":
        return
    WRONG[wrong](_at(document, path[:-1]), path[-1])
    with pytest.raises(PlatformAnswerMalformed) as caught:
        decode_overview(document)
    assert NAME not in str(caught.value)
    assert EMPLOYER not in str(caught.value)


OBJECTS = [(), *(path for path in PATHS if isinstance(_at(OVERVIEW, path), dict))]
OBJECTS.append(("blocks", "pension", "recent", 0))


@pytest.mark.parametrize("path", OBJECTS, ids=lambda path: ".".join(map(str, path)))
def test_fields_that_the_contract_lacks_are_refused_unnamed(path: tuple[Any, ...]) -> None:
    document = copy.deepcopy(OVERVIEW)
    _at(document, path)[NAME] = NAME
    with pytest.raises(PlatformAnswerMalformed) as caught:
        decode_overview(document)
    assert NAME not in str(caught.value)


@pytest.mark.parametrize(
    "path, value",
    [
        (("blocks", "pension", "months"), -1),
        (("blocks", "pension", "months"), True),
        (("blocks", "pension", "account_fen"), 10**14),
        (("blocks", "pension", "state"), "PAYING"),
        (("blocks", "pension", "retirement"), "2029-13"),
        (("blocks", "pension", "retirement"), "2029-8"),
        (("blocks", "pension", "available"), 1),
        (("as_of",), "2026-02-30"),
        (("as_of",), "20261120"),
        (("aac003",), ""),
        (("aac003",), "x\n"),
        (("aac003",), "x" * 201),
    ],
)
def test_values_out_of_range_are_refused(path: tuple[Any, ...], value: object) -> None:
    document = copy.deepcopy(OVERVIEW)
    _at(document, path[:-1])[path[-1]] = value
    with pytest.raises(PlatformAnswerMalformed):
        decode_overview(document)


@pytest.mark.parametrize(
    "change", [lambda r: r.pop(), lambda r: r.reverse(), lambda r: r.append(r[-1])]
)
def test_recent_is_twelve_months_oldest_first(change: Callable[[list[Any]], None]) -> None:
    document = copy.deepcopy(OVERVIEW)
    change(document["blocks"]["pension"]["recent"])
    with pytest.raises(PlatformAnswerMalformed):
        decode_overview(document)


def test_no_annuity_has_no_balance() -> None:
    document = copy.deepcopy(OVERVIEW)
    document["blocks"]["annuity"] = {"available": True, "state": "none", "balance_fen": 0}
    with pytest.raises(PlatformAnswerMalformed):
        decode_overview(document)


def test_repr_tells_nothing_about_a_person() -> None:
    overview = decode_overview(OVERVIEW)

    def texts(value: object) -> Iterator[str]:
        yield repr(value)
        yield str(value)
        yield f"{value}"

    parts: list[object] = [overview, *vars(overview).values()]
    assert isinstance(overview.pension, Pension)
    parts += overview.pension.recent
    shown = [text for part in parts if part not in (overview.name, overview.as_of)
             for text in texts(part)]  # fmt: skip
    for secret in (NAME, EMPLOYER, "291", "8765432", "1234567", "2029", "500000"):
        assert not [text for text in shown if secret in text]
    assert repr(overview) == "<Overview>"


def test_overviews_are_values() -> None:
    assert decode_overview(OVERVIEW) == decode_overview(OVERVIEW)
    assert isinstance(decode_overview(OVERVIEW), Overview)


@given(st.integers(1, 9999), st.integers(1, 12))
def test_months_round_trip(year: int, month: int) -> None:
    assert Month.parse(str(Month(year, month))) == Month(year, month)


@pytest.mark.parametrize(
    "text", ["2026-00", "2026-13", "0000-01", "2026-1", "2026-011", "２０２６-01"]
)
def test_no_other_months(text: str) -> None:
    with pytest.raises(ValueError):
        Month.parse(text)


@given(st.dictionaries(st.sampled_from(["version", "items", "state", "code"]), JSON))
def test_whatever_comes_is_read_or_malformed(document: dict[str, Any]) -> None:
    for decode, model in (
        (answers.decode_catalogue, Catalogue),
        (answers.decode_status, Status),
        (answers.decode_card_verdict, CardVerdict),
        (answers.decode_submission, Submission),
        (answers.decode_alarm_receipt, AlarmReceipt),
        (answers.decode_cryptogram, bytes),
        (decode_overview, Overview),
    ):
        try:
            decoded = decode(copy.deepcopy(document))
        except PlatformAnswerMalformed:
            continue
        assert isinstance(decoded, model)


@given(st.binary(max_size=60))
def test_any_bytes_are_an_object_or_malformed(body: bytes) -> None:
    try:
        assert isinstance(wire.decode(body), dict)
    except PlatformAnswerMalformed:
        return


@given(st.dictionaries(st.text(max_size=5), JSON.filter(lambda v: v is not None)))
def test_what_we_encode_is_what_others_read(document: dict[str, Any]) -> None:
    assert json.loads(wire.encode(document)) == document
