"""The platform's key service (加密机) as custodian of the card keys, where no PSAM has them."""

from __future__ import annotations

from collections.abc import Callable

from apdu.crypto import sm2
from apdu.custodian import Algorithm, AuthenticationRequest, ProtectionRequest
from apdu.errors import PsamUnavailable
from kiosk.platform.client import PlatformClient
from kiosk.platform.errors import PlatformRefused, PlatformUnavailable, Problem

_ALGORITHMS = frozenset({Algorithm.TDES, Algorithm.SM4})


class PlatformCustodian:
    """An `apdu.custodian.Custodian` behind the platform.

    Its methods raise, besides what the protocol says: PlatformUntrusted, ClockWrong,
    PlatformAnswerMalformed, PlatformRefused: an answer came and is no "don't know"; going on as
    if nobody was there would hide it.
    """

    def __init__(self, client: PlatformClient) -> None:
        self._client = client

    def cryptogram(self, request: AuthenticationRequest) -> bytes | None:
        """See `apdu.custodian.Custodian.cryptogram`."""
        return self._asked(request, lambda: self._client.cryptogram(request))

    def protect(self, request: ProtectionRequest) -> bytes | None:
        """See `apdu.custodian.Custodian.protect`. The block travels encrypted only."""
        return self._asked(request, lambda: self._client.protected(request, self._sealed(request)))

    def _sealed(self, request: ProtectionRequest) -> bytes:
        if not request.block:
            return b""
        # Asked for each time: a new PIN is rare, and the key service may change its key.
        key = self._client.encryption_key()
        return sm2.encrypt(key, request.block, encoding=sm2.CiphertextEncoding.RAW_PREFIXED)

    def _asked(
        self, request: AuthenticationRequest | ProtectionRequest, ask: Callable[[], bytes]
    ) -> bytes | None:
        # What has no address, or no name in docs/platform.md, nobody there can hold.
        if request.key.hsm_address is None or request.algorithm not in _ALGORITHMS:
            return None
        unavailable = None
        try:
            return ask()
        except PlatformUnavailable as error:
            unavailable = error.outage
        except PlatformRefused as refusal:
            if refusal.problem is not Problem.NOT_FOUND:
                raise
            return None
        raise PsamUnavailable(f"the platform's key service does not answer: {unavailable.value}")
