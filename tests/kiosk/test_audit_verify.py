"""The verifier names what was done to a log, and where."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.audit import anchor as anchors
from kiosk.audit import lines
from kiosk.audit.log import AuditLog
from kiosk.audit.verify import Fault, verify

TERMINAL = "T429900-0003"


class Standing:
    def time(self) -> float:
        return 1_795_000_000.0

    def monotonic(self) -> float:
        return 1.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "audit.jsonl"
    log = AuditLog(file, TERMINAL, Standing(), boot_id="b")
    for n in range(8):
        log.write("visit.begun", visit=n)
    log.close()
    return file


def read(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()


def put(path: Path, raw: list[bytes]) -> None:
    path.write_bytes(b"".join(line + b"\n" for line in raw))


def faults(path: Path, anchor: Path | None = None) -> list[tuple[Fault, int, int | None]]:
    report = verify(path, anchor)
    assert report.ok == (not report.findings)
    return [(f.fault, f.line, f.seq) for f in report.findings]


def changed(line: bytes, **fields: object) -> bytes:
    return lines.encode(json.loads(line) | fields)


def test_a_healthy_log(path: Path) -> None:
    report = verify(path)
    assert (report.ok, report.lines, report.first_seq, report.last_seq) == (True, 8, 1, 8)
    assert report.head == lines.digest(read(path)[-1])
    assert report.first_bad is None


def test_an_empty_log(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    assert verify(tmp_path / "a").ok


@pytest.mark.parametrize("at", range(8))
def test_changed_content_is_named(path: Path, at: int) -> None:
    raw = read(path)
    raw[at] = changed(raw[at], visit=99)
    put(path, raw)
    assert faults(path) == [(Fault.ALTERED, at + 1, at + 1)]


@pytest.mark.parametrize("at", range(8))
def test_a_changed_link_is_named(path: Path, at: int) -> None:
    raw = read(path)
    raw[at] = changed(raw[at], prev="0" * 64)
    put(path, raw)
    assert faults(path) == [(Fault.ALTERED, at + 1, at + 1)]


def test_a_first_line_of_another_beginning(path: Path) -> None:
    put(path, [changed(read(path)[0], prev="0" * 64)])
    anchors.beside(path).unlink()
    assert faults(path) == [(Fault.ALTERED, 1, 1)]


@pytest.mark.parametrize("at", range(1, 8))
def test_a_missing_line_is_a_gap(path: Path, at: int) -> None:
    raw = read(path)
    del raw[at - 1]
    put(path, raw)
    assert faults(path) == [(Fault.GAP, at, at)]


def test_missing_lines_are_one_gap(path: Path) -> None:
    raw = read(path)
    put(path, raw[:2] + raw[5:])
    report = verify(path)
    assert [f.fault for f in report.findings] == [Fault.GAP]
    assert "3 missing before line 3: number 3..5" in report.findings[0].text


def test_swapped_lines_are_reordered_not_altered(path: Path) -> None:
    raw = read(path)
    raw[2], raw[3] = raw[3], raw[2]
    put(path, raw)
    assert faults(path) == [(Fault.REORDERED, 4, 3)]


def test_a_repeated_line(path: Path) -> None:
    raw = read(path)
    put(path, [*raw[:4], raw[3], *raw[4:]])
    assert faults(path) == [(Fault.REPEATED, 5, 4)]


def test_a_cut_off_end_shows_against_the_anchor(path: Path, tmp_path: Path) -> None:
    put(path, read(path)[:6])
    assert faults(path) == [(Fault.TRUNCATED, 6, 7)]
    put(path, [])
    assert faults(path) == [(Fault.TRUNCATED, 1, 1)]
    anchors.beside(path).unlink()
    assert faults(path) == []
    assert not verify(path).anchored


def test_a_rewritten_end_shows_against_a_kept_anchor(path: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.head"
    kept.write_bytes(anchors.beside(path).read_bytes())
    raw = read(path)
    previous = raw[3]
    for n in range(4, 8):
        raw[n] = changed(raw[n], visit=50, prev=lines.digest(previous))
        previous = raw[n]
    put(path, raw)
    anchors.beside(path).unlink()
    assert faults(path) == [], "a forged chain is a chain"
    assert faults(path, kept) == [(Fault.ALTERED, 8, 8)]


def test_another_terminals_line(path: Path) -> None:
    raw = read(path)
    raw[4] = changed(raw[4], terminal="T429900-0004")
    put(path, raw)
    assert set(faults(path)) == {(Fault.ALTERED, 5, 5), (Fault.FOREIGN, 5, 5)}


@pytest.mark.parametrize(
    "line",
    [b"", b"{}", b"[]", b"\xff\xfe", b"null", b'{"seq":1}', b'{"seq": 1}', b"1" * 5000],
)
def test_an_unreadable_line(path: Path, line: bytes) -> None:
    raw = read(path)
    raw[4] = line
    put(path, raw)
    first = verify(path).first_bad
    assert first is not None
    assert (first.fault, first.line) == (Fault.UNREADABLE, 5)


def test_a_line_that_is_not_canonical(path: Path) -> None:
    raw = read(path)
    raw[4] = raw[4].replace(b'"seq":5', b'"seq": 5')
    put(path, raw)
    assert (Fault.UNREADABLE, 5, None) in faults(path)


def test_a_torn_end(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])
    assert (Fault.TORN, 8, None) in faults(path)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), position=st.floats(0, 0.999))
def test_any_single_changed_byte_is_found(
    tmp_path_factory: pytest.TempPathFactory, seed: int, position: float
) -> None:
    file = tmp_path_factory.mktemp("log") / "audit.jsonl"
    log = AuditLog(file, TERMINAL, Standing(), boot_id="b")
    for n in range(4):
        log.write("visit.begun", visit=n)
    log.close()
    data = bytearray(file.read_bytes())
    at = int(position * len(data))
    data[at] ^= random.Random(seed).randint(1, 255)
    file.write_bytes(data)
    first = verify(file).first_bad
    assert first is not None
    assert abs(first.line - (file.read_bytes()[:at].count(b"\n") + 1)) <= 1
