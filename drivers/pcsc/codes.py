"""PC/SC return codes, and what each means for us.

The numbers are those of the PC/SC workgroup's winscard interface as pcsc-lite 1.9 has them. Which
of them arrive in which situation was measured on pcsc-lite; drivers differ, so that a code that
names no clear situation makes us look whether the card is still there.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, IntEnum, auto

from apdu.errors import (
    CardAbsent,
    CardError,
    CardMute,
    CardRemoved,
    CardReset,
    ReaderBusy,
    ReaderGone,
)


class Code(IntEnum):
    """SCARD return codes that pcsc-lite can give."""

    S_SUCCESS = 0x00000000
    F_INTERNAL_ERROR = 0x80100001
    E_CANCELLED = 0x80100002
    E_INVALID_HANDLE = 0x80100003
    E_INVALID_PARAMETER = 0x80100004
    E_INVALID_TARGET = 0x80100005
    E_NO_MEMORY = 0x80100006
    F_WAITED_TOO_LONG = 0x80100007
    E_INSUFFICIENT_BUFFER = 0x80100008
    E_UNKNOWN_READER = 0x80100009
    E_TIMEOUT = 0x8010000A
    E_SHARING_VIOLATION = 0x8010000B
    E_NO_SMARTCARD = 0x8010000C
    E_UNKNOWN_CARD = 0x8010000D
    E_CANT_DISPOSE = 0x8010000E
    E_PROTO_MISMATCH = 0x8010000F
    E_NOT_READY = 0x80100010
    E_INVALID_VALUE = 0x80100011
    E_SYSTEM_CANCELLED = 0x80100012
    F_COMM_ERROR = 0x80100013
    F_UNKNOWN_ERROR = 0x80100014
    E_INVALID_ATR = 0x80100015
    E_NOT_TRANSACTED = 0x80100016
    E_READER_UNAVAILABLE = 0x80100017
    P_SHUTDOWN = 0x80100018
    E_PCI_TOO_SMALL = 0x80100019
    E_READER_UNSUPPORTED = 0x8010001A
    E_DUPLICATE_READER = 0x8010001B
    E_CARD_UNSUPPORTED = 0x8010001C
    E_NO_SERVICE = 0x8010001D
    E_SERVICE_STOPPED = 0x8010001E
    E_UNSUPPORTED_FEATURE = 0x8010001F
    E_NO_READERS_AVAILABLE = 0x8010002E
    E_SERVER_TOO_BUSY = 0x80100031
    W_UNSUPPORTED_CARD = 0x80100065
    W_UNRESPONSIVE_CARD = 0x80100066
    W_UNPOWERED_CARD = 0x80100067
    W_RESET_CARD = 0x80100068
    W_REMOVED_CARD = 0x80100069
    W_SECURITY_VIOLATION = 0x8010006A


# An old context keeps answering with these even when the service is back: a new one is needed.
SERVICE_GONE = frozenset(
    {
        Code.E_NO_SERVICE,
        Code.E_SERVICE_STOPPED,
        Code.E_INVALID_HANDLE,
        Code.F_COMM_ERROR,
        Code.P_SHUTDOWN,
    }
)
READER_GONE = frozenset(
    {Code.E_UNKNOWN_READER, Code.E_READER_UNAVAILABLE, Code.E_NO_READERS_AVAILABLE}
)
BUSY = frozenset({Code.E_SHARING_VIOLATION, Code.E_SERVER_TOO_BUSY})
CONTROL_UNKNOWN = frozenset({Code.E_UNSUPPORTED_FEATURE})
"""A driver without this control code (IFD_ERROR_NOT_SUPPORTED), as vpcd is."""
MUTE = frozenset({Code.W_UNRESPONSIVE_CARD, Code.W_UNPOWERED_CARD, Code.W_UNSUPPORTED_CARD})


class Presence(Enum):
    """What a second look at the slot found."""

    CARD = auto()
    EMPTY = auto()
    NO_READER = auto()


def unsigned(code: int) -> int:
    """The code as pcsc.h writes it; some builds of pyscard give it as a negative number."""
    return code & 0xFFFFFFFF


def name_of(code: int) -> str:
    """Name for logs, for example ``SCARD_W_RESET_CARD``; the number where we know none."""
    try:
        return f"SCARD_{Code(unsigned(code)).name}"
    except ValueError:
        return f"SCARD 0x{unsigned(code):08X}"


def card_error(code: int, call: str, *, connected: bool, look: Callable[[], Presence]) -> CardError:
    """What a failed PC/SC call means.

    Args:
        code: the return code, not success.
        call: the function's name, for the message.
        connected: there was a connection already, so that an empty slot means a removal.
        look: looks at the slot again; asked only where the code does not tell.
    """
    found = unsigned(code)
    text = f"{call}: {name_of(found)}"
    empty = CardRemoved if connected else CardAbsent
    if found == Code.E_NO_SMARTCARD:
        return empty(text)
    if found == Code.W_REMOVED_CARD:
        return CardRemoved(text)
    if found == Code.W_RESET_CARD:
        return CardReset(text)
    if found in SERVICE_GONE or found in READER_GONE:
        return ReaderGone(text)
    if found in BUSY:
        return ReaderBusy(text)
    if found in MUTE:
        return CardMute(text)
    match look():
        case Presence.CARD:
            return CardMute(text)
        case Presence.EMPTY:
            return empty(text)
        case Presence.NO_READER:
            return ReaderGone(text)
