"""What an ESC/POS printer's status bytes mean, for every byte and every question."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.escpos.status import Answer, Question, findings, kind_of, paper_end, status_of
from drivers.receipt_printer import ReceiptNote, ReceiptReason, ReceiptStatus

IDLE = 0x12
R = ReceiptReason
# Bit by bit, as the makers' tables say; None for bits without meaning or that are undefined.
BITS = {
    1: {2: None, 3: R.OFFLINE, 5: None, 6: None},
    2: {2: R.COVER_OPEN, 3: R.OFFLINE, 5: R.PAPER_OUT, 6: R.ERROR},
    3: {2: None, 3: R.CUTTER_ERROR, 5: R.UNRECOVERABLE, 6: R.RECOVERING},
    4: {2: ReceiptNote.PAPER_LOW, 3: ReceiptNote.PAPER_LOW, 5: R.PAPER_OUT, 6: R.PAPER_OUT},
}


def bit(octet, place):
    return octet >> place & 1


@pytest.mark.parametrize("question", Question)
def test_every_byte(question):
    good = 0
    for octet in range(256):
        fixed = [bit(octet, place) for place in (0, 1, 4, 7)]
        found = findings(question, octet)
        if fixed != [0, 1, 1, 0]:
            assert found is None
            assert kind_of(octet) is not Answer.STATUS
            continue
        good += 1
        meant = {what for place, what in BITS[question].items() if bit(octet, place)} - {None}
        assert found.reasons | found.notes == meant
        assert kind_of(octet) is Answer.STATUS
    assert good == 16


def test_the_answer_in_its_turn_is_told_apart_from_status_by_its_fixed_bits():
    for octet in range(256):
        reached = kind_of(octet) is Answer.REACHED
        assert reached == (not bit(octet, 4) and not bit(octet, 7))
        if reached:
            assert paper_end(octet) == bool(bit(octet, 2) or bit(octet, 3))


def test_idle():
    assert status_of(dict.fromkeys(Question, IDLE)) == ReceiptStatus(None)


@pytest.mark.parametrize("question", Question)
def test_one_damaged_answer_spoils_all(question):
    assert status_of(dict.fromkeys(Question, IDLE) | {question: 0x13}) is None


def test_the_order_of_urgency():
    assert [reason.value for reason in R] == [
        "gone", "cover-open", "paper-out", "cutter-error", "unrecoverable", "recovering",
        "error", "offline",
    ]  # fmt: skip


GOOD = [octet for octet in range(256) if octet & 0x93 == 0x12]


@given(st.tuples(*[st.sampled_from(GOOD)] * 4))
def test_the_most_urgent_of_all_answers(octets):
    present = {
        what
        for question, octet in zip(Question, octets, strict=True)
        for place, what in BITS[question].items()
        if bit(octet, place) and what is not None
    }
    status = status_of(dict(zip(Question, octets, strict=True)))
    obstacles = [reason for reason in R if reason in present]
    assert status.reason is (obstacles[0] if obstacles else None)
    assert status.notes == {ReceiptNote.PAPER_LOW} & present
