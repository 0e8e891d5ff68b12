"""The PSAM in its slot, and its absence."""

from __future__ import annotations

import pytest

from apdu.reading import CardReading, HolderUnavailable, read_card
from tests.scenarios.bench import Bench
from tests.scenarios.conftest import BenchCard
from tests.scenarios.test_reading import names_its_holder


def read(bench: Bench) -> CardReading:
    return read_card(bench.transport, bench.custodian)


def test_without_a_psam_a_key_stays_shut_and_with_it_the_card_reads(bench_card: BenchCard) -> None:
    bench = bench_card("v3")
    bench.take_psam()
    reading = read(bench)
    assert (reading.genuine, reading.holder) == (None, None)
    assert reading.holder_unavailable is HolderUnavailable.PSAM_ABSENT
    assert reading.issuer.card_number
    bench.put_psam()
    assert names_its_holder(read(bench), "v3")


def test_an_old_card_reads_without_a_psam_and_stays_unproven(bench_card: BenchCard) -> None:
    bench = bench_card("v2")
    bench.take_psam()
    reading = read(bench)
    assert reading.genuine is None
    assert names_its_holder(reading, "v2")


@pytest.mark.parametrize("faults", ["1:tear", "3:tear-after", "7:tear"])
def test_a_psam_torn_out_names_nobody_and_comes_back(bench_card: BenchCard, faults: str) -> None:
    bench = bench_card("v3", psam_faults=faults)
    torn = read(bench)
    assert torn.holder is None
    assert torn.holder_unavailable is HolderUnavailable.PSAM_ABSENT
    bench.take_psam()
    bench.put_psam()
    bench.psam_faults("")
    assert names_its_holder(read(bench), "v3")


@pytest.mark.parametrize(
    "faults", ["*:6F00", "*:6A82", "*:less", "*:more", "*:garbage", "*:61-loop"]
)
def test_a_psam_that_errs_makes_nobody_of_the_card(bench_card: BenchCard, faults: str) -> None:
    bench = bench_card("v3", psam_faults=faults)
    erring = read(bench)
    assert erring.holder is None
    bench.psam_faults("")
    assert names_its_holder(read(bench), "v3")
