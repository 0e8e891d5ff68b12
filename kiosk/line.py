"""The line to this terminal's platform, as configuration and keys say."""

from __future__ import annotations

import time
from collections.abc import Callable

from kiosk.config import TerminalConfig
from kiosk.keys import TerminalKeys
from kiosk.platform.client import PlatformClient, TerminalIdentity
from kiosk.platform.envelope import Envelope
from kiosk.platform.exchange import new_session
from kiosk.platform.limits import LineLimits
from kiosk.platform.outcome import Outcome


def open_line(
    config: TerminalConfig,
    keys: TerminalKeys,
    envelope: Envelope,
    *,
    clock: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
    observe: Callable[[Outcome], None] | None = None,
) -> PlatformClient:
    """A client of the platform; nothing is sent yet. Whoever opens it closes it.

    Args:
        config: of this terminal.
        keys: that it signs with.
        envelope: the province's, from its data pack.
        clock: seconds since 1970.
        monotonic: seconds since whenever.
        observe: hears how each exchange ended.
    """
    return PlatformClient(
        config.platform.url,
        TerminalIdentity(keys.terminal_id, keys.private_key),
        keys.enrolment.platform_key,
        LineLimits.of(config.limits),
        envelope=envelope,
        session_factory=lambda: new_session(config.platform.tls),
        clock=clock,
        monotonic=monotonic,
        observe=observe,
    )
