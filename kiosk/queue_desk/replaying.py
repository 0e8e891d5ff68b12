"""``yikatong queue replay``: what was refused goes again, under a new key."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from kiosk.commands import CommandFailed, Exit, say, say_json
from kiosk.queue_desk import words
from kiosk.queue_desk.dead import not_dead, undecided
from kiosk.queue_desk.opening import working
from kiosk.queue_desk.options import (
    Actions,
    add_action,
    add_yes,
    confirm,
    folder_of,
    positive,
)

if TYPE_CHECKING:
    from kiosk.keys import TerminalKeys
    from kiosk.queue_desk.trail import Trail
    from offline_queue.message import Row
    from offline_queue.queue import Queue

_EXAMPLES = """  yikatong queue replay 12
  yikatong queue replay --all --reason forbidden
  yikatong queue replay --all --yes --json
"""
_DESCRIPTION = """先排除原因再重发，否则会再被拒收。新旧两条互相记着对方的编号。
Put the cause right first, or it is refused again. The message goes under a new
key and a new number; the old and the new one name each other."""


def add_to(actions: Actions) -> None:
    """Declare ``replay``."""
    parser = add_action(
        actions,
        "replay",
        _run,
        summary="重发被拒收的消息 send again what was refused",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("seq", nargs="?", type=positive, metavar="SEQ", help="消息编号 its number")
    which.add_argument("--all", action="store_true", help="所有待处理的 all that wait")
    parser.add_argument(
        "--reason", metavar="REASON", help="与 --all 合用，只重发此原因的 with --all, only these"
    )
    add_yes(parser)


def _run(arguments: argparse.Namespace) -> int:
    from kiosk.queue_desk.trail import trail
    from offline_queue.errors import RowForged

    if arguments.reason is not None and not arguments.all:
        raise CommandFailed(Exit.USAGE, "--reason 与 --all 合用 goes with --all")
    folder = folder_of(arguments)
    replayed: list[dict[str, int]] = []
    with working(folder) as (queue, keys):
        rows, unreadable = _wanted(queue, arguments)
        if rows:
            confirm(arguments, f"重发 {len(rows)} 条消息 replay {len(rows)} message(s)?")
        with trail(folder, keys.terminal_id) as commands:
            for row in rows:
                try:
                    successor = _replay(queue, keys, commands, row)
                except RowForged:
                    unreadable.append(row)
                    continue
                replayed.append({"seq": row.seq, "successor": successor})
                if not arguments.json:
                    # At once: what follows may find the disk full.
                    say(f"✓ {row.seq} → {successor}  已重发 goes again")
    if arguments.json:
        say_json({"replayed": replayed, "unreadable": [row.seq for row in unreadable]})
    elif not replayed and not unreadable:
        say("没有可重发的消息 nothing to replay")
    else:
        for row in unreadable:
            say(f"✗ {row.seq}  已不可读，只能了结 unreadable: queue dead --forget {row.seq}")
    return Exit.FAILED if unreadable else Exit.OK


def _wanted(queue: Queue, arguments: argparse.Namespace) -> tuple[list[Row], list[Row]]:
    """The rows to replay, and those that nobody can read any more."""
    if not arguments.all:
        row = queue.desk.row(arguments.seq)
        if row is None or row.state.value != "dead" or row.replaced is not None:
            raise not_dead(arguments.seq, row)
        found = [row]
    else:
        found = [r for r in undecided(queue) if arguments.reason in (None, r.reason)]
    lost = [row for row in found if row.reason in words.NOT_REPLAYABLE]
    return [row for row in found if row not in lost], lost


def _replay(queue: Queue, keys: TerminalKeys, commands: Trail, row: Row) -> int:
    """The new number. Raises RowForged, and CommandFailed when somebody was faster."""
    from kiosk.clock import SystemClock
    from kiosk.intents import new_key
    from offline_queue.errors import NotDead

    try:
        successor = queue.desk.replay(row.seq, new_key(keys.terminal_id, SystemClock())).seq
    except NotDead:
        raise not_dead(row.seq, queue.desk.row(row.seq)) from None
    detail: dict[str, str | int] = {
        "seq": row.seq,
        "successor": successor,
        "kind": row.kind,
        "reason": row.reason or "",
    }
    commands.record("queue.replayed", detail=detail)
    return successor
