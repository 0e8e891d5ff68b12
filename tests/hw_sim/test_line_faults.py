"""The schedule of the line's faults: what can be written, what it means, when it is over."""

from __future__ import annotations

import pytest

from hw_sim.line.faults import Fault, Kind, LineFaultError, LinePlan

WRITTEN = {
    "latency=300": Fault(Kind.LATENCY, 300),
    "latency=300~50": Fault(Kind.LATENCY, 300, 50),
    "drip=200": Fault(Kind.DRIP, 200),
    "cut-request=0": Fault(Kind.CUT_REQUEST, 0),
    "cut-answer=17": Fault(Kind.CUT_ANSWER, 17),
    "fin-request=9": Fault(Kind.FIN_REQUEST, 9),
    "fin-answer=9": Fault(Kind.FIN_ANSWER, 9),
    "reset": Fault(Kind.RESET),
    "reset-after-commit": Fault(Kind.RESET_AFTER_COMMIT),
    "duplicate-answer": Fault(Kind.DUPLICATE_ANSWER),
    "stale-answer": Fault(Kind.STALE_ANSWER),
    "duplicate-request": Fault(Kind.DUPLICATE_REQUEST),
    "refuse": Fault(Kind.REFUSE),
    "black-hole": Fault(Kind.BLACK_HOLE),
}


def test_every_kind_can_be_written() -> None:
    assert {fault.kind for fault in WRITTEN.values()} == set(Kind)


@pytest.mark.parametrize("written", WRITTEN)
def test_a_fault_is_read_as_it_is_written(written: str) -> None:
    fault = WRITTEN[written]
    assert LinePlan(f"1:{written}").next() == {fault.kind: fault}


@pytest.mark.parametrize(
    "script",
    [
        "reset", "0:reset", "x:reset", "3-2:reset", "1:nothing", "1:reset=3", "1:latency",
        "1:latency=", "1:latency=3~", "1:drip=0", "1:drip=3~1", "1:cut-answer=3~1", "1:cut-answer",
        "2-4:refuse", "1:refuse=5", "1:reset 2:reset", "-1:reset", "١:reset",
    ],
)  # fmt: skip
def test_what_is_no_schedule_is_refused_whole(script: str) -> None:
    plan = LinePlan()
    with pytest.raises(LineFaultError):
        plan.add(f"1:black-hole,{script}")
    assert plan.pending == 0


def _struck(plan: LinePlan, count: int) -> list[str]:
    return [",".join(sorted(kind.value for kind in plan.next())) for _ in range(count)]


def test_a_rule_strikes_once_in_a_range_or_until_it_is_lifted() -> None:
    plan = LinePlan("2:reset; 2-3:drip=9, *:latency=1;")
    assert _struck(plan, 4) == ["latency", "drip,latency,reset", "drip,latency", "latency"]
    assert plan.pending == 1
    plan.clear()
    assert (_struck(plan, 1), plan.pending) == ([""], 0)


def test_a_rule_counts_from_when_it_was_set_and_the_newest_of_a_kind_holds() -> None:
    plan = LinePlan("*:drip=9")
    plan.next()
    plan.add("2:drip=7")
    assert [plan.next()[Kind.DRIP].amount for _ in range(3)] == [9, 7, 9]


def test_a_line_that_is_to_refuse_does_so_until_that_is_lifted() -> None:
    plan = LinePlan("*:refuse")
    told = [plan.refuses]
    plan.clear()
    told.append(plan.refuses)
    plan.add("2:refuse")
    for _ in range(3):
        plan.next()
        told.append(plan.refuses)
    assert told == [True, False, False, True, True]
    assert plan.pending == 1
