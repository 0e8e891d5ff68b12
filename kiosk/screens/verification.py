"""Screens of 证明验真: show the sheet's code, type it, see what became of it."""

from __future__ import annotations

from kiosk.documents import codes
from kiosk.documents.qr_check import QrCheck, QrState
from kiosk.pages import CodeEntryPage, VerifiedPage, VerifyPage
from kiosk.platform.models import CertificateState, CertificateVerdict
from kiosk.texts import Texts
from ui import views

_KEYS_A_ROW = 8
_DIGEST_SHOWN = 16
"""Hex digits of the digest; the sheet shows the same ones."""


def ask(page: VerifyPage, t: Texts) -> views.Identify:
    """Scan or type."""
    scan = views.Way(
        "scan",
        t("verify.scan.title"),
        t.lines("verify.scan.lines"),
        views.Picture.CODE_SCAN,
        prominent=page.codes,
        unavailable="" if page.codes else t("unavailable.scanner"),
    )
    message = None
    if page.other:
        message = views.Message(
            views.Tone.WARN, t("verify.other.title"), t.lines("verify.other.lines")
        )
    return views.Identify(
        title=t("verify.title"),
        hint=t("verify.hint"),
        ways=(scan,),
        message=message,
        action=views.Action("type", t("verify.type"), views.Emphasis.SECONDARY),
    )


def shown_elsewhere(t: Texts) -> views.Notice:
    """Whether the certificate that was shown in place of an e-card shall be verified."""
    return views.Notice(
        tone=views.Tone.INFO,
        picture=views.Picture.CODE_SCAN,
        title=t("certificate-shown.title"),
        hint=t("certificate-shown.hint"),
        lines=t.lines("certificate-shown.lines"),
    )


def entry(page: CodeEntryPage, t: Texts) -> views.CodeEntry:
    """The 16 characters of a code, in groups of four."""
    alphabet = codes.ALPHABET
    rows = (alphabet[at : at + _KEYS_A_ROW] for at in range(0, len(alphabet), _KEYS_A_ROW))
    message = None
    if page.wrong:
        message = views.Message(
            views.Tone.WARN, t("code-entry.wrong.title"), t.lines("code-entry.wrong.lines")
        )
    return views.CodeEntry(
        title=t("code-entry.title"),
        hint=t("code-entry.hint"),
        typed=page.typed,
        groups=(4, 4, 4, 4),
        keys=tuple(tuple(row) for row in rows),
        erase=views.Action("erase", t("code-entry.erase"), enabled=bool(page.typed)),
        clear=views.Action("clear", t("code-entry.clear"), enabled=bool(page.typed)),
        message=message,
    )


def verified_name(page: VerifiedPage) -> str:
    """The screen's name, for example ``verified.genuine`` or ``verified.offline.forged``."""
    state = page.result.state.value
    return f"verified.{state}" if _by_platform(page) else f"verified.offline.{state}"


def verified(page: VerifiedPage, t: Texts) -> views.Notice:
    """What is true of the sheet, and what nobody has checked."""
    name, result = verified_name(page), page.result
    if isinstance(result, CertificateVerdict):
        good = result.state is CertificateState.GENUINE
        facts = _shown(result, t)
    else:
        good = result.state is QrState.GENUINE_SEAL
        facts = _proved(result, t)
    tone = views.Tone.OK if good else views.Tone.STOP
    if name in _DOUBTFUL:
        tone = views.Tone.WARN
    return views.Notice(
        tone=tone,
        picture={
            views.Tone.OK: views.Picture.DONE,
            views.Tone.WARN: views.Picture.WARNING,
        }.get(tone, views.Picture.STOPPED),
        title=t(f"{name}.title"),
        hint=t(f"{name}.hint"),
        lines=t.lines(f"{name}.lines"),
        facts=facts,
    )


_DOUBTFUL = (
    "verified.expired",
    "verified.offline.expired",
    "verified.offline.genuine-seal",
    "verified.offline.unknown-key",
)
"""Neither true nor false without a look at the paper or another question."""


def _by_platform(page: VerifiedPage) -> bool:
    return isinstance(page.result, CertificateVerdict)


def _shown(verdict: CertificateVerdict, t: Texts) -> tuple[tuple[str, str], ...]:
    """What must stand on the sheet, masked as the platform gave it."""
    shown = verdict.shown
    if shown is None:
        return ()
    return (
        (t("verified.kind"), t(f"certificate.kind.{shown.kind}")),
        (t("verified.holder"), shown.name),
        (t("verified.number"), shown.holder_number),
        (t("verified.certificate"), shown.number),
        (t("verified.agency"), shown.agency),
        (t("verified.valid-until"), shown.valid_until.isoformat()),
    )


def _proved(check: QrCheck, t: Texts) -> tuple[tuple[str, str], ...]:
    """What the signature proves: who issued it, when, and the digest of the content."""
    if check.state not in (QrState.GENUINE_SEAL, QrState.EXPIRED):
        return ()
    digest = codes.group4(check.digest[:_DIGEST_SHOWN].upper()).replace("-", " ")
    issued, until = check.issued, check.valid_until
    assert issued is not None
    assert until is not None
    return (
        (t("verified.agency"), check.agency),
        (t("verified.kind"), t(f"certificate.kind.{check.kind}")),
        (t("verified.code"), codes.group4(check.code)),
        (t("verified.issued"), issued.isoformat()),
        (t("verified.valid-until"), until.isoformat()),
        (t("verified.digest"), digest),
    )
