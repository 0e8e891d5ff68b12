"""A counter in this process: simulated cards and PSAM behind the ministry's calls, a pad that
enters what it was told, and the provincial HSM as the calling program asks it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from apdu.custodian import AuthenticationRequest, Custodian, ProtectionRequest
from apdu.errors import CardAbsent, PsamUnavailable, ReaderGone
from apdu.ministry.calls import Answer, MinistryCalls
from apdu.ministry.terminal import PinCall, PinPrompt, Slot
from apdu.psam import PsamCustodian
from hw_sim.cards import keys
from hw_sim.cards.keys import Algorithm, KeyName
from hw_sim.cards.social_security import SocialSecurityCard as SimulatedCard
from hw_sim.population import DIVISION
from tests.apdu.card_in_process import CardInProcess, CountingRandom, insert

SERIAL = "READER0001"
KEY_NAMES: dict[str, KeyName] = {
    "004C": "RK_SSSE",
    "0094": "UK_SSSE",
    "0090": "PUK",
    "0173": "STK_SSSE",
    "004F": "RK1_DF01",
    "0179": "UK4_DF01",
    "009D": "UK5_DF01",
}


class CounterCard(CardInProcess):
    """A card that notes who is kept away from it; it may be powered again."""

    taken = 0

    def begin(self) -> None:
        self._present()
        self.taken += 1

    def end(self) -> None:
        self.taken = 0

    def close(self) -> None:
        self.card.power_off()


class OddCard(CounterCard):
    """A card whose files hold other bytes than it was issued with: each first one is replaced by
    the second, in the answers to READ RECORD."""

    odd: tuple[tuple[bytes, bytes], ...] = ()

    def transmit(self, command: bytes | bytearray) -> bytes:
        answer = super().transmit(command)
        if command[1] in (0xB2, 0xC0):
            for usual, instead in self.odd:
                assert len(usual) == len(instead)
                answer = answer.replace(usual, instead)
        return answer


def odd_card(name: str, *odd: tuple[bytes, bytes]) -> OddCard:
    """Such a card."""
    card = OddCard(counter_card(name).card)
    card.odd = odd
    return card


class NoCustodian:
    """A terminal without PSAM and HSM."""

    def cryptogram(self, request: AuthenticationRequest) -> bytes | None:
        raise PsamUnavailable(request.key.name)

    def protect(self, request: ProtectionRequest) -> bytes | None:
        raise PsamUnavailable(request.key.name)


@dataclass
class LackingCustodian:
    """Asks another one for everything but some keys."""

    inner: Custodian
    lacking: frozenset[str]

    def cryptogram(self, request: AuthenticationRequest) -> bytes | None:
        return None if request.key.name in self.lacking else self.inner.cryptogram(request)

    def protect(self, request: ProtectionRequest) -> bytes | None:
        return None if request.key.name in self.lacking else self.inner.protect(request)


def psam() -> PsamCustodian:
    """The demo city's PSAM."""
    return PsamCustodian(insert("psam"))


def counter_card(name: str) -> CounterCard:
    """A card of the simulator's catalogue."""
    return CounterCard(insert(name).card)


@dataclass
class Counter:
    """A `Terminal`.

    Attributes:
        contact, contactless: the card in the slot; None: the slot is empty.
        entries: what the holder enters, in order: digits, or an error to raise.
        asked: the prompts so far, and whether the card was kept from others meanwhile.
        entered: the buffers that were handed out.
    """

    contact: CounterCard | None = None
    custodian: Custodian = field(default_factory=psam)
    contactless: CounterCard | None = None
    has_contactless: bool = True
    entries: Sequence[str | Exception] = ()
    number: str | None = "429900000123"
    reader_serial: str = SERIAL
    asked: list[tuple[PinPrompt, str]] = field(default_factory=list)
    entered: list[bytearray] = field(default_factory=list)
    powered: list[Slot] = field(default_factory=list)

    def power(self, slot: Slot) -> CounterCard:
        self.powered.append(slot)
        if slot is Slot.CONTACTLESS and not self.has_contactless:
            raise ReaderGone
        card = self.contact if slot is Slot.CONTACT else self.contactless
        if card is None:
            raise CardAbsent
        assert not card.taken, "a card is powered while another call holds it"
        card.card.power_off()
        card.card.power_on()
        return card

    def terminal_number(self) -> str | None:
        return self.number

    def ask_pin(self, prompt: PinPrompt, card_number: str) -> bytearray:
        for card in (self.contact, self.contactless):
            assert card is None or not card.taken, "the card is taken while somebody types"
        entry = self.entries[len(self.asked)]
        self.asked.append((prompt, card_number))
        if isinstance(entry, Exception):
            raise entry
        self.entered.append(bytearray(entry.encode()))
        return self.entered[-1]


def calls(counter: Counter, *allowed: PinCall) -> MinistryCalls:
    """The interface on this counter."""
    return MinistryCalls(counter, allowed=frozenset(allowed), random=CountingRandom())


def card_info(card: CounterCard) -> str:
    """pCardInfo of a card."""
    assert isinstance(card.card, SimulatedCard)
    resident = card.card.piece.resident
    number = resident.card.card_number if resident else ""
    return f"{card.card.piece.card_id.hex().upper()}|{number}|"


class CallersHsm:
    """What the calling program asks the province's HSM for, in its own words: texts. Knows of the
    card only what a first step has told."""

    def __init__(self, card: CounterCard) -> None:
        self._factor = card.atr[-8:]

    def result(self, algorithm: str, address: str, factor: str, original: str) -> str:
        """32 digits for an authentication."""
        chosen = Algorithm(algorithm)
        subkey = keys.card_key(KEY_NAMES[address], chosen, DIVISION, self._factor)
        data = bytes.fromhex(original)
        sealed = keys.authenticator(subkey, bytes.fromhex(factor), data, chosen)
        return (sealed + data).hex().upper()

    def internal(self, algorithm: str, factor: str, original: str) -> str:
        """As `result`, for the card's own proof."""
        chosen = Algorithm(algorithm)
        subkey = keys.card_key("IRK_SSSE", chosen, DIVISION, self._factor)
        data = bytes.fromhex(original)
        sealed = keys.authenticator(subkey, bytes.fromhex(factor), data, chosen)
        return (sealed + data).hex().upper()

    def basics(self, told: str) -> str:
        """R1|R2| for what iReadCardBas_HSM_Step1 tells."""
        parts = told.split("|")
        first = self.internal(parts[2], parts[4], parts[5])
        return f"{first}|{self.result(parts[2], '004C', parts[6], parts[7])}|"

    def command(self, algorithm: str, address: str, factor: str, header: str, pin: str = "") -> str:
        """A whole protected command in hexadecimal."""
        chosen = Algorithm(algorithm)
        subkey = keys.card_key(KEY_NAMES[address], chosen, DIVISION, self._factor)
        process = keys.process_key(subkey, bytes.fromhex(factor), chosen)
        size = keys.block_size(chosen)
        encrypted = b""
        if pin:
            packed = bytes.fromhex(pin)
            block = (bytes((len(packed),)) + packed + b"\x80").ljust(size, b"\0")
            encrypted = keys.encrypt(process, block, chosen)
        head = bytes.fromhex(header)
        code = keys.mac(process, bytes(size), head + encrypted, chosen)
        return (head + encrypted + code).hex().upper()


def fails(answer: Answer) -> int:
    """The number of a failed call, whose output tells what it means and nothing of the card."""
    assert answer.number < 0
    assert answer.output
    assert "|" not in answer.output
    return answer.number


def must_equal(found: Sequence[str], wanted: Sequence[str]) -> None:
    """Fails with the positions that differ, never with what stands there."""
    __tracebackhide__ = True
    if list(found) != list(wanted):
        differ = [
            at for at, pair in enumerate(zip(found, wanted, strict=False)) if len({*pair}) > 1
        ]
        pytest.fail(f"{len(found)} of {len(wanted)} fields, they differ at {differ}")
