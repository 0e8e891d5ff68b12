"""Every scenario on both wires: in this process, and through pcscd with its virtual readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.kiosk.card_backends import PSAM, Backend, InProcess, ThroughPcscd
from tests.scenarios.bench import Bench

BenchCard = Callable[..., Bench]


@pytest.fixture(params=["in-process", pytest.param("pcscd", marks=pytest.mark.pcscd)])
def wire(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """The slots, empty but for the PSAM. Whatever a test does, no simulated card has a bug."""
    if request.param == "in-process":
        yield (slots := InProcess())
        assert slots.bugs() == 0
        return
    world = request.getfixturevalue("pcscd_world")
    through = ThroughPcscd(world)
    yield through
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
