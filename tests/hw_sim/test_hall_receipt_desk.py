"""The hall's desk of the receipt printer: what can be done to it and what it tells."""

import pytest

from drivers.document_printer import PrintEnd
from drivers.escpos.printer import EscposPrinter
from drivers.receipt_printer import Cut, ReceiptReason, Slip, Text
from hw_sim.faults import FaultSyntaxError
from hw_sim.hall.control import Refused
from hw_sim.hall.desk import Desk
from hw_sim.hall.receipt_desk import ReceiptDesk

SLIP = Slip((Text("业务凭条"), Cut()))


@pytest.fixture(params=[False, True], ids=["serial", "network"])
def desk(request, tmp_path):
    made = ReceiptDesk(network=request.param)
    run = tmp_path / "run"
    run.mkdir()
    made.told = made.open(run, tmp_path / "state")
    yield made
    made.close()
    made.close()


@pytest.fixture
def printer(desk):
    made = EscposPrinter(desk.configuration(desk.told)["receipt"]["address"])
    yield made
    made.close()


def ask(desk, do, **arguments):
    return desk.questions[do]({"do": do, **arguments})


def test_every_verb_is_a_question(desk):
    checked: Desk = desk
    assert {verb.name for verb in checked.verbs} == set(checked.questions)
    assert set(desk.told) == {"receipt_port", "receipt_slips"}


def test_a_slip_comes_out(desk, printer, tmp_path):
    assert printer.print_slip(SLIP).end is PrintEnd.DONE
    (slip,) = ask(desk, "slips")["slips"]
    assert slip["file"] == str(tmp_path / "state" / "slips" / "slip-0001.png")
    assert "业务凭条" in slip["text"]
    status = desk.status()
    assert status["slips"] == 1
    assert status["illegal"] == []
    assert not status["hanging"]


@pytest.mark.parametrize(
    ("do", "wrong", "well", "reason"),
    [
        ("slip-paper", "out", "in", ReceiptReason.PAPER_OUT),
        ("slip-cover", "open", "closed", ReceiptReason.COVER_OPEN),
        ("slip-head", "hot", "well", ReceiptReason.RECOVERING),
        ("slip-head", "broken", "well", ReceiptReason.UNRECOVERABLE),
        ("slip-printer", "unplugged", "plugged", ReceiptReason.GONE),
    ],
)
def test_what_breaks_and_mends_it(desk, printer, do, wrong, well, reason):
    ask(desk, do, state=wrong)
    assert printer.status().reason is reason
    assert not desk.facts(desk.status())[0].good
    ask(desk, do, state=well)
    assert printer.status().reason is None
    assert desk.facts(desk.status())[0].good


def test_every_press_does_what_it_says(desk):
    before = desk.presses(desk.status())
    for press in before:
        ask(desk, press.do, **press.arguments)
        again = desk.presses(desk.status())
        assert len(again) == len(before)
        assert all(len(each.label) <= 6 for each in again)
    status = desk.status()
    assert (status["cover"], status["cutter"], status["plugged"]) == ("open", "jam", False)
    wrong = [press for press in desk.presses(status) if press.wrong]
    for press in wrong:
        ask(desk, press.do, **press.arguments)
    status = desk.status()
    assert (status["cover"], status["plugged"]) == ("closed", True)
    assert [press.chosen for press in desk.presses(status)[:3]] == [False, False, True]


@pytest.mark.parametrize("lines", [3, "3"])
def test_a_roll_that_ends_soon(desk, lines):
    assert ask(desk, "slip-paper", state="in", lines=lines) == {"lines": 3}
    assert desk.status()["paper"] == "low"


@pytest.mark.parametrize(
    ("do", "arguments"),
    [
        ("slip-paper", {"state": "some"}),
        ("slip-paper", {"state": "out", "lines": 3}),
        ("slip-paper", {"state": "in", "lines": "many"}),
        ("slip-cover", {}),
        ("slip-cutter", {"state": "open"}),
        ("slip-head", {"state": "cold"}),
        ("slip-printer", {"state": "on"}),
    ],
)
def test_what_makes_no_sense_is_refused(desk, do, arguments):
    with pytest.raises(Refused):
        ask(desk, do, **arguments)


def test_faults(desk, printer):
    desk.set_fault("1:cover")
    assert desk.faults_pending == 1
    assert printer.status().reason is ReceiptReason.COVER_OPEN
    assert desk.faults_pending == 0
    with pytest.raises(FaultSyntaxError):
        desk.set_fault("1:nonsense")


def test_closed_it_says_that_the_hall_opens():
    with pytest.raises(Refused):
        ReceiptDesk().status()
    assert ReceiptDesk().faults_pending == 0
