"""Durable intents: written before the effect, open until settled, whatever happens between."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from kiosk.intents import (
    MAXIMUM_PAYLOAD,
    IntentConflict,
    IntentKind,
    IntentOutcome,
    Intents,
    IntentUnknown,
    new_key,
)
from offline_queue.database import DatabaseDamaged

TERMINAL = "T429900-0003"


class Standing:
    def __init__(self, now: float = 1_795_000_000.0) -> None:
        self.now = now

    def time(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "intents.sqlite"


@pytest.fixture
def intents(path: Path) -> Iterator[Intents]:
    opened = Intents(path, Standing())
    yield opened
    opened.close()


def test_open_is_committed_before_it_returns(intents: Intents, path: Path) -> None:
    intents.open(IntentKind.SUBMISSION, "k-1", b"{}")
    elsewhere = sqlite3.connect(path)
    assert elsewhere.execute("SELECT key, kind, outcome FROM intent").fetchall() == [
        ("k-1", "submission", None)
    ]
    elsewhere.close()


def test_unsettled_are_the_open_ones_in_order(intents: Intents) -> None:
    for n in range(4):
        intents.open(IntentKind.PRINT, f"k-{n}", b"%d" % n)
    intents.settle("k-1", IntentOutcome.DONE)
    intents.settle("k-2", IntentOutcome.UNKNOWN)
    waiting = intents.unsettled()
    assert [(i.key, i.payload, i.kind, i.outcome) for i in waiting] == [
        ("k-0", b"0", IntentKind.PRINT, None),
        ("k-3", b"3", IntentKind.PRINT, None),
    ]
    assert waiting[0].opened == 1_795_000_000_000
    found = intents.find("k-2")
    assert found is not None and found.outcome is IntentOutcome.UNKNOWN
    assert intents.find("k-9") is None


def test_the_same_again_changes_nothing(intents: Intents) -> None:
    for _ in range(2):
        intents.open(IntentKind.SUBMISSION, "k", b"a")
        intents.settle("k", IntentOutcome.DONE)
    assert intents.unsettled() == ()


def test_a_key_stands_for_one_thing(intents: Intents) -> None:
    intents.open(IntentKind.SUBMISSION, "k", b"a")
    with pytest.raises(IntentConflict):
        intents.open(IntentKind.SUBMISSION, "k", b"b")
    with pytest.raises(IntentConflict):
        intents.open(IntentKind.PRINT, "k", b"a")


def test_a_known_outcome_stays(intents: Intents) -> None:
    intents.open(IntentKind.SUBMISSION, "k", b"a")
    intents.settle("k", IntentOutcome.UNKNOWN)
    intents.settle("k", IntentOutcome.DONE)
    for other in (IntentOutcome.FAILED, IntentOutcome.UNKNOWN):
        with pytest.raises(IntentConflict):
            intents.settle("k", other)
    with pytest.raises(IntentUnknown):
        intents.settle("none", IntentOutcome.DONE)


@pytest.mark.parametrize("key", ["", "x" * 65, "a b", "键", "a\n"])
def test_a_key_must_fit_the_wire(intents: Intents, key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        intents.open(IntentKind.PRINT, key, b"")


def test_a_payload_holds_no_person(intents: Intents) -> None:
    for payload in (b'{"n":"429900196001010018"}', b"x" * (MAXIMUM_PAYLOAD + 1)):
        with pytest.raises(ValueError, match="payload") as caught:
            intents.open(IntentKind.PRINT, "k", payload)
        assert "429900" not in str(caught.value)
    intents.open(IntentKind.PRINT, "k", b'{"subject": "%s"}' % (b"1234567890" * 6 + b"abcd"))


def test_a_damaged_table_is_not_begun_anew(path: Path) -> None:
    Intents(path, Standing()).close()
    path.write_bytes(b"")
    with pytest.raises(DatabaseDamaged):
        Intents(path, Standing())


def test_keys_are_uuids_of_version_7_in_order_of_time() -> None:
    source = random.Random(7)
    clock = Standing()
    keys = []
    for _ in range(50):
        keys.append(new_key(TERMINAL, clock, source.randbytes))
        clock.now += 0.002
    assert sorted(keys) == keys
    assert len(set(keys)) == 50
    for key in keys:
        assert len(key) == 49
        number = uuid.UUID(key.removeprefix(f"{TERMINAL}-"))
        assert (number.version, number.variant) == (7, uuid.RFC_4122)
    assert uuid.UUID(keys[0][13:]).int >> 80 == 1_795_000_000_000
    with pytest.raises(ValueError, match="terminal id"):
        new_key("K-1", clock)


def test_keys_of_one_millisecond_differ() -> None:
    assert len({new_key(TERMINAL, Standing()) for _ in range(1000)}) == 1000


SUBMITTER = """
import os, signal, sys, time
from pathlib import Path
from kiosk.intents import IntentKind, IntentOutcome, Intents
intents = Intents(Path(sys.argv[1]), time)
where = sys.argv[2]
intents.open(IntentKind.SUBMISSION, where, b"{}")
if where == "before-effect":
    os.kill(os.getpid(), signal.SIGKILL)
Path(sys.argv[3]).write_text("done")
if where == "after-effect":
    os.kill(os.getpid(), signal.SIGKILL)
intents.settle(where, IntentOutcome.DONE)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(
    ("where", "effect", "is_open"),
    [("before-effect", False, True), ("after-effect", True, True), ("after-settle", True, False)],
)
def test_kill_between_open_and_settle(
    path: Path, tmp_path: Path, where: str, effect: bool, is_open: bool
) -> None:
    mark = tmp_path / "effect"
    child = subprocess.run([sys.executable, "-c", SUBMITTER, path, where, mark], check=False)
    assert child.returncode == -signal.SIGKILL
    assert mark.exists() == effect
    intents = Intents(path, Standing())
    assert [intent.key for intent in intents.unsettled()] == ([where] if is_open else [])
    intents.close()
    assert path.stat().st_mode & 0o777 == 0o600
