"""The dispenser's part of the hall: what can be typed, pressed and seen."""

import pytest

from hw_sim.faults import FaultSyntaxError
from hw_sim.hall.control import Refused
from hw_sim.hall.dispenser_desk import DispenserDesk


@pytest.fixture
def desk(tmp_path):
    made = DispenserDesk()
    announced = made.open(tmp_path, tmp_path)
    assert made.configuration(announced) == {
        "dispenser": {"driver": "crt-591", "port": str(tmp_path / "dispenser")}
    }
    yield made
    made.close()
    made.close()


def ask(desk, do, **arguments):
    return desk.questions[do]({"do": do, **arguments})


def test_every_verb_and_every_button_is_a_question(desk):
    assert {verb.name for verb in desk.verbs} == set(desk.questions)
    for press in desk.presses(desk.status()):
        assert press.do in {*desk.questions, "fault"}
        assert len(press.label) <= 6


def test_closed_it_says_that_the_hall_is_opening():
    desk = DispenserDesk()
    with pytest.raises(Refused, match="opening"):
        desk.status()
    assert desk.faults_pending == 0


def test_stacker_and_bin(desk):
    assert desk.status()["stacker"] == 50
    assert ask(desk, "stack", count="10") == {"stacker": 60}
    for count in ("0", "201", "ten", "150"):
        with pytest.raises(Refused):
            ask(desk, "stack", count=count)
    ask(desk, "unstack")
    assert desk.status()["stacker"] == 0
    assert any(press.wrong and press.do == "stack" for press in desk.presses(desk.status()))
    ask(desk, "bin", state="full")
    assert desk.status()["bin_full"]
    ask(desk, "bin", state="empty")
    assert desk.status()["bin"] == 0
    with pytest.raises(Refused):
        ask(desk, "bin", state="half")


def test_hands_at_the_gate(desk):
    for do, arguments in (("take", {}), ("tear", {}), ("put", {"card": "v3"})):
        with pytest.raises(Refused):
            ask(desk, do, **arguments)
    machine = desk._device.machine
    machine.initialised = machine.entry = True
    with pytest.raises(Refused, match="no card of that name"):
        ask(desk, "put", card="nothing")
    ask(desk, "put", card="v3")
    assert (desk.status()["place"], desk.status()["card"]) == ("INSIDE", "v3")
    assert ask(desk, "tear") == {"card": "v3"}
    assert desk.status()["place"] == "NONE"


def test_the_next_movement_sticks(desk):
    ask(desk, "stick")
    machine = desk.device.machine
    assert desk.status()["sticks"]
    assert any(press.chosen and press.do == "stick" for press in desk.presses(desk.status()))
    machine.initialised = machine.entry = True
    ask(desk, "put", card="v3")
    with pytest.raises(Exception, match="10"):
        machine._move(0x30)
    assert (desk.status()["jammed"], desk.status()["sticks"]) == (True, False)


def test_its_plug(desk, tmp_path):
    ask(desk, "dispenser", state="unplugged")
    assert not (tmp_path / "dispenser").exists()
    assert desk.facts(desk.status())[0].good is False
    ask(desk, "dispenser", state="plugged")
    assert (tmp_path / "dispenser").exists()
    assert "卡箱 50" in desk.facts(desk.status())[1].text


def test_faults(desk):
    desk.set_fault("1:jam,2:drop")
    assert desk.faults_pending == 2
    with pytest.raises(FaultSyntaxError):
        desk.set_fault("1:nothing")
