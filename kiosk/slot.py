"""What the monitors say about the resident's card slot and the line, as the runner keeps it."""

from __future__ import annotations

from kiosk.platform.link import PlatformDown, PlatformUp


class Slot:
    """The contact reader that residents use, told apart from others by a part of its name.

    Each method takes the name in an event and returns True when it was news about this reader.
    """

    def __init__(self, name_part: str) -> None:
        self._name_part = name_part
        self.attached_now = False
        self.present = False
        self.mute = False

    def _is(self, reader: str) -> bool:
        return self._name_part in reader

    def attached(self, reader: str) -> bool:
        news = self._is(reader) and not self.attached_now
        if news:
            self.attached_now = True
        return news

    def detached(self, reader: str) -> bool:
        return self._is(reader) and self._gone()

    def service_lost(self) -> bool:
        return self._gone()

    def _gone(self) -> bool:
        news = self.attached_now
        self.attached_now = self.present = self.mute = False
        return news

    def inserted(self, reader: str) -> bool:
        return self._card(reader, mute=False)

    def muted(self, reader: str) -> bool:
        return self._card(reader, mute=True)

    def _card(self, reader: str, *, mute: bool) -> bool:
        if not self._is(reader):
            return False
        news = not self.present or self.mute != mute
        self.attached_now = self.present = True
        self.mute = mute
        return news

    def taken(self, reader: str) -> bool:
        if not self._is(reader) or not self.present:
            return False
        self.present = self.mute = False
        return True


class LineToPlatform:
    """Whether the platform can be reached: True, False, or None before the first answer."""

    def __init__(self) -> None:
        self.is_up: bool | None = None

    def up(self, _event: PlatformUp) -> bool:
        """Returns True when this is news."""
        news = self.is_up is not True
        self.is_up = True
        return news

    def down(self, _event: PlatformDown) -> bool:
        """Returns True when this is news."""
        news = self.is_up is not False
        self.is_up = False
        return news
