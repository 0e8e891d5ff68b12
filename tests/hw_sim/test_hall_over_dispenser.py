"""A whole hall whose card slot is the dispenser's gate, with the real driver at its port."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from drivers.crt591.cards import CONTACT, SAM, Crt591Cards, Crt591CardTimes
from drivers.crt591.device import Crt591
from drivers.events import CardInserted, CardTaken
from tests.drivers.dispenser_cards import eventually
from tests.drivers.event_box import EventBox
from tests.hw_sim.running_hall import RunningHall, sim, status


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHall]:
    hall = RunningHall(tmp_path_factory.mktemp("hall"), "--dispenser")
    yield hall
    hall.close()


def test_it_says_so_and_has_no_pcscd(hall: RunningHall) -> None:
    told = hall.told
    assert (told["way"], told["csock_name"], told["direct"]) == ("dispenser", None, None)
    assert status(hall)["pcscd"] == "dispenser"
    assert sim(hall.run, "pcscd", "restart").returncode == 1


def test_nobody_inserts_a_card_before_a_terminal_opens_the_gate(hall: RunningHall) -> None:
    answer = sim(hall.run, "insert", "v3", "--json")
    assert answer.returncode == 1
    assert "closed" in json.loads(answer.stdout)["error"]


def test_a_card_goes_in_and_comes_out_with_its_faults(hall: RunningHall) -> None:
    dispenser = Crt591(hall.told["dispenser_port"])
    service = Crt591Cards(dispenser, Crt591CardTimes(poll=0.05, stop=5))
    box = EventBox()
    service.start(box)
    try:
        eventually(lambda: dispenser.takes_cards)
        box.take(2)
        assert sim(hall.run, "fault", "card", "1:6F00").returncode == 0
        assert sim(hall.run, "insert", "v3").returncode == 0
        assert isinstance(box.take(1)[0], CardInserted)
        assert status(hall)["card"] == "v3"
        card = service.connect(CONTACT)
        assert card.transmit(bytes.fromhex("00A40000023F00")) == b"\x6f\x00"
        card.close()
        service.connect(f"{SAM} 1").close()
        assert sim(hall.run, "insert", "v2").returncode == 1
        dispenser.hold_at_gate()
        assert sim(hall.run, "remove").returncode == 0
        assert box.take(1) == [CardTaken(CONTACT)]
        found = status(hall)
        assert (found["card"], found["faults"]["card"]) == (None, 0)  # type: ignore[index]
        assert found["dispenser"]["illegal"] == []  # type: ignore[index]
    finally:
        service.stop()
        dispenser.close()


def test_the_readers_plug_is_the_dispensers(hall: RunningHall) -> None:
    assert sim(hall.run, "reader", "unplug").returncode == 0
    found = status(hall)
    assert (found["reader"], found["dispenser"]["plugged"]) == ("unplugged", False)  # type: ignore[index]
    assert sim(hall.run, "reader", "plug").returncode == 0
    assert status(hall)["reader"] == "plugged"
