"""The same trouble for every queue, each time with real processes.

``python -m tests.peers.queue_scenarios`` goes through all of it and prints the tables;
``--markdown`` writes them into docs/queue.md, between the markers there.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.peers.queue_adapters import Candidate
from tests.peers.queue_answers import (
    AfterCrash,
    Answers,
    DiskFull,
    FlippedBit,
    LateDone,
    OnDisk,
    WhileHeld,
    answer_table,
    between_markers,
    cost_table,
)
from tests.peers.queue_costs import Beside, Cost, cost
from tests.peers.queue_process import HOUR, REPOSITORY, QueueProcess, Refused

BODY = b"a parcel"

_DISK = "size=384m"
_STORED_BEFORE = 100


def after_crash(candidate: Candidate, folder: Path) -> AfterCrash:
    """A process takes the only item and is killed; others look for it, one after the other."""
    _stock(candidate, folder)
    with QueueProcess(candidate, folder) as worker:
        assert worker.take() == BODY
        worker.kill()
    how, other = _taken_over(candidate, folder)
    other.kill()
    return how


def while_held(candidate: Candidate, folder: Path) -> WhileHeld:
    """One process holds the only item; another is open beside it, and a third one opens then."""
    _stock(candidate, folder)
    with QueueProcess(candidate, folder) as first, QueueProcess(candidate, folder) as second:
        assert first.take() == BODY
        got = {second.take()}
        # Opening a file can change what is held.
        with QueueProcess(candidate, folder) as third:
            got.add(third.take())
    assert got <= {None, BODY}
    return WhileHeld.THE_SAME if BODY in got else WhileHeld.NOTHING


def late_done(candidate: Candidate, folder: Path) -> LateDone:
    """A worker pauses until another took its item over, and then says that it is finished."""
    _stock(candidate, folder)
    with QueueProcess(candidate, folder) as late:
        assert late.take() == BODY
        how, other = _taken_over(candidate, folder)
        with other:
            if how is AfterCrash.NEVER:
                return LateDone.NO_OTHER
            assert other.unfinished() == 1
            try:
                late.done()
            except Refused:
                assert other.unfinished() == 1
                other.done()
                return LateDone.REFUSED
            assert other.unfinished() == 0
            return LateDone.ACCEPTED


def on_disk(candidate: Candidate, folder: Path) -> OnDisk:
    """Asks the connection that has just stored an item."""
    with QueueProcess(candidate, folder) as process:
        process.put(BODY)
        settings = process.settings()
    return {
        ("wal", 2): OnDisk.AT_ONCE,
        ("wal", 1): OnDisk.AT_CHECKPOINT,
        ("wal", 0): OnDisk.LEFT_TO_SYSTEM,
    }[settings.journal_mode, settings.synchronous]


def disk_full(candidate: Candidate, disk: Path) -> DiskFull:
    """Another file takes all that is left of a `small_disk`, and goes away in the end.

    An item counts as lost when no process ever gets it, with everything asked for, an hour later.
    """
    filler = disk / "filler"
    folder = disk / "queue"
    folder.mkdir()
    stored: list[bytes] = []
    given: set[bytes] = set()

    def put(process: QueueProcess) -> None:
        body = b"%06d " % len(stored) * 600
        process.put(body)
        stored.append(body)

    with QueueProcess(candidate, folder) as process:
        for _ in range(_STORED_BEFORE):
            put(process)
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, _free(disk))
        with contextlib.suppress(Refused):
            # Some room is in the queue's own files.
            while True:
                put(process)
        settles = _drain(process, given)
        process.kill()
    filler.unlink()
    with QueueProcess(candidate, folder, seconds_ahead=HOUR) as process:
        process.ask()
        assert _drain(process, given)
    if given != set(stored):
        return DiskFull.LOSES
    return DiskFull.SETTLES if settles else DiskFull.WAITS


def flipped_bit(candidate: Candidate, folder: Path) -> FlippedBit:
    """Turns one bit in the middle of a long body, in the closed file."""
    body = b"the quick brown fox " * 3_000
    with QueueProcess(candidate, folder) as process:
        process.put(BODY)
        assert process.take() == BODY
        process.done()
        path = process.settings().path
    before = path.stat().st_size
    with QueueProcess(candidate, folder) as process:
        process.put(body)
    after = path.stat().st_size
    # The body fills nearly all of what was added; the middle of a page holds no page number.
    assert abs(after - before - len(body)) < len(body) // 4
    place = (before + after) // 2 // 4096 * 4096 + 2048
    untouched = folder.with_name(folder.name + "-untouched")
    shutil.copytree(folder, untouched)
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    assert _taken_once(candidate, untouched) == body
    found = _taken_once(candidate, folder)
    assert found != body
    return FlippedBit.NOTICED if found is None else FlippedBit.GIVEN


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A tmpfs; None where none can be mounted, as without being root.

    So large that a queue which keeps some room back stores anything at all.
    """
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", _DISK, "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode != 0:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def answers(candidate: Candidate, folder: Path, costs: dict[Beside, Cost]) -> Answers:
    """All of it, each scenario in a folder of its own."""

    def fresh(name: str) -> Path:
        own = folder / name
        own.mkdir()
        return own

    with small_disk(folder / "disk") as disk:
        full = None if disk is None else disk_full(candidate, disk)
    return Answers(
        after_crash(candidate, fresh("crash")),
        while_held(candidate, fresh("held")),
        late_done(candidate, fresh("late")),
        on_disk(candidate, fresh("settings")),
        full,
        flipped_bit(candidate, fresh("bit")),
        costs[Beside.PENDING].growth,
        costs[Beside.FINISHED].growth,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="write into docs/queue.md")
    arguments = parser.parse_args()
    measured: dict[Candidate, dict[Beside, Cost]] = {}
    answered: dict[Candidate, Answers] = {}
    # On a disk: /tmp is often none.
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="yikatong-peers-") as name:
        for candidate in Candidate:
            folder = Path(name) / candidate.value
            costs = {beside: cost(candidate, beside, folder / beside.value) for beside in Beside}
            measured[candidate] = costs
            answered[candidate] = answers(candidate, folder, costs)
    tables = {"answers": answer_table(answered), "costs": cost_table(measured)}
    if not arguments.markdown:
        sys.stdout.write("\n".join(tables.values()))
        return
    page = REPOSITORY / "docs" / "queue.md"
    text = page.read_text()
    for marker, table in tables.items():
        text = text.replace(between_markers(text, marker), table)
    page.write_text(text)


def _stock(candidate: Candidate, folder: Path) -> None:
    with QueueProcess(candidate, folder) as process:
        process.put(BODY)


def _taken_over(candidate: Candidate, folder: Path) -> tuple[AfterCrash, QueueProcess]:
    """How others come by an item that somebody holds, and who has it then.

    First whoever opens the file, then whoever comes an hour later, then whoever asks.
    """
    for seconds_ahead, how in ((0, AfterCrash.AT_OPEN), (HOUR, AfterCrash.AFTER_LEASE)):
        process = QueueProcess(candidate, folder, seconds_ahead=seconds_ahead)
        if process.take() == BODY:
            return how, process
        process.kill()
    process = QueueProcess(candidate, folder, seconds_ahead=HOUR)
    process.ask()
    taken = process.take()
    return (AfterCrash.WHEN_ASKED if taken == BODY else AfterCrash.NEVER), process


def _taken_once(candidate: Candidate, folder: Path) -> bytes | None:
    with QueueProcess(candidate, folder) as process:
        try:
            return process.take()
        except Refused:
            return None


def _free(disk: Path) -> int:
    found = os.statvfs(disk)
    return found.f_bavail * found.f_frsize


def _drain(process: QueueProcess, given: set[bytes]) -> bool:
    """Take and finish until nothing is left, or until the candidate refuses: then False."""
    try:
        while (body := process.take()) is not None:
            given.add(body)
            process.done()
    except Refused:
        return False
    return True


if __name__ == "__main__":
    main()
