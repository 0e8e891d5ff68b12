"""What can go wrong between terminal and provincial platform (省级平台), named for what happened.

No message here carries a person's data, a key or anything that the far end wrote: only names of
our own vocabularies, so that every text may go into a log.
"""

from __future__ import annotations

from enum import Enum


class Problem(Enum):
    """The platform's reasons to refuse, RFC 9457 types ``urn:yikatong:problem:<name>``."""

    MALFORMED = "malformed"
    SIGNATURE = "signature"
    CLOCK = "clock"
    REPLAYED = "replayed"
    UNKNOWN_TERMINAL = "unknown-terminal"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    METHOD = "method"
    IN_PROGRESS = "in-progress"
    TOO_LARGE = "too-large"
    CONFLICTING_REUSE = "conflicting-reuse"
    INVALID = "invalid"
    TOO_MANY = "too-many"
    INTERNAL = "internal"
    UNAVAILABLE = "unavailable"


PROBLEM_STATUS: dict[Problem, int] = {
    Problem.MALFORMED: 400,
    Problem.SIGNATURE: 401,
    Problem.CLOCK: 401,
    Problem.REPLAYED: 401,
    Problem.UNKNOWN_TERMINAL: 401,
    Problem.FORBIDDEN: 403,
    Problem.NOT_FOUND: 404,
    Problem.METHOD: 405,
    Problem.IN_PROGRESS: 409,
    Problem.TOO_LARGE: 413,
    Problem.CONFLICTING_REUSE: 422,
    Problem.INVALID: 422,
    Problem.TOO_MANY: 429,
    Problem.INTERNAL: 500,
    Problem.UNAVAILABLE: 503,
}
"""The HTTP status that belongs to each problem (docs/platform.md, Problems)."""


_FINAL = frozenset(
    {
        Problem.MALFORMED,
        Problem.FORBIDDEN,
        Problem.NOT_FOUND,
        Problem.METHOD,
        Problem.TOO_LARGE,
        Problem.CONFLICTING_REUSE,
        Problem.INVALID,
    }
)


class Outage(Enum):
    """Why no answer came."""

    NO_CONNECTION = "no-connection"
    """Refused, reset, unknown host, no route."""
    TIMEOUT = "timeout"
    """No connection or no whole answer within the limits."""
    CUT_SHORT = "cut-short"
    """The answer broke off in the middle."""
    TURNED_AWAY = "turned-away"
    """Something on the way answered 429 or 5xx without being able to speak for the platform."""


class Distrust(Enum):
    """Why an answer is not believed."""

    CERTIFICATE = "certificate"
    """TLS: the server's certificate does not hold."""
    UNSIGNED = "unsigned"
    SIGNATURE = "signature"
    """Malformed, made by another key, or the signed parts were changed."""
    COVERAGE = "coverage"
    """The signature covers more or less than the contract says."""
    DIGEST = "digest"
    """The body is not the one that was signed."""
    ECHO = "echo"
    """The answer belongs to another request (Idempotency-Key differs)."""
    REPLAYED = "replayed"
    """This very answer was already received."""
    STALE = "stale"
    """Signed outside the clock window."""
    REDIRECT = "redirect"
    OVERSIZED = "oversized"
    ENCODED = "encoded"
    """Content-Encoding, which nobody asked for."""


class PlatformError(Exception):
    """Base of everything that the platform or the line to it can do wrong."""


class PlatformUnavailable(PlatformError):
    """No answer: whether the request had an effect is unknown; repeat it with the same key.

    Attributes:
        outage: what happened.
        retry_after: seconds that the far end asked us to wait, None when it did not say.
    """

    def __init__(self, outage: Outage, retry_after: float | None = None) -> None:
        super().__init__(f"the platform does not answer: {outage.value}")
        self.outage = outage
        self.retry_after = retry_after


class PlatformRefused(PlatformError):
    """The platform itself said no.

    Attributes:
        problem: its reason.
        final: it judged the request itself, which never had an effect and never will; otherwise
            it judged the moment or the terminal, and the request may go again under its key.
        status: the HTTP status, 400..599.
        retry_after: seconds to wait (TOO_MANY), None when not given.
    """

    def __init__(self, problem: Problem, retry_after: float | None = None) -> None:
        self.problem = problem
        self.final = problem in _FINAL
        self.status = PROBLEM_STATUS[problem]
        self.retry_after = retry_after
        super().__init__(f"the platform refused: {problem.value} ({self.status})")


class PlatformUntrusted(PlatformError):
    """An answer came, but nothing proves that it is the platform's answer to this request.

    Attributes:
        distrust: which proof is missing.
    """

    def __init__(self, distrust: Distrust) -> None:
        super().__init__(f"the answer is not believed: {distrust.value}")
        self.distrust = distrust


class ClockWrong(PlatformError):
    """Our clock and the platform's are further apart than the contract allows.

    Attributes:
        server_time: the platform's clock, Unix seconds.
    """

    def __init__(self, server_time: int) -> None:
        super().__init__("the terminal's clock is wrong")
        self.server_time = server_time


class PlatformAnswerMalformed(PlatformError):
    """The platform's own, signed answer is not what the contract says.

    Attributes:
        where: the field by its path in the contract, for example ``blocks.pension.months``.
        what: what is wrong with it, without its content.
    """

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"the platform's answer is malformed: {where} {what}")
        self.where = where
        self.what = what
