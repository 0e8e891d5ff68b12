"""The simulated sensor board: its lines, byte for byte, and its desk in the hall."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw_sim.faults import FaultSyntaxError
from hw_sim.hall.control import Refused
from hw_sim.hall.desk import Desk
from hw_sim.hall.sensors_desk import SensorsDesk
from hw_sim.sensors import HEARTBEAT, Inputs, Line, SensorMachine, check_sum, line_of
from hw_sim.serial_device import Illegal


@pytest.fixture
def clock():
    return [100.0]


@pytest.fixture
def machine(clock):
    return SensorMachine(lambda: clock[0])


def taken(machine, stream):
    return list(machine.take(bytearray(stream)))


def test_the_check_sum():
    assert check_sum(b"123456789") == 0x29B1
    assert line_of(1, "Q", b"") == b"$01Q*7549\r\n"


def test_a_report(machine, clock):
    clock[0] += 0.25
    machine.set_input(Inputs.DOOR_OPEN | Inputs.PRESENT, on=True)
    (asked,) = taken(machine, b"$01Q*7549\r\n")
    assert machine.obey(asked) == line_of(1, "R", bytes.fromhex("05 00 00 00000000FA"))


def test_lights(machine):
    (command,) = taken(machine, line_of(0x21, "L", b"\x24"))
    assert machine.obey(command) == line_of(1, "A", b"\x21\x24")
    assert machine.lights == {"card": "off", "receipt": "on", "printer": "blink"}
    machine.power_up()
    assert set(machine.lights.values()) == {"off"}


def test_it_reports_changes_and_once_a_second(machine, clock):
    assert machine.tick() == line_of(1, "R", bytes(8))
    assert machine.tick() == b""
    machine.set_input(Inputs.TAMPER_OPEN, on=True)
    assert machine.tick() == line_of(2, "R", b"\x02\x01" + bytes(6))
    machine.set_input(Inputs.TAMPER_OPEN, on=False)
    machine.set_input(Inputs.TAMPER_OPEN, on=True)
    assert machine.tick() == line_of(3, "R", b"\x02\x02" + bytes(6))
    assert machine.tick() == b""
    clock[0] += HEARTBEAT
    assert machine.tick()[:4] == b"$04R"


def test_refusals(machine):
    (damaged,) = taken(machine, b"$01Q*0000\r\n")
    assert machine.obey(damaged) == line_of(1, "N", b"\x01\x01")
    (good,) = taken(machine, line_of(5, "Q", b""))
    assert machine.busy(good) == line_of(2, "N", b"\x05\x04")
    assert machine.nak(good) == line_of(3, "N", b"\x05\x01")
    assert machine.bad_check(line_of(1, "Q", b"")) != line_of(1, "Q", b"")


@pytest.mark.parametrize(
    "stream",
    [b"x", b"x$01Q*7549\r\n", b"$\r\n", b"$01Q7549\r\n", b"$01q*7549\r\n", b"$zzQ*7549\r\n",
     b"$" + b"0" * 50],
)  # fmt: skip
def test_what_is_no_line(machine, stream):
    assert any(isinstance(each, Illegal) for each in taken(machine, stream))


@pytest.mark.parametrize(
    ("kind", "data"), [("X", b""), ("Q", b"\x01"), ("L", b""), ("L", b"\x40"), ("L", b"\x0c")]
)
def test_what_makes_no_sense(machine, kind, data):
    assert isinstance(machine.obey(Line(1, kind, data, good=True)), Illegal)


@given(st.binary(max_size=120))
def test_any_stream_is_taken(stream):
    assert all(isinstance(each, Line | Illegal) for each in taken(SensorMachine(), stream))


# --- the desk ------------------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path):
    made = SensorsDesk()
    made.told = made.open(tmp_path, tmp_path)
    yield made
    made.close()
    made.close()


def ask(desk, do, **arguments):
    return desk.questions[do]({"do": do, **arguments})


def test_the_desk_is_complete(desk, tmp_path):
    checked: Desk = desk
    assert {verb.name for verb in checked.verbs} == set(checked.questions)
    assert checked.configuration(desk.told) == {"sensors": {"port": str(tmp_path / "sensors")}}


@pytest.mark.parametrize(
    ("do", "key", "on", "off"),
    [
        ("case-door", "door", "open", "closed"),
        ("tamper", "tamper", "on", "off"),
        ("presence", "presence", "on", "off"),
    ],
)
def test_the_verbs(desk, do, key, on, off):
    for state in (on, off):
        ask(desk, do, state=state)
        assert desk.status()[key] == state
        good = desk.facts(desk.status())[0].good
        assert good == (state == off or do == "presence")
    with pytest.raises(Refused):
        ask(desk, do, state="ajar")


def test_the_plug(desk):
    ask(desk, "sensors", state="unplugged")
    assert not desk.status()["plugged"]
    ask(desk, "sensors", state="plugged")
    assert desk.status()["plugged"]


def test_every_press_does_what_it_says(desk):
    for _ in range(2):
        before = desk.status()
        for press in desk.presses(before):
            assert len(press.label) <= 6
            ask(desk, press.do, **press.arguments)
        after = desk.status()
        for key in ("door", "tamper", "presence", "plugged"):
            assert after[key] != before[key]


def test_the_facts_show_the_lights(desk):
    desk.device.machine.obey(Line(1, "L", b"\x12", good=True))
    assert desk.facts(desk.status())[1].text == "灯  卡口 闪  凭条口 灭  证明口 亮"


def test_faults(desk):
    desk.set_fault("1:drop")
    assert desk.faults_pending == 1
    with pytest.raises(FaultSyntaxError):
        desk.set_fault("1:nonsense")
    with pytest.raises(Refused):
        SensorsDesk().status()
