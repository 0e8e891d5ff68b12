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


class FailureKind(Enum):
    """What a caller has to do about a failure, whatever it was that happened."""

    UNREACHABLE = "unreachable"
    """No answer of the platform. Whether there was an effect is unknown: ask or repeat later."""
    OVERLOADED = "overloaded"
    """Not now: wait for `PlatformError.retry_after` where it is told, then repeat."""
    REFUSED = "refused"
    """The platform does not accept this terminal: every other request would fare the same."""
    REJECTED = "rejected"
    """The platform accepts the terminal and says no to this request, for ever."""
    INCOMPATIBLE = "incompatible"
    """The two sides do not understand or believe each other: only people can repair that."""


PROBLEM_KIND: dict[Problem, FailureKind] = {
    Problem.MALFORMED: FailureKind.INCOMPATIBLE,
    Problem.SIGNATURE: FailureKind.REFUSED,
    Problem.CLOCK: FailureKind.REFUSED,
    Problem.REPLAYED: FailureKind.REFUSED,
    Problem.UNKNOWN_TERMINAL: FailureKind.REFUSED,
    # 403 is business in this contract: whoever is not let in at all gets a 401.
    Problem.FORBIDDEN: FailureKind.REJECTED,
    Problem.NOT_FOUND: FailureKind.REJECTED,
    Problem.METHOD: FailureKind.INCOMPATIBLE,
    Problem.IN_PROGRESS: FailureKind.OVERLOADED,
    Problem.TOO_LARGE: FailureKind.REJECTED,
    Problem.CONFLICTING_REUSE: FailureKind.REJECTED,
    # Read and understood, but its values are not: the fault of this one message.
    Problem.INVALID: FailureKind.REJECTED,
    Problem.TOO_MANY: FailureKind.OVERLOADED,
    Problem.INTERNAL: FailureKind.OVERLOADED,
    Problem.UNAVAILABLE: FailureKind.OVERLOADED,
}
"""What each problem means for the caller."""


class Outage(Enum):
    """Why no answer came."""

    NO_CONNECTION = "no-connection"
    """Refused, reset, unknown host, no route."""
    TIMEOUT = "timeout"
    """No connection or no whole answer within the limits."""
    CUT_SHORT = "cut-short"
    """The answer broke off in the middle."""
    TURNED_AWAY = "turned-away"
    """Something on the way answered 5xx without being able to speak for the platform."""
    BUSY = "busy"
    """The platform, or something on the way, answered 429 or 503: not now."""


class Distrust(Enum):
    """Why an answer is not believed."""

    CERTIFICATE = "certificate"
    """TLS: nobody that we believe vouches for the server."""
    EXPIRED = "expired"
    """TLS: its certificate holds no longer, or not yet; or our clock is wrong."""
    HOST_NAME = "host-name"
    """TLS: its certificate is for another host."""
    TLS = "tls"
    """No TLS with it for another reason: versions, or files of ours that can't be read."""
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
    HEADERS = "headers"
    """Headers that contradict HTTP, for example two lengths."""
    REDIRECT = "redirect"
    OVERSIZED = "oversized"
    ENCODED = "encoded"
    """Content-Encoding, which nobody asked for."""


class PlatformError(Exception):
    """Base of everything that the platform or the line to it can do wrong.

    Attributes:
        kind: what to do about it.
        reason: one word of our vocabularies that says what happened.
        retry_after: seconds that the far end asked us to wait, None when it did not say.
    """

    def __init__(
        self, text: str, kind: FailureKind, reason: str, retry_after: float | None = None
    ) -> None:
        super().__init__(text)
        self.kind = kind
        self.reason = reason
        self.retry_after = retry_after


class PlatformUnavailable(PlatformError):
    """No answer: whether the request had an effect is unknown; repeat it with the same key.

    Attributes:
        outage: what happened.
    """

    def __init__(self, outage: Outage, retry_after: float | None = None) -> None:
        busy = outage is Outage.BUSY
        super().__init__(
            f"the platform does not answer: {outage.value}",
            FailureKind.OVERLOADED if busy else FailureKind.UNREACHABLE,
            outage.value,
            retry_after,
        )
        self.outage = outage


class PlatformRefused(PlatformError):
    """The platform itself said no.

    Attributes:
        problem: its reason.
        final: it judged the request itself, which never had an effect and never will; otherwise
            it judged the moment or the terminal, and the request may go again under its key.
        status: the HTTP status, 400..599.
        code: the province's own result code where it has such (`kiosk.platform.envelope`).
    """

    def __init__(self, problem: Problem, retry_after: float | None = None, code: str = "") -> None:
        self.problem = problem
        self.code = code
        self.status = PROBLEM_STATUS[problem]
        super().__init__(
            f"the platform refused: {problem.value} ({self.status})",
            PROBLEM_KIND[problem],
            problem.value,
            retry_after,
        )
        self.final = self.kind in (FailureKind.REJECTED, FailureKind.INCOMPATIBLE)


class PlatformUntrusted(PlatformError):
    """An answer came, but nothing proves that it is the platform's answer to this request.

    Attributes:
        distrust: which proof is missing.
    """

    def __init__(self, distrust: Distrust) -> None:
        super().__init__(
            f"the answer is not believed: {distrust.value}",
            FailureKind.INCOMPATIBLE,
            distrust.value,
        )
        self.distrust = distrust


class NotAdmitted(PlatformError):
    """The far end wants a client certificate that it believes, and ours is none (mTLS)."""

    def __init__(self) -> None:
        super().__init__(
            "the terminal's certificate is not accepted", FailureKind.REFUSED, "client-certificate"
        )


class ClockWrong(PlatformError):
    """Our clock and the platform's are further apart than the contract allows.

    Attributes:
        server_time: the platform's clock, Unix seconds.
    """

    def __init__(self, server_time: int) -> None:
        super().__init__("the terminal's clock is wrong", FailureKind.REFUSED, Problem.CLOCK.value)
        self.server_time = server_time


class PlatformAnswerMalformed(PlatformError):
    """The platform's own, signed answer is not what the contract says.

    Attributes:
        where: the field by its path in the contract, for example ``blocks.pension.months``.
        what: what is wrong with it, without its content.
    """

    def __init__(self, where: str, what: str) -> None:
        super().__init__(
            f"the platform's answer is malformed: {where} {what}",
            FailureKind.INCOMPATIBLE,
            "malformed-answer",
        )
        self.where = where
        self.what = what
