"""A resident who does what the screen offers: the next step of an errand, or the way out of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import assert_never

from hw_sim.hall.visits.moves import PIN
from tests.scenarios.errands import Errand, Proof
from tests.scenarios.faulty_hall import FaultyHall
from tests.scenarios.glass import Glimpse
from tests.scenarios.rows import Setup

BOUND = 20.0
"""Seconds within which a visit is over, however badly it goes."""
_PATIENCE = 0.5
"""So long a resident waits for something to happen before they try once more."""
_SLOT = 1.0
"""pcscd looks at its slots every 0.4 s, so that nothing happens for that long at least."""
_HAND = 0.2
"""So long a hand needs at least to lay a card down, or to lift it."""
_WITHOUT_CARD = 2.0
"""So long a resident stays whose card does not come back."""
_COMES_BACK = 4.0
"""After so long somebody who forgot their card remembers it."""
_ASKED = {"take-card", "failure.reader-gone", "failure.reader-busy"}
"""What tells that the card should be taken."""
_TOUCHES = {
    "idle": "start",
    "certificate-shown": "again",
    "risk": "confirm",
    "preview": "print",
    "overview": "leave",
    "take-sheet": "taken",
}
"""What is touched where there is nothing to think about."""


@dataclass
class Resident:
    """One visit, from the menu to the menu.

    Attributes:
        strike: called once, at the first sight of the screen `strike_at`, before anything is done.
        detour: see `tests.scenarios.rows.Moment`.
        tries: so often something is shown or typed before they give up.
        trail: the pictures that were seen, in their order.
        unasked: the card was in its slot at the end, and no screen had said so.
    """

    hall: FaultyHall
    errand: Errand
    strike_at: str = ""
    strike: Callable[[], object] = lambda: None
    detour: bool = False
    tries: int = 2
    trail: list[Glimpse] = field(default_factory=list)
    unasked: bool = False
    _shown: int = 0
    _typed: int = 0
    _struck: bool = False
    _begun: bool = False

    def walk(self) -> None:
        """Walk it. AssertionError where it does not come to an end in time."""
        try:
            self._walk()
        finally:
            self.hall.take_phone_away()

    def _walk(self) -> None:
        glass = self.hall.glass
        end = time.monotonic() + BOUND
        number = glass.latest.number
        entered = act_at = time.monotonic()
        name = ""
        while True:
            assert time.monotonic() < end, f"no way home, saw {self.names}"
            glimpse = glass.latest
            self.trail += glass.seen[number : glimpse.number + 1]
            number = glimpse.number + 1
            now = time.monotonic()
            if glimpse.name != name:
                name, entered = glimpse.name, now
                by_hand = name.startswith("identify") and self.errand.proof is Proof.ID_CARD
                act_at = now + (_HAND if by_hand and not self.detour else 0)
            if self._begun and name in ("home", "out-of-service"):
                if self._has_card() or now - entered > _WITHOUT_CARD:
                    return
                if name == "home":
                    self._touch(glimpse, "leave")
            self._begun |= name not in ("home", "idle", "out-of-service")
            if name == self.strike_at and not self._struck:
                self._struck = True
                self.strike()
            if now >= act_at:
                act_at = now + self._act(glimpse, now - entered)
            if not self._begun and now - entered > _PATIENCE and not self._offered(glimpse):
                return
            glass.await_picture(glimpse.number, 0.02)

    @property
    def names(self) -> list[str]:
        """The names of the screens seen, each once in a row."""
        found: list[str] = []
        for glimpse in self.trail:
            name = f"{glimpse.name}+warning" if glimpse.warns else glimpse.name
            if not found or found[-1] != name:
                found.append(name)
        return found

    def _has_card(self) -> bool:
        """The card is back; nobody leaves it where it can be pulled out."""
        if self.hall.setup is not Setup.DISPENSER and self.hall.card is not None:
            self.unasked = not _ASKED & set(self.names)
            self.hall.ask("remove")
        return self.hall.card is None

    def _offered(self, glimpse: Glimpse) -> bool:
        return self.errand.item in glimpse.ids

    def _act(self, glimpse: Glimpse, there: float) -> float:
        """Do what is to be done on a screen, if there is anything yet.

        Args:
            there: seconds since it came.

        Returns:
            Seconds until it is worth while to try once more on the same screen.
        """
        name = glimpse.name
        if glimpse.warns:
            return self._touch(glimpse, "leave")
        if name in _TOUCHES:
            return self._touch(glimpse, _TOUCHES[name])
        if name.startswith("failure."):
            return self._touch(glimpse, "leave")
        if name.startswith("identify"):
            return self._identify(glimpse)
        match name:
            case "home" if not self._begun:
                return self._touch(glimpse, self.errand.item)
            case "no-proof":
                return self._touch(glimpse, "leave" if self._shown == self.tries else "again")
            case "pin" | "pin.rejected":
                return self._type()
            case "rating":
                wanted = "slip" if self.errand.slip and "slip" in glimpse.ids else "skip"
                return self._touch(glimpse, wanted)
            case "period":
                return self._touch(glimpse, f"period.{self.errand.months}")
            case "take-card":
                return self._take(there)
            case _:
                return 0

    def _touch(self, glimpse: Glimpse, wanted: str) -> float:
        if wanted not in glimpse.ids:
            return 0
        self.hall.glass.touch(wanted)
        return _PATIENCE

    def _identify(self, glimpse: Glimpse) -> float:
        hall = self.hall
        if self.detour or self._shown == self.tries:
            self.detour = False
            return self._touch(glimpse, "neither")
        match self.errand.proof:
            case Proof.CARD:
                hall.ask_if_possible("insert", card="v3")
                self._shown += 1
                return _SLOT
            case Proof.ECARD:
                hall.show_ecard()
            case Proof.ID_CARD if hall.stands("id_reader")["card"]:
                hall.ask("idcard-off")
                return _HAND
            case Proof.ID_CARD:
                hall.ask("idcard", card="citizen")
            case proof:
                assert_never(proof)
        self._shown += 1
        return _PATIENCE

    def _type(self) -> float:
        """Type the PIN once the pad takes keys; a pad that is dead takes none."""
        if not self.hall.pad_takes_keys or self._typed == self.tries:
            return 0
        self._typed += 1
        self.hall.ask("press", keys=PIN)
        return _PATIENCE

    def _take(self, there: float) -> float:
        remembers = not self.errand.forgets or there > _COMES_BACK
        if remembers and self.hall.card_can_be_taken:
            self.hall.ask("remove")
        self.hall.ask("idcard-off")
        return 0.05
