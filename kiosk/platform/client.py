"""What the terminal asks of the provincial platform (省级平台): docs/platform-api.md as methods.

Every answer is believed only with the platform's signature over it; every failure is one of
`kiosk.platform.errors`. Nothing personal stands in a URL, a log line or an exception.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote

import requests

from apdu.crypto import sm2
from apdu.custodian import AuthenticationRequest
from kiosk.platform import answers, wire
from kiosk.platform.errors import (
    ClockWrong,
    Distrust,
    Outage,
    PlatformError,
    PlatformRefused,
    PlatformUnavailable,
    PlatformUntrusted,
    Problem,
)
from kiosk.platform.exchange import Exchange, Outgoing, SessionFactory, new_session
from kiosk.platform.limits import CLOCK_WINDOW_SECONDS, LineLimits
from kiosk.platform.models import (
    AlarmKind,
    AlarmReceipt,
    AlarmSeverity,
    CardVerdict,
    Catalogue,
    Evidence,
    Overview,
    Status,
    Submission,
)
from kiosk.platform.outcome import Missed, Outcome, Reached
from kiosk.platform.problems import Refusal, decode_problem, retry_after
from kiosk.platform.signing import (
    AnswerVerifier,
    NonceMemory,
    ReceivedAnswer,
    RequestSigner,
    quoted_key,
)

T = TypeVar("T")

_LOG = logging.getLogger(__name__)
_JSON = "application/json"


@dataclass(frozen=True)
class TerminalIdentity:
    """Who signs: the terminal's id, for example ``T429900-0003``, and its private key."""

    terminal_id: str
    key: sm2.PrivateKey = field(repr=False)


class PlatformClient:
    """One terminal's line to its platform. Thread-safe; calls block for `limits.deadline` at most.

    All methods raise `PlatformUnavailable`, `PlatformRefused`, `PlatformUntrusted`, `ClockWrong`
    or `PlatformAnswerMalformed`. ``key`` is the Idempotency-Key, 1..64 visible ASCII characters:
    give the same one to repeat a request without a second effect, leave it out for a new one.

    Args:
        base_url: the platform's URL; paths of the contract are added to it.
        clock: Unix seconds.
        random: so many random bytes.
        observe: told the outcome of every call, in the calling thread (see `PlatformLink`).
    """

    lane = "platform"

    def __init__(
        self,
        base_url: str,
        identity: TerminalIdentity,
        platform_key: sm2.PublicKey,
        limits: LineLimits,
        *,
        session_factory: SessionFactory = new_session,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        random: Callable[[int], bytes] = secrets.token_bytes,
        sleep: Callable[[float], None] = time.sleep,
        observe: Callable[[Outcome], None] | None = None,
    ) -> None:
        self._terminal_id = identity.terminal_id
        self._signer = RequestSigner(identity.terminal_id, identity.key)
        self._verifier = AnswerVerifier(platform_key)
        self._exchange = Exchange(
            base_url, limits, session_factory, monotonic=monotonic, sleep=sleep
        )
        self._nonces = NonceMemory(CLOCK_WINDOW_SECONDS)
        self._clock = clock
        self._random = random
        self.observe = observe

    def status(self) -> Status:
        """Whether the platform is up, its clock, its catalogue's version."""
        return self._call("GET", "/v1/status", None, None, 200, answers.decode_status)

    def catalogue(self) -> Catalogue:
        """Which service items can be had now (服务事项清单)."""
        return self._call("GET", "/v1/catalogue", None, None, 200, answers.decode_catalogue)

    def card_verdict(
        self, card_id: bytes, card_number: str, *, key: str | None = None
    ) -> CardVerdict:
        """卡状态 of one card.

        Args:
            card_id: 卡识别码, 16 bytes.
            card_number: 卡号 as in EF05.
        """
        body: dict[str, object] = {
            wire.CARD_ID: _hex(card_id, 16),
            wire.CARD_NUMBER: card_number,
        }
        return self._call("POST", "/v1/card-verdicts", body, key, 200, answers.decode_card_verdict)

    def overview(
        self,
        number: str,
        card_id: bytes,
        evidence: Iterable[Evidence],
        *,
        key: str | None = None,
    ) -> Overview:
        """社保一件事: the five blocks of one person who asks for himself.

        Refused with FORBIDDEN when the card is not this person's, NOT_FOUND for no such person.

        Args:
            number: 社会保障号码, 18 characters.
            card_id: 卡识别码, 16 bytes.
            evidence: what has been proved; at least one.
        """
        body: dict[str, object] = {
            wire.PERSON_NUMBER: number,
            wire.CARD_ID: _hex(card_id, 16),
            "purpose": "self-query",
            "evidence": sorted({proof.value for proof in evidence}),
        }
        return self._call("POST", "/v1/overviews", body, key, 200, answers.decode_overview)

    def cryptogram(self, request: AuthenticationRequest, *, key: str | None = None) -> bytes:
        """The 8 bytes that only a holder of the card's key can compute (卡认证, 卡鉴权).

        Refused with NOT_FOUND when the key service does not hold key or algorithm.
        """
        body: dict[str, object] = {
            "key": request.key.name,
            "algorithm": request.algorithm.value,
            "card_factor": _hex(request.card_factor, 8),
            wire.DIVISION: request.region,
            "challenge": _hex(request.challenge, 8),
            "data": _hex(request.data, 8),
        }
        return self._call("POST", "/v1/hsm/cryptograms", body, key, 200, answers.decode_cryptogram)

    def raise_alarm(
        self,
        kind: AlarmKind,
        severity: AlarmSeverity,
        event: str,
        subject: str,
        occurred_at: int,
        *,
        key: str | None = None,
    ) -> AlarmReceipt:
        """Report something to the platform's staff.

        Args:
            event: event id of the audit catalogue.
            subject: HMAC-SM3 of whom it concerns, hex, or empty.
            occurred_at: Unix seconds.
        """
        body: dict[str, object] = {
            "kind": kind.value,
            "severity": severity.value,
            "occurred_at": occurred_at,
            "detail": event,
            "subject": subject,
        }
        return self._call("POST", "/v1/alarms", body, key, 201, answers.decode_alarm_receipt)

    def submission(self, key: str) -> Submission | None:
        """What became of the request with this Idempotency-Key; None: it never had an effect."""
        quoted_key(key)
        path = "/v1/submissions/" + quote(key, safe="")
        try:
            return self._call("GET", path, None, None, 200, answers.decode_submission)
        except PlatformRefused as refusal:
            if refusal.problem is not Problem.NOT_FOUND:
                raise
        return None

    def new_key(self) -> str:
        """A fresh Idempotency-Key of this terminal, 45 characters."""
        return f"{self._terminal_id}-{self._random(16).hex()}"

    def close(self) -> None:
        """Drop the connections; a later call opens new ones."""
        self._exchange.close()

    def _call(
        self,
        method: str,
        path: str,
        document: dict[str, object] | None,
        key: str | None,
        expected: int,
        decode: Callable[[dict[str, object]], T],
    ) -> T:
        operation = f"{method} /v1/{path.split('/')[2]}"
        try:
            answer, refusal, server_time = self._answered(method, path, document, key)
        except PlatformError as error:
            _LOG.warning("%s: %s", operation, error)
            self._tell(Missed(error))
            raise
        self._tell(Reached(server_time))
        if refusal is not None:
            _LOG.info("%s: refused, %s", operation, refusal.problem.value)
            raise PlatformRefused(refusal.problem, refusal.retry_after)
        return decode(answers.decode_body(answer, expected))

    def _tell(self, outcome: Outcome) -> None:
        if self.observe is not None:
            self.observe(outcome)

    def _answered(
        self,
        method: str,
        path: str,
        document: dict[str, object] | None,
        key: str | None,
    ) -> tuple[ReceivedAnswer, Refusal | None, int]:
        quoted = quoted_key(key if key is not None else self.new_key())
        body = b"" if document is None else wire.encode(document)
        headers = {"Idempotency-Key": quoted}
        if document is not None:
            headers["Content-Type"] = _JSON

        def sign(request: requests.PreparedRequest) -> None:
            nonce = self._random(16).hex()
            self._signer.sign(request, body, created=self._clock(), nonce=nonce)

        answer = self._exchange.send(Outgoing(method, path, headers, body), sign)
        _refuse_gateway(answer)
        attested = self._verifier.verify(answer, quoted)
        now = self._clock()
        refusal = decode_problem(answer) if answer.status_code >= 400 else None
        if refusal is not None and refusal.server_time is not None:
            # Before the window is judged: this answer's own time is what ours is far from.
            raise ClockWrong(refusal.server_time)
        if abs(attested.created - now) > CLOCK_WINDOW_SECONDS:
            raise PlatformUntrusted(Distrust.STALE)
        if not self._nonces.first_time(attested.nonce, now):
            raise PlatformUntrusted(Distrust.REPLAYED)
        return answer, refusal, attested.created


def _refuse_gateway(answer: ReceivedAnswer) -> None:
    """Proxies in front of the platform cannot sign: their 429 and 5xx only say "not now"."""
    unsigned = "Signature" not in answer.headers
    status = answer.status_code
    if status in (502, 503, 504) or (unsigned and (status == 429 or status >= 500)):
        raise PlatformUnavailable(Outage.TURNED_AWAY, retry_after(answer))


def _hex(octets: bytes, length: int) -> str:
    if len(octets) != length:
        raise ValueError(f"expected {length} bytes")
    return octets.hex().upper()
