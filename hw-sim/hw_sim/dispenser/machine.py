"""The card dispenser itself: stacker, motor, gate, contacts and bin, and the people around it.

It knows no wire. Where its documents are silent it does what makes a careless host's mistake
visible: a movement without a card takes one from the stacker.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from hw_sim.cards.catalogue import canonical_name, make_card
from hw_sim.cards.faults import Fault
from hw_sim.cards.iso7816 import Card
from hw_sim.dispenser.chips import T0, T1, ChipError, Socket, seen_at_antenna
from hw_sim.dispenser.frames import Command
from hw_sim.serial_device import Illegal

STACKER_ROOM = 200
LOW = 10
"""Cards below which the stacker says that it has few."""
MODEL = b"CRT-591-M001"


class Spot(Enum):
    """Where the one card on the track is; the values are the device's digits."""

    NONE = "0"
    GATE = "1"
    INSIDE = "2"


class Halt(Enum):
    """How the next movement ends."""

    JAM = "jam"
    """The card sticks on its way until somebody clears it."""
    POWER = "power"
    """The power fails; the card stands inside, but at no contact."""


class CannotDo(Exception):
    """A person can't do that now; the text says why."""


class _Refusal(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class DispenserMachine:
    """A dispenser with room for so many captured cards.

    Args:
        bin_room: captured cards that fit.
        sam: the chip in its first SAM slot, a name of the catalogue.
        seed: of the cards' challenges; None draws them at random.

    Attributes:
        stacker: names of the cards to dispense, the next one first.
        given: names of the cards that people took at the gate, in their order.
        bin: names of the captured ones.
        card: name of the card on the track.
        jammed: it sticks between two places.
        halt: what becomes of the next movement.
        contact_fails: the contacts do not reach the next cards.
        entry: people may insert cards.
        initialised: since its power came.
        moving: called while a card moves.
    """

    def __init__(
        self, *, bin_room: int = 20, sam: str | None = "psam", seed: int | None = None
    ) -> None:
        self._seed = seed
        self._cards: dict[str, Card] = {}
        self.bin_room = bin_room
        self.stacker: list[str] = []
        self.given: list[str] = []
        self.bin: list[str] = []
        self.card: str | None = None
        self.spot = Spot.NONE
        self.jammed = False
        self.halt: Halt | None = None
        self.contact_fails = False
        self.entry = False
        self.initialised = False
        self.moving: Callable[[], None] = lambda: None
        self.contacts = Socket(self.tear_out, self._other)
        self._card_faults: tuple[Fault, ...] = ()
        self._strangers: list[Card] = []
        self.antenna = Socket()
        self.sams = [Socket()]
        if sam is not None:
            self.sams[0].put(self._made(sam))
        self._sam = 0
        self._counter = 0
        self._counts = False
        self._issued = 0

    # --- people ----------------------------------------------------------------------------------

    def stack(self, count: int, name: str | None = None) -> None:
        """Fill the stacker with so many more cards; new blanks, or cards of this name.

        Raises:
            UnknownCardError: no card is called so.
            CannotDo: they don't fit.
        """
        if len(self.stacker) + count > STACKER_ROOM:
            raise CannotDo(f"the stacker holds {STACKER_ROOM} cards")
        named = None if name is None else canonical_name(name)
        for _ in range(count):
            self._issued += 1
            self.stacker.append(named or f"blank:{self._issued}")

    def take(self) -> str:
        """Take the card at the gate.

        Raises:
            CannotDo: there is none.
        """
        if self.spot is not Spot.GATE or self.card is None:
            raise CannotDo("there is no card at the gate")
        name = self.card
        self._place(None, Spot.NONE)
        self.given.append(name)
        return name

    def put(self, name: str) -> None:
        """Insert a card; the motor carries it inside.

        Raises:
            UnknownCardError: no card is called so.
            CannotDo: the gate is closed, or there is a card.
        """
        named = canonical_name(name)
        if not (self.initialised and self.entry):
            raise CannotDo("the gate is closed: no insertion is allowed")
        if self.spot is not Spot.NONE or self.jammed:
            raise CannotDo("there is a card already")
        self._place(named, Spot.INSIDE)

    def tear_out(self) -> str:
        """Pull the card out by force, wherever it is.

        Raises:
            CannotDo: there is none.
        """
        if self.card is None:
            raise CannotDo("there is no card")
        name = self.card
        self.jammed = False
        self._place(None, Spot.NONE)
        return name

    def set_card_faults(self, faults: tuple[Fault, ...]) -> None:
        """What goes wrong with the card at the contacts, and with those after it."""
        self._card_faults = faults
        self.contacts.schedule(faults)

    def empty_bin(self) -> None:
        """Take the captured cards away."""
        self.bin.clear()

    def fill_bin(self) -> None:
        """Let it be full."""
        self.bin += ["unknown"] * (self.bin_room - len(self.bin))

    def power_up(self) -> None:
        """Begin as after power on; cards stay where they are."""
        self.initialised = self.entry = False
        for socket in (self.contacts, self.antenna, *self.sams):
            socket.off()

    # --- the device ------------------------------------------------------------------------------

    @property
    def digits(self) -> bytes:
        """st0, st1, st2."""
        stacker = "0" if not self.stacker else "1" if len(self.stacker) < LOW else "2"
        full = "1" if len(self.bin) >= self.bin_room else "0"
        return f"{self.spot.value}{stacker}{full}".encode("ascii")

    def obey(self, command: Command) -> bytes | str | Illegal:
        """Do it: the answer's data, or the two digits of an error."""
        if not self.initialised and command.command != 0x30:
            return "B0"
        try:
            return self._obey(command)
        except _Refusal as refusal:
            return refusal.code
        except ChipError as error:
            return error.code

    def _obey(self, command: Command) -> bytes | Illegal:
        kind, parameter, data = command.command, command.parameter, command.data
        takes_data = (0x51, 0x52, 0x60, 0xA5)
        if data and kind not in takes_data:
            return Illegal(f"{command.name} takes no data", data)
        match kind, parameter:
            case 0x30, (0x30 | 0x31 | 0x33 | 0x34 | 0x35 | 0x37):
                return self._initialise(parameter & 0x03, counts=bool(parameter & 0x04))
            case 0x31, 0x30:
                return b""
            case 0x31, 0x31:
                return self._sensors()
            case 0x32, (0x30 | 0x31 | 0x32 | 0x33 | 0x39):
                self._move(parameter)
                return b""
            case 0x33, (0x30 | 0x31):
                self.entry = parameter == 0x30
                return b""
            case 0x51, _:
                return self._chip(command, self.contacts)
            case 0x52, 0x40:
                if len(data) != 1 or not 0x30 <= data[0] <= 0x34:
                    return Illegal("a SAM is 30 to 34", data)
                if data[0] - 0x30 >= len(self.sams):
                    raise _Refusal("03")
                self._sam = data[0] - 0x30
                return b""
            case 0x52, _:
                return self._chip(command, self.sams[self._sam])
            case 0x60, _:
                return self._at_antenna(command)
            case 0xA5, 0x30:
                return b"%03d" % self._counter
            case 0xA5, 0x31:
                if len(data) != 3 or not data.isdigit():
                    return Illegal("a counter has three digits", data)
                self._counter = int(data)
                return b""
            case 0xA4, 0x30:
                return MODEL
            case _:
                return Illegal(f"unknown command {command.name}", data)

    def _initialise(self, inside: int, *, counts: bool) -> bytes:
        self._counts = counts
        self.power_up()
        self._sam = 0
        if self.jammed:
            raise _Refusal("10")
        if self.spot is not Spot.NONE and inside == 0:
            self._arrive(self.card, Spot.GATE)
        elif self.spot is not Spot.NONE and inside == 1:
            self._capture()
        self.initialised = True
        return MODEL

    def _move(self, to: int) -> None:
        if self.jammed:
            raise _Refusal("10")
        if self.contacts.powered or self.antenna.powered:
            raise _Refusal("05")
        if to == 0x33:
            if self.card is None:
                raise _Refusal("02")
            self._capture()
            return
        card = self.card
        if card is None:
            if not self.stacker:
                raise _Refusal("A0")
            card = self.stacker.pop(0)
        self._arrive(card, Spot.INSIDE if to in (0x31, 0x32) else Spot.GATE)

    def _capture(self) -> None:
        assert self.card is not None
        if len(self.bin) >= self.bin_room:
            raise _Refusal("A1")
        if self._counts and self._counter == 999:
            raise _Refusal("50")
        card = self.card
        self._arrive(card, Spot.NONE)
        self.bin.append(card)
        self._counter += self._counts

    def _arrive(self, card: str | None, spot: Spot) -> None:
        """The motor turns; the card arrives, or doesn't."""
        halt, self.halt = self.halt, None
        if halt is Halt.JAM:
            self._place(card, Spot.INSIDE)
            self.jammed = True
            self.contacts.put(None)
            raise _Refusal("10")
        self.moving()
        if halt is Halt.POWER:
            self._place(card, Spot.INSIDE)
            self.contacts.put(None)
            self.power_up()
            raise _Refusal("B0")
        self._place(None if spot is Spot.NONE else card, spot)

    def _place(self, card: str | None, spot: Spot) -> None:
        self.card, self.spot = card, spot
        chip = self._made(card) if card is not None and spot is Spot.INSIDE else None
        self.contacts.put(None if self.contact_fails else chip, self._card_faults)
        self.antenna.put(chip)

    def _sensors(self) -> bytes:
        """S1 at the gate, S4 inside; the others see nothing of a card at rest, S8 is reserved."""
        sensors = bytearray(b"0" * 8)
        sensors[0] += self.spot is Spot.GATE
        sensors[3] += self.spot is Spot.INSIDE
        return bytes(sensors)

    @staticmethod
    def _chip(command: Command, socket: Socket) -> bytes | Illegal:
        match command.parameter:
            case 0x30:
                if command.data not in (b"", b"\x30", b"\x33", b"\x35"):
                    return Illegal("no such voltage", command.data)
                return socket.power()
            case 0x31:
                socket.off()
                return b""
            case 0x32:
                return b"1" if socket.powered else b"0"
            case 0x33:
                return socket.exchange(command.data, T0)
            case 0x34:
                return socket.exchange(command.data, T1)
            case 0x38:
                return socket.warm()
            case 0x39:
                return socket.exchange(command.data, None)
            case _:
                return Illegal(f"unknown command {command.name}", command.data)

    def _at_antenna(self, command: Command) -> bytes | Illegal:
        match command.parameter:
            case 0x30:
                if command.data not in (b"", b"AB", b"BA", b"A0", b"B0"):
                    return Illegal("no such order of types", command.data)
                self.antenna.power()
                assert self.antenna.card is not None
                return seen_at_antenna(self.antenna.card)
            case 0x31:
                self.antenna.off()
                return b""
            case 0x32:
                return b"20" if self.antenna.powered else b"00"
            case 0x34:
                return self.antenna.exchange(command.data, None)
            case 0x35:
                raise _Refusal("62")
            case _:
                return Illegal(f"unknown command {command.name}", command.data)

    def _made(self, name: str) -> Card:
        """The card of this name, with what it has learned: the same plastic each time."""
        if name not in self._cards:
            self._cards[name] = make_card(name, challenge_seed=self._seed)
        return self._cards[name]

    def made(self, name: str) -> Card:
        """For a look at a card that was used here."""
        return self._made(canonical_name(name))

    @property
    def bugs(self) -> int:
        """How often a simulated card broke inside."""
        return sum(len(card.bugs) for card in (*self._cards.values(), *self._strangers))

    def _other(self, name: str) -> Card:
        """What a fault brings in place of a card."""
        self._strangers.append(make_card(name))
        return self._strangers[-1]
