"""One visit's belongings: who it is about, what it holds, and how all of it is given back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kiosk.audit.recorder import Recorder
from kiosk.identity import Evidence, Identity, Leg, Resident
from kiosk.platform.models import Asker

if TYPE_CHECKING:
    from kiosk.station import Station


@dataclass
class Session:
    """What a service may use during one visit.

    Attributes:
        number: counts the visits of this start of the terminal; events carry it.
        station: the terminal's devices, platform, catalogue and limits.
        needed: the legs of identity that the chosen item needs.
    """

    number: int
    station: Station
    record_line: Recorder
    identity: Identity = field(default_factory=Identity)
    needed: frozenset[Leg] = frozenset({Leg.GENUINE_CARD, Leg.REAL_NAME})
    _give_back: list[Callable[[], None]] = field(default_factory=list)

    def record(self, event: str, *, outcome: str = "ok", **detail: str | int) -> None:
        """Leave an audit line of this visit."""
        self.record_line(event, outcome=outcome, visit=self.number, detail=detail)

    def establish(self, leg: Leg, method: str, custodian: str = "") -> None:
        """Record that a leg of the identity stands, with its evidence."""
        now = self.station.clock.time()
        self.identity.establish(Evidence(leg, method, now, custodian))
        self.record("identity.leg", leg=leg.value, method=method)

    def identify(self, resident: Resident, asker: Asker) -> None:
        """Set whom the visit is about, and how he asks the platform about himself."""
        self.identity.resident = resident
        self.identity.asker = asker

    @property
    def asker(self) -> Asker:
        """How the identified resident asks the platform.

        Raises:
            LookupError: nobody is identified.
        """
        if self.identity.asker is None:
            raise LookupError("nobody is identified")
        return self.identity.asker

    @property
    def holds_card(self) -> bool:
        """The resident was identified by the card in the slot."""
        asker = self.identity.asker
        return asker is not None and asker.card_id is not None

    def hold(self, give_back: Callable[[], None]) -> None:
        """Register what the runner gives back however the visit ends, last in, first out.

        ``give_back`` must return at once; slow work belongs on a lane.
        """
        self._give_back.append(give_back)

    def close(self) -> list[Exception]:
        """Give everything back and forget the person; returns what went wrong doing so."""
        problems: list[Exception] = []
        while self._give_back:
            try:
                self._give_back.pop()()
            except Exception as error:
                problems.append(error)
        self.identity.wipe()
        return problems
