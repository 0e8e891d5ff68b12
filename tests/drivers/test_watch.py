"""Watching a device: what flickers is not told, what stays is told once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.watch import (
    Back,
    Change,
    Changed,
    Health,
    Instant,
    Lost,
    NoteAdded,
    NoteGone,
    Silence,
    Silent,
    Watch,
    WatchTimes,
)


class Reason(Enum):
    GONE = "gone"
    JAM = "jam"
    DOOR = "door"


class Note(Enum):
    LOW = "low"
    DIRTY = "dirty"


@dataclass(frozen=True)
class Look:
    reason: Reason | None
    notes: frozenset[Note] = frozenset()


OK, GONE, JAM, DOOR = Look(None), Look(Reason.GONE), Look(Reason.JAM), Look(Reason.DOOR)
LOW = Look(None, frozenset({Note.LOW}))
TIMES = WatchTimes()
BOOT = 1_700_000_000.0
LOOKS = st.lists(
    st.builds(Look, st.sampled_from([None, *Reason]), st.frozensets(st.sampled_from(Note))),
    max_size=40,
)


def at(second: float) -> Instant:
    return Instant(second, BOOT + second)


def told(*looks: Look, watch: Watch | None = None) -> list[list[Change]]:
    """What each look changes, one a second."""
    watch = watch or Watch()
    return [list(watch.seen(look, at(second))) for second, look in enumerate(looks)]


def flat(*looks: Look) -> list[Change]:
    return [change for changes in told(*looks) for change in changes]


def test_gone_only_after_three_misses_in_a_row() -> None:
    assert told(OK, GONE, GONE, GONE) == [[], [], [], [Lost(Reason.GONE)]]
    assert flat(OK, *[GONE, GONE, OK] * 5) == []


def test_an_obstacle_at_its_second_sight() -> None:
    assert told(OK, JAM, JAM, JAM) == [[], [], [Lost(Reason.JAM)], []]
    assert flat(OK, *[JAM, OK] * 5) == []


def test_back_at_the_first_good_look_with_how_long_it_was_away() -> None:
    assert told(OK, JAM, JAM, DOOR, OK, OK)[4:] == [[Back(3.0)], []]


def test_another_obstacle_while_it_is_away() -> None:
    assert flat(JAM, JAM, DOOR, JAM, DOOR, DOOR, GONE, GONE, GONE) == [
        Lost(Reason.JAM),
        Changed(Reason.DOOR),
        Changed(Reason.GONE),
    ]


def test_what_never_serves_is_told_though_its_reasons_take_turns() -> None:
    assert told(OK, GONE, JAM, GONE)[3] == [Lost(Reason.JAM)]
    assert told(OK, JAM, DOOR, JAM)[3] == [Lost(Reason.JAM)]


def test_a_device_that_was_never_there_is_lost_and_one_that_was_is_not_told() -> None:
    assert flat(GONE, GONE, GONE) == [Lost(Reason.GONE)]
    assert flat(OK, OK) == []


def test_a_call_that_does_not_come_back_is_a_miss() -> None:
    watch = Watch()
    watch.seen(OK, at(0))
    changes = [watch.seen(look, at(1)) for look in (GONE, Silent(), GONE)]
    assert changes == [(), (), (Lost(Reason.GONE),)]
    assert [watch.seen(Silent(), at(2)) for _ in range(4)] == 4 * [()]
    assert Watch().seen(Silent(), at(0)) == () and Silent().reason is Silence.GONE


def test_health_says_since_when_by_the_first_look() -> None:
    watch = Watch()
    assert watch.health is None
    told(OK, OK, GONE, GONE, watch=watch)
    assert watch.health == Health(None, at(0))
    watch.seen(GONE, at(9))
    assert watch.health == Health(Reason.GONE, at(2))
    watch.seen(OK, at(10))
    assert watch.health == Health(None, at(10))


def test_a_note_at_its_second_sight_and_away_at_its_second_absence() -> None:
    assert told(OK, LOW, LOW, OK, LOW, OK, OK) == [
        [], [], [NoteAdded(Note.LOW)], [], [], [], [NoteGone(Note.LOW)],
    ]  # fmt: skip


def test_who_does_not_answer_has_said_nothing_of_its_notes() -> None:
    assert flat(LOW, LOW, GONE, GONE, GONE, LOW) == [
        NoteAdded(Note.LOW),
        Lost(Reason.GONE),
        Back(3.0),
    ]


def test_looks_away_are_fast_at_first_then_slower_to_a_limit() -> None:
    watch = Watch(TIMES, random=lambda: 0.5)
    assert watch.wait == 0
    waits = []
    for second in range(12):
        watch.seen(GONE, at(second))
        waits.append(watch.wait)
    doubt, first, limit = TIMES.doubt, TIMES.away_first, TIMES.away_limit
    assert waits == [doubt, doubt, first, 2 * first, 4 * first, 8 * first, 16 * first] + 5 * [limit]
    watch.seen(OK, at(12))
    assert watch.wait == TIMES.steady
    for second in (13, 14, 15):
        watch.seen(GONE, at(second))
    assert watch.wait == first, "begins anew"


@pytest.mark.parametrize(("drawn", "share"), [(0.0, 1 - TIMES.jitter), (1.0, 1 + TIMES.jitter)])
def test_waits_away_are_jittered(drawn: float, share: float) -> None:
    watch = Watch(TIMES, random=lambda: drawn)
    for second in range(3):
        watch.seen(GONE, at(second))
    assert watch.wait == pytest.approx(TIMES.away_first * share)


def test_a_note_in_doubt_is_looked_at_again_soon() -> None:
    watch = Watch()
    waits = []
    for second, look in enumerate((OK, LOW, LOW)):
        watch.seen(look, at(second))
        waits.append(watch.wait)
    assert waits == [TIMES.steady, TIMES.doubt, TIMES.steady]


# --- any looks at all ---------------------------------------------------------------------------


@given(LOOKS)
def test_lost_and_back_take_turns(looks: list[Look]) -> None:
    lost: Enum | None = None
    for changes in told(*looks):
        for change in changes:
            match change:
                case Lost(reason):
                    assert lost is None
                    lost = reason
                case Changed(reason):
                    assert lost not in (None, reason)
                    lost = reason
                case Back():
                    assert lost is not None
                    lost = None
                case NoteAdded() | NoteGone():
                    pass


@given(LOOKS)
def test_gone_is_never_told_before_three_misses(looks: list[Look]) -> None:
    for number, changes in enumerate(told(*looks), 1):
        if Lost(Reason.GONE) in changes or Changed(Reason.GONE) in changes:
            assert [look.reason for look in looks[:number]][-3:] == 3 * [Reason.GONE]


@given(LOOKS)
def test_nothing_is_told_of_a_single_look(looks: list[Look]) -> None:
    for number, changes in enumerate(told(*looks), 1):
        recent = [look.reason for look in looks[:number]]
        for change in changes:
            if isinstance(change, Lost):
                assert None not in recent[-2:] and len(recent) >= 2
                assert change.reason in recent[-3:]
                assert recent[-2:] == 2 * [change.reason] or None not in recent[-3:]


@given(LOOKS)
def test_health_is_never_behind_by_more_than_three_looks(looks: list[Look]) -> None:
    watch = Watch()
    for number, look in enumerate(looks, 1):
        watch.seen(look, at(number))
        recent = [each.reason for each in looks[:number]][-3:]
        if recent[-1] is None:
            assert watch.health is not None and watch.health.reason is None
        elif len(recent) == 3 and None not in recent:
            assert watch.health is not None and watch.health.reason is not None
            if len(set(recent)) == 1:
                assert watch.health.reason is recent[0]
                assert watch.health.since.monotonic <= number - 2


@given(LOOKS)
def test_the_changes_alone_tell_the_health(looks: list[Look]) -> None:
    watch = Watch()
    reason: Enum | None = None
    notes: set[Enum] = set()
    for number, look in enumerate(looks):
        for change in watch.seen(look, at(number)):
            match change:
                case Lost(reason) | Changed(reason):
                    pass
                case Back():
                    reason = None
                case NoteAdded(note):
                    assert note not in notes
                    notes.add(note)
                case NoteGone(note):
                    notes.remove(note)
        if watch.health is not None:
            assert (watch.health.reason, watch.health.notes) == (reason, notes)


@given(LOOKS)
def test_notes_follow_what_is_seen_twice(looks: list[Look]) -> None:
    watch = Watch()
    for number, look in enumerate(looks, 1):
        was = watch.health
        watch.seen(look, at(number))
        if was is None or len(looks[:number]) < 2:
            continue
        first, second = looks[number - 2 : number]
        if Reason.GONE not in (first.reason, second.reason) and first.notes == second.notes:
            assert watch.health is not None and watch.health.notes == second.notes


@given(LOOKS, st.floats(0, 1))
def test_waits_stay_within_their_limits(looks: list[Look], drawn: float) -> None:
    watch = Watch(TIMES, random=lambda: drawn)
    for number, look in enumerate(looks):
        watch.seen(look, at(number))
        away = TIMES.away_first * (1 - TIMES.jitter), TIMES.away_limit * (1 + TIMES.jitter)
        in_steps = watch.wait in (TIMES.steady, TIMES.doubt)
        assert in_steps or away[0] <= watch.wait <= away[1]
        if look.reason is None and look.notes == (watch.health or Health(None, at(0))).notes:
            assert watch.wait == TIMES.steady
