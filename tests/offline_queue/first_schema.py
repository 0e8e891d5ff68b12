"""Queue files as schema version 1 made them."""

from __future__ import annotations

from pathlib import Path

from offline_queue.database import open_durable
from offline_queue.schema import MIGRATIONS
from offline_queue.seal import seal
from offline_queue.sm4_gcm import sm4_gcm
from tests.offline_queue.queue_world import DEVICE_KEY, START

AT = int(START * 1000)


def data_of(*fields: object) -> bytes:
    """Associated data as version 1 had it: each field with its length before it, 4 bytes."""
    octets = [str(field).encode() for field in ("offline_queue row 1", *fields)]
    return b"".join(len(each).to_bytes(4, "big") + each for each in octets)


def sealed(body: bytes, *fields: object) -> bytes:
    return seal(sm4_gcm(DEVICE_KEY), data_of(*fields), body, bytes(12))


def old_file(path: Path) -> None:
    """Rows in every state that version 1 had."""
    file = open_durable(path / "queue.sqlite", migrations=MIGRATIONS[:1])
    file.execute(
        "INSERT INTO seal_key VALUES (1, ?)", (sealed(b"", 1, 0, "key-proof", "", "", 0, 0),)
    )
    file.execute("INSERT INTO mark VALUES ('audit', 17)")
    file.execute("UPDATE clock SET seen = ?", (AT + 5000,))
    states = (
        ("k-1", "", 20, "state = 'confirmed', settled = created, receipt = 'r-1'"),
        ("k-2", "", 20, "state = 'dead', settled = created, reason = 'refused'"),
        ("k-3", "one", 30, "state = 'ready'"),
        ("k-4", "one", 10, "state = 'behind'"),
        (
            "k-5",
            "",
            20,
            f"state = 'waiting', due = {AT + 60_000}, attempts = 3, reason = 'timeout'",
        ),
        ("k-6", "", 20, f"state = 'leased', due = {AT + 60_000}, owner = 'w', epoch = 2"),
    )
    for seq, (key, order, priority, change) in enumerate(states, 1):
        file.execute(
            "INSERT INTO message (seq, kind, key, ordering, priority, created, key_version, state)"
            " VALUES (?, 'rating', ?, ?, ?, ?, 1, 'ready')",
            (seq, key, order, priority, AT),
        )
        body = sealed(key.encode(), 1, seq, "rating", key, order, priority, AT)
        file.execute("INSERT INTO body VALUES (?, ?)", (seq, body))
        file.execute(f"UPDATE message SET {change} WHERE seq = ?", (seq,))
    file.close()
