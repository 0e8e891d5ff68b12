"""One connection of a terminal, carried to the platform byte by byte, with what goes wrong."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from hw_sim.line.faults import Fault, Kind

_CHUNK = 65_536
_DRIP_SECONDS = 0.02
"""Between two pieces of a dripping way, while a piece has more than one byte."""
_QUIET_SECONDS = 0.05
"""An answer is over when nothing more of it came for so long, or when the terminal speaks."""
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that makes close(2) send RST (socket(7))."""

Sleep = Callable[[float], Awaitable[None]]
Address = tuple[socket.AddressFamily, Any]
"""Family and address, as getaddrinfo(3) gives them."""


class _Cut(Exception):
    """A fault ends the connection."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__()
        self.reset = reset


@dataclass
class Traffic:
    """What the line has carried and done so far.

    Attributes:
        request_bytes, answer_bytes: that arrived at their far ends.
        faults: how often each kind happened; less than it was scheduled where a cut lay behind
            the last byte.
    """

    connections: int = 0
    exchanges: int = 0
    request_bytes: int = 0
    answer_bytes: int = 0
    # All kinds from the start, so that another thread may copy it while it counts.
    faults: Counter[Kind] = field(default_factory=lambda: Counter(dict.fromkeys(Kind, 0)))


@dataclass
class _Way:
    """One direction of the connection; `passed` counts the bytes of this exchange."""

    sink: socket.socket
    cut: Kind
    fin: Kind
    open: bool = True
    passed: int = 0

    def finish(self) -> None:
        """FIN."""
        if self.open:
            self.open = False
            self.sink.shutdown(socket.SHUT_WR)


class Connection:
    """Carries one connection.

    Args:
        terminal: accepted, not blocking; `close` closes it.
        platform: where the other side is.
        begin: called at the start of an exchange; says what goes wrong with it.
    """

    def __init__(
        self,
        terminal: socket.socket,
        platform: Address,
        begin: Callable[[], dict[Kind, Fault]],
        traffic: Traffic,
        random: Random,
        sleep: Sleep,
    ) -> None:
        self._address = platform
        self._begin_exchange = begin
        self._traffic = traffic
        self._random = random
        self._sleep = sleep
        self._terminal = terminal
        self._platform = _open(platform)
        self._up = _Way(self._platform, Kind.CUT_REQUEST, Kind.FIN_REQUEST)
        self._down = _Way(terminal, Kind.CUT_ANSWER, Kind.FIN_ANSWER)
        self._faults: dict[Kind, Fault] = {}
        self._terminal_may_begin = True
        self._swallowing = False
        self._reset = True
        self._kept_request = bytearray()
        self._kept_answer = bytearray()
        self._repeating: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Until both sides have ended, or a fault ends it."""
        self._loop = asyncio.get_running_loop()
        try:
            await self._loop.sock_connect(self._platform, self._address[1])
            async with asyncio.TaskGroup() as self._group:
                self._group.create_task(self._carry_requests())
                self._group.create_task(self._carry_answers())
            self._reset = False
        except* _Cut as cuts:
            self._reset = any(cut.reset for cut in cuts.exceptions if isinstance(cut, _Cut))
        except* OSError:
            # One side is gone; `close` tells the other by a reset.
            pass

    def close(self) -> None:
        """Once `run` has ended, or was never begun: by RST, unless both sides had ended."""
        for end in (self._terminal, self._platform):
            if self._reset:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.close()

    async def _carry_requests(self) -> None:
        while data := await self._loop.sock_recv(self._terminal, _CHUNK):
            if self._terminal_may_begin:
                await self._begin()
            if self._swallowing:
                continue
            if Kind.DUPLICATE_REQUEST in self._faults:
                await self._keep(data)
            else:
                await self._pass(self._up, data)
        if self._repeating is not None:
            await self._repeating
        self._up.finish()

    async def _begin(self) -> None:
        await self._say_again(Kind.DUPLICATE_ANSWER, Kind.STALE_ANSWER)
        self._faults = self._begin_exchange()
        self._terminal_may_begin = False
        self._up.passed = self._down.passed = 0
        self._kept_answer.clear()
        if Kind.REFUSE in self._faults or self._happens(Kind.RESET):
            raise _Cut(reset=True)
        if self._happens(Kind.BLACK_HOLE):
            self._swallowing = True
        late = self._faults.get(Kind.LATENCY)
        if late is not None:
            self._happens(Kind.LATENCY)
            by_chance = self._random.uniform(-late.spread, late.spread)
            await self._sleep(max(0.0, late.amount + by_chance) / 1000)
        self._happens(Kind.DRIP)

    def _happens(self, kind: Kind) -> bool:
        if kind not in self._faults:
            return False
        self._traffic.faults[kind] += 1
        return True

    async def _keep(self, data: bytes) -> None:
        if self._repeating is None or self._repeating.done():
            self._happens(Kind.DUPLICATE_REQUEST)
            self._other = _open(self._address)
            self._repeating = self._group.create_task(self._repeat(self._other))
            await self._loop.sock_connect(self._other, self._address[1])
        self._kept_request += data
        await self._loop.sock_sendall(self._other, data)

    async def _repeat(self, other: socket.socket) -> None:
        """When the request is answered there, send it by our own connection."""
        with other:
            await self._loop.sock_recv(other, _CHUNK)
            while self._kept_request:
                request, self._kept_request = bytes(self._kept_request), bytearray()
                await self._pass(self._up, request)
            del self._faults[Kind.DUPLICATE_REQUEST]

    async def _carry_answers(self) -> None:
        while data := await self._hear():
            self._terminal_may_begin = True
            if self._happens(Kind.RESET_AFTER_COMMIT):
                raise _Cut(reset=True)
            if self._faults.keys() & {Kind.DUPLICATE_ANSWER, Kind.STALE_ANSWER}:
                self._kept_answer += data
            await self._pass(self._down, data)
        await self._say_again(Kind.DUPLICATE_ANSWER)
        self._down.finish()

    async def _hear(self) -> bytes:
        hearing = self._group.create_task(self._loop.sock_recv(self._platform, _CHUNK))
        if self._kept_answer and Kind.DUPLICATE_ANSWER in self._faults:
            # A time limit on the task itself would lose bytes that come at the last moment.
            await asyncio.wait({hearing}, timeout=_QUIET_SECONDS)
            if not hearing.done():
                await self._say_again(Kind.DUPLICATE_ANSWER)
        return await hearing

    async def _say_again(self, *kinds: Kind) -> None:
        """Once more what was kept of the last answer, if one of these faults is to do that."""
        for kind in kinds:
            if self._kept_answer and self._happens(kind):
                answer = bytes(self._kept_answer)
                self._kept_answer.clear()
                del self._faults[kind]
                await self._send(self._down, answer)

    async def _pass(self, way: _Way, data: bytes) -> None:
        """Send on, as far as neither a cut nor a half close lies before the end of `data`."""
        ends = [fault for kind in (way.cut, way.fin) if (fault := self._faults.get(kind))]
        for fault in sorted(ends, key=lambda fault: fault.amount):
            if not way.open or fault.amount > way.passed + len(data):
                break
            await self._send(way, data[: max(0, fault.amount - way.passed)])
            self._happens(fault.kind)
            if fault.kind is way.cut:
                raise _Cut(reset=False)
            way.finish()
        await self._send(way, data)

    async def _send(self, way: _Way, data: bytes) -> None:
        if not way.open:
            return
        drip = self._faults.get(Kind.DRIP)
        piece = len(data) if drip is None else max(1, int(drip.amount * _DRIP_SECONDS))
        for start in range(0, len(data), piece or 1):
            if drip is not None:
                await self._sleep(piece / drip.amount)
            part = data[start : start + piece]
            await self._loop.sock_sendall(way.sink, part)
            way.passed += len(part)
            if way is self._up:
                self._traffic.request_bytes += len(part)
            else:
                self._traffic.answer_bytes += len(part)


def _open(address: Address) -> socket.socket:
    made = socket.socket(address[0], socket.SOCK_STREAM)
    made.setblocking(False)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made
