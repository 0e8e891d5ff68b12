"""How a walk of the autopilot went, as values and as ``report.json``."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REPORT_NAME = "report.json"


@dataclass
class StepReport:
    """How one step went; ``screenshot`` is a file name or empty."""

    do: str
    screen: str
    outcome: str
    duration_ms: int
    screenshot: str


@dataclass
class VisitReport:
    """How one visit went; ``outcome`` is ``ok`` or what went wrong."""

    name: str
    outcome: str = "ok"
    steps: list[StepReport] = field(default_factory=list)
    duration_ms: int = 0


@dataclass
class Report:
    """The whole walk."""

    started: str
    visits: list[VisitReport] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """True when there were visits and every one ended as it must."""
        return bool(self.visits) and all(visit.outcome == "ok" for visit in self.visits)

    def to_json(self) -> dict[str, Any]:
        """The form of ``report.json``."""
        return {
            "started": self.started,
            "visits": [
                {
                    "name": visit.name,
                    "outcome": visit.outcome,
                    "steps": [vars(step) for step in visit.steps],
                    "duration_ms": visit.duration_ms,
                }
                for visit in self.visits
            ],
            "ok": self.ok,
        }

    def write(self, folder: Path) -> None:
        """Write ``report.json``; a reader never sees half of it."""
        fresh = folder / f"{REPORT_NAME}.new"
        text = json.dumps(self.to_json(), ensure_ascii=False, indent=1)
        fresh.write_text(text + "\n", encoding="utf-8")
        fresh.replace(folder / REPORT_NAME)
