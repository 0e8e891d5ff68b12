"""The resident ID reader as the terminal uses it: a stream that ends with the first card.

A card that was read is watched until it was taken away: before that nobody else's visit reads one,
so that nobody is taken for whoever left their card behind.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date

from drivers.id_card import IdCard, IdCardUnreadable, Sex, read_id_card
from drivers.id_reader import (
    CardLeft,
    IdReader,
    IdReaderReason,
    IdReaderStatus,
    RawIdCard,
    ReadCancelled,
    ReadFailed,
)
from kiosk.pages import IdCardProblem
from kiosk.person_numbers import WrongNumber, is_social_security_number, read_number
from kiosk.steps import Reporter

WATCH_SECONDS = 2.0
"""One look whether a card still lies there takes so long at most: others wait for the reader."""


class IdCardStream:
    """Waits for one card, then ends with what it says."""

    lane = "id-reader"

    def __init__(self, station: IdStation) -> None:
        self._station = station
        self._cancelled = threading.Event()

    def run(self, report: Reporter) -> IdCard | IdCardProblem:
        """See `drivers.id_reader.IdReader.read_card` for what it raises. It reports the moment in
        which a card that was left there is gone."""
        return self._station.read(self._cancelled, report)

    def cancel(self) -> None:
        self._cancelled.set()


class IdStation:
    """One ID reader, opened at its first use and again after it was gone.

    Attributes:
        failed: the last try ended with a fault; the next one shows whether it is back.
        lies: the card that was read still lies there, as far as is known.
    """

    lane = "id-reader"

    def __init__(self, open_reader: Callable[[], IdReader], today: Callable[[], date]) -> None:
        self._open_reader = open_reader
        self._today = today
        self._reader: IdReader | None = None
        self._unsure = False
        self.failed = False
        self.lies = False

    def cards(self) -> IdCardStream:
        """A new wait for a card."""
        return IdCardStream(self)

    def read(self, cancelled: threading.Event, report: Reporter) -> IdCard | IdCardProblem:
        """Wait for a card; blocking, on the reader's worker."""
        if self.lies or self._unsure:
            self._wait_until_taken(cancelled)
            report(True)
        # Whoever cancels now may do so in the middle of a card.
        self._unsure = True
        try:
            raw = self._opened().read_card(cancelled)
        except CardLeft:
            self._unsure = False
            return IdCardProblem.MOVED
        except ReadFailed:
            self.lies = True
            return IdCardProblem.UNREADABLE
        self.lies = True
        return self._checked(raw)

    def watch(self) -> bool:
        """Look whether the card that was read still lies there, for a while; on its worker.

        A reader that does not answer shows nobody their card: nobody is kept waiting for it, and
        the next card is read only when this one was seen to be gone.
        """
        if self.look().reason is IdReaderReason.GONE:
            return False
        over = threading.Event()
        timer = threading.Timer(WATCH_SECONDS, over.set)
        timer.daemon = True
        timer.start()
        try:
            self._wait_until_taken(over)
        except ReadCancelled:
            return True
        finally:
            timer.cancel()
        return False

    def look(self) -> IdReaderStatus:
        """Ask the reader how it stands; on its worker."""
        return self._opened().status()

    @property
    def watched(self) -> bool:
        """It is not sure that nothing lies there."""
        return self.lies or self._unsure

    def close(self) -> None:
        """Close the device."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _wait_until_taken(self, cancelled: threading.Event) -> None:
        self._opened().wait_until_taken(cancelled)
        self.lies = self._unsure = False

    def _checked(self, raw: RawIdCard) -> IdCard | IdCardProblem:
        """The card, if it is of use: readable, consistent, in date, with a number that counts."""
        today = self._today()
        try:
            card = read_id_card(raw)
            number = read_number(card.number, today)
        except (IdCardUnreadable, WrongNumber):
            return IdCardProblem.UNREADABLE
        if number.born not in (None, card.born):
            return IdCardProblem.UNREADABLE
        sexes = {True: Sex.MALE, False: Sex.FEMALE}
        if number.male is not None and card.sex is not sexes[number.male]:
            return IdCardProblem.UNREADABLE
        if not card.valid_from <= today <= (card.valid_until or today):
            return IdCardProblem.OUT_OF_DATE
        if not is_social_security_number(card.number, today):
            return IdCardProblem.NO_NUMBER
        return card

    def _opened(self) -> IdReader:
        if self._reader is None:
            self._reader = self._open_reader()
        return self._reader
