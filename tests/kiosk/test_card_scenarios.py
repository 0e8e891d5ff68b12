"""What a terminal does with each kind of card: in process, and through pcscd, by the same tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from apdu.errors import (
    CardError,
    CardMute,
    CardRemoved,
    PinBlocked,
    PinRejected,
    UnknownCard,
)
from apdu.reading import HolderUnavailable
from hw_sim.population import DEMO_PIN, population
from kiosk.card_station import CardStation, PsamInReader
from tests.kiosk.card_backends import CONTACT, PSAM, Backend, InProcess, ThroughPcscd

WRONG = "999999"


class Typed:
    """A PIN as the pad station gives it."""

    def __init__(self, digits: str) -> None:
        self.buffers: list[bytearray] = []
        self._digits = digits
        self.wiped = False

    def digits(self) -> bytearray:
        self.buffers.append(bytearray(self._digits.encode()))
        return self.buffers[-1]

    def wipe(self) -> None:
        self.wiped = True


@pytest.fixture(params=["in-process", pytest.param("pcscd", marks=pytest.mark.pcscd)])
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    if request.param == "in-process":
        yield InProcess()
        return
    through = ThroughPcscd(request.getfixturevalue("pcscd_world"))
    yield through
    through.service.stop()


@pytest.fixture
def station(backend: Backend) -> Iterator[CardStation]:
    psam = PsamInReader(backend.service, PSAM)
    station = CardStation(backend.service, CONTACT, (psam,), random=os.urandom)
    yield station
    station.release()
    psam.close()


@pytest.mark.parametrize(("name", "index"), [("v3", 0), ("v2", 1), ("v1", 2), ("resident:9", 9)])
def test_every_generation_proves_itself_and_names_its_holder(
    backend: Backend, station: CardStation, name: str, index: int
) -> None:
    backend.insert(name)
    reading = station.read()
    person = population()[index]
    assert reading.genuine is True
    assert reading.consistent
    assert reading.holder is not None
    assert (reading.holder.social_security_number, reading.holder.name) == (
        person.number,
        person.name,
    )
    assert reading.issuer.card_id == person.card.card_id == station.card_id
    assert reading.issuer.card_number == person.card.card_number
    assert reading.issuer.expires == person.card.expires


def test_a_v3_read_takes_six_commands(backend: Backend, station: CardStation) -> None:
    backend.insert("v3")
    assert station.read().apdus == 6


def test_the_right_pin_gives_the_holder_and_leaves_no_digit(
    backend: Backend, station: CardStation
) -> None:
    backend.insert("v3")
    station.read()
    typed = Typed(DEMO_PIN)
    holder = station.verify_pin(typed)  # type: ignore[arg-type]
    assert holder is not None
    assert holder.name == population()[0].name
    assert typed.wiped
    assert all(not any(buffer) for buffer in typed.buffers)


def test_wrong_pins_count_down_and_a_right_one_restores_the_tries(
    backend: Backend, station: CardStation
) -> None:
    backend.insert("v3")
    station.read()
    for left in (2, 1):
        with pytest.raises(PinRejected) as rejected:
            station.verify_pin(Typed(WRONG))  # type: ignore[arg-type]
        assert rejected.value.tries_left == left
    station.verify_pin(Typed(DEMO_PIN))  # type: ignore[arg-type]
    with pytest.raises(PinRejected) as rejected:
        station.verify_pin(Typed(WRONG))  # type: ignore[arg-type]
    assert rejected.value.tries_left == 2


def test_a_locked_pin_stays_locked_for_the_right_one(
    backend: Backend, station: CardStation
) -> None:
    backend.insert("pin-locked")
    assert station.read().genuine is True
    with pytest.raises(PinBlocked):
        station.verify_pin(Typed(DEMO_PIN))  # type: ignore[arg-type]


def test_a_clone_cannot_prove_itself_and_names_nobody(
    backend: Backend, station: CardStation
) -> None:
    backend.insert("clone")
    reading = station.read()
    assert reading.genuine is False
    assert reading.holder is None
    assert reading.holder_unavailable is HolderUnavailable.NOT_GENUINE


@pytest.mark.parametrize(("name", "error"), [("unknown", UnknownCard), ("mute", CardMute)])
def test_other_cards_are_told_apart(
    backend: Backend, station: CardStation, name: str, error: type[CardError]
) -> None:
    backend.insert(name)
    with pytest.raises(error):
        station.read()


def test_without_any_custodian_nobody_can_tell(backend: Backend) -> None:
    station = CardStation(backend.service, CONTACT, (), random=os.urandom)
    backend.insert("v3")
    reading = station.read()
    station.release()
    assert reading.genuine is None
    assert reading.holder is None
    assert reading.holder_unavailable is HolderUnavailable.PSAM_ABSENT


@pytest.mark.parametrize("kind", ["tear", "tear-after"])
@pytest.mark.parametrize("turn", range(1, 7))
def test_a_tear_at_every_command_is_a_removed_card_and_heals(
    backend: Backend, station: CardStation, turn: int, kind: str
) -> None:
    backend.insert("v3")
    backend.fault(f"{turn}:{kind}")
    with pytest.raises(CardRemoved):
        station.read()
    backend.remove()
    backend.insert("v3")
    backend.fault("")
    assert station.read().genuine is True


def test_a_tear_in_verify_saves_no_try(backend: Backend, station: CardStation) -> None:
    backend.insert("v3")
    station.read()
    backend.fault("2:tear-after")
    with pytest.raises(CardRemoved):
        station.verify_pin(Typed(WRONG))  # type: ignore[arg-type]
    backend.remove()
    backend.insert("v3")
    backend.fault("")
    station.read()
    with pytest.raises(PinRejected) as rejected:
        station.verify_pin(Typed(WRONG))  # type: ignore[arg-type]
    assert rejected.value.tries_left == 1


@pytest.mark.parametrize("kind", ["garbage", "short", "6F00", "6985"])
def test_nonsense_at_every_command_never_makes_another_person(
    backend: Backend, station: CardStation, kind: str
) -> None:
    backend.insert("v3")
    for turn in range(1, 7):
        backend.fault(f"{turn}:{kind}")
        try:
            holder = station.read().holder
        except CardError:
            continue
        assert holder is None or holder.social_security_number == population()[0].number
