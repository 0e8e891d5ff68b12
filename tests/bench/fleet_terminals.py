"""Many simulated terminals in one process, each with a key, a connection and an audit log of its
own, sending signed events to a platform as the terminal's client does.

Requests are signed ahead by the terminal's own code and the platform's signatures are checked
afterwards, so that during the measurement this process does little besides sending.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import assert_never

import aiohttp
import requests

from apdu.crypto import sm2
from kiosk.platform.errors import PlatformUntrusted
from kiosk.platform.signing import AnswerVerifier, ReceivedAnswer, RequestSigner, quoted_key
from tests.bench.fleet_events import events

EVENTS_A_BATCH = 20
_PATIENCE = 180.0
_TICK = 1 / 100
"""A second of the kernel's accounts (``getconf CLK_TCK`` is 100 on Linux)."""
_TRIES = 5


class Ask(Enum):
    """What terminals send: events one by one or in batches, or the least that they could ask."""

    EVENT = "POST /v1/events"
    BATCH = "POST /v1/event-batches"
    STATUS = "GET /v1/status"

    @property
    def path(self) -> str:
        return self.value.split()[1]


@dataclass(frozen=True)
class Plan:
    """One run.

    Attributes:
        terminals: private keys by terminal id.
        interval: seconds between two of a terminal's events, on average; 0: the next one as soon
            as the last one is answered.
        warm_up, seconds: before and while it is measured.
        at_once: terminals that wait for an answer at the same time; the others wait their turn.
        repeated: share of the requests that are sent again although their answer is there.
        ahead: requests signed ahead, of all terminals together; more are signed on the way.
        processes: by name those whose CPU time is measured, with their children.
    """

    url: str
    platform_key: sm2.PublicKey
    terminals: Mapping[str, sm2.PrivateKey] = field(repr=False)
    interval: float
    warm_up: float
    seconds: float
    at_once: int
    repeated: float = 0.02
    ask: Ask = Ask.EVENT
    ahead: int = 0
    processes: Mapping[str, int] = field(default_factory=dict)


@dataclass
class Outcome:
    """What a run has brought.

    Attributes:
        answered: events (or questions for the status) in the measured time, without repetitions.
        latencies: of their requests, seconds from sending to the last byte of the answer, sorted.
        begun: events of the whole run that were sent at least once.
        sent: requests of the whole run, repetitions too.
        repeated: of these, sent again on purpose.
        cut: requests whose connection broke before the answer came.
        failed: anything that isn't the answer wished for, by what came instead.
        numbers: idempotency key to the event's number, of all events ever answered.
        cpu: cores used by each process, this one as ``terminals``.
    """

    seconds: float
    answered: int = 0
    latencies: list[float] = field(default_factory=list)
    begun: int = 0
    sent: int = 0
    repeated: int = 0
    cut: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    numbers: dict[str, str] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.answered / self.seconds

    def percentile(self, share: float) -> float:
        """Milliseconds; `share` from 0 to 1."""
        last = len(self.latencies) - 1
        return self.latencies[min(last, int(share * len(self.latencies)))] * 1000


@dataclass(frozen=True)
class _Parcel:
    """What one request carries: a key and a body of its own, and which events are in it."""

    key: str
    body: bytes
    events: tuple[str, ...]


@dataclass(frozen=True)
class _Request:
    parcel: _Parcel
    headers: Mapping[str, str]


class _Terminal:
    def __init__(self, plan: Plan, terminal_id: str, key: sm2.PrivateKey) -> None:
        self.method = plan.ask.value.split()[0]
        self.url = plan.url + plan.ask.path
        self._signer = RequestSigner(terminal_id, key)
        self._parcels = _parcels(terminal_id, plan.ask)
        self._signed: deque[_Request] = deque()
        self._nonces = itertools.count(1)

    def sign_ahead(self) -> None:
        self._signed.append(self.signed(next(self._parcels)))

    def next(self) -> _Request:
        return self._signed.popleft() if self._signed else self.signed(next(self._parcels))

    def signed(self, parcel: _Parcel) -> _Request:
        headers = {"Idempotency-Key": quoted_key(parcel.key)}
        if parcel.body:
            headers["Content-Type"] = "application/json"
        prepared = requests.PreparedRequest()
        prepared.prepare(self.method, self.url, headers, data=parcel.body)
        nonce = f"{parcel.key}-{next(self._nonces)}"
        self._signer.sign(prepared, parcel.body, created=time.time(), nonce=nonce)
        return _Request(parcel, dict(prepared.headers))


def _parcels(terminal_id: str, ask: Ask) -> Iterator[_Parcel]:
    waiting = events(terminal_id)
    for number in itertools.count(1):
        match ask:
            case Ask.EVENT:
                event = next(waiting)
                yield _Parcel(event.key, event.body, (event.key,))
            case Ask.BATCH:
                batch = list(itertools.islice(waiting, EVENTS_A_BATCH))
                entries = [{"key": event.key, "event": event.body.decode()} for event in batch]
                body = json.dumps({"events": entries}).encode()
                keys = tuple(event.key for event in batch)
                yield _Parcel(f"{terminal_id}-b-{number}", body, keys)
            case Ask.STATUS:
                yield _Parcel(f"{terminal_id}-s-{number}", b"", ())
            case _:
                assert_never(ask)


@dataclass
class _Fleet:
    plan: Plan
    outcome: Outcome
    turns: asyncio.Semaphore
    measured: tuple[float, float] = (0.0, 0.0)
    samples: list[tuple[ReceivedAnswer, str]] = field(default_factory=list)

    async def live(self, terminal: _Terminal, number: int, until: float) -> None:
        """One terminal from its first event to the answer of its last one."""
        loop, chance = asyncio.get_running_loop(), random.Random(number)
        # Anywhere in its interval, so that together they are even from the first second on.
        due = loop.time() + chance.random() * self.plan.interval
        async with _session() as session:
            while True:
                await asyncio.sleep(due - loop.time())
                async with self.turns:
                    if loop.time() >= until:
                        return
                    due = loop.time() + self.plan.interval * (0.5 + chance.random())
                    request = terminal.next()
                    self.outcome.begun += len(request.parcel.events)
                    await self._deliver(session, terminal, request)
                    if request.parcel.events and chance.random() < self.plan.repeated:
                        self.outcome.repeated += 1
                        again = terminal.signed(request.parcel)
                        await self._deliver(session, terminal, again, repeated=True)

    async def _deliver(
        self, session: aiohttp.ClientSession, terminal: _Terminal, request: _Request, *,
        repeated: bool = False,
    ) -> None:  # fmt: skip
        loop = asyncio.get_running_loop()
        for _ in range(_TRIES):
            begun = loop.time()
            self.outcome.sent += 1
            try:
                answer = await _exchange(session, terminal, request)
            except aiohttp.ServerDisconnectedError:
                # Done or not done, nobody knows: the same key again, as the terminal does.
                self.outcome.cut += 1
                request = terminal.signed(request.parcel)
                continue
            except (aiohttp.ClientError, TimeoutError) as error:
                self.outcome.failed[type(error).__name__] += 1
                return
            self._keep(request.parcel, answer, begun, loop.time(), repeated=repeated)
            return
        self.outcome.failed["given up"] += 1

    def _keep(
        self, parcel: _Parcel, answer: ReceivedAnswer, begun: float, ended: float, *,
        repeated: bool,
    ) -> None:  # fmt: skip
        numbers = _numbers(parcel, answer, self.plan.ask)
        for key in parcel.events:
            number = numbers.get(key)
            if number is None:
                self.outcome.failed[f"{answer.status_code}, an event without its number"] += 1
            elif self.outcome.numbers.setdefault(key, number) != number:
                self.outcome.failed["another answer to a repetition"] += 1
        if answer.status_code >= 300:
            self.outcome.failed[str(answer.status_code)] += 1
            return
        start, end = self.measured
        if start <= ended < end and not repeated:
            self.outcome.answered += len(parcel.events) or 1
            self.outcome.latencies.append(ended - begun)
        self.samples.append((answer, parcel.key))

    async def run(self, terminals: Sequence[_Terminal]) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time() + self.plan.warm_up
        self.measured = (start, start + self.plan.seconds)
        lives = [
            asyncio.create_task(self.live(terminal, number, self.measured[1]))
            for number, terminal in enumerate(terminals)
        ]
        before = await _at(self.measured[0], self.plan.processes)
        after = await _at(self.measured[1], self.plan.processes)
        await asyncio.gather(*lives)
        for name, used in after.items():
            self.outcome.cpu[name] = (used - before[name]) / self.plan.seconds


async def _exchange(
    session: aiohttp.ClientSession, terminal: _Terminal, request: _Request
) -> ReceivedAnswer:
    body = request.parcel.body or None
    async with session.request(
        terminal.method, terminal.url, data=body, headers=request.headers
    ) as response:
        return ReceivedAnswer(response.status, response.headers, await response.read())


def _numbers(parcel: _Parcel, answer: ReceivedAnswer, ask: Ask) -> Mapping[str, str]:
    """Numbers of the events that this answer says are taken in."""
    document = json.loads(answer.body)
    match ask, answer.status_code:
        case Ask.EVENT, 201:
            return {parcel.key: document["event_no"]}
        case Ask.BATCH, 200:
            return {
                result["key"]: result["response"]["event_no"]
                for result in document["results"]
                if result["status"] == 201
            }
        case _:
            return {}


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=1, keepalive_timeout=70),
        timeout=aiohttp.ClientTimeout(total=_PATIENCE),
        cookie_jar=aiohttp.DummyCookieJar(),
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
        auto_decompress=False,
    )


async def _at(moment: float, processes: Mapping[str, int]) -> dict[str, float]:
    """Seconds of CPU that each has used until then."""
    await asyncio.sleep(moment - asyncio.get_running_loop().time())
    used = {name: cpu_seconds(process) for name, process in processes.items()}
    return used | {"terminals": time.process_time()}


def cpu_seconds(process: int) -> float:
    """CPU time of a process and its children, in seconds; those that ended count with it."""
    folder = Path("/proc") / str(process)
    try:
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        children = (folder / f"task/{process}/children").read_text().split()
    except FileNotFoundError:
        return 0.0
    # utime, stime, cutime and cstime of proc(5), counted from the field behind the name.
    own = sum(map(int, fields[11:15])) * _TICK
    return own + sum(cpu_seconds(int(child)) for child in children)


def drive(plan: Plan) -> Outcome:
    """Run a plan; to be called in a process of its own."""
    terminals = [_Terminal(plan, name, key) for name, key in plan.terminals.items()]
    for _ in range(plan.ahead // len(terminals)):
        for terminal in terminals:
            terminal.sign_ahead()
    outcome = Outcome(plan.seconds)
    fleet = _Fleet(plan, outcome, asyncio.Semaphore(plan.at_once))
    asyncio.run(fleet.run(terminals))
    outcome.latencies.sort()
    _check_signatures(fleet, outcome)
    return outcome


def _check_signatures(fleet: _Fleet, outcome: Outcome) -> None:
    """One answer of ten: all of them take longer than the run."""
    verifier = AnswerVerifier(fleet.plan.platform_key)
    for answer, key in fleet.samples[::10]:
        try:
            verifier.verify(answer, quoted_key(key))
        except PlatformUntrusted as error:
            outcome.failed[str(error)] += 1
