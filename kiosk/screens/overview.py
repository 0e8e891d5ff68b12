"""How 社保查询一件事 looks: five blocks, each of which may be missing on its own (S1 (五))."""

from __future__ import annotations

from kiosk.masking import mask_name, mask_number
from kiosk.pages import OverviewPage
from kiosk.platform.models import (
    AccountState,
    Annuity,
    NoAnnuity,
    Pension,
    PersonalPension,
    Unavailable,
    Unemployment,
    WorkInjury,
)
from kiosk.texts import Texts
from ui import views


def body(page: OverviewPage, t: Texts, *, steps: views.Steps) -> views.Overview:
    """The overview of one person, masked unless revealed."""
    name = page.name if page.revealed else mask_name(page.name)
    number = page.number if page.revealed else mask_number(page.number)
    found = page.overview
    reveal = views.Action("reveal", t("overview.hide" if page.revealed else "overview.reveal"))
    return views.Overview(
        title=t("overview.title", name=name),
        subtitle=t("overview.number", number=number),
        status=views.Badge(
            t("overview.card", state=t(f"verdict.{page.verdict.value}")), views.Tone.OK
        ),
        main=_pension(found.pension, t),
        blocks=(
            _unemployment(found.unemployment, t),
            _work_injury(found.work_injury, t),
            _annuity(found.annuity, t),
            _personal_pension(found.personal_pension, t),
        ),
        reveal=reveal,
        steps=steps,
    )


def yuan(fen: int) -> str:
    """An amount in fen as ``¥ 84,213.56``."""
    return f"¥ {fen // 100:,}.{fen % 100:02d}"


def _missing(place: str, title: str, block: Unavailable, t: Texts) -> views.Block:
    return views.Block(place, title, unavailable=t(f"block.unavailable.{block.reason.value}"))


def _pension(block: Pension | Unavailable, t: Texts) -> views.Block:
    title = t("block.pension")
    if isinstance(block, Unavailable):
        return _missing("pension", title, block, t)
    retirement = str(block.retirement) if block.retirement else t("block.unknown")
    highest = max((month.base_fen for month in block.recent), default=0)
    bars = None
    if highest:
        settled = sum(month.settled for month in block.recent)
        pending = len(block.recent) - settled
        bars = views.Bars(
            values=tuple(month.base_fen / highest for month in block.recent),
            settled=tuple(month.settled for month in block.recent),
            caption=t("block.pension.recent", settled=settled, pending=pending),
        )
    return views.Block(
        "pension",
        title,
        figures=(
            views.Figure(f"{block.months:,}", t("block.pension.months")),
            views.Figure(yuan(block.account_fen), t("block.pension.account")),
            views.Figure(retirement, t("block.pension.retirement")),
        ),
        bars=bars,
    )


def _unemployment(block: Unemployment | Unavailable, t: Texts) -> views.Block:
    title = t("block.unemployment")
    if isinstance(block, Unavailable):
        return _missing("unemployment", title, block, t)
    return views.Block(
        "unemployment",
        title,
        headline=t(f"state.{block.state.value}"),
        lines=(t("block.unemployment.months", months=block.months),),
    )


def _work_injury(block: WorkInjury | Unavailable, t: Texts) -> views.Block:
    title = t("block.work-injury")
    if isinstance(block, Unavailable):
        return _missing("work-injury", title, block, t)
    return views.Block(
        "work-injury",
        title,
        headline=t(f"state.{block.state.value}"),
        lines=(t("block.work-injury.employer", employer=block.employer),) if block.employer else (),
    )


def _annuity(block: Annuity | NoAnnuity | Unavailable, t: Texts) -> views.Block:
    title = t("block.annuity")
    match block:
        case Unavailable():
            return _missing("annuity", title, block, t)
        case NoAnnuity():
            return views.Block("annuity", title, headline=t("block.annuity.none"))
        case Annuity():
            return views.Block(
                "annuity",
                title,
                headline=yuan(block.balance_fen),
                lines=(t("block.annuity.as-of", month=block.as_of),),
            )


def _personal_pension(block: PersonalPension | Unavailable, t: Texts) -> views.Block:
    title = t("block.personal-pension")
    if isinstance(block, Unavailable):
        return _missing("personal-pension", title, block, t)
    match block.state:
        case AccountState.NONE:
            return views.Block(
                "personal-pension",
                title,
                headline=t("block.personal-pension.none"),
                lines=(t("block.personal-pension.open-hint"),),
            )
        case AccountState.OPEN:
            return views.Block(
                "personal-pension",
                title,
                headline=yuan(block.year_paid_fen),
                lines=(t("block.personal-pension.limit", limit=yuan(block.year_limit_fen)),),
            )
