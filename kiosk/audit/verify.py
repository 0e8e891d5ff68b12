"""Checking an audit log: is every line there, in its place, and unchanged?

The chain is not keyed: it shows accidents and careless hands. Whoever rewrites all lines from a
point to the end is caught by an anchor kept elsewhere (the platform's), given as `anchor`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from kiosk.audit import anchor as anchors
from kiosk.audit.anchor import Anchor
from kiosk.audit.lines import Line, MalformedLine, decode, genesis


class Fault(Enum):
    """What can be wrong with a log."""

    UNREADABLE = "unreadable"
    """The line is no audit line."""
    ALTERED = "altered"
    """The line's content is not what the next line (or the anchor) was chained to."""
    GAP = "gap"
    """Lines are missing before this one."""
    REORDERED = "reordered"
    """The line stands in another place than its sequence number says."""
    REPEATED = "repeated"
    """The sequence number was there already."""
    FOREIGN = "foreign"
    """The line names another terminal than the first one."""
    TORN = "torn"
    """The last line has no end; a power cut does that."""
    TRUNCATED = "truncated"
    """The log ends before the line that the anchor knows."""


@dataclass(frozen=True)
class Finding:
    """One fault.

    Attributes:
        line: place in the file, counted from 1.
        seq: sequence number that is meant, None where the line has none.
        text: in words, for staff; no content of the line.
    """

    fault: Fault
    line: int
    seq: int | None
    text: str


@dataclass(frozen=True)
class VerifyReport:
    """What `verify` found, in the file's order.

    Attributes:
        lines: lines in the file.
        first_seq, last_seq: of the readable lines, 0 when there are none.
        head: hex SM3 of the last line, empty when there is none.
        anchored: an anchor was there to compare the end with.
    """

    lines: int
    first_seq: int
    last_seq: int
    head: str
    anchored: bool
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """No fault at all."""
        return not self.findings

    @property
    def first_bad(self) -> Finding | None:
        """The fault that stands first in the file."""
        return self.findings[0] if self.findings else None


@dataclass(frozen=True)
class _Placed:
    number: int
    line: Line


def verify(path: Path, anchor: Path | None = None) -> VerifyReport:
    """Check a whole log file.

    Args:
        anchor: head anchor file; None takes the one beside the log when it is there.

    Raises:
        OSError: the log cannot be read.
    """
    findings: list[Finding] = []
    placed: list[_Placed] = []
    count = 0
    with path.open("rb") as file:
        for count, raw in enumerate(file, 1):
            if not raw.endswith(b"\n"):
                findings.append(Finding(Fault.TORN, count, None, "the last line has no end"))
                continue
            try:
                placed.append(_Placed(count, decode(raw[:-1])))
            except MalformedLine as problem:
                text = f"line {count} {problem}"
                findings.append(Finding(Fault.UNREADABLE, count, None, text))
    known = anchors.read(anchor if anchor is not None else anchors.beside(path))
    findings.extend(_places(placed))
    findings.extend(_links(placed, known))
    findings.extend(_end(placed, count, known))
    return VerifyReport(
        lines=count,
        first_seq=placed[0].line.seq if placed else 0,
        last_seq=max((p.line.seq for p in placed), default=0),
        head=placed[-1].line.digest if placed else "",
        anchored=known is not None,
        findings=tuple(sorted(findings, key=lambda finding: finding.line)),
    )


def _places(placed: list[_Placed]) -> Iterator[Finding]:
    """Sequence numbers: missing, moved, repeated; and lines of another terminal."""
    present = {p.line.seq for p in placed}
    seen: set[int] = set()
    highest = 0
    for entry in placed:
        seq, number = entry.line.seq, entry.number
        if seq in seen:
            yield Finding(Fault.REPEATED, number, seq, f"line {number} repeats number {seq}")
        elif seq < highest:
            text = f"line {number} has number {seq}, but {highest} stands before it"
            yield Finding(Fault.REORDERED, number, seq, text)
        else:
            missing = [n for n in range(highest + 1, seq) if n not in present]
            if missing:
                span = str(missing[0])
                if len(missing) > 1:
                    span += f"..{missing[-1]}"
                text = f"{len(missing)} missing before line {number}: number {span}"
                yield Finding(Fault.GAP, number, missing[0], text)
        if entry.line.terminal != placed[0].line.terminal:
            text = f"line {number} is of terminal {entry.line.terminal}"
            yield Finding(Fault.FOREIGN, number, seq, text)
        seen.add(seq)
        highest = max(highest, seq)


def _links(placed: list[_Placed], known: Anchor | None) -> Iterator[Finding]:
    """Hashes between neighbours in number (whatever their places)."""
    if not placed:
        return
    by_seq = {p.line.seq: p for p in placed}
    first = by_seq.get(1)
    suspects: dict[int, _Placed] = {}
    if first and first.line.prev != genesis(first.line.terminal):
        suspects[1] = first
    for seq, entry in sorted(by_seq.items()):
        before, after = by_seq.get(seq - 1), by_seq.get(seq + 1)
        if before is None or entry.line.prev == before.line.digest:
            continue
        # Either the line before was changed, or this line's own prev was; then the line after,
        # or the anchor, disagrees with this one as well.
        if after is not None:
            self_changed = after.line.prev != entry.line.digest
        else:
            self_changed = bool(known and known.seq == seq and known.digest != entry.line.digest)
        suspect = entry if self_changed else before
        suspects[suspect.line.seq] = suspect
    if known and known.seq in by_seq and by_seq[known.seq].line.digest != known.digest:
        suspects[known.seq] = by_seq[known.seq]
    for seq, entry in suspects.items():
        text = f"line {entry.number} (number {seq}) is not the one that was written"
        yield Finding(Fault.ALTERED, entry.number, seq, text)


def _end(placed: list[_Placed], count: int, known: Anchor | None) -> Iterator[Finding]:
    last = max((p.line.seq for p in placed), default=0)
    if known is not None and known.seq > last:
        text = f"the log ends at number {last}, but number {known.seq} was written"
        yield Finding(Fault.TRUNCATED, max(count, 1), last + 1, text)
