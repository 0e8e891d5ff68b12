"""证明验真: online by code, offline by signature, scanned or typed."""

from __future__ import annotations

import sys
from datetime import date

import pytest

from drivers.code_scanner import ScannerGone
from kiosk.documents import codes
from kiosk.documents.qr_check import QrCheck, QrState
from kiosk.pages import CodeEntryPage, HomePage, NoticePage, VerifiedPage, VerifyPage, WorkingPage
from kiosk.platform.errors import Outage, PlatformUnavailable
from kiosk.platform.models import CertificateState, CertificateVerdict, ShownCertificate
from tests.kiosk.terminal_double import VERIFY, TerminalDouble

FIRST = "CDEFGHJKLMNPQRS"
CODE = FIRST + codes.check_character(FIRST)
DIGEST = "ab" * 32
QR = b"https://zm.jiangcheng.example/v?c=anything"
GENUINE = CertificateVerdict(
    CertificateState.GENUINE,
    ShownCertificate(
        kind="participation",
        number="429900-2026-000001",
        agency="江城市",
        issued_at="2026-11-21T09:42:00+08:00",
        valid_until=date(2027, 2, 19),
        name="王*芳",
        holder_number="429***********0029",
    ),
)


def a_check(state: QrState) -> QrCheck:
    day = date(2026, 11, 21)
    return QrCheck(state, CODE, "participation", day, date(2027, 2, 19), DIGEST, "江城市")


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[QrCheck]:
    """What the signature check answers; its own tests are in test_documents_qr_check."""
    answers = [a_check(QrState.GENUINE_SEAL)]
    service = sys.modules["kiosk.services.verification"]
    monkeypatch.setattr(service, "check_qr", lambda text, seals, today: answers[0])
    return answers


def type_code(terminal: TerminalDouble, text: str) -> None:
    terminal.touch(*(f"key.{character}" for character in text))


def test_a_scanned_code_is_asked_about_with_its_digest(
    terminal: TerminalDouble, checked: list[QrCheck]
) -> None:
    terminal.touch(VERIFY)
    assert terminal.page == VerifyPage(codes=True)
    terminal.finish(QR)
    assert terminal.page == WorkingPage("verify.checking")
    assert terminal.runner._attendant.visit.step.args == (CODE, DIGEST)  # type: ignore[attr-defined]
    terminal.finish(GENUINE)
    assert terminal.page.result is GENUINE
    assert terminal.audit.details("certificate.checked") == [
        {"way": "scanned", "result": "genuine"}
    ]
    terminal.touch("again")
    assert terminal.page == VerifyPage(codes=True)
    terminal.touch("leave")
    assert isinstance(terminal.page, HomePage)


@pytest.mark.parametrize("state", [QrState.FORGED, QrState.NOT_OURS])
def test_what_our_seal_did_not_sign_is_told_without_a_question(
    terminal: TerminalDouble, checked: list[QrCheck], state: QrState
) -> None:
    checked[0] = a_check(state)
    terminal.touch(VERIFY)
    terminal.finish(QR)
    assert isinstance(terminal.page, VerifiedPage)
    assert terminal.page.result is checked[0]
    assert "platform" not in [job.lane for job in terminal.executor.jobs]


def test_offline_the_signature_alone_is_told(
    terminal: TerminalDouble, checked: list[QrCheck]
) -> None:
    terminal.line_down()
    terminal.touch(VERIFY)
    terminal.finish(QR)
    assert terminal.page.result is checked[0]
    terminal.touch("leave")


def test_a_line_that_breaks_meanwhile_leaves_the_signature(
    terminal: TerminalDouble, checked: list[QrCheck]
) -> None:
    terminal.touch(VERIFY)
    terminal.finish(QR)
    terminal.finish(error=PlatformUnavailable(Outage.TIMEOUT))
    assert terminal.page.result is checked[0]


def test_another_code_is_said_to_be_none(terminal: TerminalDouble) -> None:
    terminal.touch(VERIFY)
    terminal.finish(b"https://elsewhere.example/v?c=1")
    assert terminal.page == VerifyPage(codes=True, other=True)


def test_something_else_before_the_scanner_does_not_keep_the_terminal(
    terminal: TerminalDouble,
) -> None:
    terminal.touch(VERIFY)
    for _ in range(terminal.limits.code_tries):
        assert isinstance(terminal.page, VerifyPage)
        terminal.finish(b"https://elsewhere.example/v?c=1")
    assert isinstance(terminal.page, HomePage)


def test_a_typed_code_is_asked_about_when_its_check_character_fits(
    terminal: TerminalDouble,
) -> None:
    terminal.touch(VERIFY, "type")
    assert terminal.page == CodeEntryPage()
    wrong = FIRST + ("2" if CODE[-1] != "2" else "3")
    type_code(terminal, wrong)
    assert terminal.page == CodeEntryPage(wrong, wrong=True)
    terminal.touch("key.A")
    assert terminal.page.typed == wrong
    terminal.touch("erase")
    assert terminal.page == CodeEntryPage(FIRST)
    type_code(terminal, CODE[-1])
    assert terminal.page == WorkingPage("verify.checking")
    assert terminal.runner._attendant.visit.step.args == (CODE, "")  # type: ignore[attr-defined]
    unknown = CertificateVerdict(CertificateState.UNKNOWN, None)
    terminal.finish(unknown)
    assert terminal.page.result is unknown


def test_clearing_begins_anew(terminal: TerminalDouble) -> None:
    terminal.touch(VERIFY, "type", "key.A", "key.B", "clear")
    assert terminal.page == CodeEntryPage()


def test_offline_a_typed_code_can_not_be_verified(terminal: TerminalDouble) -> None:
    terminal.line_down()
    terminal.touch(VERIFY, "type")
    type_code(terminal, CODE)
    terminal.finish(error=PlatformUnavailable(Outage.NO_CONNECTION))
    assert terminal.page == NoticePage("verification-offline")


def test_without_scanner_codes_can_still_be_typed(terminal: TerminalDouble) -> None:
    terminal.touch(VERIFY)
    terminal.finish(error=ScannerGone("gone"))
    assert terminal.page == VerifyPage(codes=False)
    terminal.touch("type")
    assert terminal.page == CodeEntryPage()
