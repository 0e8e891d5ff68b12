"""Every scenario on both wires: in this process, and through pcscd with its virtual readers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from hw_sim.pcscd import PcscdWorld
from tests.kiosk.card_backends import PSAM, Backend, InProcess, ThroughPcscd
from tests.scenarios.bench import Bench

BenchCard = Callable[..., Bench]
_WATCHDOG_SECONDS = 60
"""After this the card is pulled, and the test fails where a call waited for it."""


@pytest.fixture(params=["in-process", pytest.param("pcscd", marks=pytest.mark.pcscd)])
def wire(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """The slots, empty but for the PSAM. Whatever a test does, no simulated card has a bug."""
    if request.param == "in-process":
        yield (slots := InProcess())
        assert slots.bugs() == 0
        return
    world: PcscdWorld = request.getfixturevalue("pcscd_world")
    through = ThroughPcscd(world)
    # Nothing in PC/SC ends a transmit that waits for its card, no signal either.
    watchdog = threading.Timer(_WATCHDOG_SECONDS, world.slots.renew)
    watchdog.start()
    yield through
    watchdog.cancel()
    through.service.stop()


@pytest.fixture
def bench_card(wire: Backend) -> Iterator[BenchCard]:
    """Puts a card in, as `Bench` does; at the end all is given back and the PSAM is in."""
    benches: list[Bench] = []

    def put_in(name: str, faults: str = "", psam_faults: str = "") -> Bench:
        assert not benches, "one card at a time; Bench.put_in swaps it"
        benches.append(Bench(wire, name, faults, psam_faults))
        return benches[0]

    yield put_in
    for bench in benches:
        bench.close()
    wire.fault("", PSAM)
    if not any(state.present for state in wire.service.readers() if PSAM in state.name):
        wire.insert("psam", PSAM)
