"""Screens of showing who one is: card, e-card, ID card, PIN, and what to do without any."""

from __future__ import annotations

from typing import assert_never

from kiosk.moment import Moment
from kiosk.pages import CodeProblem, IdCardProblem, IdCardWay, IdentifyPage, PinPage
from kiosk.texts import Texts
from ui import views


def identify_name(page: IdentifyPage) -> str:
    """The screen's name: ``identify``, or with the problem behind it."""
    return "identify" if page.problem is None else f"identify.{page.problem.value}"


def identify(page: IdentifyPage, moment: Moment, t: Texts, steps: views.Steps) -> views.Identify:
    """Card and, where they are of use, e-card and ID card; what can't be used now says why."""
    reader = "" if moment.badges.reader_ok else t("unavailable.reader")
    card = views.Way(
        "card",
        t("identify.card.title"),
        t.lines("identify.card.lines"),
        views.Picture.CARD_INSERT,
        prominent=not reader,
        unavailable=reader,
    )
    if not page.ecard:
        return views.Identify(
            title=t("identify.card-only.title"),
            hint=t("identify.card-only.hint"),
            ways=(card,),
            steps=steps,
        )
    ecard = views.Way(
        "ecard",
        t("identify.ecard.title"),
        t.lines("identify.ecard.lines"),
        views.Picture.PHONE_CODE,
        unavailable=_no_ecard(page, moment, t),
    )
    return views.Identify(
        title=t("identify.title"),
        hint=t("identify.hint"),
        ways=(card, ecard, *_id_card(page, moment, t)),
        steps=steps,
        message=None if page.problem is None else _problem(page.problem, t),
        action=views.Action("neither", t("identify.neither"), views.Emphasis.QUIET),
    )


def _id_card(page: IdentifyPage, moment: Moment, t: Texts) -> tuple[views.Way, ...]:
    unavailable = ""
    match page.id_card:
        case IdCardWay.NONE:
            return ()
        case IdCardWay.READY:
            unavailable = t("identify.id-card.lies") if moment.badges.id_card_lies else ""
        case IdCardWay.FAILED:
            unavailable = t("unavailable.id-reader")
        case IdCardWay.NOT_ENOUGH:
            unavailable = t("identify.id-card.not-enough")
        case _:
            assert_never(page.id_card)
    title, lines = t("identify.id-card.title"), t.lines("identify.id-card.lines")
    picture = views.Picture.ID_CARD
    return (views.Way("id-card", title, lines, picture, unavailable=unavailable),)


def _no_ecard(page: IdentifyPage, moment: Moment, t: Texts) -> str:
    if moment.badges.platform_up is False:
        return t("identify.ecard.offline")
    return "" if page.codes else t("unavailable.scanner")


def _problem(problem: CodeProblem | IdCardProblem, t: Texts) -> views.Message:
    name = problem.value if isinstance(problem, IdCardProblem) else f"code.{problem.value}"
    return views.Message(views.Tone.WARN, t(f"{name}.title"), t.lines(f"{name}.lines"))


def no_proof(t: Texts) -> views.Notice:
    """What can be done without card and e-card."""
    return views.Notice(
        tone=views.Tone.INFO,
        picture=views.Picture.ID_CARD,
        title=t("no-proof.title"),
        hint=t("no-proof.hint"),
        lines=t.lines("no-proof.lines"),
    )


def pin(page: PinPage, length: int, t: Texts, steps: views.Steps) -> views.PinEntry:
    """Keys are typed on the pad; after a wrong PIN, how many tries are left."""
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
        steps=steps,
        message=message,
    )
