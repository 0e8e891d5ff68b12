"""Our driver sets the simulated scanner up: from the box, at any speed, through every fault."""

import threading

import pytest

from drivers.code_scanner import ScannerGone, ScannerStatus
from drivers.gm65.scanner import Gm65Scanner, Gm65Times, gm65_facts
from drivers.gm65.settings import Configured, ScannerNotSet
from hw_sim.scanner.device import ANSWER_FAULTS, ScannerDevice
from hw_sim.scanner.frames import Command, Kind
from tests.drivers.pad_double import soon

TIMES = Gm65Times(
    answer=0.32, damaged=0.05, look=0.01, margin=0.1, piece=0.2, quiet=0.1, stop=0.1, write=1
)
BOXED = ("mode", "setting-codes", "interface")
FIRST_CODE = b"yikatong:0123456789ABCDEF"
AT_115200 = b"\x1a\x00"


@pytest.fixture
def boxed(tmp_path):
    made = ScannerDevice(tmp_path / "scanner", decode_seconds=0.02, boxed=True)
    made.plug()
    yield made
    made.unplug()
    assert made.illegal == ()


def driver(device, baud=None, facts=None):
    return Gm65Scanner(str(device.link), baud=baud, times=TIMES, facts=facts)


def put(device, address, data, save=True):
    """Somebody else has set the module up."""
    with device.lock:
        device.module.command(Command(Kind.WRITE, address, data), 0)
        if save:
            device.module.command(Command(Kind.SAVE, 0, b"\x00"), 0)
    device.unplug()
    device.plug()
    return device.module.saves


def test_from_the_box_to_the_first_code(boxed):
    scanner = driver(boxed)
    assert scanner.configure() == Configured(9600, BOXED)
    assert not boxed.triggered
    boxed.show(FIRST_CODE)
    assert scanner.read_code(threading.Event()) == FIRST_CODE
    scanner.close()


def test_a_module_that_is_right_is_only_read(boxed):
    scanner = driver(boxed)
    scanner.configure()
    assert boxed.module.saves == 1
    for _ in range(2):
        assert scanner.configure() == Configured(9600)
    scanner.close()
    boxed.unplug()
    boxed.plug()
    assert driver(boxed).configure() == Configured(9600)
    assert boxed.module.saves == 1


def test_what_was_not_saved_is_set_again_after_the_power_was_off(boxed):
    scanner = driver(boxed)
    scanner.configure()
    saves = put(boxed, 0x0006, b"\x07", save=False)
    assert scanner.configure() == Configured(9600)
    saves = put(boxed, 0x0006, b"\x07")
    assert scanner.configure() == Configured(9600, ("read-time",))
    assert boxed.module.saves == saves + 1
    scanner.close()


@pytest.mark.parametrize(("divisor", "baud"), [(AT_115200, 115200), (b"\x9c\x00", 19200)])
def test_a_module_of_another_speed_is_found_and_brought_to_ours(boxed, divisor, baud):
    put(boxed, 0x002A, divisor)
    scanner = driver(boxed)
    assert scanner.configure() == Configured(baud, (*BOXED, "baud"))
    boxed.show(FIRST_CODE)
    assert scanner.read_code(threading.Event()) == FIRST_CODE
    scanner.close()
    boxed.unplug()
    boxed.plug()
    assert boxed.module.baud == 9600
    assert driver(boxed).configure() == Configured(9600)


def test_a_terminal_that_wants_it_faster(boxed):
    scanner = driver(boxed, baud=115200)
    assert scanner.configure() == Configured(9600, (*BOXED, "baud"))
    assert boxed.module.baud == 115200
    assert scanner.configure() == Configured(115200)
    assert boxed.module.saves == 1
    scanner.close()


def test_nobody_there_at_any_speed_and_then_at_ours(boxed):
    boxed.set_fault("1:stuck")
    scanner = driver(boxed)
    facts = gm65_facts()
    facts["baud"]["probe"] = [9600, 115200]
    quick = driver(boxed, facts=facts)
    with pytest.raises(ScannerGone, match="any speed"):
        quick.configure()
    boxed.unplug()
    with pytest.raises(ScannerGone):
        scanner.configure()
    boxed.plug()
    assert quick.status() == ScannerStatus(None)
    quick.close()
    assert scanner.configure() == Configured(9600, BOXED)
    scanner.close()


EXCHANGES = 1 + 5 + 2 * 3 + 1
"""Find, read, write and read back, save."""
VALUES = {"delay": "=400", "truncate": "=3", "corrupt": "=4"}


@pytest.mark.parametrize("at", [3, 8])
@pytest.mark.parametrize("fault", sorted(ANSWER_FAULTS))
def test_a_fault_in_the_middle_costs_no_more_than_another_try(boxed, fault, at):
    boxed.set_fault(f"{at}:{fault}{VALUES.get(fault, '')}")
    facts = gm65_facts()
    facts["baud"]["probe"] = [9600]
    scanner = driver(boxed, facts=facts)
    try:
        scanner.configure()
    except (ScannerGone, ScannerNotSet):
        boxed.unplug()
        boxed.plug()
        scanner.configure()
    assert boxed.faults_pending == 0
    boxed.unplug()
    boxed.plug()
    again = scanner.configure()
    if fault == "power-cycle":
        # What was written before the power failed was lost with it, unseen until now.
        again = scanner.configure()
    assert again == Configured(9600)
    expected = bytearray(ScannerDevice(boxed.link, boxed=True).module._saved)
    expected[0x0000], expected[0x0003], expected[0x000D], expected[0x0002] = 0xD5, 0x02, 0xA0, 0
    assert boxed.module._saved == expected
    scanner.close()


class Worn(bytearray):
    """Registers that take nothing any more."""

    def __setitem__(self, _place, _value):
        pass


def test_a_module_that_does_not_keep_what_is_written(boxed):
    boxed.module._registers = Worn(boxed.module._registers)
    scanner = driver(boxed)
    with pytest.raises(ScannerNotSet, match="does not keep mode"):
        scanner.configure()
    assert boxed.module.saves == 0
    scanner.close()


def test_a_speed_that_the_module_does_not_take(boxed):
    """The command for it is lost: the module stays where it was, and nothing is saved."""
    facts = gm65_facts()
    facts["baud"]["probe"] = [9600]
    scanner = driver(boxed, baud=115200, facts=facts)
    boxed.set_fault(f"{EXCHANGES}:nak")
    with pytest.raises(ScannerNotSet, match="baud"):
        scanner.configure()
    assert boxed.module.saves == 0
    assert scanner.configure() == Configured(9600, ("baud",))
    assert boxed.module.saves == 1
    scanner.close()


def test_a_speed_that_no_module_has(boxed):
    with pytest.raises(ValueError, match="speed"):
        driver(boxed, baud=4_000_000).configure()


@pytest.mark.parametrize("mode", [0xD6, 0xD7])
def test_an_over_eager_module_gives_whole_codes(boxed, mode):
    """It reads all the time, whether it is triggered or not."""
    put(boxed, 0x000D, b"\xa0", save=True)
    put(boxed, 0x0000, bytes([mode]))
    put(boxed, 0x0005, b"\x00")
    scanner = driver(boxed)
    boxed.show(b"A" * 300, hold=True)
    for _ in range(5):
        assert scanner.read_code(threading.Event()) == b"A" * 300
    boxed.show(b"B" * 300, hold=True)
    seen = {scanner.read_code(threading.Event()) for _ in range(4)}
    assert seen <= {b"A" * 300, b"B" * 300}
    scanner.close()


def test_what_came_unasked_before_anybody_waited_is_no_code_of_theirs(boxed):
    put(boxed, 0x000D, b"\xa0")
    scanner = driver(boxed)
    scanner.status()
    boxed.show(b"of the last resident")
    for _ in range(500):
        if boxed.codes_read:
            break
        threading.Event().wait(0.01)
    soon(lambda: boxed.show(FIRST_CODE), 0.1)
    assert scanner.read_code(threading.Event()) == FIRST_CODE
    scanner.close()
