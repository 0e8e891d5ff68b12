"""RFC 9421 message signatures with SM2 and SM3, on the platform's side.

SM2 (GB/T 32918.2, user ID ``1234567812345678``) through GmSSL; the signature on the wire is the
raw r‖s, 64 bytes, where GmSSL speaks DER.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime

import gmssl_pyx
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    HTTPSignatureKeyResolver,
    InvalidSignature,
)
from http_sf.compat import Item

from hw_sim.platform.problems import Problem, ProblemKind

LABEL = "sig1"
PLATFORM_KEY_ID = "platform"
REQUEST_COMPONENTS = ("@method", "@target-uri", "content-digest", "idempotency-key")
RESPONSE_COMPONENTS = ("@status", "content-digest", "idempotency-key")
_COORDINATE = 32
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]{1,64}")


@dataclass(frozen=True)
class Sm2Key:
    """An SM2 key pair: ``private`` d (32 bytes), ``public`` X‖Y (64 bytes)."""

    private: bytes
    public: bytes

    @classmethod
    def generate(cls) -> Sm2Key:
        public, private = gmssl_pyx.sm2_key_generate()
        return cls(private, public)

    def __repr__(self) -> str:
        return "Sm2Key(...)"


def public_key_is_on_curve(public: bytes) -> bool:
    """Whether ``public`` (X‖Y, 64 bytes) is a point that SM2 can verify with."""
    try:
        # GmSSL has no check of its own; to encrypt it must load the point.
        gmssl_pyx.sm2_encrypt(public, b"\0")
    except gmssl_pyx.InvalidValueError:
        return False
    return True


class Sm2Sm3(HTTPSignatureAlgorithm):
    """The ``sm2-sm3`` algorithm for ``http_message_signatures``.

    Args:
        public_key: X‖Y, 64 bytes, to verify with.
        private_key: the pair to sign with: Z of GB/T 32918.2 §5.5 needs the public key too.
    """

    algorithm_id = "sm2-sm3"

    def __init__(self, public_key: bytes | None = None, private_key: Sm2Key | None = None) -> None:
        self._public = public_key
        self._pair = private_key

    def sign(self, message: bytes) -> bytes:
        if self._pair is None:
            raise ValueError("no private key to sign with")
        der = gmssl_pyx.sm2_sign(self._pair.private, self._pair.public, message)
        r, s = decode_dss_signature(der)
        return r.to_bytes(_COORDINATE, "big") + s.to_bytes(_COORDINATE, "big")

    def verify(self, signature: bytes, message: bytes) -> None:
        if self._public is None:
            raise ValueError("no public key to verify with")
        if len(signature) != 2 * _COORDINATE:
            raise InvalidSignature("an SM2 signature has 64 bytes")
        r = int.from_bytes(signature[:_COORDINATE], "big")
        s = int.from_bytes(signature[_COORDINATE:], "big")
        if not gmssl_pyx.sm2_verify(self._public, message, encode_dss_signature(r, s)):
            raise InvalidSignature("the SM2 signature does not fit")


class HeaderLines:
    """Header lines of a received message, in wire order and with repetitions."""

    def __init__(self, lines: Iterable[tuple[str, str]]) -> None:
        self._lines = tuple(lines)

    def items(self) -> tuple[tuple[str, str], ...]:
        return self._lines

    def all(self, name: str) -> list[str]:
        return [value for field, value in self._lines if field.lower() == name]


@dataclass(frozen=True)
class SignedRequest:
    """A received request as the signature library wants to see it; ``url`` is absolute."""

    method: str
    url: str
    headers: HeaderLines
    body: bytes


@dataclass(frozen=True)
class Verified:
    """What a good signature proves: who signed, when, and with which nonce."""

    terminal_id: str
    created: int
    nonce: str


class _TerminalKeys(HTTPSignatureKeyResolver):
    def __init__(self, lookup: Callable[[str], bytes | None]) -> None:
        self._lookup = lookup
        self.missed = False
        self.failed: Exception | None = None

    def resolve_public_key(self, key_id: str) -> bytes | None:
        try:
            key = self._lookup(key_id)
        except Exception as error:
            # To the library any failure is a wrong signature; to the terminal it isn't.
            self.failed = error
            raise
        self.missed = key is None
        return key


class _Verifier(HTTPMessageVerifier):
    def validate_created_and_expires(self, sig_input: object, max_age: object = None) -> None:
        """Nothing: the platform's own clock decides (``gate.Gate``), not the library's."""


def idempotency_key(headers: HeaderLines) -> tuple[str, str]:
    """The key and the header value to echo.

    Raises:
        Problem: ``malformed``; absent, repeated, no quoted string, or not 1..64 visible ASCII.
    """
    lines = headers.all("idempotency-key")
    if len(lines) == 1:
        echo = lines[0].strip(" \t")
        item = Item()
        try:
            item.parse(echo.encode("latin-1"))
        except ValueError:
            item.value = None
        key = item.value
        if isinstance(key, str) and _VISIBLE_ASCII.fullmatch(key):
            return key, echo
    raise Problem(
        ProblemKind.MALFORMED, "Idempotency-Key must be one quoted string of 1..64 characters"
    )


def content_digest(body: bytes) -> str:
    """RFC 9530 ``Content-Digest`` value of the body, with SHA-256."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def verify_request(
    request: SignedRequest, public_key_of: Callable[[str], bytes | None]
) -> Verified:
    """Check the one signature of a request: coverage, digest of the body, SM2.

    Args:
        public_key_of: X‖Y of a terminal id, or None when no such terminal is enrolled.

    Raises:
        Problem: ``unknown-terminal`` or ``signature``.
        Exception: whatever ``public_key_of`` raised.
    """
    keys = _TerminalKeys(public_key_of)
    verifier = _Verifier(signature_algorithm=Sm2Sm3, key_resolver=keys)
    try:
        results = verifier.verify(request, max_age=None, body=request.body)
    except InvalidSignature as error:
        if keys.failed is not None:
            raise keys.failed from None
        if keys.missed:
            raise Problem(
                ProblemKind.UNKNOWN_TERMINAL, "enrol this terminal before it signs requests"
            ) from error
        raise Problem(ProblemKind.SIGNATURE, "the signature does not verify") from error
    (result,) = results
    covered = set(result.covered_components) - {'"@signature-params"'}
    if result.label != LABEL or covered != {f'"{name}"' for name in REQUEST_COMPONENTS}:
        raise Problem(
            ProblemKind.SIGNATURE, f"one signature {LABEL} over exactly the four components"
        )
    if not request.headers.all("content-digest")[0].startswith("sha-256="):
        raise Problem(ProblemKind.SIGNATURE, "Content-Digest must be sha-256")
    if not set(result.parameters) <= {"created", "nonce", "keyid", "alg"}:
        raise Problem(ProblemKind.SIGNATURE, "only created, nonce, keyid and alg are understood")
    created, nonce = result.parameters.get("created"), result.parameters.get("nonce")
    if not isinstance(created, int) or not isinstance(nonce, str) or not 1 <= len(nonce) <= 128:
        raise Problem(ProblemKind.SIGNATURE, "created and nonce (1..128 characters) are needed")
    return Verified(str(result.parameters["keyid"]), created, nonce)


class _PlatformKey(HTTPSignatureKeyResolver):
    def __init__(self, pair: Sm2Key) -> None:
        self._pair = pair

    def resolve_private_key(self, key_id: str) -> Sm2Key:
        if key_id != PLATFORM_KEY_ID:
            raise KeyError(key_id)
        return self._pair


@dataclass(frozen=True)
class _Response:
    status_code: int
    headers: MutableMapping[str, str]


def sign_response(
    status: int, headers: MutableMapping[str, str], *, pair: Sm2Key, created: int, nonce: str
) -> None:
    """Add ``Signature-Input`` and ``Signature`` to a response's headers.

    ``headers`` already hold ``Content-Digest`` and the echoed ``Idempotency-Key``.
    """
    signer = HTTPMessageSigner(signature_algorithm=Sm2Sm3, key_resolver=_PlatformKey(pair))
    signer.sign(
        _Response(status, headers),
        key_id=PLATFORM_KEY_ID,
        created=datetime.fromtimestamp(created, UTC),
        nonce=nonce,
        label=LABEL,
        covered_component_ids=RESPONSE_COMPONENTS,
        use_existing_digest=True,
    )
