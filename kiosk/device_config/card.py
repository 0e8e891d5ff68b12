"""``[card]``: the card reader and the PSAM slot."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from apdu.ministry.terminal import PinCall
from kiosk.device_config.addresses import is_loopback
from kiosk.device_config.dispenser import DispenserConfig
from kiosk.toml_tables import Table

_DISPENSER_SAM = "CRT-591 SAM"
"""How the names of a dispenser's SAM slots begin (`drivers.crt591.cards`); a number may follow."""


class CardDriver(Enum):
    """How cards are reached."""

    PCSC = "pcsc"
    DIRECT = "direct"
    """Sockets on loopback where pcscd cannot run; demonstration only (DESIGN §9)."""
    DISPENSER = "dispenser"
    """The card dispenser's motor takes residents' cards in and gives them back."""


@dataclass(frozen=True)
class Address:
    """A TCP address on loopback."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class CardConfig:
    """The card reader and the PSAM slot.

    Attributes:
        contact_reader, psam_reader: a part of the PC/SC reader's name; psam empty when the
            terminal has no PSAM, or has it in the dispenser.
        pcsc_socket: socket of a pcscd of one's own (the simulated hall's), empty for the system's;
            demonstration only.
        contact_address, psam_address: where the direct driver listens; None with PC/SC.
        ministry_calls: whether other programs may call the ministry's functions, which show
            persons in full: a counter's terminal, never one that residents use alone.
        contactless_reader: as contact_reader, for other programs' calls; empty without one.
        reader_serial: 终端设备号 that other programs' calls tell.
        pin_calls: functions of other programs in which a PIN passes through their hands.
        dispenser: the one that is the reader; None with any other driver.
    """

    driver: CardDriver
    contact_reader: str
    psam_reader: str
    pcsc_socket: str
    contact_address: Address | None
    psam_address: Address | None
    ministry_calls: bool = False
    contactless_reader: str = ""
    reader_serial: str = ""
    pin_calls: tuple[PinCall, ...] = ()
    dispenser: DispenserConfig | None = None

    @property
    def address(self) -> str:
        """Where residents' cards are read, for people."""
        match self.driver:
            case CardDriver.PCSC:
                return self.contact_reader
            case CardDriver.DIRECT:
                return str(self.contact_address)
            case CardDriver.DISPENSER:
                return "[dispenser]"
            case _:
                assert_never(self.driver)

    @property
    def psam(self) -> str:
        """Where the PSAM is, for people; empty where the terminal has none."""
        if self.dispenser is not None and self.psam_in_dispenser:
            return "" if self.dispenser.sam_slots == 0 else "[dispenser]"
        return self.psam_reader or str(self.psam_address or "")

    @property
    def psam_in_dispenser(self) -> bool:
        """The PSAM is in one of the dispenser's SAM slots, and in no PC/SC reader."""
        named = self.psam_reader
        return self.dispenser is not None and (not named or named.startswith(_DISPENSER_SAM))


def read_card(table: Table, in_field: bool, dispenser: DispenserConfig | None = None) -> CardConfig:
    """From ``[card]``. Raises the table's error; a field configuration may do less.

    Args:
        dispenser: the terminal's, which may be its reader.
    """
    driver = table.choice("driver", CardDriver)
    calls = table.boolean("ministry_calls", False)
    serial = table.text("reader_serial", "")
    pin_calls = table.choices("pin_calls", PinCall, ())
    if driver is CardDriver.DISPENSER and dispenser is None:
        raise table.problem("driver", "the reader is the dispenser, and no [dispenser] is named")
    if driver is CardDriver.DIRECT:
        if in_field:
            raise table.problem("driver", 'a field configuration refuses "direct"')
        psam = table.text("psam_address", "")
        card = CardConfig(
            driver=driver,
            contact_reader="",
            psam_reader="",
            pcsc_socket="",
            contact_address=_address(table, "contact_address"),
            psam_address=_address(table, "psam_address") if psam else None,
            ministry_calls=calls,
            reader_serial=serial,
            pin_calls=pin_calls,
        )
    else:
        card = CardConfig(
            driver=driver,
            contact_reader=table.text("contact_reader") if driver is CardDriver.PCSC else "",
            psam_reader=table.text("psam_reader", ""),
            pcsc_socket=table.text("pcsc_socket", ""),
            contact_address=None,
            psam_address=None,
            contactless_reader=table.text("contactless_reader", ""),
            ministry_calls=calls,
            reader_serial=serial,
            pin_calls=pin_calls,
            dispenser=dispenser if driver is CardDriver.DISPENSER else None,
        )
        if card.pcsc_socket and in_field:
            raise table.problem("pcsc_socket", "a field configuration uses the system's pcscd")
    table.finish()
    return card


def _address(table: Table, key: str) -> Address:
    host, colon, port = table.text(key).rpartition(":")
    if not colon or not port.isdecimal() or not 0 < int(port) < 65536:
        raise table.problem(key, "expected an address like 127.0.0.1:35963")
    if not is_loopback(host):
        raise table.problem(key, "expected an address on loopback")
    return Address(host, int(port))
