"""Our client against the reference platform, which was built from the same page by itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from apdu.crypto import sm2
from hw_sim.platform.server import PlatformServer
from hw_sim.population import CardState, population
from kiosk.card_station import CardStation, PsamInReader
from kiosk.keys import TerminalKeys
from kiosk.platform.client import PlatformClient, TerminalIdentity
from kiosk.platform.custodian import PlatformCustodian
from kiosk.platform.errors import ClockWrong, PlatformRefused, PlatformUnavailable, Problem
from kiosk.platform.models import AlarmKind, AlarmSeverity, Asker, CardVerdict, Evidence, Pension
from tests.kiosk.card_backends import CONTACT, PSAM, InProcess
from tests.kiosk.reference_line import LIMITS, client_of, enrolled

BOTH = frozenset({Evidence.CARD_GENUINE, Evidence.PIN_VERIFIED})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformServer]:
    with PlatformServer(tmp_path_factory.mktemp("platform") / "platform.sqlite") as running:
        yield running


@pytest.fixture
def keys(server: PlatformServer, tmp_path: Path) -> TerminalKeys:
    return enrolled(server, tmp_path)


@pytest.fixture
def client(server: PlatformServer, keys: TerminalKeys) -> Iterator[PlatformClient]:
    with client_of(server, keys) as made:
        yield made


def test_status_and_catalogue(client: PlatformClient) -> None:
    assert client.status().catalogue_version
    assert client.catalogue().items


def test_every_verdict(server: PlatformServer, client: PlatformClient) -> None:
    card = population()[5].card
    for state in CardState:
        server.set_card_state(card.card_number, state)
        verdict = client.card_verdict(card.card_id, card.card_number)
        assert verdict.name == state.name
    server.set_card_state(card.card_number, CardState.NORMAL)
    assert client.card_verdict(card.card_id, "B99999999") is CardVerdict.UNKNOWN


def test_overviews_of_everybody(client: PlatformClient) -> None:
    for person in population()[:40]:
        overview = client.overview(Asker(person.number, person.card.card_id, None, BOTH))
        assert overview.name == person.name
        if isinstance(overview.pension, Pension):
            assert len(overview.pension.recent) == 12


def test_overview_by_id_card(client: PlatformClient) -> None:
    person = population()[1]
    by_id_card = Asker(person.number, None, None, frozenset({Evidence.ID_CARD}))
    assert client.overview(by_id_card).name == person.name


def test_another_persons_card_is_refused(client: PlatformClient) -> None:
    first, second, *_ = population()
    with pytest.raises(PlatformRefused) as caught:
        client.overview(Asker(first.number, second.card.card_id, None, BOTH))
    assert caught.value.problem is Problem.FORBIDDEN


def test_an_alarm_has_one_effect_however_often_it_is_sent(
    server: PlatformServer, client: PlatformClient
) -> None:
    before = len(server.alarms())
    receipts = {
        client.raise_alarm(
            AlarmKind.DEVICE_FAULT, AlarmSeverity.FAULT, "device.lost", "", 1_800_000_000, key="k1"
        )
        for _ in range(3)
    }
    assert len(receipts) == 1
    assert len(server.alarms()) == before + 1
    submission = client.submission("k1")
    assert submission is not None
    assert submission.status == 201
    assert client.submission("k2") is None
    with pytest.raises(PlatformRefused) as caught:
        client.raise_alarm(
            AlarmKind.TAMPER, AlarmSeverity.FAULT, "device.lost", "", 1_800_000_000, key="k1"
        )
    assert caught.value.problem is Problem.CONFLICTING_REUSE


def test_a_wrong_clock_is_told(server: PlatformServer, keys: TerminalKeys) -> None:
    with (
        client_of(server, keys, clock=lambda: 1_700_000_000) as behind,
        pytest.raises(ClockWrong) as caught,
    ):
        behind.status()
    assert caught.value.server_time > 1_750_000_000


def test_an_unknown_key_is_refused(server: PlatformServer, keys: TerminalKeys) -> None:
    other = TerminalIdentity(keys.terminal_id, sm2.generate())
    with pytest.raises(PlatformRefused) as caught:
        PlatformClient(server.url, other, keys.enrolment.platform_key, LIMITS).status()
    assert caught.value.problem is Problem.SIGNATURE


def test_down_and_back(server: PlatformServer, client: PlatformClient) -> None:
    client.status()
    server.set_down(True)
    try:
        with pytest.raises(PlatformUnavailable):
            client.status()
    finally:
        server.set_down(False)
    client.status()


@pytest.mark.parametrize("card", ["v1", "v2", "v3"])
def test_the_platforms_key_service_and_the_psam_agree(client: PlatformClient, card: str) -> None:
    hall = InProcess()
    hall.insert(card)
    readings = []
    for custodian in (PlatformCustodian(client), PsamInReader(hall.service, PSAM)):
        station = CardStation(hall.service, CONTACT, (custodian,), random=os.urandom)
        readings.append(station.read())
        station.release()
    by_platform, by_psam = readings
    assert by_platform.genuine is by_psam.genuine is True
    assert by_platform.holder == by_psam.holder is not None


def test_the_key_service_knows_a_clone_too(client: PlatformClient) -> None:
    hall = InProcess()
    hall.insert("clone")
    station = CardStation(hall.service, CONTACT, (PlatformCustodian(client),), random=os.urandom)
    assert station.read().genuine is False


def test_the_platform_stands_in_for_a_psam_that_is_gone(
    server: PlatformServer, client: PlatformClient
) -> None:
    hall = InProcess()
    hall.insert("v3")
    custodians = (PsamInReader(hall.service, "No Such Slot"), PlatformCustodian(client))
    station = CardStation(hall.service, CONTACT, custodians, random=os.urandom)
    assert station.read().genuine is True
    server.set_down(True)
    try:
        assert station.read().genuine is None
    finally:
        server.set_down(False)
