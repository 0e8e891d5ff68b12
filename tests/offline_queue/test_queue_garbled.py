"""Whatever is destroyed of a queue's file or WAL: it goes on, nothing false is believed, and the
books balance."""

from __future__ import annotations

import contextlib
import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from offline_queue.damage.pages import (
    INDEX_BRANCH,
    INDEX_LEAF,
    PAGE_SIZE,
    TABLE_BRANCH,
    TABLE_LEAF,
)
from offline_queue.database import SchemaTooNew
from offline_queue.errors import KeysWrong
from tests.offline_queue.damaged_files import (
    NAME,
    Stocked,
    page_or_none,
    reopened,
    roots,
    rows_by_page,
    stocked,
)

FRAME = PAGE_SIZE + 24
WAL_HEADER = 32


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Stocked:
    """All in the file, no WAL."""
    return stocked(tmp_path_factory.mktemp("large"), 2_000, wal=False)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Stocked:
    """All in the file, no WAL."""
    return stocked(tmp_path_factory.mktemp("small"), 140, wal=False)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Stocked:
    """The newer half in the WAL."""
    return stocked(tmp_path_factory.mktemp("running"), 140, wal=True)


@pytest.fixture(scope="module")
def standing(large: Stocked, tmp_path_factory: pytest.TempPathFactory) -> dict[int, set[int]]:
    """Which rows stand on which page."""
    return rows_by_page(large.copy(tmp_path_factory.mktemp("standing")))


@pytest.fixture(scope="module")
def standing_later(
    running: Stocked, tmp_path_factory: pytest.TempPathFactory
) -> dict[int, set[int]]:
    """The same of `running`, when its WAL is in the file."""
    return rows_by_page(running.copy(tmp_path_factory.mktemp("later")))


@pytest.fixture(scope="module")
def classes(large: Stocked, standing: dict[int, set[int]]) -> dict[str, list[int]]:
    """The numbers of the pages of each class."""
    data = (large.folder / NAME).read_bytes()
    with contextlib.closing(sqlite3.connect(large.folder / NAME)) as file:
        roots = dict(file.execute("SELECT name, rootpage FROM sqlite_schema"))
    kinds = {
        TABLE_BRANCH: "table branch",
        TABLE_LEAF: "table leaf",
        INDEX_BRANCH: "index branch",
        INDEX_LEAF: "index leaf",
    }
    found: dict[str, list[int]] = {"schema": [1], "keys": [roots.pop("key_ring")]}
    found["root"] = sorted(roots.values())
    for number in range(2, len(data) // PAGE_SIZE + 1):
        page = page_or_none(number, data[(number - 1) * PAGE_SIZE : number * PAGE_SIZE])
        if number in found["root"] + found["keys"]:
            continue
        kind = "overflow" if number in standing else "free"
        found.setdefault(kind if page is None else kinds[page.kind], []).append(number)
    return found


Spoil = Callable[[bytearray, int, random.Random], None]


def zeros(data: bytearray, number: int, _random: random.Random) -> None:
    data[(number - 1) * PAGE_SIZE : number * PAGE_SIZE] = bytes(PAGE_SIZE)


def noise(data: bytearray, number: int, random: random.Random) -> None:
    data[(number - 1) * PAGE_SIZE : number * PAGE_SIZE] = random.randbytes(PAGE_SIZE)


def scratch(data: bytearray, number: int, random: random.Random) -> None:
    at = (number - 1) * PAGE_SIZE + random.randrange(PAGE_SIZE - 200)
    data[at : at + 200] = random.randbytes(200)


SPOILS: dict[str, Spoil] = {"zeros": zeros, "noise": noise, "scratch": scratch}

CLASSES = (
    "schema",
    "root",
    "table leaf",
    "index leaf",
    "overflow",
    "free",
)


@pytest.mark.parametrize("spoil", SPOILS)
@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("share", [0.1, 1.0])
def test_no_more_is_lost_than_stood_on_the_destroyed_pages(
    tmp_path: Path,
    large: Stocked,
    standing: dict[int, set[int]],
    classes: dict[str, list[int]],
    kind: str,
    spoil: str,
    share: float,
) -> None:
    seeded = random.Random(f"{kind} {spoil} {share}")
    numbers = classes[kind]
    destroyed = seeded.sample(numbers, max(1, int(len(numbers) * share)))
    path = large.copy(tmp_path / "damaged")
    data = bytearray(path.read_bytes())
    for number in destroyed:
        SPOILS[spoil](data, number, seeded)
    path.write_bytes(data)
    outcome = reopened(path, large.keys)
    explained = set().union(*(standing.get(number, set()) for number in destroyed))
    assert set(large.keys) - outcome.rows <= explained


@pytest.mark.parametrize("mix", range(6))
def test_pages_of_every_class_at_once(
    tmp_path: Path,
    large: Stocked,
    standing: dict[int, set[int]],
    classes: dict[str, list[int]],
    mix: int,
) -> None:
    seeded = random.Random(mix)
    path = large.copy(tmp_path / "damaged")
    data = bytearray(path.read_bytes())
    numbers = [number for kind in CLASSES for number in classes[kind]]
    destroyed = seeded.sample(numbers, 5 + 20 * mix)
    for number in destroyed:
        seeded.choice(list(SPOILS.values()))(data, number, seeded)
    path.write_bytes(data)
    outcome = reopened(path, large.keys)
    explained = set().union(*(standing.get(number, set()) for number in destroyed))
    assert set(large.keys) - outcome.rows <= explained


def cuts(pages: int) -> Iterator[int]:
    for page in (1, 2, 3, pages // 4, pages // 2, pages - 1, pages):
        yield from (page * PAGE_SIZE + by for by in (-1024, -512, 0, 512))


def test_a_file_cut_off_anywhere(tmp_path: Path, small: Stocked) -> None:
    whole = (small.folder / NAME).read_bytes()
    for cut in cuts(len(whole) // PAGE_SIZE):
        path = small.copy(tmp_path / f"cut-{cut}")
        path.write_bytes(whole[:cut])
        outcome = reopened(path, small.keys)
        assert (outcome.report is None) == (cut >= len(whole))


HEADER_SPOILS: dict[str, Callable[[bytes], bytes]] = {
    "zeros": lambda old: bytes(len(old)),
    "ones": lambda old: b"\xff" * len(old),
    "flipped": lambda old: bytes(byte ^ 0x15 for byte in old),
}


@pytest.mark.parametrize(
    ("spoil", "size"), [("flipped", 1), ("zeros", 4), ("ones", 4), ("zeros", 100), ("ones", 100)]
)
def test_no_byte_of_the_header_costs_a_row(
    tmp_path: Path, small: Stocked, spoil: str, size: int
) -> None:
    for at in range(0, 100, size):
        path = small.copy(tmp_path / str(at))
        data = bytearray(path.read_bytes())
        data[at : at + size] = HEADER_SPOILS[spoil](bytes(data[at : at + size]))
        path.write_bytes(data)
        try:
            outcome = reopened(path, small.keys)
        except SchemaTooNew:
            # A number a little greater is what a newer program writes.
            assert (at, size) == (63, 1)
            assert path.read_bytes() == data
        else:
            assert outcome.rows == set(small.keys)


def test_a_wal_cut_off_at_a_frame_holds_the_commits_before(
    tmp_path: Path, running: Stocked
) -> None:
    """No evidence of the rest is left, so it cannot be told; but what is left is a past state."""
    whole = (running.folder / f"{NAME}-wal").read_bytes()
    assert (len(whole) - WAL_HEADER) % FRAME == 0
    before: set[int] = set()
    for cut in range(WAL_HEADER, len(whole) + 1, FRAME):
        at_once: list[set[int]] = []
        for part in (0, 2_000):
            if cut == len(whole) and part:
                continue
            path = running.copy(tmp_path / f"cut-{cut}-{part}")
            path.with_name(f"{NAME}-wal").write_bytes(whole[: cut + part])
            outcome = reopened(path, running.keys)
            assert outcome.report is None
            at_once.append(outcome.rows)
        assert all(rows == at_once[0] for rows in at_once)
        assert before <= at_once[0] == set(range(1, len(at_once[0]) + 1))
        before = at_once[0]
    assert before == set(running.keys)


GARBLED: dict[str, tuple[int, int]] = {
    "number": (0, 4),
    "commit": (4, 4),
    "salt": (8, 8),
    "checksum": (16, 8),
    "content": (1_000, 2_000),
}


@pytest.mark.parametrize("part", GARBLED)
def test_commits_behind_a_garbled_frame_are_not_dropped(
    tmp_path: Path, running: Stocked, standing_later: dict[int, set[int]], part: str
) -> None:
    whole = (running.folder / f"{NAME}-wal").read_bytes()
    frames = (len(whole) - WAL_HEADER) // FRAME
    at, size = GARBLED[part]
    seeded = random.Random(part)
    # Behind the last frames stands nothing that could prove them.
    for frame in range(0, frames - 4, frames // 6):
        path = running.copy(tmp_path / f"frame-{frame}")
        data = bytearray(whole)
        begin = WAL_HEADER + frame * FRAME
        number = int.from_bytes(data[begin : begin + 4], "big")
        data[begin + at : begin + at + size] = seeded.randbytes(size)
        path.with_name(f"{NAME}-wal").write_bytes(data)
        outcome = reopened(path, running.keys)
        assert outcome.report is not None
        missing = set(running.keys) - outcome.rows
        if part in ("number", "content"):
            assert missing <= standing_later.get(number, set())
        else:
            assert not missing


@pytest.mark.parametrize("at", [0, 4, 8, 16, 24])
def test_a_garbled_head_of_the_wal_costs_no_row(tmp_path: Path, running: Stocked, at: int) -> None:
    path = running.copy(tmp_path / "damaged")
    wal = path.with_name(f"{NAME}-wal")
    data = bytearray(wal.read_bytes())
    data[at : at + 4] = random.Random(at).randbytes(4)
    wal.write_bytes(data)
    outcome = reopened(path, running.keys)
    assert outcome.report is not None
    assert outcome.rows == set(running.keys)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(300))
def test_anything_anywhere(tmp_path: Path, large: Stocked, running: Stocked, seed: int) -> None:
    seeded = random.Random(seed)
    stock = seeded.choice((large, running))
    path = stock.copy(tmp_path / "damaged")
    for file in sorted(path.parent.iterdir()):
        data = bytearray(file.read_bytes())
        for _ in range(seeded.choice((0, 1, 3, 30))):
            at, size = seeded.randrange(len(data)), seeded.choice((1, 2, 16, 512, 5_000))
            data[at : at + size] = seeded.randbytes(len(data[at : at + size]))
        if seeded.random() < 0.2:
            del data[seeded.randrange(len(data)) :]
        file.write_bytes(data)
    keys = roots(stock.copy(tmp_path / "whole"))["key_ring"]
    wrapped = slice((keys - 1) * PAGE_SIZE, keys * PAGE_SIZE)
    try:
        reopened(path, stock.keys)
    except KeysWrong:
        assert path.read_bytes()[wrapped] != (stock.folder / NAME).read_bytes()[wrapped]
