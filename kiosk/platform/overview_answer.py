"""Reads the answer to POST /v1/overviews, the five blocks of one person (docs/platform.md)."""

from __future__ import annotations

from itertools import pairwise

from kiosk.platform import wire
from kiosk.platform.errors import PlatformAnswerMalformed
from kiosk.platform.models import (
    AccountState,
    Annuity,
    Contribution,
    Month,
    NoAnnuity,
    Overview,
    PaymentState,
    Pension,
    PersonalPension,
    Unavailable,
    UnavailableReason,
    Unemployment,
    WorkInjury,
)
from kiosk.platform.wire import Fields

_MONTHS_LIMIT = 1200
_RECENT_MONTHS = 12


def decode_overview(document: dict[str, object]) -> Overview:
    """POST /v1/overviews."""
    fields = Fields(document, "body")
    name = fields.text(wire.PERSON_NAME)
    as_of = fields.day("as_of")
    blocks = fields.nested("blocks")
    fields.done()
    overview = Overview(
        name=name,
        as_of=as_of,
        pension=_pension(blocks.nested("pension")),
        unemployment=_unemployment(blocks.nested("unemployment")),
        work_injury=_work_injury(blocks.nested("work_injury")),
        annuity=_annuity(blocks.nested("annuity")),
        personal_pension=_personal_pension(blocks.nested("personal_pension")),
    )
    blocks.done()
    return overview


def _unavailable(block: Fields) -> Unavailable | None:
    if block.flag("available"):
        return None
    unavailable = Unavailable(block.word("reason", UnavailableReason))
    block.done()
    return unavailable


def _pension(block: Fields) -> Pension | Unavailable:
    if unavailable := _unavailable(block):
        return unavailable
    months = block.integer("months", limit=_MONTHS_LIMIT)
    account_fen = block.fen("account_fen")
    retirement = (
        None
        if block.null("retirement")
        else block.parsed("retirement", Month.parse, "month YYYY-MM")
    )
    state = block.word("state", PaymentState)
    recent = tuple(_contribution(item) for item in block.objects("recent", most=_RECENT_MONTHS))
    block.done()
    in_order = all(a.month < b.month for a, b in pairwise(recent))
    if len(recent) != _RECENT_MONTHS or not in_order:
        raise PlatformAnswerMalformed("blocks.pension.recent", "is not 12 months, oldest first")
    return Pension(months, account_fen, retirement, state, recent)


def _contribution(item: Fields) -> Contribution:
    contribution = Contribution(
        month=item.parsed("month", Month.parse, "month YYYY-MM"),
        base_fen=item.fen("base_fen"),
        settled=item.flag("settled"),
    )
    item.done()
    return contribution


def _unemployment(block: Fields) -> Unemployment | Unavailable:
    if unavailable := _unavailable(block):
        return unavailable
    unemployment = Unemployment(
        months=block.integer("months", limit=_MONTHS_LIMIT),
        state=block.word("state", PaymentState),
    )
    block.done()
    return unemployment


def _work_injury(block: Fields) -> WorkInjury | Unavailable:
    if unavailable := _unavailable(block):
        return unavailable
    work_injury = WorkInjury(
        state=block.word("state", PaymentState), employer=block.text("employer", empty=True)
    )
    block.done()
    return work_injury


def _annuity(block: Fields) -> Annuity | NoAnnuity | Unavailable:
    if unavailable := _unavailable(block):
        return unavailable
    annuity: Annuity | NoAnnuity
    if "state" in block:
        if block.text("state") != "none":
            raise PlatformAnswerMalformed("blocks.annuity.state", "is not none")
        annuity = NoAnnuity()
    else:
        annuity = Annuity(
            balance_fen=block.fen("balance_fen"),
            as_of=block.parsed("as_of", Month.parse, "month YYYY-MM"),
        )
    block.done()
    return annuity


def _personal_pension(block: Fields) -> PersonalPension | Unavailable:
    if unavailable := _unavailable(block):
        return unavailable
    pension = PersonalPension(
        state=block.word("state", AccountState),
        year_paid_fen=block.fen("year_paid_fen"),
        year_limit_fen=block.fen("year_limit_fen"),
    )
    block.done()
    return pension
