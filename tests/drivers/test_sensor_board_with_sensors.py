"""Our sensor board's driver and the simulated board, each with an encoder of its own."""

import time

import pytest

from drivers.sensor_board.board import SensorBoard, SensorBoardTimes, sensor_board_facts
from drivers.sensors import Light, LightSlot, SensorsNote, SensorsReason, SensorsStatus
from hw_sim.sensors import Inputs, SensorDevice
from hw_sim.serial_device import WIRE_FAULTS

WELL = SensorsStatus(None)
GONE = SensorsStatus(SensorsReason.GONE)


@pytest.fixture
def device(tmp_path):
    made = SensorDevice(tmp_path / "sensors")
    made.plug()
    yield made
    made.unplug()
    assert made.illegal == ()


@pytest.fixture
def board(device):
    facts = sensor_board_facts()
    facts["settle"] = dict.fromkeys(facts["settle"], 20)
    # 0.4 s: the simulated board forgets an unfinished command after 0.3 s.
    made = SensorBoard(str(device.link), times=SensorBoardTimes(answer=0.4), facts=facts)
    yield made
    made.close()


def comes_to(board, wanted):
    end = time.monotonic() + 5
    while board.status() != wanted:
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("which", "status"),
    [
        (Inputs.DOOR_OPEN, SensorsStatus(None, frozenset({SensorsNote.DOOR_OPEN}))),
        (Inputs.TAMPER_OPEN, SensorsStatus(SensorsReason.TAMPERED)),
        (Inputs.PRESENT, SensorsStatus(None, present=True)),
        (Inputs.FAULT, SensorsStatus(SensorsReason.FAULT)),
    ],
)
def test_what_happens_to_the_case(device, board, which, status):
    assert board.status() == WELL
    device.set_input(which, on=True)
    comes_to(board, status)
    device.set_input(which, on=False)
    comes_to(board, WELL)


def test_a_short_opening_is_told_at_the_next_look(device, board):
    board.status()
    device.set_input(Inputs.TAMPER_OPEN, on=True)
    device.set_input(Inputs.TAMPER_OPEN, on=False)
    assert board.status() == SensorsStatus(SensorsReason.TAMPERED)
    assert board.status() == WELL


def test_lights(device, board):
    assert board.show(LightSlot.CARD, Light.BLINK)
    assert board.show(LightSlot.PRINTER, Light.ON)
    assert device.machine.lights == {"card": "blink", "receipt": "off", "printer": "on"}
    device.unplug()
    assert not board.show(LightSlot.RECEIPT, Light.ON)
    device.plug()
    assert device.machine.lights["card"] == "off"
    assert board.status() == WELL
    assert device.machine.lights == {"card": "blink", "receipt": "on", "printer": "on"}
    board.close()
    assert set(device.machine.lights.values()) == {"off"}


@pytest.mark.parametrize("fault", sorted(WIRE_FAULTS))
def test_every_fault_of_the_wire_in_a_status(device, board, fault):
    board.show(LightSlot.CARD, Light.ON)
    value = {"delay": "=100", "truncate": "=9", "corrupt": "=4"}.get(fault, "")
    device.set_fault(f"1:{fault}{value}")
    # The report that comes by itself once a second may be there before the fault strikes.
    while device.faults_pending:
        board.status()
    comes_to(board, GONE if fault in ("unplug", "stuck") else WELL)
    device.unplug()
    device.plug()
    comes_to(board, WELL)
    assert device.machine.lights["card"] == "on"


@pytest.mark.parametrize("fault", sorted(WIRE_FAULTS))
def test_every_fault_of_the_wire_in_a_light(device, board, fault):
    value = {"delay": "=100", "truncate": "=9", "corrupt": "=4"}.get(fault, "")
    device.set_fault(f"1:{fault}{value}")
    assert board.show(LightSlot.RECEIPT, Light.BLINK) == (fault not in ("unplug", "stuck"))
    device.unplug()
    device.plug()
    comes_to(board, WELL)
    assert device.machine.lights["receipt"] == "blink"
