"""How one call to the platform went, for whoever watches the line."""

from __future__ import annotations

from dataclasses import dataclass

from kiosk.platform.errors import PlatformError


@dataclass(frozen=True)
class Reached:
    """A call got an answer of the platform, be it a refusal.

    Attributes:
        server_time: the platform's clock, Unix seconds, from the answer's signature.
    """

    server_time: int


@dataclass(frozen=True)
class Missed:
    """A call got no answer that can be believed."""

    error: PlatformError


Outcome = Reached | Missed
