"""The platform's tables (SQLAlchemy 2, typed)."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column


class Base(MappedAsDataclass, DeclarativeBase):
    """Every table of the platform.

    A change of a table is also a new file in ``migrations/versions/``.
    """

    # Seconds, fen and numbers of lines outgrow 32 bits. SQLite's INTEGER has 64, and numbers rows
    # by itself under no other name.
    type_annotation_map: ClassVar = {int: BigInteger().with_variant(Integer(), "sqlite")}


class Person(Base):
    """A participant. ``number`` is 社会保障号码 (aac002), ``name`` aac003."""

    __tablename__ = "persons"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True, repr=False)
    name: Mapped[str] = mapped_column(repr=False)
    born: Mapped[date] = mapped_column(repr=False)
    sex: Mapped[str]


class Card(Base):
    """A social security card: ``card_id`` is aaz501 (32 hex digits), ``card_number`` aaz500.

    ``state`` holds the value of ``hw_sim.population.CardState``.
    """

    __tablename__ = "cards"

    card_id: Mapped[str] = mapped_column(primary_key=True)
    card_number: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    version: Mapped[str]
    issued: Mapped[date]
    expires: Mapped[date]
    state: Mapped[str]


class Contribution(Base):
    """One month of pension contribution (缴费): base in 1/100 yuan, and whether it arrived.

    ``month`` is ``YYYY-MM``.
    """

    __tablename__ = "contributions"
    # A clustered key: an overview reads one person's rows only.
    __table_args__ = ({"sqlite_with_rowid": False},)

    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    month: Mapped[str] = mapped_column(primary_key=True)
    base_fen: Mapped[int]
    settled: Mapped[bool]


class PensionAccount(Base):
    """Individual account (个人账户) and retirement; ``retirement`` is ``YYYY-MM``."""

    __tablename__ = "pension_accounts"

    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    account_fen: Mapped[int]
    retirement: Mapped[str | None]
    state: Mapped[str]


class Employment(Base):
    """Unemployment (失业) and work injury (工伤) insurance of one person."""

    __tablename__ = "employments"

    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    unemployment_months: Mapped[int]
    unemployment_state: Mapped[str]
    injury_state: Mapped[str]
    employer: Mapped[str] = mapped_column(repr=False)


class Savings(Base):
    """Annuity (年金; null: none) and personal pension (个人养老金) of one person."""

    __tablename__ = "savings"

    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    annuity_fen: Mapped[int | None]
    annuity_month: Mapped[str | None]
    personal_state: Mapped[str]
    personal_paid_fen: Mapped[int]
    personal_limit_fen: Mapped[int]


class EarlierUnit(Base):
    """The employer before the present one, and the last month there (``YYYY-MM``)."""

    __tablename__ = "earlier_units"

    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    until: Mapped[str]
    employer: Mapped[str] = mapped_column(repr=False)


class BlockGap(Base):
    """A block of the overview that this person doesn't get, and the reason on the wire."""

    __tablename__ = "block_gaps"

    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    block: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]


class CatalogueItem(Base):
    """Whether a service item (事项) is open on the platform's side."""

    __tablename__ = "catalogue_items"

    code: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[int]
    available: Mapped[bool]
    reason: Mapped[str]


class Setting(Base):
    """Single facts of this database: as-of date, catalogue version, the platform's keys."""

    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(repr=False)


class Terminal(Base):
    """An enrolled terminal; ``public_key`` is hex X‖Y, 128 digits."""

    __tablename__ = "terminals"

    id: Mapped[str] = mapped_column(primary_key=True)
    serial: Mapped[str] = mapped_column(unique=True)
    public_key: Mapped[str]
    enrolled_at: Mapped[int]


class EnrolmentCode(Base):
    """A one-time code, kept as its SM3 digest; its use sets the columns from ``serial`` on."""

    __tablename__ = "enrolment_codes"

    digest: Mapped[str] = mapped_column(primary_key=True)
    serial: Mapped[str | None] = mapped_column(default=None)
    public_key: Mapped[str | None] = mapped_column(default=None)
    response: Mapped[bytes | None] = mapped_column(default=None, repr=False)


class Nonce(Base):
    """A nonce seen from a terminal, kept until its ``created`` is out of the window."""

    __tablename__ = "nonces"
    __table_args__ = (Index("nonces_by_end", "keep_until"), {"sqlite_with_rowid": False})

    terminal_id: Mapped[str] = mapped_column(primary_key=True)
    nonce: Mapped[str] = mapped_column(primary_key=True)
    keep_until: Mapped[int]


class Submission(Base):
    """The first answer given under an idempotency key, committed together with its effect.

    ``fingerprint`` is SM3 over method, path and body, in hex.
    """

    __tablename__ = "submissions"
    __table_args__ = (UniqueConstraint("terminal_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    terminal_id: Mapped[str]
    key: Mapped[str]
    operation: Mapped[str]
    fingerprint: Mapped[str]
    status: Mapped[int]
    media_type: Mapped[str]
    response: Mapped[bytes] = mapped_column(repr=False)
    committed_at: Mapped[int]


class Alarm(Base):
    """An alarm of a terminal; its number on the wire is ``A-<id>``."""

    __tablename__ = "alarms"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    terminal_id: Mapped[str]
    kind: Mapped[str]
    severity: Mapped[str]
    occurred_at: Mapped[int]
    detail: Mapped[str]
    subject: Mapped[str]


class EcardCode(Base):
    """A code of an e-card (电子社保卡), kept as its SM3 digest; the first look sets ``used_at``."""

    __tablename__ = "ecard_codes"

    digest: Mapped[str] = mapped_column(primary_key=True)
    card_id: Mapped[str] = mapped_column(ForeignKey("cards.card_id"))
    channel: Mapped[str]
    expires_at: Mapped[int]
    used_at: Mapped[int | None]


class Ticket(Base):
    """What a verified e-card gave one terminal for one person; kept as its SM3 digest."""

    __tablename__ = "tickets"
    __table_args__ = (Index("tickets_by_end", "expires_at"),)

    digest: Mapped[str] = mapped_column(primary_key=True)
    terminal_id: Mapped[str]
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    expires_at: Mapped[int]


class Certificate(Base):
    """A sealed certificate; ``content`` is what was signed, ``digest`` its SM3 in hex."""

    __tablename__ = "certificates"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    code: Mapped[str] = mapped_column(unique=True)
    terminal_id: Mapped[str]
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    valid_until: Mapped[date]
    content: Mapped[str] = mapped_column(default="", repr=False)
    digest: Mapped[str] = mapped_column(default="")
    revoked_at: Mapped[int | None] = mapped_column(default=None)


class Event(Base):
    """What a terminal reported; its number on the wire is ``E-<id>``.

    ``body`` is the wire's, as JSON; the lines of an audit range are in ``AuditLine``.
    """

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True, init=False)
    terminal_id: Mapped[str]
    kind: Mapped[str]
    occurred_at: Mapped[int]
    received_at: Mapped[int]
    body: Mapped[str] = mapped_column(repr=False)


class Evaluation(Base):
    """That a visit was evaluated (好差评: 一次一评)."""

    __tablename__ = "evaluations"
    __table_args__ = ({"sqlite_with_rowid": False},)

    terminal_id: Mapped[str] = mapped_column(primary_key=True)
    visit: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))


class AuditLine(Base):
    """A line of a terminal's audit log as it was sent; ``digest`` is its SM3 in hex."""

    __tablename__ = "audit_lines"
    __table_args__ = ({"sqlite_with_rowid": False},)

    terminal_id: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str]
    line: Mapped[str] = mapped_column(repr=False)
