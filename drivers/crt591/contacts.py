"""What a CRT-591 can power and speak to: the card at its contacts, at its antenna, its SAMs."""

from __future__ import annotations

from functools import reduce
from operator import xor
from typing import TYPE_CHECKING, Any, Protocol, assert_never

from apdu.errors import CardAbsent, CardError, CardMute, CardRemoved, MalformedAnswer, ReaderGone
from drivers.crt591.frames import Good
from drivers.crt591.line import Again, Request, Silence
from drivers.crt591.status import Refusal, card_error
from drivers.dispenser import CardPlace, DispenserError, DispenserGone, NoCard

if TYPE_CHECKING:
    from drivers.crt591.device import Crt591


class Contacts(Protocol):
    """One place with a card. Every method but `off` raises `apdu.errors.CardError`.

    Attributes:
        resets: counts what made the card forget its security status.
        moves: counts movements of the card.
    """

    resets: int

    @property
    def moves(self) -> int: ...

    def power(self) -> bytes:
        """Power the card and reset it; returns its ATR, 2 to 33 bytes."""

    def warm(self) -> bytes:
        """Reset the card with its power on; returns its ATR."""

    def exchange(self, command: bytes | bytearray) -> bytes:
        """Send a command of 4..261 bytes; returns at least the two status bytes.

        Raises:
            ValueError: the device takes no command of this length.
        """

    def off(self) -> None:
        """Cut the card's power. Never raises."""


class _Powered:
    """What contacts, antenna and SAMs have in common; `name` is theirs in the facts."""

    name = ""

    def __init__(self, dispenser: Crt591) -> None:
        self.dispenser = dispenser
        self.facts: dict[str, Any] = dispenser.facts[self.name]
        self.resets = 0

    @property
    def moves(self) -> int:
        return self.dispenser.moves

    def off(self) -> None:
        self.resets += 1
        try:
            with self.dispenser.held():
                self.prepare()
                self._tell(self.facts["off"], self.dispenser.times.query)
                self.dispenser.powered.discard(self.name)
        except CardError:
            # What has no power, or is not there, needs none cut.
            return

    def prepare(self) -> None:
        """What the device wants before a command to this card."""

    def present(self) -> bool:
        """Whether the device says that the card is in its place."""
        return True

    def ask(self, pm: int, data: bytes | bytearray = b"") -> Good:
        """Send a command to the card; raises CardError for all but a good answer."""
        with self.dispenser.held():
            self.prepare()
            answer = self._tell(pm, self.dispenser.times.card, data)
            match answer:
                case Good():
                    return answer
                case Refusal():
                    raise card_error(answer, present=self._still_present())
                case Silence():
                    if self._still_present():
                        raise CardMute("no answer within the deadline")
                    raise CardRemoved("the card is gone, and no answer came")
                case _:
                    assert_never(answer)

    def exchanged(self, pm: int, command: bytes | bytearray) -> bytes:
        """See `Contacts.exchange`."""
        limits = self.dispenser.facts["apdu"]
        if not limits["shortest"] <= len(command) <= limits["longest"]:
            raise ValueError(f"the dispenser takes no command of {len(command)} bytes")
        answer = self.ask(pm, command).data
        if len(answer) < 2:
            raise MalformedAnswer(f"answer of {len(answer)} bytes, no status word")
        return answer

    def _tell(
        self, pm: int, seconds: float, data: bytes | bytearray = b""
    ) -> Good | Refusal | Silence:
        try:
            return self.dispenser.tell(
                Request(self.facts["cm"], pm, seconds, Again.NOT_TAKEN, data)
            )
        except DispenserGone as gone:
            raise ReaderGone(str(gone)) from gone
        except DispenserError as error:
            raise CardMute(str(error)) from error

    def _still_present(self) -> bool:
        try:
            return self.present()
        except DispenserGone as gone:
            raise ReaderGone(str(gone)) from gone
        except DispenserError:
            return True


class _Moved(_Powered):
    """A card that a motor brings to where it is spoken to."""

    def present(self) -> bool:
        return self.dispenser.look().place is CardPlace.INSIDE

    def bring(self) -> None:
        """Have the card where it is powered."""
        try:
            self.dispenser.bring(self.name)
        except NoCard as none:
            raise CardAbsent(str(none)) from none
        except DispenserGone as gone:
            raise ReaderGone(str(gone)) from gone
        except DispenserError as error:
            raise CardMute(str(error)) from error
        self.resets += 1
        # Before it is powered: when the answer is lost, the power may be on.
        self.dispenser.powered.add(self.name)


class IcContacts(_Moved):
    """The card at the contacts."""

    name = "ic"

    def __init__(self, dispenser: Crt591) -> None:
        super().__init__(dispenser)
        self._atr = b""

    def power(self) -> bytes:
        with self.dispenser.held():
            self.bring()
            self._atr = b""
            self._atr = _atr(self.ask(self.facts["power"], bytes.fromhex(self.facts["voltage"])))
            return self._atr

    def warm(self) -> bytes:
        self.resets += 1
        self._atr = _atr(self.ask(self.facts["warm"]))
        return self._atr

    def look(self) -> bytes:
        """The ATR of the card inside, which has power afterwards only if it had before; nobody who
        speaks to it is disturbed. Raises as `power`."""
        with self.dispenser.held():
            # Without an ATR whoever powered it has failed, perhaps with a card before this one.
            if self.name in self.dispenser.powered and self._atr:
                return self._atr
            try:
                return self.power()
            finally:
                self.off()

    def exchange(self, command: bytes | bytearray) -> bytes:
        return self.exchanged(self.facts["exchange"], command)


class SamContacts(_Powered):
    """A SAM in the device, such as the terminal's PSAM.

    Args:
        number: of its slot, counted from 1.
    """

    name = "sam"

    def __init__(self, dispenser: Crt591, number: int) -> None:
        super().__init__(dispenser)
        self._number = number

    @property
    def moves(self) -> int:
        return 0

    def prepare(self) -> None:
        # An initialisation selects the first, at any time: it is cheaper to select than to know.
        if self.facts["slots"] > 1:
            self._tell(
                self.facts["select"], self.dispenser.times.query, bytes([0x2F + self._number])
            )

    def power(self) -> bytes:
        self.resets += 1
        return _atr(self.ask(self.facts["power"], bytes.fromhex(self.facts["voltage"])))

    def warm(self) -> bytes:
        self.resets += 1
        return _atr(self.ask(self.facts["warm"]))

    def exchange(self, command: bytes | bytearray) -> bytes:
        return self.exchanged(self.facts["exchange"], command)


class RfContacts(_Moved):
    """The card at the antenna. Its ATR is made of what it says there, as PC/SC readers do."""

    name = "rf"

    def __init__(self, dispenser: Crt591) -> None:
        super().__init__(dispenser)
        self._exchange_pm: int = self.facts["exchange_a"]

    def power(self) -> bytes:
        with self.dispenser.held():
            self.bring()
            told = self.ask(self.facts["power"], bytes.fromhex(self.facts["order"])).data
            kind = told[:1]
            if kind not in (b"A", b"B"):
                raise CardMute("a card without commands is at the antenna")
            self._exchange_pm = self.facts["exchange_a" if kind == b"A" else "exchange_b"]
            return contactless_atr(told)

    def warm(self) -> bytes:
        self.off()
        return self.power()

    def exchange(self, command: bytes | bytearray) -> bytes:
        return self.exchanged(self._exchange_pm, command)


def contactless_atr(told: bytes) -> bytes:
    """The ATR that PC/SC readers show of a contactless card (PC/SC part 3, 3.1.3.2.3).

    Args:
        told: type A: ``41 ATQA2 length UID SAK ATS``; type B: ``42 ATQB`` of 12 bytes.

    Raises:
        MalformedAnswer: it is neither.
    """
    if told[:1] == b"A":
        uid_end = 4 + (told[3] if len(told) > 3 else 0)
        history = _history(told[uid_end + 1 :])
    elif told[:1] == b"B" and len(told) == 13:
        # Application data, protocol information, and a byte of what ATTRIB answered, unknown here.
        history = told[6:13] + b"\x00"
    else:
        raise MalformedAnswer("the card at the antenna is of no known type")
    body = bytes([0x80 | len(history), 0x80, 0x01]) + history
    return b"\x3b" + body + bytes([reduce(xor, body)])


def _history(ats: bytes) -> bytes:
    """The historical bytes of an ATS (ISO/IEC 14443-4 §5.2); TL counts itself."""
    if not ats or not 1 <= ats[0] <= len(ats):
        raise MalformedAnswer("the card's answer to select is cut short")
    if ats[0] == 1:
        return b""
    interface_bytes = sum(bool(ats[1] & bit) for bit in (0x10, 0x20, 0x40))
    return ats[2 + interface_bytes : ats[0]][:15]


def _atr(good: Good) -> bytes:
    """The first byte is the card's protocol; an ATR has 2 to 33 (ISO/IEC 7816-3 §8.2)."""
    atr = good.data[1:]
    if not 2 <= len(atr) <= 33:
        raise CardMute("no answer to reset")
    return atr
