"""``yikatong queue list``: the messages, one a line."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from kiosk.commands import Exit, say_json
from kiosk.queue_desk import words
from kiosk.queue_desk.opening import looking
from kiosk.queue_desk.options import Actions, add_action, folder_of, natural, positive

if TYPE_CHECKING:
    from offline_queue.glance import Glance
    from offline_queue.message import Row

_EXAMPLES = """  yikatong queue list
  yikatong queue list --only dead --kind alarm
  yikatong queue list --after 400 --limit 50
"""
_DESCRIPTION = """只查看，不改动；不显示消息内容。
Only looks; what a message says is not shown."""
_PAGE = 500


def add_to(actions: Actions) -> None:
    """Declare ``list``."""
    parser = add_action(
        actions,
        "list",
        _run,
        summary="逐条列出消息 the messages, one a line",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    # ``--state`` is the directory, here as everywhere.
    parser.add_argument(
        "--only",
        choices=tuple(words.STATES),
        metavar="STATE",
        help=f"状态 only those that are {', '.join(words.STATES)}",
    )
    parser.add_argument("--kind", metavar="KIND", help=f"种类 {', '.join(words.KINDS)}")
    parser.add_argument("--lane", metavar="LANE", help=f"通道 {', '.join(words.LANES)}")
    parser.add_argument(
        "--after", type=natural, default=0, metavar="N", help="从该编号之后 behind this number"
    )
    parser.add_argument(
        "--limit", type=positive, default=20, metavar="N", help="最多条数 at most so many (20)"
    )


def _run(arguments: argparse.Namespace) -> int:
    with looking(folder_of(arguments)) as queue:
        matching = _matching(queue, arguments)
        rows = list(islice(matching, arguments.limit))
        more = next(matching, None) is not None
    if arguments.json:
        after = rows[-1].seq if more else None
        say_json({"rows": [plain(row) for row in rows], "more": more, "next_after": after})
    else:
        _tell(rows, more=more)
    return Exit.OK


def plain(row: Row) -> Mapping[str, Any]:
    """A row as JSON values."""
    return {**asdict(row), "state": row.state.value}


def _matching(queue: Glance, arguments: argparse.Namespace) -> Iterator[Row]:
    from offline_queue.message import State

    state = State(arguments.only) if arguments.only else None
    after = arguments.after
    while rows := queue.rows(state, _PAGE, after=after):
        for row in rows:
            if arguments.kind in (None, row.kind) and arguments.lane in (None, row.lane):
                yield row
        after = rows[-1].seq


def _tell(rows: list[Row], *, more: bool) -> None:
    from kiosk.card.showing import show, table, text

    if not rows:
        show(text("没有符合条件的消息 no such message"))
        return
    made = table("编号 #", "状态 state", "种类 kind", "时长 age", "试 n", "编码 key")
    for row in rows:
        made.add_row(
            text(row.seq),
            text(words.state(row.state.value)),
            text(words.kind(row.kind)),
            text(words.span(row.age_seconds)),
            text(row.attempts),
            text(words.short(row.key)),
        )
    show(made)
    if more:
        show(text(f"\n还有更多 there are more: --after {rows[-1].seq}"))
