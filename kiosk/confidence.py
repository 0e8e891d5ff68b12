"""How sure a fact in a data file is (domain facts: marks A, B, C, I, M)."""

from __future__ import annotations

from enum import Enum


class Confidence(Enum):
    """Seed document or several sources, two sources, one source, our assumption, memory."""

    A = "A"
    B = "B"
    C = "C"
    I = "I"  # noqa: E741
    M = "M"
