"""Who is standing there: by card and PIN, by an e-card that the platform verifies, or by ID card.

The order for a card is that of S4 (十八): 卡认证 (the card proves itself) before anything on it
counts, and 实名 only with the PIN. An ID card proves 实名 alone: its reader's security module lets
only genuine ones through. Each leg leaves its evidence and an audit line.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from apdu.errors import PinRejected
from apdu.reading import CardReading
from drivers.id_card import IdCard
from kiosk.codes import CodeFamily
from kiosk.failures import Failure, NoAnswer, refuse_unless_normal
from kiosk.identity import Leg, Resident
from kiosk.pages import (
    CodeProblem,
    IdCardProblem,
    IdCardWay,
    IdentifyPage,
    NoProofPage,
    PinPage,
    WorkingPage,
)
from kiosk.platform.errors import PlatformUnavailable
from kiosk.platform.models import Asker, CardVerdict, EcardHolder, EcardResult, Evidence
from kiosk.services.verification import offer_verification
from kiosk.session import Session
from kiosk.steps import AwaitAny, CardShown, CodeShown, Flow, IdCardShown, Ready, Run, Show, Watch

_PROBLEMS = {
    EcardResult.UNKNOWN: CodeProblem.NOT_OURS,
    EcardResult.EXPIRED: CodeProblem.EXPIRED,
    EcardResult.USED: CodeProblem.USED,
    EcardResult.WRONG_CHANNEL: CodeProblem.WRONG_CHANNEL,
}
"""The next code may be better."""
_OTHER_FAMILIES = {
    CodeFamily.CARD_PLATFORM: CodeProblem.CARD_PLATFORM,
    CodeFamily.CERTIFICATE: CodeProblem.CERTIFICATE,
    CodeFamily.GOVERNMENT_SERVICE: CodeProblem.GOVERNMENT_SERVICE,
    CodeFamily.UNKNOWN: CodeProblem.NOT_OURS,
}
"""What a code is told to be that is no e-card's."""
_REFUSALS = {
    EcardResult.CARD_LOST: "card-lost",
    EcardResult.CARD_LOCKED: "card-locked",
    EcardResult.CARD_CANCELLED: "card-cancelled",
}
"""The e-card follows the card: no other code of it helps."""


def identify(session: Session) -> Flow[Resident]:
    """The resident who showed card and PIN, or an e-card, in this visit (实名 + 实卡); an ID card
    is enough where the chosen item needs no more than 实名.

    Raises:
        Failure: see `prove_card`; also a blocked PIN, a holder that can't be read, an e-card whose
            card is lost, locked or cancelled, too many codes that help nobody.
    """
    known = session.identity.resident
    if known is not None and session.identity.has(session.needed | {Leg.REAL_NAME}):
        return known
    station = session.station
    scanner = station.scanner
    if scanner is not None:
        scanner.somebody_new()
    reader = None if Leg.GENUINE_CARD in session.needed else station.id_reader
    problem: CodeProblem | IdCardProblem | None = None
    tries = 0
    asked: dict[str, str] = {}
    while True:
        shown = yield from AwaitAny(
            _identify_page(scanner is not None, problem, session),
            card=True,
            codes=None if scanner is None else scanner.codes(),
            id_cards=None if reader is None else reader.cards(),
            actions=("neither",),
        )
        match shown:
            case CardShown():
                return (yield from _by_card(session))
            case CodeShown(payload=payload):
                found = yield from _by_ecard(session, payload, asked)
                if isinstance(found, Resident):
                    return found
                problem = found
                tries += problem is not CodeProblem.OFFLINE
                if tries == station.limits.code_tries:
                    raise Failure("ecard-refused")
            case IdCardShown(found=found_card):
                if isinstance(found_card, IdCard):
                    return _by_id_card(session, found_card)
                problem = found_card
                session.record("id-card.refused", outcome="refused", reason=problem.value)
            case str():
                yield from Show(NoProofPage(), ("again",))
            case _:
                assert_never(shown)


def prove_card(session: Session) -> Flow[tuple[CardReading, CardVerdict]]:
    """Wait for the card, read it, go on only with one that proved itself; ask the card ledger.

    Raises:
        Failure: not genuine, or nobody could tell.
    """
    yield from AwaitAny(lambda _ready: IdentifyPage(), card=True)
    return (yield from _read_card(session))


def _read_card(session: Session) -> Flow[tuple[CardReading, CardVerdict]]:
    station = session.station
    reading = yield from Run(
        station.cards.read,
        page=WorkingPage("card.reading"),
        deadline=station.limits.card_deadline,
    )
    session.record("card.read", profile=reading.profile)
    if reading.genuine is False or not reading.consistent:
        raise Failure("card-not-genuine")
    if reading.genuine is None:
        raise Failure("card-unproven")
    session.establish(Leg.GENUINE_CARD, "internal-authenticate")
    verdict = yield from Run(
        station.platform.card_verdict,
        (reading.issuer.card_id, reading.issuer.card_number),
        page=WorkingPage("card.reading"),
        deadline=station.limits.platform_deadline,
    )
    return reading, verdict


def _by_card(session: Session) -> Flow[Resident]:
    station = session.station
    reading, verdict = yield from _read_card(session)
    refuse_unless_normal(verdict)
    tries_left: int | None = None
    while True:
        entry = yield from Watch(
            station.pad.entry(reading.issuer.card_number),
            page=_pin_page(tries_left),
            seconds=station.limits.pin_seconds,
        )
        session.hold(entry.wipe)
        try:
            holder = yield from Run(
                station.cards.verify_pin,
                (entry,),
                page=WorkingPage("pin.checking"),
                deadline=station.limits.card_deadline,
            )
            break
        except PinRejected as rejected:
            tries_left = rejected.tries_left
            session.record("pin.rejected", outcome="refused", tries_left=tries_left)
            if tries_left == 0:
                raise Failure("pin-blocked") from None
    session.establish(Leg.PIN, "verify")
    if holder is None:
        raise Failure("card-unproven")
    resident = Resident(holder.social_security_number, holder.name)
    evidence = frozenset({Evidence.CARD_GENUINE, Evidence.PIN_VERIFIED})
    asker = Asker(resident.number, reading.issuer.card_id, None, evidence)
    session.identify(resident, asker)
    session.establish(Leg.REAL_NAME, "card-holder-file")
    return resident


def _by_ecard(
    session: Session, payload: bytes, asked: dict[str, str]
) -> Flow[Resident | CodeProblem]:
    """Ask the platform about a code; what the code says is not looked at.

    Args:
        asked: code -> Idempotency-Key of this visit: a code whose answer was lost is used up, but
            the same question still gets that answer.
    """
    station = session.station
    code = station.pack.codes.recognise(payload)
    session.record("code.read", family=code.family.value)
    if code.family is CodeFamily.CERTIFICATE:
        yield from offer_verification(session, code.text)
    if code.family is not CodeFamily.ECARD:
        return _OTHER_FAMILIES[code.family]
    key = asked.setdefault(code.text, station.platform.new_key())
    try:
        verdict = yield from Run(
            station.platform.verify_ecard,
            (code.text, station.pack.division, key),
            page=WorkingPage("ecard.checking"),
            deadline=station.limits.platform_deadline,
        )
    except (PlatformUnavailable, NoAnswer):
        return CodeProblem.OFFLINE
    holder: EcardHolder | None = verdict.holder
    if holder is None:
        session.record("ecard.refused", outcome="refused", reason=verdict.result.value)
        if verdict.result in _REFUSALS:
            raise Failure(_REFUSALS[verdict.result])
        return _PROBLEMS[verdict.result]
    resident = Resident(holder.number, holder.name)
    evidence = frozenset({Evidence.ECARD_VERIFIED})
    session.identify(resident, Asker(holder.number, None, holder.ticket, evidence))
    # The e-card is the card's other form and follows its state: one verification, two legs.
    session.establish(Leg.GENUINE_CARD, "ecard-verification", "platform")
    session.establish(Leg.REAL_NAME, "ecard-verification", "platform")
    return resident


def _by_id_card(session: Session, card: IdCard) -> Resident:
    session.record("id-card.read", kind=card.kind.value)
    resident = Resident(card.number, card.name or card.english_name)
    session.identify(resident, Asker(card.number, None, None, frozenset({Evidence.ID_CARD})))
    session.establish(Leg.REAL_NAME, "id-card")
    return resident


def _identify_page(
    ecard: bool, problem: CodeProblem | IdCardProblem | None, session: Session
) -> Callable[[Ready], IdentifyPage]:
    def page(ready: Ready) -> IdentifyPage:
        way = IdCardWay.READY if ready.id_cards else IdCardWay.FAILED
        if session.station.id_reader is None:
            way = IdCardWay.NONE
        elif Leg.GENUINE_CARD in session.needed:
            way = IdCardWay.NOT_ENOUGH
        return IdentifyPage(ecard, ready.codes, problem, way)

    return page


def _pin_page(tries_left: int | None) -> Callable[[int | None], PinPage]:
    return lambda count: PinPage(count or 0, tries_left)
