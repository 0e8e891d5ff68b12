"""The tables that databases had when revisions began.

A database from before then has them already, or, from an older program still, some of them: what
is there is left alone.
"""

from collections.abc import Callable
from functools import partial

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
)

revision = "0001"
down_revision = None

# SQLite's INTEGER has 64 bits too, and numbers rows by itself under no other name.
_NUMBER = BigInteger().with_variant(Integer(), "sqlite")

_text = partial(Column, type_=String(), nullable=False)
_number = partial(Column, type_=_NUMBER, nullable=False)
_day = partial(Column, type_=Date(), nullable=False)
_truth = partial(Column, type_=Boolean(), nullable=False)
_octets = partial(Column, type_=LargeBinary(), nullable=False)
_table = partial(op.create_table, if_not_exists=True)
_clustered = partial(_table, sqlite_with_rowid=False)


def _person(*, primary_key: bool = False) -> "Column[int]":
    return Column(
        "person_id", _NUMBER, ForeignKey("persons.id"), primary_key=primary_key, nullable=False
    )


def upgrade() -> None:
    for group in _GROUPS:
        group()


def _people() -> None:
    _table(
        "persons",
        _number("id", primary_key=True),
        _text("number", unique=True),
        _text("name"),
        _day("born"),
        _text("sex"),
    )
    _table(
        "cards",
        _text("card_id", primary_key=True),
        _text("card_number", unique=True),
        _person(),
        _text("version"),
        _day("issued"),
        _day("expires"),
        _text("state"),
    )
    _clustered(
        "contributions",
        _person(primary_key=True),
        _text("month", primary_key=True),
        _number("base_fen"),
        _truth("settled"),
    )
    _table(
        "pension_accounts",
        _person(primary_key=True),
        _number("account_fen"),
        _text("retirement", nullable=True),
        _text("state"),
    )
    _table(
        "employments",
        _person(primary_key=True),
        _number("unemployment_months"),
        _text("unemployment_state"),
        _text("injury_state"),
        _text("employer"),
    )
    _table(
        "savings",
        _person(primary_key=True),
        _number("annuity_fen", nullable=True),
        _text("annuity_month", nullable=True),
        _text("personal_state"),
        _number("personal_paid_fen"),
        _number("personal_limit_fen"),
    )
    _table("earlier_units", _person(primary_key=True), _text("until"), _text("employer"))
    _table(
        "block_gaps",
        _person(primary_key=True),
        _text("block", primary_key=True),
        _text("reason"),
    )


def _platform() -> None:
    _table(
        "catalogue_items",
        _text("code", primary_key=True),
        _number("position"),
        _truth("available"),
        _text("reason"),
    )
    _table("settings", _text("name", primary_key=True), _text("value"))
    _table(
        "terminals",
        _text("id", primary_key=True),
        _text("serial", unique=True),
        _text("public_key"),
        _number("enrolled_at"),
    )
    _table(
        "enrolment_codes",
        _text("digest", primary_key=True),
        _text("serial", nullable=True),
        _text("public_key", nullable=True),
        _octets("response", nullable=True),
    )
    _clustered(
        "nonces",
        _text("terminal_id", primary_key=True),
        _text("nonce", primary_key=True),
        _number("keep_until"),
    )
    op.create_index("nonces_by_end", "nonces", ["keep_until"], if_not_exists=True)


def _submissions() -> None:
    _table(
        "submissions",
        _number("id", primary_key=True),
        _text("terminal_id"),
        _text("key"),
        _text("operation"),
        _text("fingerprint"),
        _number("status"),
        _text("media_type"),
        _octets("response"),
        _number("committed_at"),
        UniqueConstraint("terminal_id", "key"),
    )
    _table(
        "alarms",
        _number("id", primary_key=True),
        _text("terminal_id"),
        _text("kind"),
        _text("severity"),
        _number("occurred_at"),
        _text("detail"),
        _text("subject"),
    )
    _table(
        "events",
        _number("id", primary_key=True),
        _text("terminal_id"),
        _text("kind"),
        _number("occurred_at"),
        _number("received_at"),
        _text("body"),
    )
    _clustered(
        "evaluations",
        _text("terminal_id", primary_key=True),
        _text("visit", primary_key=True),
        Column("event_id", _NUMBER, ForeignKey("events.id"), nullable=False),
    )
    _clustered(
        "audit_lines",
        _text("terminal_id", primary_key=True),
        _number("seq", primary_key=True),
        _text("digest"),
        _text("line"),
    )


def _documents() -> None:
    _table(
        "ecard_codes",
        _text("digest", primary_key=True),
        Column("card_id", String(), ForeignKey("cards.card_id"), nullable=False),
        _text("channel"),
        _number("expires_at"),
        _number("used_at", nullable=True),
    )
    _table(
        "tickets",
        _text("digest", primary_key=True),
        _text("terminal_id"),
        _person(),
        _number("expires_at"),
    )
    op.create_index("tickets_by_end", "tickets", ["expires_at"], if_not_exists=True)
    _table(
        "certificates",
        _number("id", primary_key=True),
        _text("code", unique=True),
        _text("terminal_id"),
        _person(),
        _day("valid_until"),
        _text("content"),
        _text("digest"),
        _number("revoked_at", nullable=True),
    )


_GROUPS: tuple[Callable[[], None], ...] = (_people, _platform, _submissions, _documents)
