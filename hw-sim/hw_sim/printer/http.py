"""HTTP/1.1 as far as IPP needs it (RFC 8010 §4): POSTs with a body, whole or in chunks."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

MEDIA_TYPE = "application/ipp"
_LARGEST_BODY = 64 * 1024 * 1024
_LONGEST_LINE = 1024
_IDLE_SECONDS = 60.0


@dataclass(frozen=True)
class Post:
    """A request that came; ``body`` is empty where it could not be read."""

    path: str
    media_type: str
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What goes back.

    Attributes:
        sent: only so many bytes of the body are sent, then the connection is closed.
    """

    status: int
    body: bytes
    media_type: str = MEDIA_TYPE
    sent: int | None = None


class HttpServer:
    """Listens on the loopback and hands each POST on, every connection on its own thread.

    Args:
        port: 0 takes a free one.
        serve: returns the reply, or None to close the connection without one.
        page: what a GET shows.

    Raises:
        OSError: the port is taken.
    """

    def __init__(
        self, port: int, serve: Callable[[Post], Reply | None], page: Callable[[], str]
    ) -> None:
        self._connections: set[socket.socket] = set()
        self._server = _Server(("127.0.0.1", port), _handler(serve, page, self._connections))
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), name="printer-http", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Refuse new connections and cut those that are open."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 32

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is nothing to report."""


def _handler(
    serve: Callable[[Post], Reply | None],
    page: Callable[[], str],
    connections: set[socket.socket],
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = _IDLE_SECONDS

        def setup(self) -> None:
            super().setup()
            connections.add(self.connection)

        def finish(self) -> None:
            connections.discard(self.connection)
            with suppress(OSError):
                super().finish()

        def do_POST(self) -> None:
            body = self._body()
            if body is None:
                self._send(Reply(400, b"no readable body\n", "text/plain"))
                self.close_connection = True
                return
            media_type = self.headers.get_content_type()
            reply = serve(Post(self.path, media_type, body))
            if reply is None:
                self.close_connection = True
            else:
                self._send(reply)

        def do_GET(self) -> None:
            self._send(Reply(200, page().encode(), "text/plain; charset=utf-8"))

        def _body(self) -> bytes | None:
            if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
                return self._chunks()
            length = self.headers.get("Content-Length", "")
            if not length.isdecimal() or int(length) > _LARGEST_BODY:
                return None
            body = self.rfile.read(int(length))
            return body if len(body) == int(length) else None

        def _chunks(self) -> bytes | None:
            body = bytearray()
            while True:
                digits = self.rfile.readline(_LONGEST_LINE).split(b";")[0].strip()
                try:
                    size = int(digits, 16)
                except ValueError:
                    return None
                if size == 0:
                    break
                piece = self.rfile.read(size)
                if len(piece) != size or len(body) + size > _LARGEST_BODY:
                    return None
                body += piece
                self.rfile.readline(_LONGEST_LINE)
            while self.rfile.readline(_LONGEST_LINE).strip():
                pass  # trailers
            return bytes(body)

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.media_type)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body[: reply.sent])
            self.close_connection = self.close_connection or reply.sent is not None

        def log_message(self, *_args: Any) -> None:
            """What the printer does is seen in its status."""

    return Handler
