"""The server's open connections, so that a scripted fault can cut one without a reply."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol


class Connections:
    """Live transports by the client's address. Used on the server's event loop only."""

    def __init__(self) -> None:
        self._transports: dict[tuple[str, int], asyncio.Transport] = {}

    def add(self, client: tuple[str, int], transport: asyncio.Transport) -> None:
        self._transports[client] = transport

    def discard(self, client: tuple[str, int]) -> None:
        self._transports.pop(client, None)

    def close(self, client: tuple[str, int]) -> None:
        """Close after what is already written.

        Raises:
            KeyError: the server doesn't run ``protocol()``.
        """
        self._transports[client].close()

    def abort_all(self) -> None:
        """Cut every line at once."""
        for transport in list(self._transports.values()):
            transport.abort()

    def protocol(self) -> type[H11Protocol]:
        """uvicorn's HTTP protocol, reporting its connections here."""
        connections = self

        class TrackedProtocol(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                if self.client is not None:
                    connections.add(self.client, transport)

            def connection_lost(self, exc: Exception | None) -> None:
                if self.client is not None:
                    connections.discard(self.client)
                super().connection_lost(exc)

        return TrackedProtocol
