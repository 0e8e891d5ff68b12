"""What a terminal reports of the past (docs/platform.md, Events)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Event:
    """Something that happened earlier, as `PlatformClient.send_events` takes it.

    Attributes:
        key: minted when it happened; the same with every attempt and by every way.
        kind: ``evaluation``, ``audit-range`` or ``print-outcome``.
        occurred_at: Unix seconds.
        body: as the contract says for this kind (docs/platform.md, Events).
    """

    key: str
    kind: str
    occurred_at: int
    body: Mapping[str, object] = field(repr=False)
