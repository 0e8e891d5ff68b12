"""From a moment of the terminal to a screen in words: the only place where ids become texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from kiosk.bilingual import Bilingual
from kiosk.failures import kinds
from kiosk.moment import Badges, Moment, Overlay
from kiosk.pages import (
    CardStatusPage,
    CertificateShownPage,
    CodeEntryPage,
    GroupPage,
    HomePage,
    IdentifyPage,
    IdlePage,
    NoProofPage,
    NoticePage,
    OutOfServicePage,
    OverviewPage,
    PeriodPage,
    PinPage,
    PreviewPage,
    PrintingPage,
    RatingPage,
    RiskPage,
    SlipState,
    TakeCardPage,
    TakeSheetPage,
    VerifiedPage,
    VerifyPage,
    WorkingPage,
)
from kiosk.screens import card, document, identity, menu, overview, verification
from kiosk.texts import Texts, texts
from ui import views


@dataclass(frozen=True)
class Place:
    """Where the terminal stands, as the header says it."""

    hall: Bilingual
    machine: int
    phone: str


class Presenter:
    """Makes screens; the same moment always gives the same screen."""

    def __init__(self, place: Place, pin_length: int) -> None:
        self._place = place
        self._pin_length = pin_length

    def screen(self, moment: Moment) -> views.Screen:
        """The whole picture of a moment in its language."""
        t = texts(moment.language)
        body, name, footer = self._body(moment, t)
        idle = isinstance(body, views.Idle)
        return views.Screen(
            body=body,
            name=name,
            header=None if idle else self._header(moment, t),
            footer=None if idle else footer,
            overlay=_overlay(moment, t),
            locale=moment.language,
        )

    def _body(
        self, moment: Moment, t: Texts
    ) -> tuple[views.Body, str, views.HomeFooter | views.Footer]:
        page = moment.page
        going = _footer(moment, t)
        match page:
            case IdlePage():
                body = menu.idle(self._place.hall.of(moment.language), moment, t)
                return body, "idle", going
            case HomePage(card_inside=True):
                return menu.home(page, moment, t), "home", going
            case HomePage():
                return menu.home(page, moment, t), "home", self._home_footer(moment, t)
            case GroupPage():
                return menu.group(page, moment, t), "group", going
            case IdentifyPage():
                ways = identity.identify(page, moment, t, _steps(t, 0))
                return ways, identity.identify_name(page), going
            case CertificateShownPage():
                return verification.shown_elsewhere(t), "certificate-shown", going
            case NoProofPage():
                return identity.no_proof(t), "no-proof", going
            case WorkingPage(name="slip.printing" as name):
                return _working(name, t), name, _quiet_footer(t)
            case WorkingPage(name=name):
                return _working(name, t), name, _waiting_footer(t)
            case PinPage():
                name = "pin" if page.tries_left is None else "pin.rejected"
                return identity.pin(page, self._pin_length, t, _steps(t, 0)), name, going
            case PeriodPage():
                return document.period(page, t), "period", going
            case RiskPage():
                return document.risk(page, t), "risk", going
            case PreviewPage():
                return document.preview(page, t), "preview", going
            case PrintingPage(waiting=waiting):
                name = "printing" if waiting is None else "printing.waiting"
                return document.printing(page, t), name, _quiet_footer(t)
            case TakeSheetPage():
                return document.take_sheet(page, t), "take-sheet", going
            case RatingPage():
                return document.rating(page, t), "rating", going
            case VerifyPage():
                name = "verify" if not page.other else "verify.other"
                return verification.ask(page, t), name, going
            case CodeEntryPage():
                return verification.entry(page, t), "code-entry", going
            case VerifiedPage():
                name = verification.verified_name(page)
                return verification.verified(page, t), name, going
            case OverviewPage():
                return overview.body(page, t, steps=_steps(t, 1)), "overview", going
            case CardStatusPage():
                return card.card_status(page, t, _steps(t, 1)), "card-status", going
            case NoticePage(failure=failure):
                return _notice(page, t), f"failure.{failure}", _notice_footer(moment, t)
            case TakeCardPage():
                return _take_card(page, t), "take-card", views.Footer()
            case OutOfServicePage():
                return _out_of_service(page, t), "out-of-service", self._home_footer(moment, t)
            case _:
                assert_never(page)

    def _header(self, moment: Moment, t: Texts) -> views.Header:
        day = t(f"weekday.{moment.minute.isoweekday()}")
        place = t(
            "header.place",
            hall=self._place.hall.of(moment.language),
            machine=self._place.machine,
            day=day,
            time=f"{moment.minute:%H:%M}",
        )
        tools = (
            views.Tool("language", t("tool.language.glyph"), t("tool.language.label")),
            views.Tool("help", t("tool.help.glyph"), t("tool.help.label")),
        )
        return views.Header(t("header.title"), place, tools)

    def _home_footer(self, moment: Moment, t: Texts) -> views.HomeFooter:
        return views.HomeFooter(t("footer.phone"), self._place.phone, _badges(moment.badges, t))


def _badges(badges: Badges, t: Texts) -> tuple[views.Badge, ...]:
    if not badges.reader_ok:
        device = views.Badge(t("badge.device.fault"), views.Tone.WARN)
    elif badges.printer is not None:
        device = views.Badge(t(f"badge.printer.{badges.printer.value}"), views.Tone.WARN)
    else:
        device = views.Badge(t("badge.device.ok"), views.Tone.NEUTRAL)
    match badges.platform_up:
        case True:
            line = views.Badge(t("badge.line.up"), views.Tone.NEUTRAL)
        case False:
            text = t("badge.line.down")
            if badges.waiting:
                text = t("badge.line.waiting", count=badges.waiting)
            line = views.Badge(text, views.Tone.WARN)
        case None:
            line = views.Badge(t("badge.line.unknown"), views.Tone.NEUTRAL)
    return (device, line)


def _overlay(moment: Moment, t: Texts) -> views.TimeOut | None:
    match moment.overlay:
        case None:
            return None
        case Overlay.TIME_OUT:
            return views.TimeOut(
                title=t("timeout.title"),
                hint=t("timeout.hint"),
                seconds=moment.overlay_seconds,
                action=views.Action("extend", t("timeout.extend"), views.Emphasis.PRIMARY),
                leave=views.Action("leave", t("action.leave")),
            )
        case Overlay.HELP:
            return views.TimeOut(
                title=t("help.title"),
                hint=t("help.hint"),
                seconds=moment.overlay_seconds,
                action=views.Action("extend", t("help.continue"), views.Emphasis.PRIMARY),
            )


def _countdown(moment: Moment, t: Texts) -> views.Countdown | None:
    if moment.seconds_left is None:
        return None
    return views.Countdown(t("countdown.before"), moment.seconds_left, t("countdown.after"))


_BACK = ("back", "action.back")
_LEAVE = ("leave", "action.leave")
_HELP = ("help", "action.help")
_SKIP = ("skip", "rating.skip")
_SLIP = ("slip", "rating.slip")
_MAIN = views.Emphasis.PRIMARY
_EMPHASIS = {_HELP: views.Emphasis.QUIET, _SKIP: views.Emphasis.SECONDARY}
"""What the screen does not ask for: help, and leaving without an evaluation."""


def _footer(moment: Moment, t: Texts) -> views.Footer:
    """Way back at the left, time left, the main action (or help) at the right."""
    back: tuple[str, str] | None = _BACK
    forward = _HELP
    match moment.page:
        case HomePage():
            back, forward = None, ("leave", "home.card-back")
        case OverviewPage() | CardStatusPage():
            forward = _LEAVE
        case RiskPage():
            back = ("back", "risk.decline")
            forward = ("confirm", "risk.confirm")
        case PreviewPage():
            forward = ("print", "preview.print")
        case TakeSheetPage():
            back, forward = None, ("taken", "take-sheet.taken")
        case RatingPage(slip=slip):
            back, forward = (_SLIP if slip is SlipState.OFFERED else None), _SKIP
        case CertificateShownPage():
            back, forward = ("again", "no-proof.again"), ("verify", "certificate-shown.verify")
        case NoProofPage():
            back, forward = _LEAVE, ("again", "no-proof.again")
        case VerifiedPage():
            back, forward = ("again", "verified.again"), _LEAVE
        case _:
            pass
    return views.Footer(
        back=None if back is None else views.Action(back[0], t(back[1])),
        countdown=_countdown(moment, t),
        forward=views.Action(forward[0], t(forward[1]), _EMPHASIS.get(forward, _MAIN)),
    )


def _quiet_footer(t: Texts) -> views.Footer:
    """Paper is on its way: nothing can be taken back, only help be called."""
    return views.Footer(forward=views.Action("help", t("action.help"), views.Emphasis.QUIET))


def _waiting_footer(t: Texts) -> views.Footer:
    return views.Footer(
        back=views.Action("back", t("action.cancel")),
        forward=views.Action("help", t("action.help"), views.Emphasis.QUIET),
    )


def _notice_footer(moment: Moment, t: Texts) -> views.Footer:
    return views.Footer(
        countdown=_countdown(moment, t),
        forward=views.Action("leave", t("action.understood"), views.Emphasis.PRIMARY),
    )


def _steps(t: Texts, current: int) -> views.Steps:
    return views.Steps((t("steps.identify"), t("steps.result"), t("steps.finish")), current)


def _working(name: str, t: Texts) -> views.Progress:
    current = {"overview.loading": 1, "certificate.preparing": 1, "slip.printing": 2}.get(name, 0)
    return views.Progress(
        title=t(f"{name}.title"), hint=t(f"{name}.hint"), steps=_steps(t, current)
    )


def _notice(page: NoticePage, t: Texts) -> views.Notice:
    failure, kind = page.failure, kinds()[page.failure]
    code = kind.code if not page.reference else f"{kind.code} · {page.reference}"
    return views.Notice(
        tone=views.Tone(kind.tone),
        picture=views.Picture(kind.picture),
        title=t(f"failure.{failure}.title"),
        hint=t(f"failure.{failure}.hint"),
        lines=t.lines(f"failure.{failure}.where"),
        code=t("notice.code", code=code),
    )


def _take_card(page: TakeCardPage, t: Texts) -> views.Done:
    name = "take-card"
    if page.id_card:
        name = "take-cards" if page.card else "take-id-card"
    return views.Done(
        picture=views.Picture.CARD_TAKE if page.card else views.Picture.ID_CARD,
        title=t(f"{name}.done.title") if page.done else t(f"{name}.title"),
        hint=t("take-card.hint"),
        lines=t.lines("take-card.lines"),
    )


def _out_of_service(page: OutOfServicePage, t: Texts) -> views.Notice:
    code = f"{kinds()['reader-busy'].code} · {page.reader}"
    return views.Notice(
        tone=views.Tone.WARN,
        picture=views.Picture.WARNING,
        title=t("out-of-service.title"),
        hint=t(f"unavailable.{page.reason}"),
        lines=t.lines("out-of-service.where"),
        code=t("notice.code", code=code) if page.reader else "",
    )
