"""Reads the platform's refusals (RFC 9457, docs/platform.md, Problems)."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.platform import wire
from kiosk.platform.errors import (
    PROBLEM_STATUS,
    Outage,
    PlatformAnswerMalformed,
    PlatformUnavailable,
    Problem,
)
from kiosk.platform.signing import ReceivedAnswer

MEDIA_TYPE = "application/problem+json"
URN = "urn:yikatong:problem:"

_LONGEST_WAIT = 3600
_YEAR_9999 = 253402300799


@dataclass(frozen=True)
class Refusal:
    """A problem document. Its title and detail are for engineers of the platform and dropped.

    Attributes:
        retry_after: seconds, None where the answer does not say.
        server_time: Unix seconds; given exactly with the problem ``clock``.
    """

    problem: Problem
    retry_after: float | None
    server_time: int | None


def decode_problem(answer: ReceivedAnswer) -> Refusal:
    """Read a signed answer of status 400..599.

    Raises:
        PlatformAnswerMalformed: no problem document, an unknown type, or another status than
            the contract gives to it.
    """
    if media_type(answer) != MEDIA_TYPE:
        raise PlatformAnswerMalformed("Content-Type", f"is not {MEDIA_TYPE}")
    fields = wire.Fields(wire.decode(answer.body), "body")
    problem, server_time = read_problem(fields, answer.status_code)
    return Refusal(problem, retry_after(answer), server_time)


def read_problem(fields: wire.Fields, status_code: int) -> tuple[Problem, int | None]:
    """The problem that a document is, and ``server_time`` where it is ``clock``.

    Raises:
        PlatformAnswerMalformed: an unknown type, or another status than the contract gives to it.
    """
    problem = fields.parsed("type", _problem, "problem of the contract")
    fields.drop_text("title")
    fields.drop_text("detail")
    status = fields.integer("status", limit=599)
    server_time = None
    if problem is Problem.CLOCK:
        server_time = fields.integer("server_time", limit=_YEAR_9999)
    fields.done()
    if not status == status_code == PROBLEM_STATUS[problem]:
        raise PlatformAnswerMalformed("status", "does not belong to the problem")
    return problem, server_time


def refuse_gateway(answer: ReceivedAnswer) -> None:
    """Proxies in front of the platform cannot sign: their 429 and 5xx only say "not now".

    Raises:
        PlatformUnavailable: the answer is one of these.
    """
    unsigned = "Signature" not in answer.headers
    status = answer.status_code
    if status in (502, 503, 504) or (unsigned and (status == 429 or status >= 500)):
        raise turned_away(answer)


def turned_away(answer: ReceivedAnswer) -> PlatformUnavailable:
    """What a 429 or 5xx means that is not the platform's own judgement."""
    outage = Outage.BUSY if answer.status_code in (429, 503) else Outage.TURNED_AWAY
    return PlatformUnavailable(outage, retry_after(answer))


def retry_after(answer: ReceivedAnswer) -> float | None:
    """``Retry-After`` in seconds, at most an hour; its form with a date is ignored."""
    text = answer.headers.get("Retry-After", "").strip()
    if not (text.isascii() and text.isdigit()):
        return None
    return float(min(int(text[:9]), _LONGEST_WAIT))


def media_type(answer: ReceivedAnswer) -> str:
    """Content-Type without its parameters, in small letters."""
    return answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _problem(text: str) -> Problem:
    if not text.startswith(URN):
        raise ValueError("another type")
    return Problem(text[len(URN) :])
