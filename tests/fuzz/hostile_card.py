"""A card whose every answer comes from a file, and what our reading stack does with it.

The bytes are chunks, each behind its length (one byte; FF: two more bytes hold it): the answer to
reset first, then one answer for each command, status word included. When they are used up the
card is pulled. Nothing but a `CardError` may come out, whatever the bytes are.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime

from apdu.bank.account import read_account
from apdu.card import SocialSecurityCard
from apdu.channel import Channel
from apdu.custodian import AuthenticationRequest, Custodian, ProtectionRequest
from apdu.errors import CardError, CardRemoved
from apdu.pki.application import PkiApplication
from apdu.pki.profile import KeyUse
from apdu.reading import read_card
from apdu.transport import Transport

PROOF = "IRK"
"""How the names of the keys begin by which a card proves itself."""
MOST_COMMANDS = 5000
"""No read of a card needs so many; a stack that sends more never ends."""


Way = Callable[[Transport, Custodian], None]
"""One way of reading a card."""


class HostileCard:
    """A `Transport` that answers chunk by chunk."""

    def __init__(self, data: bytes) -> None:
        self._chunks = chunks(data)
        self.atr = next(self._chunks, b"")
        self.commands = 0

    def transmit(self, command: bytes | bytearray) -> bytes:
        self.commands += 1
        if self.commands > MOST_COMMANDS:
            raise AssertionError("the reading never ends")
        answer = next(self._chunks, None)
        if answer is None:
            raise CardRemoved("the script is used up")
        return answer

    def reset(self) -> bytes:
        return self.atr

    def close(self) -> None:
        """There is nothing to give back."""


class FixedCustodian:
    """Cannot tell whether a card is genuine, so that the reading goes on, and has the same result
    for every other key."""

    def cryptogram(self, request: AuthenticationRequest) -> bytes | None:
        return None if request.key.name.startswith(PROOF) else bytes(8)

    def protect(self, request: ProtectionRequest) -> bytes | None:
        return bytes(len(request.block) + 4)


def chunks(data: bytes) -> Iterator[bytes]:
    """The chunks in `data`; a broken last one is as long as what is left."""
    at = 0
    while at < len(data):
        length, at = data[at], at + 1
        if length == 0xFF:
            length, at = int.from_bytes(data[at : at + 2], "big"), at + 2
        yield data[at : at + length]
        at += length


def chunk(answer: bytes) -> bytes:
    """`answer` behind its length."""
    size = len(answer)
    return (bytes((size,)) if size < 0xFF else b"\xff" + size.to_bytes(2, "big")) + answer


def every_way(data: bytes) -> None:
    """What a card answers to everything that reads one."""
    one_input(data)


def one_input(data: bytes) -> int:
    """Everything that reads, over the same hostile card; how many commands that took.

    Raises:
        Exception: anything that is no CardError: a defect.
    """
    commands = 0
    for way in WAYS.values():
        card = HostileCard(data)
        with contextlib.suppress(CardError):
            way(card, FixedCustodian())
        commands += card.commands
    return commands


def _whole_read(card: Transport, custodian: Custodian) -> None:
    read_card(card, custodian, random=bytes)


def _every_file(card: Transport, custodian: Custodian) -> None:
    opened = SocialSecurityCard.open(card, random=bytes)
    for file in opened.profile.files.values():
        try:
            opened.read_file(file, custodian)
        except CardRemoved:
            raise
        except CardError:
            continue


def _bank(card: Transport, _custodian: Custodian) -> None:
    read_account(Channel(card), now=lambda: datetime(2026, 1, 1), random=bytes)


def _pki(card: Transport, _custodian: Custodian) -> None:
    application = PkiApplication.open(Channel(card))
    for use in KeyUse:
        application.public_key(use)
        application.read_certificate(use)
    application.verify_pin(bytearray(b"123456"))
    application.sign(b"message digest")


WAYS: dict[str, Way] = {
    "read": _whole_read,
    "files": _every_file,
    "bank": _bank,
    "pki": _pki,
}
