"""Screens before anything is chosen: nobody there, the menu and its groups."""

from __future__ import annotations

from datetime import datetime

from kiosk.moment import Moment
from kiosk.pages import GroupPage, HomePage
from kiosk.services.hall import Entry, entry_id
from kiosk.texts import Texts
from ui import views


def idle(hall: str, moment: Moment, t: Texts) -> views.Idle:
    """An invitation under the hall's name."""
    return views.Idle(
        title=t("header.title"),
        hint=hall,
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


def home(page: HomePage, moment: Moment, t: Texts) -> views.Menu:
    """The menu, and why some of it can't be had now."""
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


def group(page: GroupPage, moment: Moment, t: Texts) -> views.Menu:
    """A further level of the menu."""
    below = page.group
    return views.Menu(
        title=below.title.of(moment.language),
        hint=below.hint.of(moment.language),
        first=None,
        tiles=tuple(_tile(entry, moment, t, {}) for entry in below.entries),
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
