"""Several card services as one: a dispenser for residents' cards beside PC/SC for the PSAM."""

from __future__ import annotations

from apdu.errors import ReaderGone
from drivers.card_service import CardConnection, CardService, ReaderState
from drivers.events import DeviceEvent, Post, ServiceLost, ServiceRestored


class CombinedCardServices:
    """`CardService` over others; a reader belongs to the first that shows it."""

    def __init__(self, *services: CardService) -> None:
        self._services = services

    def start(self, post: Post) -> None:
        def tell(event: DeviceEvent) -> None:
            # Its readers were detached before; those of the others are well.
            if not isinstance(event, ServiceLost | ServiceRestored):
                post(event)

        for service in self._services:
            service.start(tell)

    def stop(self) -> None:
        for service in self._services:
            service.stop()

    def readers(self) -> tuple[ReaderState, ...]:
        return tuple(state for service in self._services for state in service.readers())

    def connect(self, reader: str) -> CardConnection:
        service = self._of(reader)
        if service is None:
            raise ReaderGone(f"no reader {reader!r}")
        return service.connect(reader)

    def answers(self, reader: str, seconds: float) -> bool:
        service = self._of(reader)
        return service is None or service.answers(reader, seconds)

    def _of(self, reader: str) -> CardService | None:
        for service in self._services:
            if any(state.name == reader for state in service.readers()):
                return service
        return None
