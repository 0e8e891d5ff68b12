"""The resident's card as the terminal uses it: one whole business step a call, on one worker.

A connection stays open (shared, no transaction) while the resident types the PIN; each step takes
the card for itself only as long as it runs (DESIGN §9).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from apdu.card import SocialSecurityCard
from apdu.custodian import AuthenticationRequest, Custodian, FirstThatCan, ProtectionRequest
from apdu.errors import CardAbsent, CardError, CardReset, PsamUnavailable
from apdu.holder import Holder
from apdu.psam import PsamCustodian
from apdu.reading import CardReading, read_card
from apdu.trace import Sink
from drivers.card_service import CardConnection, CardService, find_reader
from drivers.dispenser_release import Release, ReleaseEnd
from drivers.worker import given_up
from kiosk.pad_station import PinEntered

T = TypeVar("T")


class SlotKind(Enum):
    """Whose card is in a slot; the values are words of the audit log, alarms and messages."""

    READER = "reader"
    """The resident's."""
    PSAM = "psam"
    """The terminal's own."""


@dataclass(frozen=True)
class HeldSlot:
    """A slot with a call under way.

    Attributes:
        reader: the part of its reader's name that the configuration gives.
    """

    kind: SlotKind
    reader: str


class PsamInReader:
    """A PSAM custodian that opens its slot when first asked, and again after a fault.

    Attributes:
        name_part: a part of its reader's name.
        asked: a call to it is under way.
    """

    def __init__(self, service: CardService, name_part: str) -> None:
        self._service = service
        self.name_part = name_part
        self.asked = False
        self._connection: CardConnection | None = None
        self._custodian: PsamCustodian | None = None

    def cryptogram(self, request: AuthenticationRequest) -> bytes | None:
        """See `apdu.custodian.Custodian.cryptogram`.

        Raises:
            PsamUnavailable: the slot is empty, gone or silent.
        """
        return self._asked(lambda psam: psam.cryptogram(request))

    def protect(self, request: ProtectionRequest) -> bytes | None:
        """See `apdu.custodian.Custodian.protect`; the same errors as `cryptogram`."""
        return self._asked(lambda psam: psam.protect(request))

    def terminal_number(self) -> str | None:
        """终端机编号, 12 digits; None where the PSAM shows none. Raises as `cryptogram`."""
        return self._asked(lambda psam: psam.terminal_number())

    def _asked(self, ask: Callable[[PsamCustodian], T]) -> T:
        self.asked = True
        try:
            return ask(self._opened())
        except PsamUnavailable:
            self.close()
            raise
        except CardError as error:
            self.close()
            raise PsamUnavailable(type(error).__name__) from None
        finally:
            self.asked = False

    def _opened(self) -> PsamCustodian:
        if self._custodian is None:
            reader = find_reader(self._service.readers(), self.name_part)
            self._connection = self._service.connect(reader.name)
            self._custodian = PsamCustodian(self._connection)
        return self._custodian

    def close(self) -> None:
        """Give the slot back; the next request opens it again."""
        if self._connection is not None:
            self._connection.close()
        self._connection = self._custodian = None


class CardStation:
    """Reads, proves and checks the card in the resident's slot."""

    lane = "card"

    def __init__(
        self,
        service: CardService,
        name_part: str,
        custodians: tuple[Custodian, ...],
        *,
        trace: Sink | None = None,
        random: Callable[[int], bytes],
        give_back: Callable[[], Release] | None = None,
    ) -> None:
        """`give_back` moves the card out where a motor can; it waits for the resident."""
        self._service = service
        self._name_part = name_part
        self._give_back = give_back
        self._psams = [each for each in custodians if isinstance(each, PsamInReader)]
        self._custodian = FirstThatCan(custodians)
        self._trace = trace
        self._random = random
        self._connection: CardConnection | None = None
        self._reading: CardReading | None = None

    @property
    def gives_back(self) -> bool:
        """A motor takes cards in and gives them back; no hand pulls them out meanwhile."""
        return self._give_back is not None

    @property
    def card_id(self) -> bytes:
        """卡识别码 of the card read in this visit, 16 bytes.

        Raises:
            CardAbsent: no card was read.
        """
        if self._reading is None:
            raise CardAbsent
        return self._reading.issuer.card_id

    @property
    def held(self) -> HeldSlot:
        """The slot that the call under way waits for; for other threads than the one it runs on."""
        for psam in self._psams:
            if psam.asked:
                return HeldSlot(SlotKind.PSAM, psam.name_part)
        return HeldSlot(SlotKind.READER, self._name_part)

    def read(self) -> CardReading:
        """Power the card, let it prove itself, read EF05 and EF06.

        Raises:
            CardError: see `apdu.errors`; `kiosk.platform.errors` from a remote custodian.
        """
        self._put_down()
        with self._given_back_when_late():
            connection = self._connect()
            with connection.transaction():
                reading = read_card(
                    connection, self._custodian, trace=self._trace, random=self._random
                )
            self._reading = reading
        return reading

    def verify_pin(self, entered: PinEntered) -> Holder | None:
        """Check the PIN with the card; returns the holder, None where he can't be read.

        Raises:
            PinRejected: with the tries left.
            PinBlocked: no tries left.
            CardError: see `apdu.errors`.
        """
        reading = self._reading
        if reading is None:
            raise CardAbsent
        with self._given_back_when_late():
            try:
                return self._verify_once(entered, reading)
            except CardReset:
                # Somebody reset the card: the command was not delivered, so the step starts over.
                self._connection_close()
                return self._verify_once(entered, reading)
            finally:
                entered.wipe()

    def _verify_once(self, entered: PinEntered, reading: CardReading) -> Holder | None:
        connection = self._connection or self._connect()
        with connection.transaction():
            card = SocialSecurityCard.open(connection, trace=self._trace, random=self._random)
            card.verify_pin(entered.digits())
            if reading.holder is not None:
                return reading.holder
            card.issuer()
            return card.holder(self._custodian)

    def release(self) -> Release:
        """Power the card off, forget what was read, and give the card back (DESIGN §3.1)."""
        self._put_down()
        if self._give_back is not None:
            return self._give_back()
        present = any(
            state.present for state in self._service.readers() if self._name_part in state.name
        )
        return Release(ReleaseEnd.STILL_PRESENT if present else ReleaseEnd.RELEASED)

    def _put_down(self) -> None:
        self._reading = None
        self._connection_close()

    @contextmanager
    def _given_back_when_late(self) -> Iterator[None]:
        """While a call hangs nobody can ask for the card back: when it returns, and is not waited
        for any more, it does that itself."""
        try:
            yield
        finally:
            if given_up():
                self.release()

    def _connect(self) -> CardConnection:
        reader = find_reader(self._service.readers(), self._name_part)
        self._connection = self._service.connect(reader.name)
        return self._connection

    def _connection_close(self) -> None:
        # Taken first: a late call and the end of the process may both give the card back.
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
