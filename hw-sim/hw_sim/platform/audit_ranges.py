"""Ranges of a terminal's audit log: every line there, once, chained by SM3.

A line is JSON with sorted keys, no spaces, ASCII only; among its fields ``seq`` (1 for the first
line of a log), ``terminal`` and ``prev``: the SM3 of the line before, in small hex.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from hw_sim.platform.databases import alone
from hw_sim.platform.model import AuditLine
from hw_sim.platform.problems import Problem, ProblemKind


def range_key(terminal_id: str, first: int, last: int) -> str:
    """The Idempotency-Key that a range comes under."""
    return f"{terminal_id}-audit-{first}-{last}"


def genesis(terminal_id: str) -> str:
    """``prev`` of a log's first line."""
    return line_sm3(f"yikatong audit 1 {terminal_id}")


def line_sm3(line: str) -> str:
    """Small hex."""
    return hashlib.new("sm3", line.encode("ascii")).hexdigest()


def _refused(why: str) -> Problem:
    return Problem(ProblemKind.FORBIDDEN, why)


def _fields(line: str) -> Mapping[str, Any]:
    try:
        fields = json.loads(line)
        if json.dumps(fields, sort_keys=True, separators=(",", ":")) != line:
            raise _refused("a line is not in canonical form")
    except (ValueError, RecursionError) as error:
        raise _refused("a line is no JSON") from error
    if not isinstance(fields, dict):
        raise _refused("a line is no object")
    return fields


def accept(session: Session, terminal_id: str, first: int, lines: Sequence[str]) -> None:
    """Keep the lines that are new; those that were there already must be the same.

    Args:
        first: number of the first line, from 1.

    Raises:
        Problem: ``forbidden``; nothing may be committed then.
    """
    alone(session, f"audit {terminal_id}")
    newest = session.scalar(
        select(AuditLine.seq)
        .where(AuditLine.terminal_id == terminal_id)
        .order_by(AuditLine.seq.desc())
        .limit(1)
    )
    stored = newest or 0
    if first > stored + 1:
        raise _refused(f"gap: line {stored + 1} has not arrived")
    before = genesis(terminal_id)
    if first > 1:
        before = session.get_one(AuditLine, (terminal_id, first - 1)).digest
    for seq, line in enumerate(lines, first):
        fields = _fields(line)
        if type(fields.get("seq")) is not int or fields["seq"] != seq:
            raise _refused("gap: the lines are not numbered one after the other")
        if fields.get("terminal") != terminal_id:
            raise _refused("a line is another terminal's")
        if fields.get("prev") != before:
            raise _refused("broken chain: a line does not carry the SM3 of the one before")
        before = line_sm3(line)
        if seq > stored:
            session.add(AuditLine(terminal_id, seq, before, line))
        elif session.get_one(AuditLine, (terminal_id, seq)).digest != before:
            raise _refused("overlap with other content")
