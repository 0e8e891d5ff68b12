"""Bodies on the wire, as docs/platform.md lists them.

Every model is strict and forbids extra fields. Their errors never leave as they are: pydantic
puts the input into them (see ``app.invalid``).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from hw_sim.platform.problems import URN, ProblemKind


def _whole(value: object) -> object:
    # JSON knows one kind of number: 7.0 is an integer of JSON Schema.
    return int(value) if isinstance(value, float) and value.is_integer() else value


# Behind the bounds, which would not stand in the contract's schema else.
WHOLE = BeforeValidator(_whole)
# The expressions are Rust's: ``$`` is the end of the text, never before a last newline.
Division = Annotated[str, Field(pattern=r"^[0-9]{6}$")]
Hex8 = Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{16}$")]
TicketText = Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{32}$")]
CardId = Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{32}$")]
PublicKey = Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{128}$")]
Month = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
ItemCode = Annotated[str, Field(pattern=r"^[0-9A-Za-z._-]{1,40}$")]
RiskVerdict = Literal["allow", "warn", "block"]
Date = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
UnixSeconds = Annotated[int, Field(ge=0, lt=1 << 40), WHOLE]
Fen = Annotated[int, Field(ge=0, lt=10**13, description="1/100 yuan")]
Months = Annotated[int, Field(ge=0, le=1200)]
Text = Annotated[str, Field(max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
IdempotencyKey = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,64}$")]
InsuredState = Literal["paying", "paused", "receiving"]
GapReason = Literal["maintenance", "not-connected", "no-record"]
BlockName = Literal["pension", "unemployment", "work_injury", "annuity", "personal_pension"]


class Wire(BaseModel):
    """What all bodies share."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


def _without_default(schema: dict[str, Any]) -> None:
    del schema["default"]


class ProblemDocument(Wire):
    """A problem (RFC 9457): ``title`` and ``detail`` are for engineers; nothing personal in it."""

    type: Annotated[
        str, Field(json_schema_extra={"enum": [URN + kind.slug for kind in ProblemKind]})
    ]
    title: Text
    status: Annotated[int, Field(ge=400, le=599)]
    detail: Text
    server_time: Annotated[
        UnixSeconds | SkipJsonSchema[None],
        Field(
            description="with `clock` only",
            exclude_if=lambda value: value is None,
            json_schema_extra=_without_default,
        ),
    ] = None


class EnrolmentRequest(Wire):
    code: Annotated[str, Field(pattern=r"^[\x20-\x7e]{1,64}$")]
    terminal: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,64}$", description="serial")]
    aab301: Division
    public_key: PublicKey


class EnrolmentAnswer(Wire):
    terminal_id: Annotated[str, Field(pattern=r"^T[0-9]{6}-[0-9]{4,6}$")]
    platform_public_key: PublicKey
    platform_encryption_key: PublicKey
    server_time: UnixSeconds


class StatusAnswer(Wire):
    server_time: UnixSeconds
    catalogue_version: Text


class CatalogueEntry(Wire):
    code: ItemCode
    available: bool
    reason: Text


class CatalogueAnswer(Wire):
    version: Text
    items: Annotated[list[CatalogueEntry], Field(max_length=500)]


class VerdictRequest(Wire):
    aaz501: CardId
    aaz500: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{1,20}$")]


VerdictState = Literal[
    "normal", "sealed", "lost", "temporarily-lost", "locked", "cancelled", "unknown"
]


class VerdictAnswer(Wire):
    state: VerdictState


Evidence = Literal["card-genuine", "pin-verified", "ecard-verified", "id-card"]


def _distinct(evidence: list[Evidence]) -> list[Evidence]:
    if len(set(evidence)) < len(evidence):
        raise ValueError("a set names nothing twice")
    return evidence


class PersonRequest(Wire):
    """*Who asks*: ``aaz501`` and ``ticket`` are "" where they were left out."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["aaz501"]},
                {"required": ["ticket"]},
                {
                    "not": {"anyOf": [{"required": ["aaz501"]}, {"required": ["ticket"]}]},
                    "properties": {"evidence": {"contains": {"const": "id-card"}}},
                },
            ]
        }
    )

    aac002: Annotated[str, Field(pattern=r"^[0-9]{17}[0-9X]$")]
    aaz501: Annotated[CardId, Field(json_schema_extra=_without_default)] = ""
    ticket: Annotated[TicketText, Field(json_schema_extra=_without_default)] = ""
    evidence: Annotated[
        list[Evidence],
        Field(min_length=1, max_length=4, json_schema_extra={"uniqueItems": True}),
        AfterValidator(_distinct),
    ]


class OverviewRequest(PersonRequest):
    purpose: Literal["self-query"]


EcardResult = Literal[
    "verified",
    "unknown",
    "expired",
    "used",
    "wrong-channel",
    "card-lost",
    "card-locked",
    "card-cancelled",
]


class EcardRequest(Wire):
    code: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,512}$")]
    channel: Literal["self-service"]
    aab301: Division


class EcardHolder(Wire):
    aac002: Annotated[str, Field(pattern=r"^[0-9]{17}[0-9X]$")]
    aac003: Name
    ticket: TicketText


class EcardAnswer(Wire):
    result: EcardResult
    holder: EcardHolder | None = None


class RiskRequest(PersonRequest):
    item: ItemCode


class RiskAnswer(Wire):
    verdict: RiskVerdict
    code: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{0,16}$")]


class BlockGapAnswer(Wire):
    available: Literal[False] = False
    reason: GapReason


class RecentMonth(Wire):
    month: Month
    base_fen: Fen
    settled: bool


class PensionBlock(Wire):
    available: Literal[True] = True
    months: Months
    account_fen: Fen
    retirement: Month | None
    state: InsuredState
    recent: Annotated[list[RecentMonth], Field(min_length=12, max_length=12)]


class UnemploymentBlock(Wire):
    available: Literal[True] = True
    months: Months
    state: InsuredState


class WorkInjuryBlock(Wire):
    available: Literal[True] = True
    state: InsuredState
    employer: Text


class AnnuityBlock(Wire):
    available: Literal[True] = True
    balance_fen: Fen
    as_of: Month


class NoAnnuityBlock(Wire):
    available: Literal[True] = True
    state: Literal["none"] = "none"


class PersonalPensionBlock(Wire):
    available: Literal[True] = True
    state: Literal["open", "none"]
    year_paid_fen: Fen
    year_limit_fen: Fen


class Blocks(Wire):
    pension: PensionBlock | BlockGapAnswer
    unemployment: UnemploymentBlock | BlockGapAnswer
    work_injury: WorkInjuryBlock | BlockGapAnswer
    annuity: AnnuityBlock | NoAnnuityBlock | BlockGapAnswer
    personal_pension: PersonalPensionBlock | BlockGapAnswer


class OverviewAnswer(Wire):
    aac003: Name
    as_of: Date
    blocks: Blocks


class AlarmRequest(Wire):
    kind: Literal["card-not-genuine", "device-fault", "tamper"]
    severity: Literal["warn", "fault", "security"]
    occurred_at: UnixSeconds
    detail: Annotated[str, Field(pattern=r"^[0-9A-Za-z._-]{1,64}$")]
    subject: Annotated[str, Field(pattern=r"^([0-9A-Fa-f]{64})?$", description="HMAC-SM3 hex")]


class AlarmAnswer(Wire):
    alarm_no: Annotated[str, Field(pattern=r"^A-[0-9]{1,19}$")]


class SubmissionAnswer(Wire):
    state: Literal["done"] = "done"
    status: Annotated[int, Field(ge=200, le=599)]
    response: Annotated[
        dict[str, object], Field(description="the first answer's body, of whichever operation")
    ]
