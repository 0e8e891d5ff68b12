"""Our receipt printer's driver and the simulated printer, each written from the public command
lists alone; slips are read back from their dots."""

import pytest
import zxingcpp
from PIL import Image

from drivers.document_printer import PrintEnd
from drivers.escpos.printer import EscposPrinter, EscposTimes, escpos_facts
from drivers.receipt_printer import (
    Align,
    Code,
    Cut,
    Feed,
    ReceiptNote,
    ReceiptReason,
    ReceiptStatus,
    Row,
    Rule,
    Size,
    Slip,
    SlipOutcome,
    Text,
)
from hw_sim.receipt.device import ReceiptDevice
from hw_sim.receipt.machine import LOW_LINES, ROLL_LINES
from hw_sim.serial_device import WIRE_FAULTS

TIMES = EscposTimes(answer=0.2, connect=1, look=0.05, part=0.4, slip=10, write=1)
WELL = ReceiptStatus(None)
DONE = SlipOutcome(PrintEnd.DONE)
LINK = "https://jc.example/q?c=JC-0007-261122-8K2MXA"
SLIP = Slip(
    (
        Text("江城市社会保障", Size.LARGE, bold=True, align=Align.CENTRE),
        Text("业务凭条", align=Align.CENTRE),
        Rule(),
        Text("A023", Size.HUGE, bold=True, align=Align.CENTRE),
        Row("业务", "养老金待遇资格认证"),
        Row("办理人", "王*芳 429****1234"),
        Row("流水号", "JC-0007-261122-8K2MXA"),
        Feed(),
        Code(LINK),
        Text("，：；①", align=Align.RIGHT),
        Text("Keep this slip.", Size.TALL),
        Text("咨询电话 12333", bold=True, align=Align.CENTRE),
        Cut(),
    )
)
LINES = (
    "江城市社会保障",
    "业务凭条",
    "-" * 48,
    "A023",
    "业务" + " " * 26 + "养老金待遇资格认证",
    "办理人" + " " * 25 + "王*芳 429****1234",
    "流水号" + " " * 21 + "JC-0007-261122-8K2MXA",
    "，：；①",
    "Keep this slip.",
    "咨询电话 12333",
)


@pytest.fixture
def network():
    return False


both = pytest.mark.parametrize("network", [False, True], ids=["serial", "network"])


@pytest.fixture
def device(network, tmp_path):
    made = ReceiptDevice(
        tmp_path / "receipt",
        tmp_path / "slips",
        network=network,
        boot_seconds=0,
    )
    made.plug()
    yield made
    made.unplug()
    assert made.illegal == ()


@pytest.fixture
def printer(device):
    made = EscposPrinter(device.address, TIMES)
    assert made.status() == WELL
    yield made
    made.close()


def codes_on(file):
    return [found.text for found in zxingcpp.read_barcodes(Image.open(file))]


def unknown(reason=None):
    return SlipOutcome(PrintEnd.UNKNOWN, reason)


def words(slip):
    return tuple(line for line in slip.text if line)


def prints_again(device, printer):
    """All is well: the next slip is whole, and one piece."""
    before = len(device.slips)
    assert printer.status() == WELL
    assert printer.print_slip(SLIP) == DONE
    assert len(device.slips) == before + 1
    assert words(device.slips[-1])[-len(LINES) :] == LINES


@both
@pytest.mark.parametrize("native", [True, False])
def test_a_slip_is_read_back(device, native):
    facts = escpos_facts()
    facts["code"]["native"] = native
    printer = EscposPrinter(device.address, TIMES, facts)
    assert printer.print_slip(SLIP) == DONE
    (slip,) = device.slips
    assert words(slip) == LINES
    assert codes_on(slip.file) == [LINK]
    with Image.open(slip.file) as picture:
        assert picture.width == 576
    printer.close()


@both
def test_slips_one_after_the_other(device, printer):
    for count in (1, 2, 3):
        assert printer.print_slip(SLIP) == DONE
        assert len(device.slips) == count
        assert words(device.slips[-1]) == LINES
    assert not device.machine.hanging


@pytest.mark.parametrize(
    ("wrong", "well", "reason"),
    [
        (lambda m: m.load(0), lambda m: m.load(ROLL_LINES), ReceiptReason.PAPER_OUT),
        (
            lambda m: m.set_cover(is_open=True),
            lambda m: m.set_cover(is_open=False),
            ReceiptReason.COVER_OPEN,
        ),
        (
            lambda m: m.set_broken(broken=True),
            lambda m: m.set_broken(broken=False),
            ReceiptReason.UNRECOVERABLE,
        ),
        (lambda m: m.set_hot(hot=True), lambda m: m.set_hot(hot=False), ReceiptReason.RECOVERING),
    ],
)
def test_obstacles_before_a_slip(device, printer, wrong, well, reason):
    wrong(device.machine)
    assert printer.status().reason is reason
    assert printer.print_slip(SLIP) == SlipOutcome(PrintEnd.FAILED, reason)
    assert device.slips == ()
    assert not device.machine.hanging
    well(device.machine)
    prints_again(device, printer)


def test_little_paper(device, printer):
    device.machine.load(LOW_LINES)
    assert printer.status() == ReceiptStatus(None, frozenset({ReceiptNote.PAPER_LOW}))
    assert printer.print_slip(SLIP) == DONE


@pytest.mark.parametrize("lines", [1, 3, 6, 8, 12, 14])
def test_paper_that_runs_out_after_some_lines(device, printer, lines):
    device.machine.load(lines)
    outcome = printer.print_slip(SLIP)
    assert outcome == unknown(ReceiptReason.PAPER_OUT)
    assert device.slips == ()
    device.machine.load(ROLL_LINES)
    assert printer.status() == WELL
    # The rest of the slip does not come out for whoever stands there now.
    assert device.slips == ()
    prints_again(device, printer)
    assert len(words(device.slips[-1])) - len(LINES) <= lines


@pytest.mark.parametrize("lines", [2, 7])
def test_the_cover_comes_open_in_the_middle(device, printer, lines):
    device.machine.open_cover_after(lines)
    assert printer.print_slip(SLIP) == unknown(ReceiptReason.COVER_OPEN)
    device.machine.set_cover(is_open=False)
    prints_again(device, printer)


def test_the_cutter_is_blocked(device, printer):
    device.machine.set_jam(jammed=True)
    assert printer.print_slip(SLIP) == unknown(ReceiptReason.CUTTER_ERROR)
    assert printer.status().reason is ReceiptReason.CUTTER_ERROR
    device.machine.set_jam(jammed=False)
    # It is told to try again, and had no cause to before.
    assert device.machine.jammed or printer.status() == WELL
    printer.status()
    prints_again(device, printer)


# Four questions before a slip, then one in its turn and four for each part.
FIRST_TURN = 5


@pytest.mark.parametrize("at", [FIRST_TURN, FIRST_TURN + 5])
@pytest.mark.parametrize("fault", sorted(WIRE_FAULTS))
def test_every_fault_of_the_wire_in_a_slip(device, printer, fault, at):
    value = {"delay": "=100", "truncate": "=0", "corrupt": "=0"}.get(fault, "")
    device.set_fault(f"{at}:{fault}{value}")
    outcome = printer.print_slip(SLIP)
    assert device.faults_pending == 0
    whole = [slip for slip in device.slips if words(slip) == LINES]
    if outcome == DONE:
        assert fault in ("delay", "split")
        assert len(whole) == 1
    else:
        assert outcome.end is PrintEnd.UNKNOWN
        assert fault not in ("delay", "split")
    device.unplug()
    device.plug()
    printer.status()
    prints_again(device, printer)


@pytest.mark.parametrize("fault", sorted(WIRE_FAULTS))
def test_every_fault_of_the_wire_in_a_status(device, printer, fault):
    value = {"delay": "=100", "truncate": "=0", "corrupt": "=0"}.get(fault, "")
    device.set_fault(f"2:{fault}{value}")
    gone = fault in ("unplug", "stuck")
    assert printer.status() == (ReceiptStatus(ReceiptReason.GONE) if gone else WELL)
    assert device.faults_pending == 0
    if gone:
        assert printer.print_slip(SLIP) == SlipOutcome(PrintEnd.FAILED, ReceiptReason.GONE)
        device.unplug()
        device.plug()
        printer.status()
    prints_again(device, printer)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("paper-out", ReceiptReason.PAPER_OUT), ("cover", ReceiptReason.COVER_OPEN)],
)
@pytest.mark.parametrize("at", range(6, 10))
def test_an_obstacle_between_two_answers(device, printer, fault, reason, at):
    device.set_fault(f"{at}:{fault}")
    outcome = printer.print_slip(SLIP)
    assert outcome == unknown(outcome.reason)
    assert outcome.reason in (reason, ReceiptReason.OFFLINE)


@both
@pytest.mark.parametrize("times", [1, 2])
def test_power_that_fails_in_the_middle_never_ends_as_done(device, printer, times):
    device.set_fault(f"{FIRST_TURN + 5 * (times - 1)}:power-cycle")
    assert printer.print_slip(SLIP).end is PrintEnd.UNKNOWN
    prints_again(device, printer)
