"""What an SZZT pad says about itself: its answer to command 3 (domain card.md §7, mark C)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from drivers.device import most_urgent
from drivers.pin_pad import PadIdentity, PadReason, PadStatus

# 1 answer byte, user 50, scan codes 48, settings 20, function 8, then the texts.
_SETTINGS, _TEXTS, _SHORTEST = 99, 127, 139
_NO_MASTER_KEY, _ENABLED = 0x01, 0x02


@dataclass(frozen=True)
class Information:
    """The part that we use.

    Attributes:
        settings: first byte of the pad's settings.
    """

    settings: int
    identity: PadIdentity

    @property
    def has_master_key(self) -> bool:
        return not self.settings & _NO_MASTER_KEY

    @property
    def takes_keys(self) -> bool:
        """An entry is open."""
        return bool(self.settings & _ENABLED)

    @property
    def status(self) -> PadStatus:
        """How the pad stands by its own word."""
        return PadStatus(most_urgent(self._obstacles(), PadReason), identity=self.identity)

    def _obstacles(self) -> Iterator[PadReason]:
        if not self.has_master_key:
            yield PadReason.NO_KEY
        if self.takes_keys:
            yield PadReason.BUSY


def read_information(answer: bytes) -> Information | None:
    """None when the answer has another form."""
    if len(answer) < _SHORTEST:
        return None
    try:
        settings = bytes.fromhex(answer[_SETTINGS : _SETTINGS + 20].decode("ascii"))
    except ValueError:
        return None
    if not settings:
        return None
    texts = answer[_TEXTS:].decode("ascii", "replace")
    identity = PadIdentity(
        model=texts[0:6].strip(),
        hardware=texts[6:9].strip(),
        software=texts[9:12].strip(),
        serial=texts[16:20].strip(),
    )
    return Information(settings[0], identity)
