"""Reads the platform's answers (docs/platform-api.md, Endpoints) into `kiosk.platform.models`.

Each function takes the body's JSON object and is strict: a missing, extra or ill-typed field
raises `PlatformAnswerMalformed`.
"""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise

from kiosk.platform import wire
from kiosk.platform.errors import PlatformAnswerMalformed
from kiosk.platform.models import (
    AccountState,
    AlarmReceipt,
    Annuity,
    CardVerdict,
    Catalogue,
    CatalogueItem,
    Contribution,
    Month,
    NoAnnuity,
    Overview,
    PaymentState,
    Pension,
    PersonalPension,
    Status,
    Submission,
    Unavailable,
    UnavailableReason,
    Unemployment,
    WorkInjury,
)
from kiosk.platform.problems import media_type
from kiosk.platform.signing import ReceivedAnswer
from kiosk.platform.wire import Fields

_FAR_FUTURE = 253402300799
"""The last second of the year 9999."""
_MONTHS_LIMIT = 1200
_ITEMS_LIMIT = 500
_RECENT_MONTHS = 12


def decode_body(answer: ReceivedAnswer, expected: int) -> dict[str, object]:
    """The JSON object of a signed answer that is no problem.

    Args:
        expected: the only HTTP status that the contract gives to this success.
    """
    if answer.status_code != expected:
        raise PlatformAnswerMalformed("status", f"is not {expected}")
    if media_type(answer) != "application/json":
        raise PlatformAnswerMalformed("Content-Type", "is not application/json")
    return wire.decode(answer.body)


def decode_status(document: dict[str, object]) -> Status:
    """GET /v1/status."""
    fields = Fields(document, "body")
    status = Status(
        server_time=fields.integer("server_time", limit=_FAR_FUTURE),
        catalogue_version=fields.text("catalogue_version"),
    )
    fields.done()
    return status


def decode_catalogue(document: dict[str, object]) -> Catalogue:
    """GET /v1/catalogue."""
    fields = Fields(document, "body")
    version = fields.text("version")
    items = []
    for item in fields.objects("items", most=_ITEMS_LIMIT):
        items.append(
            CatalogueItem(
                code=item.text("code", limit=40),
                available=item.flag("available"),
                reason=item.text("reason", empty=True),
            )
        )
        item.done()
    fields.done()
    if len({item.code for item in items}) != len(items):
        raise PlatformAnswerMalformed("items", "name a code twice")
    return Catalogue(version, tuple(items))


def decode_card_verdict(document: dict[str, object]) -> CardVerdict:
    """POST /v1/card-verdicts."""
    fields = Fields(document, "body")
    verdict = fields.word("state", CardVerdict)
    fields.done()
    return verdict


def decode_overview(document: dict[str, object]) -> Overview:
    """POST /v1/overviews."""
    fields = Fields(document, "body")
    name = fields.text(wire.PERSON_NAME)
    as_of = fields.parsed("as_of", _day, "date YYYY-MM-DD")
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


def decode_cryptogram(document: dict[str, object]) -> bytes:
    """POST /v1/hsm/cryptograms: 8 bytes."""
    fields = Fields(document, "body")
    cryptogram = fields.hexadecimal("cryptogram", 8)
    fields.done()
    return cryptogram


def decode_alarm_receipt(document: dict[str, object]) -> AlarmReceipt:
    """POST /v1/alarms."""
    fields = Fields(document, "body")
    receipt = AlarmReceipt(fields.text("alarm_no", limit=40))
    fields.done()
    return receipt


def decode_submission(document: dict[str, object]) -> Submission:
    """GET /v1/submissions/{idempotency_key}."""
    fields = Fields(document, "body")
    if fields.text("state") != "done":
        raise PlatformAnswerMalformed("state", "is not done")
    submission = Submission(
        status=fields.integer("status", limit=599), response=fields.foreign("response")
    )
    fields.done()
    return submission


def _day(text: str) -> date:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError("not YYYY-MM-DD")
    return date.fromisoformat(text)


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
