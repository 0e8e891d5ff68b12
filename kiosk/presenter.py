"""From a moment of the terminal to a screen in words: the only place where ids become texts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from kiosk import overview_view
from kiosk.bilingual import Bilingual
from kiosk.failures import kinds
from kiosk.moment import Badges, Moment, Overlay
from kiosk.pages import (
    CardStatusPage,
    GroupPage,
    HomePage,
    IdentifyPage,
    IdlePage,
    NoticePage,
    OutOfServicePage,
    OverviewPage,
    PinPage,
    TakeCardPage,
    WorkingPage,
)
from kiosk.services.hall import Entry, entry_id
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
                body = _idle(self._place, moment, t)
                return body, "idle", going
            case HomePage():
                return _home(page, moment, t), "home", self._home_footer(moment, t)
            case GroupPage():
                return _group(page, moment, t), "group", going
            case IdentifyPage():
                return _identify(t), "identify", going
            case WorkingPage(name=name):
                return _working(name, t), name, _waiting_footer(t)
            case PinPage():
                name = "pin" if page.tries_left is None else "pin.rejected"
                return _pin(page, self._pin_length, t), name, going
            case OverviewPage():
                return overview_view.body(page, t, steps=_steps(t, 1)), "overview", going
            case CardStatusPage():
                return _card_status(page, t), "card-status", going
            case NoticePage(failure=failure):
                return _notice(failure, t), f"failure.{failure}", _notice_footer(moment, t)
            case TakeCardPage(done=done):
                return _take_card(done, t), "take-card", views.Footer()
            case OutOfServicePage(reason=reason):
                return _out_of_service(reason, t), "out-of-service", self._home_footer(moment, t)
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
    device = (
        views.Badge(t("badge.device.ok"), views.Tone.NEUTRAL)
        if badges.reader_ok
        else views.Badge(t("badge.device.fault"), views.Tone.WARN)
    )
    match badges.platform_up:
        case True:
            line = views.Badge(t("badge.line.up"), views.Tone.NEUTRAL)
        case False:
            line = views.Badge(t("badge.line.down"), views.Tone.WARN)
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


def _footer(moment: Moment, t: Texts) -> views.Footer:
    """Way back at the left, time left, the main action (or help) at the right."""
    back = views.Action("back", t("action.back"))
    match moment.page:
        case OverviewPage() | CardStatusPage():
            forward = views.Action("leave", t("action.leave"), views.Emphasis.PRIMARY)
        case _:
            forward = views.Action("help", t("action.help"), views.Emphasis.QUIET)
    return views.Footer(back=back, countdown=_countdown(moment, t), forward=forward)


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


def _idle(place: Place, moment: Moment, t: Texts) -> views.Idle:
    return views.Idle(
        title=t("header.title"),
        hint=place.hall.of(moment.language),
        invitation=t("idle.invitation"),
        clock=f"{moment.minute:%H:%M}",
        date=_long_date(moment.minute, t),
    )


def _long_date(moment: datetime, t: Texts) -> str:
    return t(
        "date.long",
        year=moment.year,
        month=moment.month,
        month_name=t(f"month.{moment.month}"),
        day=moment.day,
        weekday=t(f"weekday.{moment.isoweekday()}"),
    )


def _home(page: HomePage, moment: Moment, t: Texts) -> views.Menu:
    reasons = dict(page.unavailable)
    message = None
    if page.card_seen:
        message = views.Message(
            views.Tone.INFO, t("home.card-seen.title"), t.lines("home.card-seen.lines")
        )
    first = None if page.first is None else _tile(page.first, moment, t, reasons)
    return views.Menu(
        title=t("home.title"),
        hint=t("home.hint"),
        first=first,
        tiles=tuple(_tile(entry, moment, t, reasons) for entry in page.entries),
        message=message,
    )


def _group(page: GroupPage, moment: Moment, t: Texts) -> views.Menu:
    group = page.group
    return views.Menu(
        title=group.title.of(moment.language),
        hint=group.hint.of(moment.language),
        first=None,
        tiles=tuple(_tile(entry, moment, t, {}) for entry in group.entries),
    )


def _tile(entry: Entry, moment: Moment, t: Texts, reasons: dict[str, str]) -> views.Tile:
    """An item that only the line keeps from being served can still be touched: it explains."""
    reason = reasons.get(entry_id(entry))
    hint = entry.hint.of(moment.language)
    return views.Tile(
        id=entry_id(entry),
        title=entry.title.of(moment.language),
        hint=hint if reason != "platform" else t("unavailable.platform"),
        glyph=entry.glyph,
        enabled=reason in (None, "platform"),
        note="" if reason is None else t(f"unavailable.{reason}"),
    )


def _identify(t: Texts) -> views.Identify:
    card = views.Way(
        "card",
        t("identify.card.title"),
        t.lines("identify.card.lines"),
        views.Picture.CARD_INSERT,
        prominent=True,
    )
    return views.Identify(
        title=t("identify.title"), hint=t("identify.hint"), ways=(card,), steps=_steps(t, 0)
    )


def _working(name: str, t: Texts) -> views.Progress:
    current = 1 if name == "overview.loading" else 0
    return views.Progress(
        title=t(f"{name}.title"), hint=t(f"{name}.hint"), steps=_steps(t, current)
    )


def _pin(page: PinPage, length: int, t: Texts) -> views.PinEntry:
    message = None
    if page.tries_left is not None:
        message = views.Message(
            views.Tone.WARN,
            t.count("pin.rejected.title", page.tries_left),
            t.lines("pin.rejected.lines"),
        )
    aside = views.Way("pad", t("pin.pad.title"), t.lines("pin.pad.lines"), views.Picture.KEYPAD)
    return views.PinEntry(
        title=t("pin.title"),
        hint=t("pin.hint"),
        length=length,
        count=min(page.count, length),
        aside=aside,
        steps=_steps(t, 0),
        message=message,
    )


def _card_status(page: CardStatusPage, t: Texts) -> views.Overview:
    state = t(f"verdict.{page.verdict.value}")
    main = views.Block(
        id="card",
        title=t("card-status.card"),
        figures=(
            views.Figure(state, t("card-status.state")),
            views.Figure(
                t("card-status.tail", tail=page.card_number_tail), t("card-status.number")
            ),
        ),
        lines=t.lines(f"card-status.advice.{page.verdict.value}"),
    )
    unknown = t("card-status.unknown")
    blocks = (
        views.Block(
            "version",
            t("card-status.version"),
            headline=page.version,
            lines=(t("card-status.proven"),),
        ),
        views.Block(
            "dates",
            t("card-status.expires"),
            headline=page.expires or unknown,
            lines=(t("card-status.issued", date=page.issued or unknown),),
        ),
    )
    return views.Overview(
        title=t("card-status.title"),
        subtitle=t("card-status.hint"),
        status=None,
        main=main,
        blocks=blocks,
        steps=_steps(t, 1),
    )


def _notice(failure: str, t: Texts) -> views.Notice:
    kind = kinds()[failure]
    return views.Notice(
        tone=views.Tone(kind.tone),
        picture=views.Picture(kind.picture),
        title=t(f"failure.{failure}.title"),
        hint=t(f"failure.{failure}.hint"),
        lines=t.lines(f"failure.{failure}.where"),
        code=t("notice.code", code=kind.code),
    )


def _take_card(done: bool, t: Texts) -> views.Done:
    title = t("take-card.done.title") if done else t("take-card.title")
    return views.Done(
        picture=views.Picture.CARD_TAKE,
        title=title,
        hint=t("take-card.hint"),
        lines=t.lines("take-card.lines"),
    )


def _out_of_service(reason: str, t: Texts) -> views.Notice:
    return views.Notice(
        tone=views.Tone.WARN,
        picture=views.Picture.WARNING,
        title=t("out-of-service.title"),
        hint=t(f"unavailable.{reason}"),
        lines=t.lines("out-of-service.where"),
    )
