"""Screens of a document on its way to paper: warning, preview, print, taking it, evaluation."""

from __future__ import annotations

from kiosk.pages import (
    PeriodPage,
    PreviewPage,
    PrintingPage,
    RatingPage,
    RiskPage,
    SlipState,
    TakeSheetPage,
)
from kiosk.services.rating import GRADES
from kiosk.texts import Texts
from ui import views


def period(page: PeriodPage, t: Texts) -> views.Menu:
    """The usual period and longer ones, side by side."""
    usual, *longer = page.months
    return views.Menu(
        title=t("period.title"),
        hint=t("period.hint"),
        first=None,
        tiles=(
            _months(usual, "period.usual", t),
            *(_months(months, "period.long", t) for months in longer),
        ),
    )


def _months(months: int, kind: str, t: Texts) -> views.Tile:
    title = t("period.months", months=months)
    return views.Tile(f"period.{months}", title, t(f"{kind}.hint"), t(f"{kind}.glyph"))


def risk(page: RiskPage, t: Texts) -> views.Notice:
    """风险提示; its buttons are in the footer."""
    return views.Notice(
        tone=views.Tone.WARN,
        picture=views.Picture.WARNING,
        title=t("risk.title"),
        hint=t("risk.hint"),
        lines=t.lines("risk.lines"),
        code=t("notice.code", code=page.code),
    )


def preview(page: PreviewPage, t: Texts) -> views.Preview:
    """The real pages, one at a time."""
    count = len(page.pages)
    turning = count > 1
    return views.Preview(
        title=t("preview.title"),
        hint=t.count("preview.hint", count),
        pages=tuple(
            views.PageImage(f"{page.serial}.{index}", png) for index, png in enumerate(page.pages)
        ),
        current=page.current,
        caption=t("preview.caption", page=page.current + 1, pages=count),
        previous=_turn("previous", page.current > 0, t) if turning else None,
        next=_turn("next", page.current < count - 1, t) if turning else None,
        steps=_steps(t, 1),
    )


def _turn(action: str, enabled: bool, t: Texts) -> views.Action:
    return views.Action(action, t(f"preview.{action}"), enabled=enabled)


def printing(page: PrintingPage, t: Texts) -> views.Printing:
    """How many sheets are out, and what the printer waits for."""
    message = None
    if page.waiting is not None:
        message = views.Message(
            views.Tone.WARN,
            t(f"printing.waiting.{page.waiting.value}"),
            t.lines("printing.waiting.lines"),
        )
    return views.Printing(
        title=t.count("printing.title", page.sheets),
        hint=t("printing.hint"),
        page=views.PageImage(f"{page.serial}.0", page.page),
        fraction=None if page.out is None else page.out / page.sheets,
        message=message,
        steps=_steps(t, 2),
    )


def take_sheet(page: TakeSheetPage, t: Texts) -> views.Done:
    """The sheets lie in the tray."""
    return views.Done(
        picture=views.Picture.SHEET_TAKE,
        title=t.count("take-sheet.title", page.sheets),
        hint=t("take-sheet.hint"),
        lines=t.lines("take-sheet.lines"),
    )


def rating(page: RatingPage, t: Texts) -> views.Rating:
    """Five grades, very satisfied first; under the heading what became of a slip."""
    told = page.slip in (SlipState.OUT, SlipState.MISSED)
    return views.Rating(
        title=t("rating.title"),
        hint=t(f"rating.slip.{page.slip.value}") if told else t("rating.hint"),
        grades=tuple(
            views.Grade(place, t(f"rating.grade.{grade}"), grade) for place, grade in GRADES.items()
        ),
        lines=t.lines("rating.lines"),
    )


def _steps(t: Texts, current: int) -> views.Steps:
    labels = (t("steps.identify"), t("steps.preview"), t("steps.print"))
    return views.Steps(labels, current)
