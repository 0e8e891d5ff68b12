"""The line to the platform: a proxy on the loopback interface that can do it every wrong.

A wrong clock is no fault of the line; `hw_sim.platform.faults` has it.
"""

from __future__ import annotations

import asyncio
import copy
import socket
import threading
from concurrent.futures import Future
from functools import partial
from random import Random
from urllib.parse import urlsplit

from hw_sim.line.connection import Address, Connection, Sleep, Traffic
from hw_sim.line.faults import Fault, Kind, LinePlan

_HOST = "127.0.0.1"
_PORTS = {"http": 80, "https": 443}


class FaultyLine:
    """Terminals reach the platform at ``url``, and what the schedule says happens to them.

    Args:
        upstream: the platform's URL, for example ``http://127.0.0.1:8000``.
        port: 0 takes a free one; it stays the same while the object lives.
        faults: a first schedule (see ``faults``).
        seed: of what happens by chance.
        sleep: lets latency and drip take their seconds.

    Raises:
        LineFaultError: the schedule is none.
    """

    def __init__(
        self,
        upstream: str,
        port: int = 0,
        *,
        faults: str = "",
        seed: int = 0,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        parts = urlsplit(upstream)
        self._scheme = parts.scheme
        self._upstream = _resolved(parts.hostname or _HOST, parts.port or _PORTS[parts.scheme])
        self._plan = LinePlan(faults)
        self._random = Random(seed)
        self._sleep = sleep
        self._traffic = Traffic()
        # Bound for life and never listening: nobody else gets the port while the line is down.
        self._place = _bound(port)
        self.port: int = self._place.getsockname()[1]
        self._cut = False
        self._listener: socket.socket | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """``scheme://127.0.0.1:port``, without a slash at the end."""
        return f"{self._scheme}://{_HOST}:{self.port}"

    @property
    def is_down(self) -> bool:
        """Whether connections are refused."""
        return self._listener is None

    @property
    def traffic(self) -> Traffic:
        """What it carried and did so far."""
        return copy.deepcopy(self._traffic)

    @property
    def faults_pending(self) -> int:
        """How many rules of the schedule still have something to do."""
        return self._plan.pending

    def start(self) -> FaultyLine:
        """Carry; returns when connections are accepted, or refused if the schedule says so."""
        if self._thread is None:
            ready: Future[None] = Future()
            thread = threading.Thread(
                target=asyncio.run, args=(self._serve(ready),), name="line", daemon=True
            )
            thread.start()
            ready.result()
            self._thread = thread
        return self

    def stop(self) -> None:
        """End it; whoever is connected is reset."""
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join()
            self._thread = None
        self._place.close()

    def __enter__(self) -> FaultyLine:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def add(self, script: str) -> None:
        """Add rules to the schedule; in force when this returns.

        Raises:
            LineFaultError: nothing of the script was added.
        """
        self._plan.add(script)
        self._apply()

    def clear(self) -> None:
        """Lift all rules. What is under way ends as it began."""
        self._plan.clear()
        self._apply()

    def set_down(self, down: bool) -> None:
        """Cut the line (connections refused, open ones reset) or restore it on the same port,
        besides what the rules do.

        What the platform already works on is still committed.
        """
        self._cut = down
        self._apply()

    def _apply(self) -> None:
        if self._thread is not None:
            asyncio.run_coroutine_threadsafe(self._turn(), self._loop).result()

    # --- on the line's own thread ----------------------------------------------------------------

    async def _serve(self, ready: Future[None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        try:
            await self._turn()
        except OSError as error:
            ready.set_exception(error)
            return
        ready.set_result(None)
        await self._ended.wait()
        await self._hang_up()

    async def _turn(self) -> None:
        """Up or down, as the schedule and the lever say now."""
        if self._cut or self._plan.refuses:
            await self._hang_up()
        elif self._listener is None:
            self._listener = _bound(self.port)
            self._listener.listen()
            self._loop.add_reader(self._listener, self._accept, self._listener)

    async def _hang_up(self) -> None:
        if self._listener is not None:
            self._loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        for task in (tasks := set(self._connections)):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _accept(self, listener: socket.socket) -> None:
        try:
            terminal, _ = listener.accept()
        except OSError:
            # It was gone before we came to it.
            return
        terminal.setblocking(False)
        terminal.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._traffic.connections += 1
        connection = Connection(
            terminal, self._upstream, self._begin, self._traffic, self._random, self._sleep
        )
        task = self._loop.create_task(connection.run())
        self._connections.add(task)
        task.add_done_callback(partial(self._end, connection))

    def _end(self, connection: Connection, task: asyncio.Task[None]) -> None:
        self._connections.discard(task)
        connection.close()
        if not task.cancelled():
            # What it raises is a bug of ours; asyncio says so at once.
            task.result()

    def _begin(self) -> dict[Kind, Fault]:
        faults = self._plan.next()
        self._traffic.exchanges += 1
        if Kind.REFUSE in faults:
            self._traffic.faults[Kind.REFUSE] += 1
            self._going_down = self._loop.create_task(self._turn())
        return faults


def _resolved(host: str, port: int) -> Address:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    return family, address


def _bound(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind((_HOST, port))
    return made
