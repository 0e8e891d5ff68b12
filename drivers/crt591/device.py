"""The card dispenser CRT-591 on a serial line.

What is sent follows `crt591.toml`, where each assumption has its mark.
"""

from __future__ import annotations

import contextlib
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from typing import Any, assert_never

from drivers.card_service import CardConnection
from drivers.crt591.card import Crt591Connection
from drivers.crt591.contacts import IcContacts
from drivers.crt591.frames import Bad, Good
from drivers.crt591.line import TRIES, Again, Crt591Line, Crt591Times, Request, Silence
from drivers.crt591.status import (
    DeviceState,
    Fault,
    Refusal,
    dispenser_error,
    obstacle,
    read_refusal,
    read_state,
)
from drivers.device import most_urgent
from drivers.dispenser import (
    CardInTheWay,
    CardPlace,
    CardStuck,
    Counters,
    DispenserError,
    DispenserGone,
    DispenserReason,
    DispenserStatus,
    Inside,
    NoCard,
    Refused,
    StackerEmpty,
)
from drivers.serial_port import PortLost

_CONTACTS = "05"
"""The code of a movement that a powered card forbids."""


def crt591_facts() -> dict[str, Any]:
    """The facts of `crt591.toml`, for a terminal that must change one of them."""
    text = resources.files("drivers.crt591").joinpath("crt591.toml").read_text("utf-8")
    return tomllib.loads(text)


class Crt591:
    """`Dispenser` on a serial port. The port is opened by the first call, and again after it was
    lost; the device is then initialised, which moves no card.

    Attributes:
        contacts: where the card is spoken to.
        moves: counts movements: whatever was said to the card before them is void.
        powered: facts' names of what has power by our doing; it must be cut before a movement.
        kept: the card that was seen last was captured.
    """

    def __init__(
        self,
        port: str,
        baud: int | None = None,
        times: Crt591Times | None = None,
        facts: dict[str, Any] | None = None,
    ) -> None:
        self.facts = facts or crt591_facts()
        self.times = times or Crt591Times()
        frame = self.facts["frame"]
        self._line = Crt591Line(port, baud or frame["baud"], frame["address"], self.times)
        self._lock = threading.RLock()
        self._entry = False
        self._trouble: DispenserReason | None = None
        self._ask_again_at = 0.0
        self._name = ""
        self._at: str | None = None
        self._seen = CardPlace.NONE
        self.contacts = IcContacts(self)
        self.moves = 0
        self.powered: set[str] = set()
        self.kept = False

    # --- how it stands ---------------------------------------------------------------------------

    def status(self) -> DispenserStatus:
        with self._lock:
            try:
                self._see_whether_it_is_well()
                state = self.look()
            except DispenserGone:
                return DispenserStatus(DispenserReason.GONE, place=self._seen)
            except DispenserError:
                return DispenserStatus(self._trouble or DispenserReason.BROKEN)
            told = state.obstacles if self._trouble is None else {*state.obstacles, self._trouble}
            return DispenserStatus(most_urgent(told, DispenserReason), state.notes, state.place)

    def look(self) -> DeviceState:
        """The device's own word on where a card is, and on stacker and bin."""
        names = self.facts["status"]
        good = self.ask(Request(names["cm"], names["report"], self.times.query))
        state = read_state(good.state, self.facts)
        self._saw(state.place)
        return state

    def _saw(self, place: CardPlace) -> None:
        self._seen = place
        if place is not CardPlace.NONE:
            self.kept = False

    def _see_whether_it_is_well(self) -> None:
        """A device does not say by itself that staff have put a trouble right; its
        initialisation does, and moves no card."""
        self._ready()
        if self._trouble is None or time.monotonic() < self._ask_again_at:
            return
        self._ask_again_at = time.monotonic() + self.times.again
        self._initialise(Inside.KEEP)

    # --- what it does ----------------------------------------------------------------------------

    def init(self, inside: Inside) -> str:
        with self._lock:
            self._entry = False
            self._ready()
            self._initialise(inside)
            place = self.look().place
            if inside is Inside.CAPTURE and place is not CardPlace.NONE:
                raise self._stuck("a card is still there after an initialisation that captures")
            if inside is Inside.HOLD_AT_GATE and place is CardPlace.INSIDE:
                raise self._stuck("a card is still inside after an initialisation that offers it")
            return self._name

    def dispense_to_ic(self) -> None:
        with self._lock:
            state = self.look()
            if state.place is not CardPlace.NONE:
                raise CardInTheWay("a card is there already")
            if DispenserReason.STACKER_EMPTY in state.obstacles:
                raise StackerEmpty("the stacker is empty")
            # Never straight to the gate: when the answer is lost, a card that was taken there looks
            # like one that was never dispensed, and a second would follow.
            self._move("ic", CardPlace.NONE, {CardPlace.INSIDE})

    def dispense_to_gate(self) -> None:
        with self._lock:
            self.dispense_to_ic()
            self.hold_at_gate()

    def take_in(self) -> None:
        with self._lock:
            self._move("ic", self._place_of_a_card(), {CardPlace.INSIDE})

    def hold_at_gate(self) -> None:
        with self._lock:
            place = self._place_of_a_card()
            # Without a card the device would dispense one: also when it was taken just now.
            if place is not CardPlace.AT_GATE:
                self._move("hold", place, {CardPlace.AT_GATE, CardPlace.NONE})

    def eject(self) -> None:
        with self._lock:
            self._move("eject", self._place_of_a_card(), {CardPlace.NONE, CardPlace.AT_GATE})

    def capture(self) -> None:
        with self._lock:
            self._move("bin", self._place_of_a_card(), {CardPlace.NONE})
            self.kept = True

    def bring(self, where: str) -> None:
        """Move the card inside to "ic" or "rf", unless that is where it was brought last.

        Raises:
            NoCard: there is none, or at the gate only.
            CardStuck.
        """
        with self._lock:
            if self.look().place is not CardPlace.INSIDE:
                raise NoCard("there is no card inside")
            if self._at != where:
                self._move(where, CardPlace.INSIDE, {CardPlace.INSIDE})

    @property
    def takes_cards(self) -> bool:
        """People may insert cards, as far as it was asked for."""
        return self._entry

    def allow_insertion(self, allowed: bool) -> None:
        with self._lock:
            self._entry = allowed
            self.ask(self._entry_request())

    def connect(self) -> CardConnection:
        return Crt591Connection("CRT-591", self.contacts)

    def counters(self) -> Counters:
        names = self.facts["counter"]
        good = self.ask(Request(names["cm"], names["read"], self.times.query))
        if not (len(good.data) == 3 and good.data.isdigit()):
            raise DispenserGone("the counter of captured cards cannot be read")
        return Counters(int(good.data))

    def bin_was_emptied(self) -> None:
        names = self.facts["counter"]
        self.ask(Request(names["cm"], names["set"], self.times.query, data=b"000"))

    def close(self) -> None:
        with self._lock:
            if self._line.is_open:
                with contextlib.suppress(DispenserError):
                    self._power_cards_off()
            self._line.close()

    # --- for its cards ---------------------------------------------------------------------------

    @contextmanager
    def held(self) -> Iterator[None]:
        """Several calls in a row, without another thread's between them."""
        with self._lock:
            yield

    def free_within(self, seconds: float) -> bool:
        """Whether no call is under way, or ends within this time."""
        free = self._lock.acquire(timeout=seconds)
        if free:
            self._lock.release()
        return free

    def tell(self, request: Request) -> Good | Refusal | Silence:
        """Send a command of which a refusal or silence has its own meaning. Raises DispenserGone
        where there is no port, or the device takes nothing."""
        with self._lock:
            self._ready()
            answer = self._exchange(request)
            if isinstance(answer, Refusal) and answer.fault in (Fault.RESET, Fault.MOVED):
                self._initialise(Inside.KEEP)
            return answer

    def ask(self, request: Request) -> Good:
        """Send a command that may be repeated, also after an initialisation that it turns out to
        need. Raises DispenserError."""
        with self._lock:
            answer = self.tell(request)
            if isinstance(answer, Refusal) and answer.fault in (Fault.RESET, Fault.MOVED):
                answer = self.tell(request)
            match answer:
                case Good():
                    return answer
                case Refusal():
                    raise self._refused(answer)
                case Silence():
                    self._line.close()
                    raise DispenserGone("no answer from the card dispenser")
                case _:
                    assert_never(answer)

    # --- movements -------------------------------------------------------------------------------

    def _place_of_a_card(self) -> CardPlace:
        place = self.look().place
        if place is CardPlace.NONE:
            raise NoCard("there is no card")
        return place

    def _move(self, where: str, before: CardPlace, goal: set[CardPlace]) -> None:
        """Send the card somewhere; done when the device says that it is there.

        A movement whose answer is lost is not sent again before the device said that the card is
        where it was.
        """
        names = self.facts["move"]
        request = Request(names["cm"], names[where], self.times.move, Again.NEVER)
        for _ in range(TRIES):
            self._power_cards_off()
            self.moves += 1
            self._at = None
            self._seen = CardPlace.UNKNOWN
            answer = self.tell(request)
            match answer:
                case Good():
                    place = read_state(answer.state, self.facts).place
                    self._saw(place)
                    if place not in goal:
                        raise self._stuck(f"a card sent to {where} is {place.value}")
                    self._trouble = None
                    self._at = where
                    return
                case Refusal(code=code) if code == _CONTACTS:
                    self.powered |= {"ic", "rf"}
                    place = self.look().place
                case Refusal(fault=Fault.RESET | Fault.MOVED) | Silence():
                    place = self.look().place
                    if place in goal and place is not before:
                        return
                case Refusal():
                    raise self._refused(answer)
                case _:
                    assert_never(answer)
            if place is not before:
                raise self._stuck(f"a card on its way to {where} is {place.value}")
        raise DispenserGone("the card dispenser takes no command")

    def _initialise(self, inside: Inside) -> None:
        """The names of the way that it is done without a count follow where the device does not
        know the other. An initialisation never dispenses, so that it may be repeated."""
        names = self.facts["init"]
        self._at = None
        self.powered.clear()
        if inside is not Inside.KEEP:
            self.moves += 1
        answer: Good | Refusal | Silence = Silence.LOST
        for pm in names[inside.value.replace("-", "_")]:
            answer = self._exchange(Request(names["cm"], pm, self.times.init))
            if not (isinstance(answer, Refusal) and answer.fault is Fault.COMMAND):
                break
        match answer:
            case Good():
                self._name = answer.data.decode("ascii", "replace").strip()
                self._trouble = None
            case Refusal():
                raise self._refused(answer)
            case Silence():
                self._line.close()
                raise DispenserGone("no answer from the card dispenser")
            case _:
                assert_never(answer)
        if self._entry:
            # An initialisation forbids it.
            self._exchange(self._entry_request())

    def _entry_request(self) -> Request:
        names = self.facts["entry"]
        pm = names["allow" if self._entry else "forbid"]
        return Request(names["cm"], pm, self.times.query)

    def _power_cards_off(self) -> None:
        """A card with power is held by the contacts."""
        for slot in sorted(self.powered):
            names = self.facts[slot]
            # A device without an antenna, or whose card was torn out, refuses.
            with contextlib.suppress(Refused):
                self.ask(Request(names["cm"], names["off"], self.times.query))
        self.powered.clear()

    # --- the line --------------------------------------------------------------------------------

    def _ready(self) -> None:
        if self._line.is_open:
            return
        try:
            self._line.open()
        except PortLost as lost:
            raise DispenserGone(str(lost)) from lost
        self._initialise(Inside.KEEP)

    def _exchange(self, request: Request) -> Good | Refusal | Silence:
        try:
            answer = self._line.exchange(request)
        except PortLost as lost:
            raise DispenserGone(str(lost)) from lost
        if isinstance(answer, Bad):
            return read_refusal(answer.code, self.facts)
        return answer

    def _refused(self, refusal: Refusal) -> DispenserError:
        self._remember(obstacle(refusal))
        return dispenser_error(refusal)

    def _stuck(self, text: str) -> CardStuck:
        self._remember(DispenserReason.JAM)
        return CardStuck(text)

    def _remember(self, trouble: DispenserReason | None) -> None:
        if trouble is not None:
            self._trouble = trouble
            self._ask_again_at = time.monotonic() + self.times.again
