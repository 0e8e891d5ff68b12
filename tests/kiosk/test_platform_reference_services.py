"""E-cards, risk rules, certificates and events: our client against the reference platform."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from apdu.crypto import sm3
from hw_sim.platform.ecards import holder_named
from hw_sim.platform.server import PlatformServer
from hw_sim.population import CardState, Resident, population
from kiosk.audit.log import AuditLog
from kiosk.documents.certificate import Certificate, SealedCertificate, verify
from kiosk.documents.seals import read_seals
from kiosk.keys import TerminalKeys
from kiosk.masking import mask_name, mask_number
from kiosk.pack_signature import PackError
from kiosk.platform.client import PlatformClient
from kiosk.platform.errors import PlatformRefused, Problem
from kiosk.platform.models import (
    Asker,
    CertificateState,
    CertificateVerdict,
    EcardResult,
    EcardVerdict,
    Evidence,
    Risk,
    RiskVerdict,
)
from kiosk.toml_tables import Table
from tests.kiosk.reference_line import client_of, enrolled

ITEM = "429900-CERT-PARTICIPATION"
PACK = Path(__file__).parents[2] / "kiosk" / "packs" / "demo"
SEALS = read_seals(Table.read(PACK / "certificates.toml", PackError))
BEIJING = timedelta(hours=8)


class Clock:
    """The one clock of platform and terminals; only forward."""

    def __init__(self) -> None:
        self.now = 1_795_226_520.0

    def __call__(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    @property
    def today(self) -> date:
        return (datetime.fromtimestamp(self.now, UTC) + BEIJING).date()


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def server(clock: Clock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformServer]:
    file = tmp_path_factory.mktemp("platform") / "platform.sqlite"
    with PlatformServer(file, clock=clock, as_of=clock.today) as running:
        yield running


@pytest.fixture(autouse=True)
def no_faults(server: PlatformServer) -> Iterator[None]:
    yield
    server.faults.clear()


@pytest.fixture
def keys(server: PlatformServer, tmp_path: Path) -> TerminalKeys:
    return enrolled(server, tmp_path / "keys")


@pytest.fixture
def client(server: PlatformServer, keys: TerminalKeys, clock: Clock) -> Iterator[PlatformClient]:
    with client_of(server, keys, clock=clock) as made:
        yield made


def by_card(person: Resident, *more: Evidence) -> Asker:
    evidence = frozenset({Evidence.CARD_GENUINE, *more})
    return Asker(person.number, person.card.card_id, None, evidence)


def by_ecard(server: PlatformServer, client: PlatformClient, name: str) -> Asker:
    holder = client.verify_ecard(server.issue_ecard(name), "429900").holder
    assert holder is not None
    return Asker(holder.number, None, holder.ticket, frozenset({Evidence.ECARD_VERIFIED}))


def test_a_fresh_code_tells_its_holder(server: PlatformServer, client: PlatformClient) -> None:
    person = holder_named("v3")
    verdict = client.verify_ecard(server.issue_ecard("v3"), "429900")
    assert verdict.result is EcardResult.VERIFIED
    assert verdict.holder is not None
    assert (verdict.holder.number, verdict.holder.name) == (person.number, person.name)


@pytest.mark.parametrize(
    "state, result",
    [
        ("expired", EcardResult.EXPIRED),
        ("used", EcardResult.USED),
        ("wrong-channel", EcardResult.WRONG_CHANNEL),
    ],
)
def test_codes_that_do_not_count(
    server: PlatformServer, client: PlatformClient, state: str, result: EcardResult
) -> None:
    code = server.issue_ecard("v3", state)
    assert client.verify_ecard(code, "429900") == EcardVerdict(result, None)


@pytest.mark.parametrize("text", ["https://pay.example/1?x=%E6", "~" * 512, '"{}\\'])
def test_a_strange_code_is_unknown(client: PlatformClient, text: str) -> None:
    assert client.verify_ecard(text, "429900") == EcardVerdict(EcardResult.UNKNOWN, None)


def test_a_code_lives_for_a_minute(
    server: PlatformServer, client: PlatformClient, clock: Clock
) -> None:
    code = server.issue_ecard("v3")
    clock.now += 61
    assert client.verify_ecard(code, "429900").result is EcardResult.EXPIRED


@pytest.mark.parametrize(
    "state, result",
    [
        (CardState.LOST, EcardResult.CARD_LOST),
        (CardState.TEMPORARILY_LOST, EcardResult.CARD_LOST),
        (CardState.LOCKED, EcardResult.CARD_LOCKED),
        (CardState.SEALED, EcardResult.CARD_LOCKED),
        (CardState.CANCELLED, EcardResult.CARD_CANCELLED),
    ],
)
def test_the_ecard_follows_the_card(
    server: PlatformServer, client: PlatformClient, state: CardState, result: EcardResult
) -> None:
    number = holder_named("v3").card.card_number
    server.set_card_state(number, state)
    try:
        code = server.issue_ecard("v3")
        assert client.verify_ecard(code, "429900") == EcardVerdict(result, None)
    finally:
        server.set_card_state(number, CardState.NORMAL)


@pytest.mark.parametrize("fault", ["drop", "drop-after-commit", "half"])
def test_a_code_is_used_up_once_though_the_reply_was_lost(
    server: PlatformServer, client: PlatformClient, fault: str
) -> None:
    code = server.issue_ecard("v3")
    server.faults.set(f"ecard-verifications@1:{fault}")
    first = client.verify_ecard(code, "429900", key=f"e-{fault}")
    assert first.result is EcardResult.VERIFIED
    assert client.verify_ecard(code, "429900", key=f"e-{fault}") == first
    assert client.verify_ecard(code, "429900").result is EcardResult.USED


def test_a_ticket_opens_what_a_card_opens(server: PlatformServer, client: PlatformClient) -> None:
    person = holder_named("v3")
    ticket, card = by_ecard(server, client, "v3"), by_card(person, Evidence.PIN_VERIFIED)
    assert client.overview(ticket) == client.overview(card)
    assert client.overview(ticket).name == person.name
    assert client.risk(ITEM, ticket) == client.risk(ITEM, card) == RiskVerdict(Risk.ALLOW, "")


def test_a_ticket_lives_for_fifteen_minutes(
    server: PlatformServer, client: PlatformClient, clock: Clock
) -> None:
    asker = by_ecard(server, client, "v3")
    clock.now += 890
    client.overview(asker)
    clock.now += 20
    with pytest.raises(PlatformRefused) as caught:
        client.overview(asker)
    assert caught.value.problem is Problem.FORBIDDEN


def test_a_ticket_is_worth_nothing_elsewhere_or_for_another(
    server: PlatformServer, client: PlatformClient, clock: Clock, tmp_path: Path
) -> None:
    asker = by_ecard(server, client, "v3")
    other = Asker(population()[9].number, None, asker.ticket, asker.evidence)
    with pytest.raises(PlatformRefused) as caught:
        client.overview(other)
    assert caught.value.problem is Problem.FORBIDDEN
    neighbour = enrolled(server, tmp_path / "other", machine=4)
    with (
        client_of(server, neighbour, clock=clock) as elsewhere,
        pytest.raises(PlatformRefused) as caught,
    ):
        elsewhere.overview(asker)
    assert caught.value.problem is Problem.FORBIDDEN


def test_what_proves_must_fit_how_one_asks(server: PlatformServer, client: PlatformClient) -> None:
    person, ticket = holder_named("v3"), by_ecard(server, client, "v3").ticket
    unproven = Asker(person.number, person.card.card_id, None, frozenset({Evidence.PIN_VERIFIED}))
    mixed = Asker(person.number, None, ticket, frozenset({Evidence.CARD_GENUINE}))
    for asker in (unproven, mixed):
        for ask in (client.overview, lambda who: client.risk(ITEM, who)):
            with pytest.raises(PlatformRefused) as caught:
                ask(asker)
            assert caught.value.problem is Problem.FORBIDDEN


def test_risk_rules_allow_warn_and_block(server: PlatformServer, client: PlatformClient) -> None:
    for name, risk in (("risk-warn", Risk.WARN), ("risk-block", Risk.BLOCK)):
        verdict = client.risk(ITEM, by_card(holder_named(name)))
        assert verdict.risk is risk
        assert verdict.code
    with pytest.raises(PlatformRefused) as caught:
        client.certificate(by_card(holder_named("risk-block")), "participation", 12)
    assert caught.value.problem is Problem.FORBIDDEN
    client.certificate(by_card(holder_named("risk-warn")), "participation", 12)


def test_nobodys_certificate_is_not_found(client: PlatformClient) -> None:
    nobody = Asker("429900190001010000", bytes(16), None, frozenset({Evidence.CARD_GENUINE}))
    with pytest.raises(PlatformRefused) as caught:
        client.certificate(nobody, "participation", 12)
    assert caught.value.problem is Problem.NOT_FOUND


def checked(sealed: SealedCertificate, clock: Clock) -> Certificate:
    return verify(sealed, SEALS, today=clock.today)


@pytest.mark.parametrize("months", [1, 12, 60])
def test_certificates_hold_before_the_seals_of_the_pack(
    client: PlatformClient, clock: Clock, months: int
) -> None:
    for person in population()[:8]:
        sealed = client.certificate(by_card(person), "participation", months)
        certificate = checked(sealed, clock)
        first, last = certificate.period_first, certificate.period_last
        assert 12 * (last.year - first.year) + last.month - first.month + 1 == months
        assert certificate.holder.name == person.name
        assert certificate.holder.number == mask_number(person.number)


def test_a_certificate_is_made_once_however_often_it_is_asked_for(
    server: PlatformServer, client: PlatformClient, clock: Clock
) -> None:
    asker = by_ecard(server, client, "v3")
    server.faults.set("certificates@1:drop-after-commit")
    first = client.certificate(asker, "participation", 12, key="c-1")
    assert client.certificate(asker, "participation", 12, key="c-1") == first
    known = client.submission("c-1")
    assert known is not None
    assert (known.status, known.response["qr"]) == (201, first.qr)
    another = client.certificate(asker, "participation", 12)
    assert checked(another, clock).code != checked(first, clock).code


def test_what_is_said_of_a_certificate_that_somebody_shows(
    server: PlatformServer, client: PlatformClient, clock: Clock
) -> None:
    person = holder_named("v3")
    sealed = client.certificate(by_card(person), "participation", 12)
    certificate = checked(sealed, clock)
    code, digest = certificate.code, sm3.digest(sealed.content).hex()
    genuine = client.verify_certificate(code)
    assert genuine.state is CertificateState.GENUINE
    assert genuine.shown is not None
    assert genuine.shown.name == mask_name(person.name)
    assert genuine.shown.holder_number == mask_number(person.number)
    assert genuine.shown.number == certificate.number
    assert genuine.shown.agency == certificate.agency
    assert genuine.shown.valid_until == certificate.valid_until
    assert datetime.fromisoformat(genuine.shown.issued_at) == certificate.issued_at
    assert client.verify_certificate(code, digest) == genuine
    altered = client.verify_certificate(code, sm3.digest(b"other").hex())
    assert altered == CertificateVerdict(CertificateState.ALTERED, genuine.shown)
    server.revoke_certificate(code)
    revoked = client.verify_certificate(code, digest)
    assert revoked == CertificateVerdict(CertificateState.REVOKED, genuine.shown)
    unknown = client.verify_certificate("2" * 16)
    assert unknown == CertificateVerdict(CertificateState.UNKNOWN, None)


def test_a_certificate_expires(client: PlatformClient, clock: Clock) -> None:
    sealed = client.certificate(by_card(holder_named("v3")), "participation", 12)
    certificate = checked(sealed, clock)
    clock.now += 86_400 * ((certificate.valid_until - clock.today).days + 1)
    assert client.verify_certificate(certificate.code).state is CertificateState.EXPIRED


def test_an_event_counts_once(server: PlatformServer, client: PlatformClient) -> None:
    before = len(server.events())
    body = {"item": ITEM, "grade": 5, "visit": "visit-1"}
    server.faults.set("events@1:drop-after-commit")
    numbers = {client.send_event("evaluation", 1_795_226_000, body, key="ev-1") for _ in range(3)}
    assert len(numbers) == 1
    assert [e["body"] for e in server.events()[before:]] == [body]
    with pytest.raises(PlatformRefused) as caught:
        client.send_event("evaluation", 1_795_226_001, body, key="ev-2")
    assert caught.value.problem is Problem.FORBIDDEN


def test_the_outcome_of_a_print_is_reported(server: PlatformServer, client: PlatformClient) -> None:
    body = {
        "code": "2" * 16,
        "serial": "0003-20261121-000017",
        "outcome": "unknown",
        "reason": "",
    }
    number = client.send_event("print-outcome", 1_795_226_000, body, key="po-1")
    assert server.events()[-1]["event_no"] == number
    assert server.events()[-1]["body"] == body


def test_the_audit_log_is_taken_range_by_range(
    server: PlatformServer,
    keys: TerminalKeys,
    client: PlatformClient,
    clock: Clock,
    tmp_path: Path,
) -> None:
    log = AuditLog(tmp_path / "audit.jsonl", keys.terminal_id, clock, boot_id="boot-1")
    for visit in range(1, 6):
        log.write("visit.begun", visit=visit)
    log.close()
    lines = (tmp_path / "audit.jsonl").read_text("ascii").splitlines()

    def send(first: int, last: int, lines: list[str]) -> str:
        body = {"first": first, "last": last, "lines": lines}
        key = f"{keys.terminal_id}-audit-{first}-{last}"
        return client.send_event("audit-range", int(clock.now), body, key=key)

    number = send(1, 3, lines[:3])
    assert send(1, 3, lines[:3]) == number
    with pytest.raises(PlatformRefused) as caught:
        send(5, 5, lines[4:])
    assert caught.value.problem is Problem.FORBIDDEN
    send(4, 5, lines[3:])
    kept = [
        line for e in server.events() if e["kind"] == "audit-range" for line in e["body"]["lines"]
    ]
    assert kept[-5:] == lines
