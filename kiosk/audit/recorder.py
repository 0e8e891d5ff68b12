"""How the rest of the terminal leaves an audit line, whoever keeps the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Recorder(Protocol):
    """Writes one audit line; see `kiosk.audit.log.AuditLog.write`."""

    def __call__(
        self,
        event: str,
        *,
        outcome: str,
        visit: int | None = None,
        detail: Mapping[str, str | int] | None = None,
    ) -> None: ...
