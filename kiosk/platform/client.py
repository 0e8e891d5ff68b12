"""What the terminal asks of the provincial platform (省级平台): docs/platform.md as methods.

Every answer is believed only with the platform's signature over it; every failure is one of
`kiosk.platform.errors`. Nothing personal stands in a URL, a log line or an exception.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote

import requests

from apdu.crypto import sm2
from apdu.custodian import MAC_SIZE, AuthenticationRequest, ProtectionRequest
from kiosk.documents.certificate import SealedCertificate
from kiosk.platform import answers, questions, wire
from kiosk.platform.certificate_answers import decode_certificate, decode_certificate_verdict
from kiosk.platform.envelope import CONTRACT, Envelope
from kiosk.platform.errors import (
    ClockWrong,
    Distrust,
    PlatformError,
    PlatformRefused,
    PlatformUntrusted,
    Problem,
)
from kiosk.platform.events import Event
from kiosk.platform.exchange import Exchange, Outgoing, SessionFactory, new_session
from kiosk.platform.limits import CLOCK_WINDOW_SECONDS, REQUEST_BYTES, LineLimits
from kiosk.platform.models import (
    AlarmKind,
    AlarmReceipt,
    AlarmSeverity,
    Asker,
    CardVerdict,
    Catalogue,
    CertificateVerdict,
    EcardResult,
    EcardVerdict,
    Overview,
    RiskVerdict,
    Status,
    Submission,
)
from kiosk.platform.operations import Operation
from kiosk.platform.outcome import Missed, Outcome, Reached
from kiosk.platform.overview_answer import decode_overview
from kiosk.platform.problems import Refusal, decode_problem, refuse_gateway, retry_after
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
_ECARD_CODE = re.compile(r"[\x21-\x7e]{1,512}")


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
        envelope: in which form the province's platform takes the contract's documents.
        clock: Unix seconds.
        random: so many random bytes.
        observe: told the outcome of every call, in the calling thread (see `PlatformLink`).

    Attributes:
        clock_offset: seconds that the platform's clock was ahead of ours at its last answer; None
            before the first.
    """

    lane = "platform"

    def __init__(
        self,
        base_url: str,
        identity: TerminalIdentity,
        platform_key: sm2.PublicKey,
        limits: LineLimits,
        *,
        envelope: Envelope = CONTRACT,
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
        self._envelope = envelope
        self._nonces = NonceMemory(CLOCK_WINDOW_SECONDS)
        self._clock = clock
        self._random = random
        self.observe = observe
        self.clock_offset: float | None = None

    def status(self) -> Status:
        """Whether the platform is up, its clock, its catalogue's version."""
        return self._call(Operation.STATUS, None, None, answers.decode_status)

    def catalogue(self) -> Catalogue:
        """Which service items can be had now (服务事项清单)."""
        return self._call(Operation.CATALOGUE, None, None, answers.decode_catalogue)

    def card_verdict(
        self, card_id: bytes, card_number: str, *, key: str | None = None
    ) -> CardVerdict:
        """卡状态 of one card.

        Args:
            card_id: 卡识别码, 16 bytes.
            card_number: 卡号 as in EF05.
        """
        body = questions.for_card_verdict(card_id, card_number)
        return self._call(Operation.CARD_VERDICT, body, key, answers.decode_card_verdict)

    def verify_ecard(self, code: str, division: str, key: str | None = None) -> EcardVerdict:
        """Whose e-card (电子社保卡) shows this code; it is used up by the first look at it.

        A text that no code can have (not 1..512 visible ASCII characters) is UNKNOWN unasked.

        Args:
            code: what the scanner read, opaque to us.
            division: 行政区划代码 of this terminal, six digits.
        """
        if not _ECARD_CODE.fullmatch(code):
            return EcardVerdict(EcardResult.UNKNOWN, None)
        body = questions.for_ecard(code, division)
        return self._call(Operation.ECARD_VERIFICATION, body, key, answers.decode_ecard_verdict)

    def overview(self, asker: Asker, *, key: str | None = None) -> Overview:
        """社保一件事: the five blocks of one person who asks for himself.

        Refused with FORBIDDEN when card or ticket is not this person's, NOT_FOUND for no such
        person.
        """
        body = questions.for_overview(asker)
        return self._call(Operation.OVERVIEW, body, key, decode_overview)

    def risk(self, item: str, asker: Asker, *, key: str | None = None) -> RiskVerdict:
        """风险提示, 业务阻断: whether this person may do this item.

        Args:
            item: the item's code in the catalogue.
        """
        body = questions.for_risk(item, asker)
        return self._call(Operation.RISK_VERDICT, body, key, answers.decode_risk_verdict)

    def certificate(
        self, asker: Asker, kind: str, months: int, *, key: str | None = None
    ) -> SealedCertificate:
        """参保证明: a new certificate with its seal; not yet checked against the seal's key.

        Refused with FORBIDDEN when the risk rules block it or card or ticket is not this
        person's, NOT_FOUND for no such person.

        Args:
            kind: ``participation``.
            months: how many months of contributions it shows, 1..60.
        """
        body = questions.for_certificate(asker, kind, months)
        return self._call(Operation.CERTIFICATE, body, key, decode_certificate)

    def verify_certificate(
        self, code: str, digest: str = "", *, key: str | None = None
    ) -> CertificateVerdict:
        """Whether a certificate that somebody shows is the platform's and still holds.

        Args:
            code: its 16 characters, without the spaces between the groups.
            digest: SM3 of its content, 64 hex digits; empty when it is not known.

        Raises:
            ValueError: code or digest of another form.
        """
        body = questions.for_certificate_verification(code, digest)
        return self._call(Operation.CERTIFICATE_VERIFICATION, body, key, decode_certificate_verdict)

    def cryptogram(self, request: AuthenticationRequest, *, key: str | None = None) -> bytes:
        """The 8 bytes that only a holder of the card's key can compute (卡认证, 卡鉴权).

        Refused with NOT_FOUND when the key service does not hold key or algorithm.

        Raises:
            ValueError: the key has no address at the key service.
        """
        body = questions.for_cryptogram(request)
        return self._call(Operation.CRYPTOGRAM, body, key, answers.decode_cryptogram)

    def encryption_key(self) -> sm2.PublicKey:
        """What a new PIN is encrypted to on its way to the key service (加密机)."""
        return self._call(Operation.ENCRYPTION_KEY, None, None, answers.decode_encryption_key)

    def protected(
        self, request: ProtectionRequest, sealed: bytes, *, key: str | None = None
    ) -> bytes:
        """The data of a command under secure messaging: encrypted block ‖ MAC (4 bytes).

        Refused with NOT_FOUND when the key service does not hold key or algorithm.

        Args:
            request: its block stays here.
            sealed: the block, encrypted to `encryption_key` as C1 ‖ C3 ‖ C2; empty where there
                is none.

        Raises:
            ValueError: the key has no address at the key service.
        """
        body = questions.for_protection(request, sealed)
        size = len(request.block) + MAC_SIZE

        def decode(document: dict[str, object]) -> bytes:
            return answers.decode_protection(document, size)

        return self._call(Operation.PROTECTED_COMMAND, body, key, decode)

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
        body = questions.for_alarm(kind, severity, event, subject, occurred_at)
        return self._call(Operation.ALARM, body, key, answers.decode_alarm_receipt)

    def send_event(
        self, kind: str, occurred_at: int, body: Mapping[str, object], *, key: str
    ) -> str:
        """Report what happened earlier, perhaps while the line was down; the event's number.

        Args:
            kind: ``evaluation``, ``audit-range`` or ``print-outcome``.
            occurred_at: Unix seconds.
            body: as the contract says for this kind (docs/platform.md, Events).
            key: minted when it happened; the same with every attempt.

        Raises:
            ValueError: the request would be longer than `REQUEST_BYTES`.
        """
        event = questions.for_event(kind, occurred_at, body)
        return self._call(Operation.EVENT, event, key, answers.decode_event_number)

    def send_events(self, events: Sequence[Event]) -> tuple[str | PlatformRefused, ...]:
        """Report the first of these events at once; each has its effect once, as by `send_event`.

        Returns:
            One result an event, from the first on: its number, or why it was refused. There are
            fewer than events when one request does not hold all (`BATCH_EVENTS`, `REQUEST_BYTES`).

        Raises:
            ValueError: there is no event, or the first is too long for a batch; `send_event` has
                more room.
        """
        batch = questions.for_event_batch(events)
        # The envelope may need room of its own.
        while len(self._encoded(Operation.EVENT_BATCH, {"events": batch})) > REQUEST_BYTES:
            batch.pop()
        if not batch:
            raise ValueError("no event that a batch could hold")
        keys = [event.key for event in events[: len(batch)]]
        for key in keys:
            quoted_key(key)

        def decode(document: dict[str, object]) -> tuple[str | PlatformRefused, ...]:
            return answers.decode_event_batch(document, keys)

        return self._call(Operation.EVENT_BATCH, {"events": batch}, None, decode)

    def submission(self, key: str) -> Submission | None:
        """What became of the request with this Idempotency-Key; None: it never had an effect."""
        quoted_key(key)
        named = quote(key, safe="")
        try:
            return self._call(
                Operation.SUBMISSION, None, None, answers.decode_submission, named=named
            )
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
        operation: Operation,
        document: dict[str, object] | None,
        key: str | None,
        decode: Callable[[dict[str, object]], T],
        *,
        named: str = "",
    ) -> T:
        try:
            answer, refusal, server_time = self._answered(operation, document, key, named)
        except PlatformError as error:
            _LOG.warning("%s: %s", operation.word, error)
            if isinstance(error, PlatformUntrusted):
                # Its connection may be out of step: each answer on it that of the request before.
                self._exchange.close()
            self._tell(Missed(error))
            raise
        self._tell(Reached(server_time))
        try:
            if refusal is not None:
                raise PlatformRefused(refusal.problem, refusal.retry_after)
            message = answers.decode_body(answer, self._envelope.success(operation))
            return decode(self._envelope.unwrap(operation, message, retry_after(answer)))
        except PlatformError as error:
            _LOG.info("%s: %s", operation.word, error)
            raise

    def _encoded(self, operation: Operation, document: dict[str, object]) -> bytes:
        return wire.encode(self._envelope.wrap(operation, document))

    def _tell(self, outcome: Outcome) -> None:
        if self.observe is not None:
            self.observe(outcome)

    def _answered(
        self,
        operation: Operation,
        document: dict[str, object] | None,
        key: str | None,
        named: str,
    ) -> tuple[ReceivedAnswer, Refusal | None, int]:
        quoted = quoted_key(key if key is not None else self.new_key())
        body = b"" if document is None else self._encoded(operation, document)
        if len(body) > REQUEST_BYTES:
            raise ValueError(f"a request's body has at most {REQUEST_BYTES} bytes")
        headers = {"Idempotency-Key": quoted}
        if document is not None:
            headers["Content-Type"] = _JSON

        def sign(request: requests.PreparedRequest) -> None:
            nonce = self._random(16).hex()
            self._signer.sign(request, body, created=self._clock(), nonce=nonce)

        path = self._envelope.path(operation).replace("{key}", named)
        answer = self._exchange.send(Outgoing(operation.method, path, headers, body), sign)
        refuse_gateway(answer)
        attested = self._verifier.verify(answer, quoted)
        now = self._clock()
        refusal = decode_problem(answer) if answer.status_code >= 400 else None
        if refusal is not None and refusal.server_time is not None:
            # Before the window is judged: this answer's own time is what ours is far from.
            self.clock_offset = refusal.server_time - now
            raise ClockWrong(refusal.server_time)
        if abs(attested.created - now) > CLOCK_WINDOW_SECONDS:
            raise PlatformUntrusted(Distrust.STALE)
        if not self._nonces.first_time(attested.nonce, now):
            raise PlatformUntrusted(Distrust.REPLAYED)
        self.clock_offset = attested.created - now
        return answer, refusal, attested.created
