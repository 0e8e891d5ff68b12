"""One call's work with a card: found by iType, opened, compared with pCardInfo, given back."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple, Self

from apdu.authentication import Random
from apdu.card import SocialSecurityCard
from apdu.channel import wipe
from apdu.custodian import AuthenticationRequest, Custodian, ProtectionRequest
from apdu.errors import CardAbsent, MalformedAnswer, ReaderGone
from apdu.holder import Issuer
from apdu.identity import CARD_ID_SIZE
from apdu.ministry.address import check_length
from apdu.ministry.conventions import Conventions
from apdu.ministry.error_numbers import KeyLacking, Number, Refusal
from apdu.ministry.terminal import PinCall, PinPrompt, PoweredCard, Slot, Terminal
from apdu.profile import Profiles

_SLOTS = {
    "1": (Slot.CONTACT,),
    "2": (Slot.CONTACTLESS,),
    "3": (Slot.CONTACT, Slot.CONTACTLESS),
    "4": (Slot.CONTACTLESS, Slot.CONTACT),
}
"""iType (mark A)."""
ANY_SLOT = "3"
_PIN_LENGTHS = range(4, 17)


class CardInfo(NamedTuple):
    """pCardInfo: which card the caller means."""

    card_id: str
    card_number: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``卡识别码|卡号|`` (mark A).

        Raises:
            Refusal: LENGTH, BAD_PARAMETER; CARD_ID_FORMAT where the first is none.
        """
        check_length(text)
        card_id, *rest = text.split("|")
        if len(rest) != 2 or rest[1]:
            raise Refusal(Number.BAD_PARAMETER)
        if len(card_id) != 2 * CARD_ID_SIZE or not is_hex(card_id):
            raise Refusal(Number.CARD_ID_FORMAT)
        return cls(card_id.upper(), rest[0])

    def __repr__(self) -> str:
        return "CardInfo(...)"


class OpenCard:
    """A card that one call works with, kept from other programs but while somebody types."""

    def __init__(self, powered: PoweredCard, desk: Desk, info: CardInfo | None) -> None:
        self._powered = powered
        self._desk = desk
        self._info = info
        powered.begin()
        self.card = self._select()

    def issuer(self) -> Issuer:
        """EF05. Raises Refusal: CARD_ID_FORMAT where it is not to be read."""
        try:
            return self.card.issuer()
        except MalformedAnswer:
            raise Refusal(Number.CARD_ID_FORMAT) from None

    def check_consistent(self) -> None:
        """Raises Refusal: NOT_GENUINE: the files belong to another chip."""
        self.issuer()
        if not self.card.is_consistent():
            raise Refusal(Number.NOT_GENUINE)

    def ask(self, *prompts: PinPrompt) -> list[bytearray]:
        """What the holder enters, for the caller to wipe. Others may use the card meanwhile, so
        afterwards it is selected and compared anew."""
        number = self.issuer().card_number
        entered: list[bytearray] = []
        self._powered.end()
        try:
            for prompt in prompts:
                entered.append(self._desk.terminal.ask_pin(prompt, number))
            self._powered.begin()
            before, self.card = self.issuer(), self._select()
            if self.issuer() != before:
                raise Refusal(Number.DIFFERS_FROM_CARD)
        except BaseException:
            for digits in entered:
                wipe(digits)
            raise
        return entered

    def _select(self) -> SocialSecurityCard:
        card = SocialSecurityCard.open(
            self._powered, random=self._desk.random, profiles=self._desk.profiles
        )
        self.card = card
        if self._info is not None:
            issuer = self.issuer()
            given = (issuer.card_id.hex().upper(), issuer.card_number)
            if given != (self._info.card_id, self._info.card_number):
                raise Refusal(Number.DIFFERS_FROM_CARD)
        return card


@dataclass(frozen=True)
class Desk:
    """What all calls share.

    Attributes:
        terminal: readers, keys, pad.
        conventions: of the province.
        allowed: functions with PINs that the configuration names.
        random: source of our challenges.
        profiles: card profiles; None takes those that come with `apdu`.
    """

    terminal: Terminal
    conventions: Conventions
    allowed: frozenset[PinCall]
    random: Random
    profiles: Profiles | None

    @property
    def custodian(self) -> Custodian:
        """The terminal's, which says what it lacks."""
        return InsistingCustodian(self.terminal.custodian)

    @contextmanager
    def open(self, kind: str, info: str | None = None) -> Iterator[OpenCard]:
        """The card of iType `kind`, which is that of pCardInfo `info`, to the end of a block.

        Raises:
            Refusal: BAD_PARAMETER: no such iType; DIFFERS_FROM_CARD: another card; as
                `CardInfo.parse`.
            CardError: see `apdu.errors`.
        """
        wanted = None if info is None else CardInfo.parse(info)
        with self.powered(kind) as powered:
            yield OpenCard(powered, self, wanted)

    @contextmanager
    def powered(self, kind: str) -> Iterator[PoweredCard]:
        """The card of iType `kind`, powered, to the end of a block. Raises as `open`."""
        card = self._power(_slots(kind))
        try:
            yield card
        finally:
            card.end()
            card.close()

    def permit(self, what: PinCall) -> None:
        """Raises Refusal: UNSUPPORTED: the configuration does not name it."""
        if what not in self.allowed:
            raise Refusal(Number.UNSUPPORTED)

    def new_pin(self, opened: OpenCard, *before: PinPrompt) -> list[bytearray]:
        """What the holder enters: the PINs of `before`, then a new one, twice.

        Returns:
            one buffer for each of `before` and one for the new PIN, for the caller to wipe.

        Raises:
            Refusal: PIN_LENGTH, PINS_DIFFER, INITIAL_PIN.
        """
        *old, new, again = opened.ask(*before, PinPrompt.NEW, PinPrompt.NEW_AGAIN)
        try:
            if len(new) not in _PIN_LENGTHS or not new.isdigit():
                raise Refusal(Number.PIN_LENGTH)
            if not hmac.compare_digest(new, again):
                raise Refusal(Number.PINS_DIFFER)
            self.check_new(new)
        except Refusal:
            for digits in (*old, new):
                wipe(digits)
            raise
        finally:
            wipe(again)
        return [*old, new]

    def check_new(self, digits: bytearray) -> None:
        """Raises Refusal: INITIAL_PIN: everybody knows this PIN."""
        if any(hmac.compare_digest(digits, initial) for initial in self.conventions.initial_pins):
            raise Refusal(Number.INITIAL_PIN)

    def number_of_terminal(self) -> str:
        """终端机编号, from the PSAM where there is one."""
        return self.terminal.terminal_number() or self.conventions.number_without_psam

    def _power(self, slots: tuple[Slot, ...]) -> PoweredCard:
        for slot in slots[:-1]:
            try:
                return self.terminal.power(slot)
            except (CardAbsent, ReaderGone):
                continue
        return self.terminal.power(slots[-1])


class InsistingCustodian:
    """Another custodian, whose "I lack it" is an error that says what."""

    def __init__(self, custodian: Custodian) -> None:
        self._custodian = custodian

    def cryptogram(self, request: AuthenticationRequest) -> bytes:
        """See `apdu.custodian.Custodian.cryptogram`.

        Raises:
            KeyLacking: the custodian lacks the key or the algorithm.
            PsamUnavailable: it cannot be asked.
        """
        return _found(self._custodian.cryptogram(request), request)

    def protect(self, request: ProtectionRequest) -> bytes:
        """See `apdu.custodian.Custodian.protect`; the same errors as `cryptogram`."""
        return _found(self._custodian.protect(request), request)


def _found(result: bytes | None, request: AuthenticationRequest | ProtectionRequest) -> bytes:
    if result is None:
        key = request.key
        proves = key.key_id is None and isinstance(request, AuthenticationRequest)
        raise KeyLacking(key.name, request.algorithm, proves=proves)
    return result


def check_kind(kind: str) -> None:
    """Raises Refusal: BAD_PARAMETER: no such iType."""
    _slots(kind)


def _slots(kind: str) -> tuple[Slot, ...]:
    try:
        return _SLOTS[kind]
    except KeyError:
        raise Refusal(Number.BAD_PARAMETER) from None


def is_hex(text: str) -> bool:
    """Whether all of it are hexadecimal digits."""
    return all(character in "0123456789ABCDEFabcdef" for character in text)
