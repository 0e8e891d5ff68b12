"""What a caller does about each failure of the line, whatever happened."""

from __future__ import annotations

import pytest

from kiosk.platform.errors import (
    PROBLEM_KIND,
    PROBLEM_STATUS,
    ClockWrong,
    Distrust,
    FailureKind,
    NotAdmitted,
    Outage,
    PlatformAnswerMalformed,
    PlatformError,
    PlatformRefused,
    PlatformUnavailable,
    PlatformUntrusted,
    Problem,
)

UNREACHABLE, OVERLOADED = FailureKind.UNREACHABLE, FailureKind.OVERLOADED
REFUSED, REJECTED = FailureKind.REFUSED, FailureKind.REJECTED
INCOMPATIBLE = FailureKind.INCOMPATIBLE

BY_OUTAGE = {
    Outage.NO_CONNECTION: UNREACHABLE,
    Outage.TIMEOUT: UNREACHABLE,
    Outage.CUT_SHORT: UNREACHABLE,
    Outage.TURNED_AWAY: UNREACHABLE,
    Outage.BUSY: OVERLOADED,
}
BY_STATUS = {
    400: {INCOMPATIBLE},
    401: {REFUSED},
    403: {REJECTED},
    404: {REJECTED},
    405: {INCOMPATIBLE},
    409: {OVERLOADED},
    413: {REJECTED},
    422: {REJECTED},
    429: {OVERLOADED},
    500: {OVERLOADED},
    503: {OVERLOADED},
}


@pytest.mark.parametrize("outage", Outage)
def test_no_answer_is_waited_out(outage: Outage) -> None:
    error = PlatformUnavailable(outage, 9)
    assert (error.kind, error.reason) == (BY_OUTAGE[outage], outage.value)
    assert error.retry_after == 9


def test_each_problem_has_one_status_and_one_kind() -> None:
    by_status: dict[int, set[FailureKind]] = {}
    for problem in Problem:
        by_status.setdefault(PROBLEM_STATUS[problem], set()).add(PROBLEM_KIND[problem])
    assert by_status == BY_STATUS


@pytest.mark.parametrize("problem", Problem)
def test_a_refusal_is_of_its_problems_kind(problem: Problem) -> None:
    error = PlatformRefused(problem, 4)
    assert (error.kind, error.reason) == (PROBLEM_KIND[problem], problem.value)
    assert (error.status, error.retry_after) == (PROBLEM_STATUS[problem], 4)
    assert error.final is (error.kind in (REJECTED, INCOMPATIBLE))


@pytest.mark.parametrize("distrust", Distrust)
def test_what_is_not_believed_is_for_people_to_look_at(distrust: Distrust) -> None:
    error = PlatformUntrusted(distrust)
    assert (error.kind, error.reason) == (INCOMPATIBLE, distrust.value)


@pytest.mark.parametrize(
    "error, kind, reason",
    [
        (NotAdmitted(), REFUSED, "client-certificate"),
        (ClockWrong(1_800_000_000), REFUSED, "clock"),
        (PlatformAnswerMalformed("items", "is no list"), INCOMPATIBLE, "malformed-answer"),
    ],
)
def test_the_other_failures(error: PlatformError, kind: FailureKind, reason: str) -> None:
    assert (error.kind, error.reason, error.retry_after) == (kind, reason, None)


def test_every_failure_is_tested_here() -> None:
    assert set(PlatformError.__subclasses__()) == {
        PlatformUnavailable,
        PlatformRefused,
        PlatformUntrusted,
        NotAdmitted,
        ClockWrong,
        PlatformAnswerMalformed,
    }
