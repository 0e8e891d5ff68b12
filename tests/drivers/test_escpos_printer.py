"""The ESC/POS driver against a scripted printer on a pseudo-terminal."""

import logging
import select
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.document_printer import PrintEnd
from drivers.escpos.encoding import parts
from drivers.escpos.printer import EscposPrinter, escpos_facts
from drivers.receipt_printer import (
    Cut,
    ReceiptNote,
    ReceiptReason,
    ReceiptStatus,
    Slip,
    SlipOutcome,
    Text,
    Unprintable,
)
from drivers.worker import Worker
from tests.drivers.receipt_double import (
    FORGET,
    QUICK,
    REACHED,
    RECOVER,
    SLIP,
    ReceiptDouble,
)

DONE = SlipOutcome(PrintEnd.DONE)
WELL = ReceiptStatus(None)
QUESTIONS = [b"\x10\x04" + bytes([n]) for n in (1, 2, 3, 4)]
ASK = b"\x1d\x72\x01"


@pytest.fixture
def double(tmp_path):
    made = ReceiptDouble(tmp_path / "receipt")
    yield made
    made.unplug()


@pytest.fixture
def printer(double):
    made = EscposPrinter(str(double.link), QUICK)
    yield made
    made.close()


def unknown(reason=None):
    return SlipOutcome(PrintEnd.UNKNOWN, reason)


def answering(double, command, *answers):
    """The double answers a command with these, one after the other, then as usual."""
    left = list(answers)

    def answer(received):
        if received.endswith(command) and left:
            return left.pop(0)
        return double.usual(received)

    double.answer = answer
    return left


# --- status ------------------------------------------------------------------------------------


def test_the_bytes_of_a_status(double, printer):
    assert printer.status() == WELL
    assert double.commands == QUESTIONS


def test_an_obstacle_and_a_note(double, printer):
    double.status = {1: b"\x1a", 2: b"\x16", 4: b"\x1e"}
    low = frozenset({ReceiptNote.PAPER_LOW})
    assert printer.status() == ReceiptStatus(ReceiptReason.COVER_OPEN, low)


@pytest.mark.parametrize("bad", [None, b"", b"\x13", b"\xff\x00\x55"])
def test_a_question_is_asked_twice(double, printer, bad):
    answering(double, QUESTIONS[1], bad)
    assert printer.status() == WELL
    assert double.commands == [*QUESTIONS[:2], *QUESTIONS[1:]]


@pytest.mark.parametrize("bad", [None, b"\x13"])
def test_gone_and_back(double, printer, bad):
    left = answering(double, QUESTIONS[2], bad, bad)
    assert printer.status() == ReceiptStatus(ReceiptReason.GONE)
    assert left == []
    assert printer.status() == WELL


def test_no_such_port(tmp_path):
    printer = EscposPrinter(str(tmp_path / "none"), QUICK)
    assert printer.status() == ReceiptStatus(ReceiptReason.GONE)
    assert printer.print_slip(SLIP) == SlipOutcome(PrintEnd.FAILED, ReceiptReason.GONE)
    printer.close()
    printer.close()


def test_unplugged_and_plugged(double, printer):
    assert printer.status() == WELL
    double.unplug()
    assert printer.status() == ReceiptStatus(ReceiptReason.GONE)
    double.plug()
    assert printer.status() == WELL


def test_a_blocked_cutter_is_told_to_try_again(double, printer):
    double.status = {3: b"\x1a"}
    assert printer.status().reason is ReceiptReason.CUTTER_ERROR
    double.wait_for(RECOVER)
    double.status = {}
    assert printer.status() == WELL
    assert double.commands.count(RECOVER) == 1


def test_a_late_answer_does_not_answer_the_next_question(double, printer):
    printer.status()
    double.send(b"\x1a")
    assert select.select([double.slave], [], [], 5)[0]
    assert printer.status() == WELL


def test_a_line_that_is_never_silent_holds_nobody(double, printer):
    printer.status()
    double.answer = lambda command: None
    stop = threading.Event()

    def babble():
        while not stop.is_set():
            if select.select([], [double.master], [], 0.01)[1]:
                double.send(b"\xff" * 16)

    babbler = threading.Thread(target=babble, daemon=True)
    babbler.start()
    assert printer.status() == ReceiptStatus(ReceiptReason.GONE)
    stop.set()
    babbler.join()


@given(st.binary(min_size=1, max_size=60))
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_in_place_of_answers_ends_typed(double, garbage):
    brief = EscposPrinter(str(double.link), type(QUICK)(answer=0.02, look=0.01, part=0.03, slip=1))
    double.answer = lambda command: garbage
    status = brief.status()
    assert status.reason is None or isinstance(status.reason, ReceiptReason)
    assert brief.print_slip(SLIP).end in (PrintEnd.FAILED, PrintEnd.UNKNOWN, PrintEnd.DONE)
    double.answer = double.usual
    time.sleep(0.03)
    brief.close()


# --- slips ---------------------------------------------------------------------------------------


def test_a_slip_goes_out_in_parts_each_asked_for(double, printer):
    assert printer.print_slip(SLIP) == DONE
    wanted = [*QUESTIONS]
    for part in parts(SLIP, escpos_facts()):
        wanted += [part + ASK, *QUESTIONS]
    assert double.commands == wanted
    assert len(double.printed) > 1


@pytest.mark.parametrize(
    ("n", "answer", "reason"),
    [
        (2, b"\x16", ReceiptReason.COVER_OPEN),
        (4, b"\x72", ReceiptReason.PAPER_OUT),
        (3, b"\x32", ReceiptReason.UNRECOVERABLE),
        (3, b"\x52", ReceiptReason.RECOVERING),
        (1, b"\x1a", ReceiptReason.OFFLINE),
    ],
)
def test_an_obstacle_before_it_means_that_nothing_came_out(double, printer, n, answer, reason):
    double.status = {n: answer}
    assert printer.print_slip(SLIP) == SlipOutcome(PrintEnd.FAILED, reason)
    assert double.printed == []


def test_little_paper_is_no_obstacle(double, printer):
    double.status = {4: b"\x1e"}
    double.answer = lambda command: b"\x03" if command.endswith(ASK) else double.usual(command)
    assert printer.print_slip(SLIP) == DONE


def stops_at(double, part, status):
    """At this part the printer does not answer in its turn any more, and its status is this."""

    def answer(command):
        if command.endswith(ASK) and len(double.printed) == part:
            double.status = status
            return None
        return double.usual(command)

    double.answer = answer


@pytest.mark.parametrize("part", [0, 1])
@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({4: b"\x72", 2: b"\x32"}, ReceiptReason.PAPER_OUT),
        ({2: b"\x16"}, ReceiptReason.COVER_OPEN),
        ({3: b"\x1a"}, ReceiptReason.CUTTER_ERROR),
        ({3: b"\x32"}, ReceiptReason.UNRECOVERABLE),
    ],
)
def test_an_obstacle_in_the_middle_is_unknown_and_the_rest_forgotten(
    double, printer, part, status, reason
):
    stops_at(double, part, status)
    assert printer.print_slip(SLIP) == unknown(reason)
    double.wait_for(FORGET)
    assert len(double.printed) == part + 1


def test_paper_that_is_put_in_at_once_does_not_make_it_one_piece(double, printer):
    stops_at(double, 1, {4: b"\x72"})
    first = double.answer

    def answer(command):
        if command == QUESTIONS[3] and double.status:
            said, double.status, double.answer = double.status[4], {}, double.usual
            return said + REACHED
        return first(command)

    double.answer = answer
    assert printer.print_slip(SLIP) == unknown(ReceiptReason.PAPER_OUT)
    assert len(double.printed) == 2


def test_what_passes_by_itself_is_waited_for(double, printer):
    stops_at(double, 1, {3: b"\x52", 1: b"\x1a"})
    first = double.answer
    looks = []

    def answer(command):
        if command == QUESTIONS[3] and double.status:
            looks.append(command)
            if len(looks) == 2:
                double.status = {}
                double.answer = double.usual
                return double.usual(command) + REACHED
        return first(command)

    double.answer = answer
    assert printer.print_slip(SLIP) == DONE


def test_what_does_not_pass_is_unknown(double, printer):
    stops_at(double, 1, {3: b"\x52"})
    assert printer.print_slip(SLIP) == unknown(ReceiptReason.RECOVERING)
    double.wait_for(FORGET)


def test_a_printer_that_never_says_that_it_is_done(double, printer):
    stops_at(double, 0, {})
    assert printer.print_slip(SLIP) == unknown()
    double.wait_for(FORGET)
    assert len(double.printed) == 1


def test_paper_that_ran_out_with_the_last_line(double, printer):
    def answer(command):
        if command.endswith(ASK) and b"\x1dV" in command:
            double.status = {4: b"\x72"}
        return double.usual(command)

    double.answer = answer
    assert printer.print_slip(SLIP) == unknown(ReceiptReason.PAPER_OUT)


def test_paper_that_ran_out_by_the_answer_in_its_turn(double, printer):
    double.answer = lambda command: b"\x0c" if command.endswith(ASK) else double.usual(command)
    assert printer.print_slip(SLIP) == unknown(ReceiptReason.PAPER_OUT)


@pytest.mark.parametrize("noise", [b"\xff\x00\x55", b"\xff\x00", b"\x00\x55", b"\x00\x00"])
def test_an_answer_among_noise_counts_for_nothing(double, printer, noise):
    """It might be the noise that looks like an answer."""
    double.answer = lambda command: noise if command.endswith(ASK) else double.usual(command)
    assert printer.print_slip(SLIP) == unknown()


def test_the_question_in_its_turn_is_not_repeated(double, printer):
    """A printer that was off for a moment would answer it, with the part lost."""
    answering(double, ASK, None)
    assert printer.print_slip(SLIP) == unknown()
    assert len(double.printed) == 1


def test_gone_in_the_middle(double, printer):
    def answer(command):
        return None if double.printed else double.usual(command)

    double.answer = answer
    assert printer.print_slip(SLIP) == unknown(ReceiptReason.GONE)
    double.answer = double.usual
    # The first that is said to it when it is back.
    double.commands.clear()
    assert printer.status() == WELL
    assert double.commands[0] == FORGET
    assert printer.status() == WELL
    assert double.commands.count(FORGET) == 1


def test_unplugged_in_the_middle(double, printer):
    def unplug():
        double.wait_for(b"\x1b@")
        double.unplug()

    double.answer = lambda command: None if command.endswith(ASK) else double.usual(command)
    puller = threading.Thread(target=unplug, daemon=True)
    puller.start()
    assert printer.print_slip(SLIP) == unknown(ReceiptReason.GONE)
    puller.join(10)
    assert printer.status() == ReceiptStatus(ReceiptReason.GONE)
    double.answer = double.usual
    double.plug()
    assert printer.status() == WELL


def test_what_it_lacks_is_told_before_anything_is_sent(double, printer):
    with pytest.raises(Unprintable):
        printer.print_slip(Slip((Text("王㐂"), Cut())))
    assert double.commands == []


def test_a_slip_that_takes_too_long_ends(double):
    printer = EscposPrinter(str(double.link), type(QUICK)(answer=0.3, slip=0))
    assert printer.print_slip(SLIP) == unknown()
    assert double.printed == []
    printer.close()


def test_nothing_more_is_sent_for_whom_has_given_up(double, printer):
    worker = Worker("receipt")
    outcomes = []
    called = threading.Event()
    job = worker.submit(
        lambda: (called.wait(10), outcomes.append(printer.print_slip(SLIP)))[1], outcomes.append
    )
    while worker.busy_since is None:
        time.sleep(0.001)
    job.abandon()
    called.set()
    while worker.busy:
        time.sleep(0.001)
    assert outcomes == [SlipOutcome(PrintEnd.FAILED)]
    assert double.printed == []
    worker.close()


def test_the_log_tells_the_end_and_no_word_of_the_slip(double, printer, caplog):
    with caplog.at_level(logging.DEBUG):
        printer.print_slip(SLIP)
    assert "slip ended: done, obstacle: none" in caplog.text
    assert "养老金" not in caplog.text


@pytest.mark.parametrize(
    "address", ["tcp://", "tcp://host", "tcp://:9100", "tcp://host:9100/x", "tcp://u@host:9100"]
)
def test_addresses_that_are_none(address):
    with pytest.raises(ValueError):
        EscposPrinter(address)
