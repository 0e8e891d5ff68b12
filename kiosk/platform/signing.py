"""Message signatures (RFC 9421) of the line to the platform, with SM2 and SM3.

The contract is docs/platform.md, Signatures: one signature ``sig1``, raw ``r‖s`` of 64 bytes,
exactly the listed components, ``Content-Digest: sha-256`` over the body (RFC 9530).
"""

from __future__ import annotations

import datetime
import hmac
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import http_sf
import requests
from http_message_signatures import (
    ContentDigest,
    HTTPMessageSignaturesException,
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    HTTPSignatureKeyResolver,
    InvalidSignature,
)

from apdu.crypto import sm2
from kiosk.platform.errors import Distrust, PlatformUntrusted

LABEL = "sig1"
PLATFORM_KEY_ID = "platform"
REQUEST_COMPONENTS = ("@method", "@target-uri", "content-digest", "idempotency-key")
RESPONSE_COMPONENTS = ("@status", "content-digest", "idempotency-key")

_NONCE_LIMIT = 128
_REMEMBERED_NONCES = 4096
_ENCODING = sm2.SignatureEncoding.RAW


class Sm2Sm3(HTTPSignatureAlgorithm):
    """``sm2-sm3``: SM2 with SM3, user ID ``1234567812345678``, raw ``r‖s``."""

    algorithm_id = "sm2-sm3"

    def __init__(
        self, public_key: sm2.PublicKey | None = None, private_key: sm2.PrivateKey | None = None
    ) -> None:
        self._public_key = public_key
        self._private_key = private_key

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        assert self._private_key is not None
        return sm2.sign(self._private_key, message, encoding=_ENCODING)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Raises InvalidSignature."""
        assert self._public_key is not None
        if not sm2.verify(self._public_key, message, signature, encoding=_ENCODING):
            raise InvalidSignature("the SM2 signature does not hold")


class _Keys(HTTPSignatureKeyResolver):
    """One private key of ours and one public key of theirs, by key id."""

    def __init__(
        self,
        private: Mapping[str, sm2.PrivateKey] | None = None,
        public: Mapping[str, sm2.PublicKey] | None = None,
    ) -> None:
        self._private = dict(private or {})
        self._public = dict(public or {})

    def resolve_private_key(self, key_id: str) -> sm2.PrivateKey:
        return self._private[key_id]

    def resolve_public_key(self, key_id: str) -> sm2.PublicKey | None:
        return self._public.get(key_id)


class _Verifier(HTTPMessageVerifier):
    """Leaves the clock to us: a ``clock`` problem is believed although our clock is off."""

    def validate_created_and_expires(self, sig_input: Any, max_age: Any = None) -> None:
        created = sig_input.params.get("created")
        if type(created) is not int or "expires" in sig_input.params:
            raise InvalidSignature("created is missing or expires is there")


@dataclass(frozen=True, repr=False)
class ReceivedAnswer:
    """An answer as it came from the wire, body not decoded.

    Attributes:
        request: the request it claims to answer; not part of what is verified, the verifier
            wants the attribute.
    """

    status_code: int
    headers: Mapping[str, str]
    body: bytes
    request: None = None


@dataclass(frozen=True)
class Attested:
    """What a holding signature says of itself.

    Attributes:
        created: Unix seconds by the platform's clock.
        nonce: the platform's, new for every answer.
    """

    created: int
    nonce: str


def quoted_key(key: str) -> str:
    """An Idempotency-Key as it stands in the header: a structured string.

    Raises:
        ValueError: not 1..64 visible ASCII characters.
    """
    if not 1 <= len(key) <= 64 or not all(0x21 <= ord(character) <= 0x7E for character in key):
        raise ValueError("an idempotency key has 1..64 visible ASCII characters")
    return http_sf.ser(key)


def content_digest(body: bytes) -> str:
    """``sha-256=:…:`` (RFC 9530)."""
    return ContentDigest.create(body)


class RequestSigner:
    """Signs requests as one terminal."""

    def __init__(self, terminal_id: str, key: sm2.PrivateKey) -> None:
        self._terminal_id = terminal_id
        self._signer = HTTPMessageSigner(
            signature_algorithm=Sm2Sm3, key_resolver=_Keys(private={terminal_id: key})
        )

    def sign(
        self, request: requests.PreparedRequest, body: bytes, *, created: float, nonce: str
    ) -> None:
        """Add Content-Digest and the signature; Idempotency-Key must stand already."""
        request.headers["Content-Digest"] = content_digest(body)
        self._signer.sign(
            request,
            key_id=self._terminal_id,
            created=datetime.datetime.fromtimestamp(created, tz=datetime.UTC),
            nonce=nonce,
            label=LABEL,
            covered_component_ids=REQUEST_COMPONENTS,
            use_existing_digest=True,
        )


class AnswerVerifier:
    """Decides whether an answer is the platform's, to this request, and whole."""

    def __init__(self, platform_key: sm2.PublicKey) -> None:
        self._verifier = _Verifier(
            signature_algorithm=Sm2Sm3, key_resolver=_Keys(public={PLATFORM_KEY_ID: platform_key})
        )

    def verify(self, answer: ReceivedAnswer, quoted_idempotency_key: str) -> Attested:
        """Check signature, coverage, body and echo; the clock is the caller's to judge.

        Raises:
            PlatformUntrusted: see `Distrust` for each reason.
        """
        headers = answer.headers
        if "Signature" not in headers and "Signature-Input" not in headers:
            raise PlatformUntrusted(Distrust.UNSIGNED)
        try:
            results = self._verifier.verify(answer, max_age=None)
        except HTTPMessageSignaturesException:
            results = []
        if len(results) != 1 or results[0].label != LABEL:
            raise PlatformUntrusted(Distrust.SIGNATURE)
        result = results[0]
        covered = [name for name in result.covered_components if name != '"@signature-params"']
        if sorted(covered) != sorted(f'"{name}"' for name in RESPONSE_COMPONENTS):
            raise PlatformUntrusted(Distrust.COVERAGE)
        if not _same(headers["Content-Digest"], content_digest(answer.body)):
            raise PlatformUntrusted(Distrust.DIGEST)
        if not _same(headers["Idempotency-Key"], quoted_idempotency_key):
            raise PlatformUntrusted(Distrust.ECHO)
        created, nonce = result.parameters["created"], result.nonce
        if nonce is None or not 1 <= len(nonce) <= _NONCE_LIMIT or not isinstance(created, int):
            raise PlatformUntrusted(Distrust.SIGNATURE)
        return Attested(created, nonce)


def _same(ours: str, theirs: str) -> bool:
    return hmac.compare_digest(ours.strip().encode(), theirs.encode())


class NonceMemory:
    """Remembers the answers' nonces as long as the clock window lets one come again.

    Thread-safe. Of more than 4,096 answers within the window the oldest are forgotten; the echo
    of the Idempotency-Key still ties each answer to its request.
    """

    def __init__(self, window_seconds: float) -> None:
        self._window = window_seconds
        self._seen: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def first_time(self, nonce: str, now: float) -> bool:
        """Whether this nonce is new; `now` in Unix seconds."""
        with self._lock:
            while self._seen:
                oldest = next(iter(self._seen.values()))
                if len(self._seen) < _REMEMBERED_NONCES and abs(now - oldest) <= 2 * self._window:
                    break
                self._seen.popitem(last=False)
            if nonce in self._seen:
                return False
            self._seen[nonce] = now
            return True
