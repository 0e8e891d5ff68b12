"""What the SZZT pad's error bytes mean for us; the words are data (``szzt.toml``)."""

from __future__ import annotations

from typing import Any

from drivers.pin_pad import PadFault, PadTampered, PadTrouble

FIRST, LAST = 0xE0, 0xEF
_TAMPERED = (PadTrouble.KEYS_LOST, PadTrouble.LOCKED)


def error_of(code: int, facts: dict[str, Any]) -> PadFault:
    """The exception that an error byte stands for.

    Args:
        code: 0xE0..0xEF.
        facts: of ``szzt.toml``.
    """
    entry = facts["errors"][f"{code:02X}"]
    trouble = PadTrouble(entry["trouble"])
    kind = PadTampered if trouble in _TAMPERED else PadFault
    return kind(code, entry["meaning"], trouble)
