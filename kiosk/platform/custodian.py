"""The platform's key service (加密机) as custodian of the card keys, where no PSAM has them."""

from __future__ import annotations

from apdu.custodian import Algorithm, AuthenticationRequest, ProtectionRequest
from apdu.errors import PsamUnavailable
from kiosk.platform.client import PlatformClient
from kiosk.platform.errors import PlatformRefused, PlatformUnavailable, Problem

_KEYS = frozenset({"IRK_SSSE", "RK_SSSE"})
_ALGORITHMS = frozenset({Algorithm.TDES, Algorithm.SM4})


class PlatformCustodian:
    """An `apdu.custodian.Custodian` behind the platform."""

    def __init__(self, client: PlatformClient) -> None:
        self._client = client

    def cryptogram(self, request: AuthenticationRequest) -> bytes | None:
        """8 bytes; None when the key service lacks the key or the algorithm.

        Raises:
            PsamUnavailable: no answer; the next custodian may be asked.
            PlatformUntrusted, ClockWrong, PlatformAnswerMalformed, PlatformRefused: an answer came
                and is no "don't know"; going on as if nobody was there would hide it.
        """
        # docs/platform-api.md knows these; anything else would be our mistake on the wire.
        if request.key.name not in _KEYS or request.algorithm not in _ALGORITHMS:
            return None
        unavailable = None
        try:
            return self._client.cryptogram(request)
        except PlatformUnavailable as error:
            unavailable = error.outage
        except PlatformRefused as refusal:
            if refusal.problem is not Problem.NOT_FOUND:
                raise
            return None
        raise PsamUnavailable(f"the platform's key service does not answer: {unavailable.value}")

    def protect(self, request: ProtectionRequest) -> bytes | None:
        """None: docs/platform-api.md knows no protected commands."""
        return None
