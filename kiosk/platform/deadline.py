"""Connections whose every wait ends at one moment, however slowly the far end drips.

A socket's timeout starts anew with each byte: whoever sends one a second could hold a call for
hours with headers alone. Here each wait gets what is left of the whole call. Not bounded is the
system's own look-up of a host name.
"""

from __future__ import annotations

import http.client
import io
import math
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_LEFT: ContextVar[Callable[[], float]] = ContextVar("seconds left of the call")


@contextmanager
def within(left: Callable[[], float]) -> Iterator[None]:
    """Bound what this thread sends and receives through a `DeadlineAdapter`.

    Args:
        left: seconds to the end; from zero on every wait is a `TimeoutError`.
    """
    token = _LEFT.set(left)
    try:
        yield
    finally:
        _LEFT.reset(token)


def _left() -> float:
    left = _LEFT.get()()
    if left <= 0:
        raise TimeoutError("the call's deadline has passed")
    return left


class _Arriving(io.RawIOBase):
    """What a socket receives, each wait for it bounded."""

    def __init__(self, arriving: io.RawIOBase, sock: socket.socket) -> None:
        self._arriving = arriving
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        self._sock.settimeout(_left())
        return self._arriving.readinto(buffer)

    def close(self) -> None:
        self._arriving.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Arriving(self.fp.detach(), sock))


class _Connection(HTTPConnection):
    response_class = _Response

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        # For the TLS handshake, which follows on the same socket.
        sock.settimeout(min(sock.gettimeout() or math.inf, _left()))
        return sock

    def send(self, data: Any) -> None:
        # A connection that is used again still has the timeout of its last wait.
        if self.sock is not None:
            self.sock.settimeout(_left())
        try:
            super().send(data)
        except ssl.SSLEOFError:
            # Why the far end closed, an alert for example, still waits to be read; urllib3 goes
            # on to that where it sees a broken pipe, as it would without TLS.
            raise BrokenPipeError from None


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class DeadlineAdapter(HTTPAdapter):
    """Carries the requests of a session; they are sent inside `within`."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
