"""Certificates from the platform: asked for under a durable intent, believed after verification."""

from __future__ import annotations

import json
from collections.abc import Callable

from kiosk.audit.recorder import Recorder
from kiosk.clock import Clock
from kiosk.documents.certificate import Certificate, verify
from kiosk.documents.seals import Seals
from kiosk.intents import IntentKind, IntentOutcome, Intents, new_key
from kiosk.platform.client import PlatformClient
from kiosk.platform.errors import PlatformRefused
from kiosk.platform.models import Asker


class Issuing:
    """Asks for certificates; on the platform's lane.

    Args:
        seals: whose signature a certificate must carry.
    """

    lane = "platform"

    def __init__(
        self,
        client: PlatformClient,
        intents: Intents,
        seals: Seals,
        terminal_id: str,
        clock: Clock,
        record: Recorder,
        random: Callable[[int], bytes],
    ) -> None:
        self._client = client
        self._intents = intents
        self._seals = seals
        self._terminal_id = terminal_id
        self._clock = clock
        self._record = record
        self._random = random
        self._under_way: set[str] = set()

    def issue(self, asker: Asker, kind: str, months: int) -> Certificate:
        """A new certificate, verified.

        Raises:
            kiosk.platform.errors.PlatformError: no certificate, or none that is known of here.
            kiosk.documents.certificate.CertificateRefused: it is not what it must be.
        """
        key = new_key(self._terminal_id, self._clock, self._random)
        wanted = json.dumps({"kind": kind, "months": months}, sort_keys=True).encode()
        self._under_way.add(key)
        try:
            self._intents.open(IntentKind.SUBMISSION, key, wanted)
            sealed = self._client.certificate(asker, kind, months, key=key)
            self._intents.settle(key, IntentOutcome.DONE)
        except PlatformRefused as refused:
            if refused.final:
                self._intents.settle(key, IntentOutcome.FAILED)
            raise
        finally:
            self._under_way.discard(key)
        return verify(sealed, self._seals, today=self._clock.local().date())

    def settle_open(self) -> int:
        """Ask the platform what became of requests whose answer never came; returns how many. Those
        that are under way on another thread may not have reached it yet, and are left alone.

        Raises:
            kiosk.platform.errors.PlatformError: it can't be asked now; the rest stays open.
        """
        left = [
            intent
            for intent in self._intents.unsettled()
            if intent.kind is IntentKind.SUBMISSION and intent.key not in self._under_way
        ]
        for intent in left:
            known = self._client.submission(intent.key)
            done = known is not None and known.status < 400
            outcome = IntentOutcome.DONE if done else IntentOutcome.FAILED
            self._intents.settle(intent.key, outcome)
            detail = {"kind": intent.kind.value, "result": outcome.value}
            self._record("intent.settled", outcome="ok", detail=detail)
        return len(left)
