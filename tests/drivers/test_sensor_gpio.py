"""Sensors and lights on GPIO lines, against a chip that is a double at libgpiod's seam: its
settings and values are libgpiod's own."""

import threading
from dataclasses import dataclass
from datetime import timedelta

import pytest
from gpiod import EdgeEvent
from gpiod.line import Direction, Edge, Value

from drivers.sensor_gpio import SensorGpio, SensorGpioTimes
from drivers.sensors import Light, LightSlot, SensorsNote, SensorsReason, SensorsStatus

DOOR, TAMPER, PRESENCE, CARD, RECEIPT, PRINTER = 4, 17, 27, 22, 23, 24
WELL = SensorsStatus(None)
GONE = SensorsStatus(SensorsReason.GONE)
TAMPERED = SensorsStatus(SensorsReason.TAMPERED)


@dataclass(frozen=True)
class Lines:
    door: int | None = DOOR
    tamper: int | None = TAMPER
    presence: int | None = PRESENCE
    card_light: int | None = CARD
    receipt_light: int | None = RECEIPT
    printer_light: int | None = PRINTER


class Chip:
    """One chip and its requests.

    Attributes:
        on: lines that are active.
        edges: that nobody has read.
        broken: what every call raises.
        shown: the values of the lights, whenever they were set.
    """

    def __init__(self):
        self.on = set()
        self.edges = []
        self.broken = None
        self.requests = []
        self.shown = []
        self.released = 0
        self.seen = threading.Condition()

    def request(self, path, *, consumer, config):
        self._fail()
        self.requests.append((path, consumer, config))
        return self

    def wait_edge_events(self, timeout):
        assert timeout == 0
        self._fail()
        return bool(self.edges)

    def read_edge_events(self, most):
        edges, self.edges = self.edges[:most], self.edges[most:]
        return edges

    def get_values(self, lines):
        self._fail()
        return [Value.ACTIVE if line in self.on else Value.INACTIVE for line in lines]

    def set_values(self, values):
        self._fail()
        with self.seen:
            self.shown.append(values)
            self.seen.notify_all()

    def release(self):
        self.released += 1

    def edge(self, line, kind=EdgeEvent.Type.RISING_EDGE):
        self.edges.append(EdgeEvent(kind.value, 0, line, 1, 1))

    def shining(self):
        return {line for line, value in self.shown[-1].items() if value is Value.ACTIVE}

    def wait_for(self, line, value, count):
        with self.seen:
            assert self.seen.wait_for(
                lambda: sum(shown[line] is value for shown in self.shown) >= count, 10
            )

    def _fail(self):
        if self.broken is not None:
            raise self.broken


@pytest.fixture
def chip():
    return Chip()


@pytest.fixture
def gpio(chip):
    made = SensorGpio("/dev/gpiochip0", Lines(), SensorGpioTimes(blink=0.01), request=chip.request)
    yield made
    made.close()


def test_how_the_lines_are_requested(chip, gpio):
    assert gpio.status() == WELL
    assert gpio.status() == WELL
    ((path, consumer, config),) = chip.requests
    assert (path, consumer) == ("/dev/gpiochip0", "yikatong")
    assert set(config) == {DOOR, TAMPER, PRESENCE, CARD, RECEIPT, PRINTER}
    for line, quiet in ((DOOR, 0.2), (TAMPER, 0), (PRESENCE, 0.3)):
        assert config[line].direction is Direction.INPUT
        assert config[line].edge_detection is Edge.BOTH
        assert config[line].debounce_period == timedelta(seconds=quiet)
        assert not config[line].active_low
    for line in (CARD, RECEIPT, PRINTER):
        assert config[line].direction is Direction.OUTPUT
        assert config[line].output_value is Value.INACTIVE
        assert not config[line].active_low


def test_lines_that_are_on_when_they_are_low(chip):
    gpio = SensorGpio(
        "/dev/gpiochip0",
        Lines(),
        active_low=frozenset({"tamper", "printer_light"}),
        request=chip.request,
    )
    gpio.status()
    config = chip.requests[0][2]
    assert {line for line in config if config[line].active_low} == {TAMPER, PRINTER}
    gpio.close()


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (DOOR, SensorsStatus(None, frozenset({SensorsNote.DOOR_OPEN}))),
        (TAMPER, TAMPERED),
        (PRESENCE, SensorsStatus(None, present=True)),
    ],
)
def test_what_the_lines_say(chip, gpio, line, status):
    chip.on = {line}
    assert gpio.status() == status
    chip.on = set()
    assert gpio.status() == WELL


def test_a_tamper_loop_that_was_open_between_two_looks(chip, gpio):
    gpio.status()
    chip.edge(TAMPER)
    chip.edge(TAMPER, EdgeEvent.Type.FALLING_EDGE)
    assert gpio.status() == TAMPERED
    assert gpio.status() == WELL


def test_edges_of_other_lines_and_its_closing_are_no_tampering(chip, gpio):
    chip.edge(DOOR)
    chip.edge(TAMPER, EdgeEvent.Type.FALLING_EDGE)
    assert gpio.status() == WELL


def test_a_line_that_never_stops_flickering_holds_nobody(chip, gpio):
    chip.read_edge_events = lambda most: [
        EdgeEvent(EdgeEvent.Type.RISING_EDGE.value, 0, DOOR, 1, 1)
    ]
    chip.edge(DOOR)
    assert gpio.status() == WELL


def test_what_is_not_wired(chip):
    nothing = Lines(None, None, None, None, None, PRINTER)
    gpio = SensorGpio("/dev/gpiochip0", nothing, request=chip.request)
    assert gpio.status() == WELL
    assert gpio.show(LightSlot.CARD, Light.BLINK)
    assert gpio.show(LightSlot.PRINTER, Light.ON)
    assert chip.shown[-1] == {PRINTER: Value.ACTIVE}
    gpio.close()


def test_lights(chip, gpio):
    assert gpio.show(LightSlot.CARD, Light.ON)
    assert chip.shining() == {CARD}
    assert gpio.show(LightSlot.RECEIPT, Light.ON)
    assert gpio.show(LightSlot.CARD, Light.OFF)
    assert chip.shining() == {RECEIPT}
    gpio.close()
    assert chip.shining() == set()
    assert chip.released == 1
    gpio.close()
    assert chip.released == 1


def test_a_light_blinks_until_it_is_told_otherwise(chip, gpio):
    gpio.show(LightSlot.PRINTER, Light.ON)
    gpio.show(LightSlot.CARD, Light.BLINK)
    chip.wait_for(CARD, Value.ACTIVE, 3)
    chip.wait_for(CARD, Value.INACTIVE, 3)
    assert all(shown[PRINTER] is Value.ACTIVE for shown in chip.shown[3:])
    blinker = gpio._blinker
    gpio.show(LightSlot.CARD, Light.OFF)
    blinker.join(5)
    assert not blinker.is_alive()
    assert chip.shining() == {PRINTER}
    gpio.show(LightSlot.CARD, Light.BLINK)
    chip.wait_for(CARD, Value.ACTIVE, sum(s[CARD] is Value.ACTIVE for s in chip.shown) + 1)


def test_blinking_ends_with_the_device(chip, gpio):
    gpio.show(LightSlot.CARD, Light.BLINK)
    blinker = gpio._blinker
    gpio.close()
    assert not blinker.is_alive()
    assert chip.shining() == set()


@pytest.mark.parametrize(
    "broken",
    [FileNotFoundError(), PermissionError(), OSError(16, "busy"), OSError(19, "no device")],
)
def test_gone_and_back(chip, gpio, broken):
    chip.broken = broken
    assert gpio.status() == GONE
    assert not gpio.show(LightSlot.CARD, Light.ON)
    chip.broken = None
    assert gpio.status() == WELL
    # What it was told while it was away.
    assert chip.shining() == {CARD}
    chip.broken = broken
    assert gpio.status() == GONE
    chip.broken = None
    assert gpio.status() == WELL
    assert len(chip.requests) == 2


def test_a_light_that_blinks_while_the_chip_is_gone(chip, gpio):
    gpio.show(LightSlot.CARD, Light.BLINK)
    chip.broken = OSError()
    assert gpio.status() == GONE
    chip.broken = None
    assert gpio.status() == WELL
    chip.wait_for(CARD, Value.ACTIVE, sum(s[CARD] is Value.ACTIVE for s in chip.shown) + 2)


def test_libgpiod_itself_says_that_there_is_no_chip(tmp_path):
    """The real library, up to the kernel."""
    gpio = SensorGpio(str(tmp_path / "gpiochip9"), Lines())
    assert gpio.status() == GONE
    assert not gpio.show(LightSlot.CARD, Light.ON)
    gpio.close()
