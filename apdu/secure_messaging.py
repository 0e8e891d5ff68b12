"""Commands under secure messaging: whoever keeps the transport key encrypts and takes the MAC.

What these commands are stands in ``protected.toml``. Each works on a fresh challenge of the card
and is sent once: after a lost answer its outcome is unknown, and the caller is told what happened.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from importlib import resources
from types import MappingProxyType
from typing import Any

from apdu.authentication import Authentication
from apdu.channel import Channel
from apdu.command import Command
from apdu.commands import Ins
from apdu.custodian import MAC_SIZE, Custodian, KeyReference, ProtectionRequest
from apdu.errors import PsamUnavailable


class Protected(Enum):
    """What a protected command does."""

    UNBLOCK_PIN = "unblock-pin"
    RELOAD_PIN = "reload-pin"
    BLOCK_APPLICATION = "block-application"
    BLOCK_APPLICATION_FOR_EVER = "block-application-for-ever"
    UNBLOCK_APPLICATION = "unblock-application"
    BLOCK_CARD = "block-card"


@dataclass(frozen=True)
class ProtectedCommand:
    """How one of them is written.

    Attributes:
        header: CLA INS P1 P2.
        key: name of the transport key (STK).
        after: name of the key that must be shown before; None where none must.
        mark, source: how sure this is, and from where.
    """

    header: bytes
    key: str
    after: str | None
    mark: str
    source: str

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> ProtectedCommand:
        """Read a declaration. Raises ValueError, KeyError: it is not of the file's form."""
        header = bytes.fromhex(table["header"])
        if len(header) != 4 or header[0] & 0x0F != 0x04:
            raise ValueError(f"{table['name']}: a protected header has 4 bytes and CLA x4")
        return cls(header, table["key"], table.get("after"), table["mark"], table["source"])


ProtectedCommands = Mapping[Protected, ProtectedCommand]
Keys = Mapping[str, KeyReference]


@functools.cache
def shipped_commands() -> ProtectedCommands:
    """The declarations that come with this package."""
    text = resources.files("apdu").joinpath("protected.toml").read_text(encoding="utf-8")
    return MappingProxyType(
        {
            Protected(table["name"]): ProtectedCommand.from_table(table)
            for table in tomllib.loads(text)["command"]
        }
    )


class SecureMessaging:
    """Protected commands to one card.

    Args:
        channel: the card, with the application selected that the keys belong to.
        authentication: of the same card session.
        keys: gives the key references by name, when they are first needed.
        declared: how the commands are written; None takes those that come with this package.
    """

    def __init__(
        self,
        channel: Channel,
        authentication: Authentication,
        keys: Callable[[], Keys],
        *,
        declared: ProtectedCommands | None = None,
    ) -> None:
        self._channel = channel
        self._authentication = authentication
        self._keys = keys
        self._declared = declared or shipped_commands()

    def send(self, what: Protected, custodian: Custodian, block: bytearray | None = None) -> None:
        """Authenticate where the command asks for it, then protect and send it, once.

        Args:
            what: which command.
            custodian: keeps the keys.
            block: plain data in whole blocks of the card's cipher; the caller wipes it. None
                where the command carries a MAC only.

        Raises:
            PsamUnavailable: the custodian cannot be asked or lacks a key.
            AuthenticationFailed: the card refused the cryptogram or the MAC; final for this
                card session.
            CardError: see `apdu.errors`.
        """
        declared, keys = self._declared[what], self._keys()
        if declared.after is not None:
            self._authentication.authenticate(custodian, keys[declared.after])
        found = self._authentication.diversification()
        block = bytearray() if block is None else block
        request = ProtectionRequest(
            algorithm=found.algorithm,
            key=keys[declared.key],
            card_factor=found.card_factor,
            region=found.region,
            challenge=self._authentication.challenge(),
            header=declared.header,
            block=block,
        )
        protected = custodian.protect(request)
        if protected is None:
            raise PsamUnavailable(f"nobody holds the key {declared.key}")
        if len(protected) != len(block) + MAC_SIZE:
            raise PsamUnavailable("the custodian's result has another length")
        self.send_protected(what, bytearray(protected))

    def declared(self, what: Protected) -> ProtectedCommand:
        """How a command is written."""
        return self._declared[what]

    def send_protected(self, what: Protected, protected: bytearray) -> None:
        """Send a command whose data were encrypted and given their MAC elsewhere, once.

        Raises:
            AuthenticationFailed: the card refused the MAC; final for this card session.
            CardError: see `apdu.errors`.
        """
        cla, ins, p1, p2 = self._declared[what].header
        response = self._channel.send(Command(cla, ins, p1, p2, protected))
        self._authentication.accepted(Ins(ins).label, response)
