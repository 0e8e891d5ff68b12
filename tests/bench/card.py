"""A whole v3 card read through pcscd, against bare pyscard sending the very same bytes."""

from __future__ import annotations

import contextlib
import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ykman.pcsc import ScardSmartCardConnection
from yubikit.core.smartcard import SmartCardProtocol

from apdu.channel import Channel
from apdu.commands import get_challenge
from apdu.custodian import FirstThatCan
from apdu.psam import PsamCustodian
from apdu.reading import read_card
from drivers.card_service import CardConnection
from drivers.pcsc.scard import system_scard
from drivers.pcsc.service import PcscService
from hw_sim.pcscd import CONTACT_READER, PSAM_READER, PcscdWorld, world_for_this_process
from tests.bench.figure import Figure, Pairs, often, paired

ROUNDS = 300
EXCHANGES = 1000
BATCH = 200
_ANSWER = [0] * 8 + [0x90, 0x00]
PUBLIC_READER_APDUS = 22
"""What public readers of these cards send for the same read (domain facts §3, §4.4): 3F00, SSSE,
EF05 and its 7 items, INTERNAL AUTHENTICATE, two GET CHALLENGE, EXTERNAL AUTHENTICATE, EF06 and its
7 items."""


class _Recorder:
    """Passes everything on and keeps what went to the card."""

    def __init__(self, connection: CardConnection, sent: list[tuple[str, bytes]], to: str) -> None:
        self._connection = connection
        self._sent = sent
        self._to = to

    @property
    def atr(self) -> bytes:
        return self._connection.atr

    def transmit(self, command: bytes | bytearray) -> bytes:
        self._sent.append((self._to, bytes(command)))
        return self._connection.transmit(command)

    def reset(self) -> bytes:
        return self._connection.reset()

    def close(self) -> None:
        self._connection.close()


class _Fixed:
    """The same "random" bytes for every read, so that recorded cryptograms fit again."""

    def __init__(self) -> None:
        self._next = 0

    def __call__(self, count: int) -> bytes:
        self._next += 1
        return bytes((self._next,)) * count


def figures() -> Iterator[Figure]:
    """Measures; needs pcscd and the virtual reader."""
    with world_for_this_process() as world:
        world.slots.insert("v3", challenge_seed=1)
        while not all(slot["noticed"] for slot in world.slots.status()["slots"].values()):
            time.sleep(0.01)
        service = PcscService()
        psam = service.connect(PSAM_READER)
        try:
            with _cards_apart(world):
                yield from _measure(service, psam)
        finally:
            psam.close()


@contextlib.contextmanager
def _cards_apart(world: PcscdWorld) -> Iterator[None]:
    """Terminal and pcscd share a processor, the simulated cards have another one.

    Real cards bring their own. On ours they are a second interpreter, which empties the caches of
    the first one in every command; and where the kernel puts them, it leaves them: without this a
    run has one of two results, by chance (1.05 and 1.11 where the README was written).
    """
    processors = os.sched_getaffinity(0)
    terminal, *others = processors
    if others:
        _place(os.getpid(), {terminal})
        _place(world.pids["pcscd"], {terminal})
        _place(world.pids["slots"], set(others))
    try:
        yield
    finally:
        _place(os.getpid(), processors)


def _place(process: int, processors: set[int]) -> None:
    """Its threads, of which new ones inherit their place."""
    for thread in Path(f"/proc/{process}/task").iterdir():
        os.sched_setaffinity(int(thread.name), processors)


def _measure(service: PcscService, psam: CardConnection) -> Iterator[Figure]:
    from smartcard.System import readers

    sent: list[tuple[str, bytes]] = []
    recording = PsamCustodian(_Recorder(psam, sent, "psam"))
    # The second read is the typical one: the PSAM's application stays selected.
    for _ in range(2):
        sent.clear()
        _record(service, recording, sent)
    custodian = PsamCustodian(psam)
    apdus: list[int] = []

    def ours() -> None:
        connection = service.connect(CONTACT_READER)
        with connection.transaction():
            reading = read_card(connection, FirstThatCan((custodian,)), random=_Fixed())
        connection.close()
        if reading.holder is None or not reading.genuine:
            raise AssertionError("the benchmark's card was not read in full")
        apdus.append(reading.apdus)

    found = {str(reader): reader for reader in readers()}
    bare_psam = found[PSAM_READER].createConnection()
    bare_psam.connect()

    def bare() -> None:
        card = found[CONTACT_READER].createConnection()
        card.connect()
        card.getATR()  # whoever reads the card needs it: it leads to the card's keys
        for to, command in sent:
            _data, sw1, _sw2 = (card if to == "card" else bare_psam).transmit(list(command))
            if sw1 not in (0x90, 0x61):
                raise AssertionError(f"the replayed read was refused: {sw1:02X}")
        card.disconnect()

    pairs = paired(ours, bare, ROUNDS)
    bare_psam.disconnect()
    yield Figure.of_pairs("card.read", pairs, "ms", "bare pyscard, same ATR and APDUs")
    yield Figure.of(
        "card.apdus", statistics.median(apdus), "count", PUBLIC_READER_APDUS, "public readers"
    )
    yield from _exchanges(service)


def _record(service: PcscService, custodian: PsamCustodian, sent: list[tuple[str, bytes]]) -> None:
    """One read, command by command in order, whichever card it goes to."""
    connection = service.connect(CONTACT_READER)
    recorder = _Recorder(connection, sent, "card")
    read_card(recorder, FirstThatCan((custodian,)), random=_Fixed())
    connection.close()


def _exchanges(service: PcscService) -> Iterator[Figure]:
    """One GET CHALLENGE over the whole chain, through our layers and pyscard's own."""
    from smartcard.System import readers

    connection = service.connect(CONTACT_READER)
    bare = next(reader for reader in readers() if str(reader) == CONTACT_READER).createConnection()
    bare.connect()
    channel = Channel(connection)
    command = get_challenge(8)
    raw = list(command.encode())

    # pcscd serves each connection by a thread of its own: it is awake at the second command.
    ours, peer = often(lambda: channel.send(command), 2), often(lambda: bare.transmit(raw), 2)
    pairs = paired(ours, peer, EXCHANGES)
    bare.disconnect()
    connection.close()
    one = Pairs(pairs.mine * 500, pairs.theirs * 500, pairs.ratio)
    yield Figure.of_pairs("card.apdu", one, "us", "bare pyscard")
    yield from _overhead()


def _overhead() -> Iterator[Figure]:
    """What each stack adds to one APDU, from the command to the call of SCardTransmit and back:
    that call alone is replaced, by one that answers at once."""
    from smartcard.pcsc import PCSCCardConnection
    from smartcard.System import readers

    connection = PcscService(_InstantScard()).connect(CONTACT_READER)
    bare = next(reader for reader in readers() if str(reader) == CONTACT_READER).createConnection()
    bare.connect()
    channel, yubikit = Channel(connection), SmartCardProtocol(ScardSmartCardConnection(bare))
    command = get_challenge(8)
    raw = command.encode()
    with patch.object(PCSCCardConnection, "SCardTransmit", _InstantScard().SCardTransmit):
        for figure, peer, way in (
            (
                "card.apdu_overhead",
                "yubikit",
                lambda: yubikit.send_apdu(0x00, 0x84, 0x00, 0x00, le=8),
            ),
            ("card.apdu_overhead_bare", "bare pyscard", lambda: bare.transmit(list(raw))),
        ):
            pairs = paired(often(lambda: channel.send(command), BATCH), often(way, BATCH), ROUNDS)
            each = Pairs(pairs.mine * 1000 / BATCH, pairs.theirs * 1000 / BATCH, pairs.ratio)
            yield Figure.of_pairs(figure, each, "us", peer)
    bare.disconnect()
    connection.close()


class _InstantScard:
    """PC/SC, but for what goes to the card: that is answered at once."""

    def __getattr__(self, name: str) -> Any:
        return getattr(system_scard(), name)

    def SCardTransmit(self, card: int, protocol: int, octets: list[int]) -> tuple[int, list[int]]:
        return 0, _ANSWER
