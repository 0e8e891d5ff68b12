"""Our queue beside those of PyPI: one figure for each peer, whatever it promises by itself made
equal by ``synchronous = FULL``. What else they promise is compared in docs/queue.md."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench.figure import Figure, paired
from tests.peers.queue_adapters import Adapter, Candidate, Connections

ROUNDS = 300
"""Also the number of items that lie in each queue at most: a peer's cost grows with them."""

BODY = b"0123456789abcdef" * 64

_FULL = 2

PEERS = {
    Candidate.LITEQUEUE: "FULL",
    Candidate.PERSIST_QUEUE: "FULL",
    # Ours and the others commit twice.
    Candidate.HUEY: "FULL; taking is all, there is no acknowledgement",
}


def figures() -> Iterator[Figure]:
    """Measures on a disk: /tmp is often none."""
    for peer, note in PEERS.items():
        with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="yikatong-bench-") as name:
            ours, theirs = (_open(one, Path(name) / one.value) for one in (Candidate.OURS, peer))
            pairs = paired(_put(ours), _put(theirs), ROUNDS)
            yield Figure.of_pairs("queue.peers_put", pairs, "ms", f"{peer.label}, FULL")
            pairs = paired(_take_done(ours), _take_done(theirs), ROUNDS)
            yield Figure.of_pairs("queue.peers_take_done", pairs, "ms", f"{peer.label}, {note}")
            ours.close()
            theirs.close()


def _open(candidate: Candidate, folder: Path) -> Adapter:
    folder.mkdir()
    connections = Connections()
    with connections.watching():
        queue = candidate.open(folder)
        # Some connections open with their first use.
        queue.put_done(BODY)
    connections.synchronise("FULL")
    settings = connections.settings()
    assert (settings.journal_mode, settings.synchronous) == ("wal", _FULL)
    return queue


def _put(queue: Adapter) -> Callable[[], None]:
    return lambda: queue.put(BODY)


def _take_done(queue: Adapter) -> Callable[[], None]:
    def take_done() -> None:
        held = queue.take()
        assert held is not None, "the benchmark's queue ran dry"
        queue.done(held)

    return take_done
