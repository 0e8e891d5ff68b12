"""What the monitors say about the resident's card slot, boiled down to what changed for us."""

from __future__ import annotations

from enum import Enum
from typing import assert_never

from drivers import events as device


class SlotNews(Enum):
    """What happened to the resident's slot."""

    CARD_CAME = "card-came"
    CARD_FOUND = "card-found"
    """Nobody put it in now: the dispenser had it when it was seen first."""
    CARD_WENT = "card-went"
    CARD_KEPT = "card-kept"
    """Nobody took it: the dispenser did."""
    READER_CAME = "reader-came"
    READER_WENT = "reader-went"


class Slot:
    """The contact reader that residents use, told apart from others by a part of its name.

    Attributes:
        attached: the reader is there.
        present: something is in the slot.
        mute: what is in the slot does not answer.
    """

    def __init__(self, name_part: str) -> None:
        self._name_part = name_part
        self.attached = False
        self.present = False
        self.mute = False

    def hear(self, event: device.DeviceEvent) -> SlotNews | None:
        """Take an event in; returns what it means, None when nothing changed here."""
        match event:
            case device.ServiceLost():
                return self._reader_went()
            case device.ServiceRestored():
                return None
            case _ if self._name_part not in event.reader:
                return None
            case device.CardInserted(found=found):
                return self._card_came(mute=False, found=found)
            case device.CardMuted(found=found):
                return self._card_came(mute=True, found=found)
            case device.CardTaken(kept=kept):
                went = SlotNews.CARD_KEPT if kept else SlotNews.CARD_WENT
                news = went if self.present else None
                self.present = self.mute = False
                return news
            case device.ReaderAttached():
                news = None if self.attached else SlotNews.READER_CAME
                self.attached = True
                return news
            case device.ReaderDetached():
                return self._reader_went()
            case _:
                assert_never(event)

    def _card_came(self, *, mute: bool, found: bool) -> SlotNews | None:
        news = self.present is False or self.mute != mute
        self.attached = self.present = True
        self.mute = mute
        came = SlotNews.CARD_FOUND if found else SlotNews.CARD_CAME
        return came if news else None

    def _reader_went(self) -> SlotNews | None:
        """The reader is gone, and with it whatever we knew of its card."""
        news = SlotNews.READER_WENT if self.attached else None
        self.attached = self.present = self.mute = False
        return news
