"""Every combination of a CRT-591's status characters, and every code that it refuses with."""

import itertools

import pytest

from apdu.errors import CardMute, CardRemoved, CardReset
from drivers.crt591.device import crt591_facts
from drivers.crt591.status import (
    Fault,
    card_error,
    dispenser_error,
    obstacle,
    read_refusal,
    read_state,
)
from drivers.dispenser import (
    BinFull,
    CardPlace,
    CardStuck,
    DispenserNote,
    DispenserReason,
    Refused,
    StackerEmpty,
)

FACTS = crt591_facts()
PLACES = {"0": CardPlace.NONE, "1": CardPlace.AT_GATE, "2": CardPlace.INSIDE}


@pytest.mark.parametrize("reversed_bin", [False, True])
@pytest.mark.parametrize("stacker_used", [False, True])
def test_every_combination(stacker_used, reversed_bin):
    facts = crt591_facts()
    facts["status"]["stacker_used"] = stacker_used
    full = "0" if reversed_bin else "1"
    facts["status"]["bin_full"] = full
    # All octets at each place, the others going through what is known and what is not.
    known = "0123\x00\xff"
    several = {
        *itertools.product(known, repeat=3),
        *((chr(octet), "2", "0") for octet in range(256)),
        *(("0", chr(octet), "0") for octet in range(256)),
        *(("0", "2", chr(octet)) for octet in range(256)),
    }
    for st0, st1, st2 in several:
        state = read_state((st0 + st1 + st2).encode("latin-1"), facts)
        assert state.place is PLACES.get(st0, CardPlace.UNKNOWN)
        expected = set()
        if st0 not in PLACES:
            expected.add(DispenserReason.BROKEN)
        if stacker_used and st1 == "0":
            expected.add(DispenserReason.STACKER_EMPTY)
        if st2 == full:
            expected.add(DispenserReason.ERROR_BIN_FULL)
        assert state.obstacles == expected
        low = stacker_used and st1 == "1"
        assert state.notes == ({DispenserNote.STACKER_LOW} if low else set())


def test_the_codes_of_the_maker():
    assert len(FACTS["errors"]) == 29
    for code, known in FACTS["errors"].items():
        refusal = read_refusal(code, FACTS)
        assert (refusal.code, refusal.meaning) == (code, known["meaning"])


@pytest.mark.parametrize(
    ("code", "error", "left"),
    [
        ("10", CardStuck, DispenserReason.JAM),
        ("13", CardStuck, DispenserReason.JAM),
        ("14", CardStuck, DispenserReason.JAM),
        ("40", CardStuck, DispenserReason.JAM),
        ("43", CardStuck, DispenserReason.JAM),
        ("45", CardStuck, None),
        ("12", Refused, DispenserReason.BROKEN),
        ("51", Refused, DispenserReason.BROKEN),
        ("A0", StackerEmpty, None),
        ("A1", BinFull, DispenserReason.ERROR_BIN_FULL),
        ("50", BinFull, DispenserReason.ERROR_BIN_FULL),
        ("00", Refused, None),
        ("B0", Refused, None),
        ("61", Refused, None),
        ("65", Refused, None),
        ("Z9", Refused, None),
    ],
)
def test_what_a_refusal_means(code, error, left):
    refusal = read_refusal(code, FACTS)
    raised = dispenser_error(refusal)
    assert type(raised) is error
    assert refusal.meaning in str(raised)
    assert obstacle(refusal) is left


def test_a_code_in_no_list():
    refusal = read_refusal("77", FACTS)
    assert refusal.fault is Fault.COMMAND
    error = dispenser_error(refusal)
    assert isinstance(error, Refused) and error.code == "77"


@pytest.mark.parametrize("code", [*FACTS["errors"], "77"])
def test_a_card_that_is_gone_is_gone_whatever_the_code(code):
    refusal = read_refusal(code, FACTS)
    assert type(card_error(refusal, present=False)) is CardRemoved
    there = type(card_error(refusal, present=True))
    assert there is (CardReset if code in ("65", "B0") else CardMute)
