"""The screen of 社保卡状态: the card alone, nobody's data."""

from __future__ import annotations

from kiosk.pages import CardStatusPage
from kiosk.texts import Texts
from ui import views


def card_status(page: CardStatusPage, t: Texts, steps: views.Steps) -> views.Overview:
    """What the card says of itself and what the ledger says of it."""
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
        steps=steps,
    )
