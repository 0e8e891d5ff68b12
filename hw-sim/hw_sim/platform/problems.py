"""Problems (RFC 9457): every refusal of the platform, and its JSON document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

MEDIA_TYPE = "application/problem+json"
URN = "urn:yikatong:problem:"


class ProblemKind(Enum):
    """The closed list of docs/platform.md: name in the URN, HTTP status, title."""

    MALFORMED = ("malformed", 400, "The request cannot be read")
    SIGNATURE = ("signature", 401, "The signature is missing or wrong")
    CLOCK = ("clock", 401, "The request was made at another time")
    REPLAYED = ("replayed", 401, "The request was seen before")
    UNKNOWN_TERMINAL = ("unknown-terminal", 401, "No terminal with this id is enrolled")
    FORBIDDEN = ("forbidden", 403, "Not allowed")
    NOT_FOUND = ("not-found", 404, "Not found")
    METHOD = ("method", 405, "The endpoint has no such method")
    IN_PROGRESS = ("in-progress", 409, "A request with this key is being worked on")
    TOO_LARGE = ("too-large", 413, "The body is too large")
    CONFLICTING_REUSE = ("conflicting-reuse", 422, "The key was used with another body")
    INVALID = ("invalid", 422, "A field is missing, unknown or out of range")
    TOO_MANY = ("too-many", 429, "Too many requests")
    INTERNAL = ("internal", 500, "The platform failed")
    UNAVAILABLE = ("unavailable", 503, "Not available now")

    def __init__(self, slug: str, status: int, title: str) -> None:
        self.slug = slug
        self.status = status
        self.title = title


BY_STATUS: Mapping[int, ProblemKind] = {
    400: ProblemKind.MALFORMED,
    401: ProblemKind.SIGNATURE,
    403: ProblemKind.FORBIDDEN,
    404: ProblemKind.NOT_FOUND,
    405: ProblemKind.METHOD,
    409: ProblemKind.IN_PROGRESS,
    413: ProblemKind.TOO_LARGE,
    422: ProblemKind.INVALID,
    429: ProblemKind.TOO_MANY,
    500: ProblemKind.INTERNAL,
    503: ProblemKind.UNAVAILABLE,
}
"""The kind that stands for a status where only the status is known."""


@dataclass(frozen=True)
class Answer:
    """One complete answer: what is stored under an idempotency key and sent again.

    Attributes:
        body: JSON in UTF-8.
        headers: besides the content and signature headers; names in lower case.
    """

    status: int
    body: bytes
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class Problem(Exception):
    """A refusal on its way to the terminal.

    ``detail`` is read by engineers and never carries personal data; it is the whole exception text.

    Attributes:
        retry_after: seconds for the ``Retry-After`` header.
        server_time: Unix seconds; ``clock`` problems carry it.
        allow: for the ``Allow`` header that RFC 9110 §15.5.6 wants of ``method``.
    """

    def __init__(
        self,
        kind: ProblemKind,
        detail: str,
        *,
        retry_after: int | None = None,
        server_time: int | None = None,
        allow: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.retry_after = retry_after
        self.server_time = server_time
        self.allow = allow

    def answer(self) -> Answer:
        document: dict[str, str | int] = {
            "type": URN + self.kind.slug,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
        }
        if self.server_time is not None:
            document["server_time"] = self.server_time
        headers = {} if self.retry_after is None else {"retry-after": str(self.retry_after)}
        if self.allow is not None:
            headers["allow"] = self.allow
        body = json.dumps(document, ensure_ascii=False).encode()
        return Answer(self.kind.status, body, MEDIA_TYPE, headers)


def problem_for_status(status: int, detail: str) -> Problem:
    """The problem of an HTTP status that a library raised or a fault script names.

    Raises:
        KeyError: the contract has no problem with this status.
    """
    kind = BY_STATUS[status]
    return Problem(kind, detail, retry_after=2 if status in (429, 503) else None)
