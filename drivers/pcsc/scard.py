"""The part of `smartcard.scard` that we use, typed.

pyscard has no types, and its object framework stays unused: its monitor dies with the service.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Protocol, cast

SCOPE_USER = 0
SHARE_SHARED = 2
SHARE_DIRECT = 3
PROTOCOL_T0 = 1
PROTOCOL_T1 = 2
PROTOCOL_ANY = PROTOCOL_T0 | PROTOCOL_T1
LEAVE_CARD = 0
RESET_CARD = 1
UNPOWER_CARD = 2

STATE_UNAWARE = 0x0000
STATE_CHANGED = 0x0002
STATE_UNKNOWN = 0x0004
STATE_UNAVAILABLE = 0x0008
STATE_PRESENT = 0x0020
STATE_MUTE = 0x0200

ATTR_ATR_STRING = 0x00090303

PNP_NOTIFICATION = "\\\\?PnP?\\Notification"
STATES_AT_ONCE = 16
"""pcsc-lite refuses to watch more in one call (E_INVALID_PARAMETER); nor has it more readers."""


class Scard(Protocol):
    """Functions as pyscard has them: every answer begins with the return code."""

    def SCardEstablishContext(self, scope: int, /) -> tuple[int, int]: ...  # noqa: N802

    def SCardReleaseContext(self, context: int, /) -> int: ...  # noqa: N802

    def SCardListReaders(  # noqa: N802
        self, context: int, groups: list[str], /
    ) -> tuple[int, list[str]]: ...

    def SCardGetStatusChange(  # noqa: N802
        self, context: int, timeout_ms: int, states: Sequence[tuple[str, int]], /
    ) -> tuple[int, list[tuple[str, int, list[int]]]]: ...

    def SCardCancel(self, context: int, /) -> int: ...  # noqa: N802

    def SCardConnect(  # noqa: N802
        self, context: int, reader: str, share: int, protocols: int, /
    ) -> tuple[int, int, int]: ...

    def SCardReconnect(  # noqa: N802
        self, card: int, share: int, protocols: int, initialisation: int, /
    ) -> tuple[int, int]: ...

    def SCardDisconnect(self, card: int, disposition: int, /) -> int: ...  # noqa: N802

    def SCardStatus(  # noqa: N802
        self, card: int, /
    ) -> tuple[int, str, int, int, list[int]]: ...

    def SCardGetAttrib(self, card: int, attribute: int, /) -> tuple[int, list[int]]: ...  # noqa: N802

    def SCardTransmit(  # noqa: N802
        self, card: int, pci: int, command: list[int], /
    ) -> tuple[int, list[int]]: ...

    def SCardBeginTransaction(self, card: int, /) -> int: ...  # noqa: N802

    def SCardControl(  # noqa: N802
        self, card: int, code: int, data: list[int], /
    ) -> tuple[int, list[int]]: ...

    def SCardEndTransaction(self, card: int, disposition: int, /) -> int: ...  # noqa: N802


def system_scard() -> Scard:
    """pyscard's module; imported here, so that a terminal without PC/SC never loads it.

    Raises:
        ImportError: pyscard or libpcsclite is not installed.
    """
    return cast(Scard, importlib.import_module("smartcard.scard"))
