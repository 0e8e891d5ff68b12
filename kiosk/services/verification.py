"""证明验真 (S5 5.4.2.4): the code of a printed sheet, scanned or typed, and what became of it.

Whoever holds the sheet may ask, without showing who they are. Without the platform only the seal's
signature in the QR can be checked; the screen says what that proves and what it does not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from kiosk.codes import CodeFamily
from kiosk.documents import codes
from kiosk.documents.qr_check import QrCheck, QrState, check_qr
from kiosk.failures import Failure, NoAnswer
from kiosk.pages import CertificateShownPage, CodeEntryPage, VerifiedPage, VerifyPage, WorkingPage
from kiosk.platform.errors import PlatformUnavailable
from kiosk.platform.models import CertificateVerdict
from kiosk.session import Session
from kiosk.steps import AwaitAny, Back, CardShown, CodeShown, Flow, IdCardShown, Ready, Run, Show

KEYS = {f"key.{character}": character for character in codes.ALPHABET}
"""Id on the screen -> character."""


def verification(session: Session) -> Flow[None]:
    """Ask for a code, say what became of it, until the resident leaves."""
    if session.station.scanner is not None:
        session.station.scanner.somebody_new()
    while True:
        result, way = yield from _verify_one(session)
        yield from _tell(session, result, way)


def offer_verification(session: Session, text: str) -> Flow[None]:
    """A certificate's code came up where something else was asked for: verify it if they wish."""
    if (yield from Show(CertificateShownPage(), ("verify", "again"))) == "verify":
        yield from _tell(session, (yield from _by_qr(session, text)), "scanned")


def _tell(session: Session, result: CertificateVerdict | QrCheck, way: str) -> Flow[None]:
    session.record("certificate.checked", way=way, result=result.state.value)
    yield from Show(VerifiedPage(result), ("again",))


def _verify_one(session: Session) -> Flow[tuple[CertificateVerdict | QrCheck, str]]:
    station = session.station
    other = False
    for _ in range(station.limits.code_tries):
        shown = yield from AwaitAny(
            _ask_page(other),
            codes=None if station.scanner is None else station.scanner.codes(),
            actions=("type",),
        )
        match shown:
            case CodeShown(payload=payload):
                scanned = station.pack.codes.recognise(payload)
                session.record("code.read", family=scanned.family.value)
                if scanned.family is CodeFamily.CERTIFICATE:
                    return (yield from _by_qr(session, scanned.text)), "scanned"
                other = True
            case str():
                return (yield from _by_typing(session)), "typed"
            case CardShown() | IdCardShown():
                raise AssertionError("no card was asked for")
            case _:
                assert_never(shown)
    # Somebody plays, or nobody is there and something lies before the scanner.
    raise Back


def _ask_page(other: bool) -> Callable[[Ready], VerifyPage]:
    return lambda ready: VerifyPage(ready.codes, other)


def _by_qr(session: Session, text: str) -> Flow[CertificateVerdict | QrCheck]:
    """The signature first: what our seal did not sign needs no question to the platform."""
    station = session.station
    checked = check_qr(text, station.pack.certificates.seals, today=station.clock.local().date())
    if checked.state in (QrState.FORGED, QrState.NOT_OURS) or station.line_up is False:
        return checked
    try:
        return (yield from _ask(session, checked.code, checked.digest))
    except (PlatformUnavailable, NoAnswer):
        return checked


def _by_typing(session: Session) -> Flow[CertificateVerdict]:
    code = yield from _typed_code()
    try:
        return (yield from _ask(session, code, ""))
    except (PlatformUnavailable, NoAnswer):
        raise Failure("verification-offline") from None


def _typed_code() -> Flow[str]:
    """The 16 characters, taken when the last one fits."""
    typed, wrong = "", False
    while True:
        touched = yield from Show(CodeEntryPage(typed, wrong), (*KEYS, "erase", "clear"))
        match touched:
            case "erase":
                typed = typed[:-1]
            case "clear":
                typed = ""
            case key if len(typed) < codes.LENGTH:
                typed += KEYS[key]
            case _:
                pass
        wrong = len(typed) == codes.LENGTH
        if wrong and codes.is_code(typed):
            return typed


def _ask(session: Session, code: str, digest: str) -> Flow[CertificateVerdict]:
    station = session.station
    return (
        yield from Run(
            station.platform.verify_certificate,
            (code, digest),
            page=WorkingPage("verify.checking"),
            deadline=station.limits.platform_deadline,
        )
    )
