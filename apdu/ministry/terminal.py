"""What the ministry's calls need of the terminal that they run on."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from apdu.custodian import Custodian
from apdu.transport import Transport


class Slot(Enum):
    """Where a resident's card can be."""

    CONTACT = "contact"
    CONTACTLESS = "contactless"


class PinPrompt(Enum):
    """What the holder is asked for."""

    PIN = "pin"
    OLD = "old"
    NEW = "new"
    NEW_AGAIN = "new-again"


class PinCall(Enum):
    """Functions in which a PIN passes through the caller's hands: off unless a configuration
    names them."""

    VERIFY = "iVerifyPINK"
    CHANGE = "iChangePINK"
    RELOAD = "iReloadPIN_HSM_Step2"
    """Its output holds the new PIN, for the HSM."""
    SIGN = "PKI_SignData"


class PinCancelled(Exception):
    """The holder cancelled the entry."""


class PinTimedOut(Exception):
    """The holder entered nothing in time."""


class PoweredCard(Transport, Protocol):
    """A powered card that other programs may be kept away from."""

    def begin(self) -> None:
        """Keep others away. Raises CardRemoved, CardReset, CardMute, ReaderGone."""

    def end(self) -> None:
        """Let others in again. Never raises."""


class Terminal(Protocol):
    """The counter's readers, its keeper of keys and its PIN pad."""

    @property
    def custodian(self) -> Custodian:
        """Keeps the keys."""

    @property
    def reader_serial(self) -> str:
        """终端设备号; empty where it is not known."""

    def power(self, slot: Slot) -> PoweredCard:
        """Power the card in `slot`.

        Raises:
            CardAbsent, CardMute, ReaderGone, ReaderBusy: see `apdu.errors`.
        """

    def terminal_number(self) -> str | None:
        """终端机编号, 12 digits, from the PSAM; None where there is none."""

    def ask_pin(self, prompt: PinPrompt, card_number: str) -> bytearray:
        """Let the holder enter a PIN; ASCII digits in a buffer that the caller wipes.

        Args:
            prompt: which.
            card_number: 卡号 of the card, which some pads mix into their encrypted block.

        Raises:
            PinCancelled, PinTimedOut: no PIN.
        """
