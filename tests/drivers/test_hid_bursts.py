"""Bursts of key events: whole codes or nothing, however the bytes arrive."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.code_scanner import LONGEST_CODE
from drivers.hid.bursts import EVENT, BurstReader, HidTimes, us_keys
from tests.drivers.hid_events import (
    A_CODE,
    ENTER,
    F1,
    KEY,
    KEYS_OF_A_CODE,
    LED,
    LEFT_ALT,
    LEFT_SHIFT,
    SYN,
    SYN_DROPPED,
    SYN_REPORT,
    Typist,
    event,
)

TIMES = HidTimes()


def fed(*parts):
    return BurstReader(TIMES).feed(b"".join(parts))


def test_an_event_is_two_longs_and_eight_bytes():
    assert EVENT.size == 2 * struct.calcsize("@l") + 8


def test_a_code_with_shift_and_signs():
    assert fed(Typist().code()) == [A_CODE]


def test_every_visible_character_has_one_key():
    keys = us_keys()
    characters = sorted({*keys.plain.values(), *keys.shifted.values()})
    assert bytes(characters) == bytes(range(0x20, 0x7F))
    assert not keys.plain.keys() & (keys.shift | keys.end)


@pytest.mark.parametrize(
    ("key", "plain", "shifted"),
    [(2, "1", "!"), (11, "0", ")"), (13, "=", "+"), (16, "q", "Q"), (27, "]", "}"),
     (30, "a", "A"), (40, "'", '"'), (41, "`", "~"), (43, "\\", "|"), (50, "m", "M"),
     (53, "/", "?"), (57, " ", " ")],
)  # fmt: skip
def test_keys_of_the_header(key, plain, shifted):
    keys = us_keys()
    assert (chr(keys.plain[key]), chr(keys.shifted[key])) == (plain, shifted)


@given(st.lists(st.integers(1, 60), max_size=40))
def test_split_anywhere(sizes):
    typist = Typist()
    stream = typist.code() + typist.code()
    reader, codes = BurstReader(TIMES), []
    for size in [*sizes, len(stream)]:
        codes += reader.feed(stream[:size])
        stream = stream[size:]
    assert codes == [A_CODE, A_CODE]


def test_split_at_every_byte():
    stream = Typist().code()
    for place in range(len(stream) + 1):
        reader = BurstReader(TIMES)
        codes = reader.feed(stream[:place]) + reader.feed(stream[place:])
        assert codes == [A_CODE]


@given(st.binary(max_size=EVENT.size * 12), st.integers(1, 100))
def test_garbage_never_raises_and_costs_no_later_code(garbage, size):
    reader = BurstReader(TIMES)
    for start in range(0, len(garbage), size):
        reader.feed(garbage[start : start + size])
    reader.feed(bytes(-len(garbage) % EVENT.size))
    reader.feed(event(999.9, SYN, SYN_REPORT, 0) + Typist(at=999.9).key(ENTER))
    reader._shift.clear()
    assert reader.feed(Typist().code()) == [A_CODE]


@given(st.data())
def test_any_one_event_lost_or_foreign_gives_no_half_code(data):
    stream = Typist().code()
    at = data.draw(st.integers(0, len(stream) // EVENT.size - 1)) * EVENT.size
    put = data.draw(st.sampled_from([b"", event(1000.01, SYN, SYN_DROPPED, 0),
                                     event(1000.01, KEY, F1, 1)]))  # fmt: skip
    for code in fed(stream[:at], put, stream[at:] if put else stream[at + EVENT.size :]):
        # Without a hole in the stream a lost release or report changes nothing, a lost press does:
        # nothing in the protocol tells, so the length is all that may differ.
        assert not put or code == A_CODE
        assert len(code) >= len(A_CODE) - 1


def test_enter_alone_is_no_code():
    typist = Typist()
    assert fed(typist.key(ENTER), typist.key(ENTER), typist.code()) == [A_CODE]


def test_two_codes_one_behind_the_other():
    typist = Typist()
    assert fed(typist.code(), typist.keys([(30, False)]), typist.key(ENTER)) == [A_CODE, b"a"]


def test_a_person_who_types_is_no_scanner():
    typist = Typist(pace=0.08)
    assert fed(typist.code()) == []
    typist.pause(1)
    typist.pace = 0.002
    assert fed(typist.code()) == [A_CODE]


def test_the_slowest_scanner_is_heard():
    assert fed(Typist(pace=0.045).code()) == [A_CODE]


@pytest.mark.parametrize("pause", [0.11, 0.4, -0.2])
def test_a_pause_within_a_code_drops_it_up_to_its_end(pause):
    typist = Typist()
    stream = typist.keys(KEYS_OF_A_CODE[:4]), typist.pause(pause), typist.code(), typist.code()
    assert fed(*stream) == [A_CODE]


def test_what_was_spoiled_long_ago_costs_no_code():
    typist = Typist()
    assert fed(typist.key(30), typist.key(F1), typist.pause(0.6), typist.code()) == [A_CODE]


@pytest.mark.parametrize("foreign", [F1, LEFT_ALT, 29, 58, 15, 1, 71, 82, 86, 0x2FF])
def test_a_key_that_is_no_character_drops_the_code(foreign):
    typist = Typist()
    keys = KEYS_OF_A_CODE
    stream = typist.keys(keys[:3]), typist.key(foreign), typist.keys(keys[3:]), typist.key(ENTER)
    assert fed(*stream, typist.code()) == [A_CODE]


def test_an_alt_code_drops_the_code():
    typist = Typist()
    stream = (
        typist.keys(KEYS_OF_A_CODE[:3]), typist.report((LEFT_ALT, 1)), typist.key(71),
        typist.key(72), typist.report((LEFT_ALT, 0)), typist.keys(KEYS_OF_A_CODE[3:]),
        typist.key(ENTER),
    )  # fmt: skip
    assert fed(*stream) == []


def test_auto_repeat_is_no_key():
    typist = Typist()
    held = typist.report((30, 1)) + typist.report((30, 2)) * 3 + typist.report((30, 0))
    assert fed(held, typist.key(48), typist.key(ENTER)) == [b"ab"]


def test_lights_and_scan_codes_are_no_keys():
    typist = Typist()
    stream = typist.key(30), event(typist.at, LED, 30, 1), typist.key(48), typist.key(ENTER)
    assert fed(*stream) == [b"ab"]


def test_where_events_were_lost_the_code_is_dropped():
    typist = Typist()
    torn = [typist.keys(KEYS_OF_A_CODE[:4]), event(typist.at, SYN, SYN_DROPPED, 0)]
    # The rest of a torn report says nothing: this shift is not held.
    torn += [event(typist.at, KEY, LEFT_SHIFT, 1), event(typist.at, SYN, SYN_REPORT, 0)]
    rest = typist.keys([(30, False)] * 4), typist.key(ENTER)
    assert fed(*torn, *rest, typist.key(30), typist.key(ENTER)) == [b"a"]


def test_events_lost_before_a_code_drop_it_too():
    typist = Typist()
    lost = event(typist.at, SYN, SYN_DROPPED, 0) + event(typist.at, SYN, SYN_REPORT, 0)
    assert fed(lost, typist.code(), typist.code()) == [A_CODE]


def test_a_release_that_was_lost_with_others_leaves_no_shift():
    typist = Typist()
    lost = event(typist.at, SYN, SYN_DROPPED, 0) + event(typist.at, SYN, SYN_REPORT, 0)
    stream = typist.report((LEFT_SHIFT, 1)), lost, typist.key(ENTER), typist.key(30)
    assert fed(*stream, typist.key(ENTER)) == [b"a"]


@pytest.mark.parametrize("over", [1, 2, 3000])
def test_the_longest_code_passes_and_a_longer_one_is_dropped(over):
    typist = Typist(pace=0.001)
    reader = BurstReader(TIMES)
    assert reader.feed(typist.keys([(30, False)] * LONGEST_CODE)) == []
    assert reader.feed(typist.key(ENTER)) == [b"a" * LONGEST_CODE]
    assert reader.feed(typist.keys([(30, False)] * (LONGEST_CODE + over))) == []
    assert len(reader._typed) <= LONGEST_CODE
    assert reader.feed(typist.key(ENTER) + typist.code()) == [A_CODE]


def test_what_began_while_nobody_waited_is_dropped_up_to_its_end():
    typist = Typist()
    reader = BurstReader(TIMES)
    reader.feed(typist.keys(KEYS_OF_A_CODE[:6]))
    assert reader.begun
    reader.spoil_begun()
    rest = typist.keys(KEYS_OF_A_CODE[6:]) + typist.key(ENTER)
    assert reader.feed(rest + typist.code()) == [A_CODE]
    reader.spoil_begun()
    assert not reader.begun


def test_codes_are_in_no_repr():
    typist = Typist()
    reader = BurstReader(TIMES)
    reader.feed(typist.keys(KEYS_OF_A_CODE))
    assert "SSC1" not in repr(reader)
