"""A level that flickers: what it counts as."""

from hypothesis import given
from hypothesis import strategies as st

from drivers.sensors import SensorsReason, Settled, settled

OFF = Settled(False, False, 0.0)


def fed(*changes, rise=0.2, fall=1.0, start=OFF):
    now = start
    for at, level in changes:
        now = settled(now, level, at, rise, fall)
    return now


def test_a_level_counts_once_it_has_stayed():
    assert not fed((5.0, True)).value
    assert not fed((5.0, True), (5.19, True)).value
    assert fed((5.0, True), (5.2, True)).value


def test_going_takes_its_own_time():
    on = fed((5.0, True), (6.0, True))
    assert fed((7.0, False), (7.9, False), start=on).value
    assert not fed((7.0, False), (8.0, False), start=on).value


def test_flicker_never_counts():
    flicker = [(5 + 0.1 * turn, turn % 2 == 0) for turn in range(20)]
    assert not fed(*flicker).value


def test_what_had_stayed_before_it_changed_counts_although_nobody_looked():
    """Both changes are read at the same look: it was on for two seconds."""
    assert fed((5.0, True), (7.0, False)).value


def slowly(levels, rise, fall):
    """The same, a tick at a time: `levels` holds what the level is during each tick."""
    value, last, stayed = False, False, 10**6
    for level in levels:
        stayed = stayed + 1 if level == last else 1
        last = level
        if stayed >= (rise if level else fall):
            value = level
    return value


@given(
    st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=1, max_size=30),
    st.integers(1, 20),
    st.integers(1, 20),
)
def test_against_a_count_of_ticks(runs, rise, fall):
    now, at, levels = OFF, 0, []
    for ticks, level in runs:
        now = settled(now, level, float(at), float(rise), float(fall))
        levels += [level] * ticks
        at += ticks
    assert settled(now, now.level, float(at), float(rise), float(fall)).value == slowly(
        levels, rise, fall
    )


def test_the_order_of_urgency():
    assert [reason.value for reason in SensorsReason] == ["gone", "tampered", "fault"]
