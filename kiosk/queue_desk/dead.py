"""``yikatong queue dead``: what the platform refused and nobody has decided about yet."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from kiosk.commands import CommandFailed, Exit, say, say_json
from kiosk.queue_desk import words
from kiosk.queue_desk.listing import plain
from kiosk.queue_desk.opening import looking, working
from kiosk.queue_desk.options import (
    Actions,
    add_action,
    add_yes,
    confirm,
    folder_of,
    positive,
)

if TYPE_CHECKING:
    from offline_queue.message import Row, State

_EXAMPLES = """  yikatong queue dead
  yikatong queue dead --forget 12     # 不再重发 nothing follows
  yikatong queue replay 12            # 换新编码重发 under a new key
"""
_DESCRIPTION = """平台拒收的消息留在队列里，直到有人决定：重发，或了结。
Messages that were refused for good stay until somebody decides: send them
again, or forget them. Forgotten ones leave after the retention."""
_PAGE = 500


class HasRows(Protocol):
    """`Queue` and `Glance`."""

    def rows(
        self, state: State | None = None, limit: int = 100, *, after: int = 0
    ) -> tuple[Row, ...]: ...


def add_to(actions: Actions) -> None:
    """Declare ``dead``."""
    parser = add_action(
        actions,
        "dead",
        _run,
        summary="被拒收、待处理的消息及原因 what was refused, and why",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    parser.add_argument(
        "--forget", type=positive, metavar="SEQ", help="了结这一条 decide that nothing follows"
    )
    parser.add_argument(
        "--limit", type=positive, default=20, metavar="N", help="最多条数 at most so many (20)"
    )
    add_yes(parser)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.forget is not None:
        return _forget(arguments)
    with looking(folder_of(arguments)) as queue:
        reasons = queue.undecided()
        rows = []
        for row in undecided(queue):
            rows.append(row)
            if len(rows) == arguments.limit:
                break
    if arguments.json:
        say_json({"reasons": dict(reasons), "rows": [plain(row) for row in rows]})
    else:
        _tell(rows, reasons)
    return Exit.FAILED if reasons else Exit.OK


def undecided(queue: HasRows) -> Iterator[Row]:
    """Dead rows that wait for a decision, the oldest first."""
    from offline_queue.message import State

    after = 0
    while rows := queue.rows(State.DEAD, _PAGE, after=after):
        yield from (row for row in rows if row.replaced is None)
        after = rows[-1].seq


def not_dead(seq: int, row: Row | None) -> CommandFailed:
    """Nothing can be decided about this row."""
    from kiosk.queue_desk.row import no_such_row

    if row is None:
        return no_such_row(seq)
    if row.state.value != "dead":
        text = f"{seq} 未被拒收（{words.state(row.state.value)}）it was not refused"
    elif row.replaced:
        text = f"{seq} 已重发为 {row.replaced} it was replayed as {row.replaced}"
    else:
        text = f"{seq} 已了结 it was forgotten before"
    return CommandFailed(Exit.USAGE, text)


def _forget(arguments: argparse.Namespace) -> int:
    from kiosk.queue_desk.trail import trail
    from offline_queue.errors import NotDead

    seq: int = arguments.forget
    folder = folder_of(arguments)
    with working(folder) as (queue, keys):
        row = queue.desk.row(seq)
        if row is None or row.state.value != "dead" or row.replaced is not None:
            raise not_dead(seq, row)
        confirm(
            arguments, f"{seq} {words.kind(row.kind)}：了结后不能重发 cannot be undone; forget?"
        )
        with trail(folder, keys.terminal_id) as commands:
            try:
                queue.desk.forget(seq)
            except NotDead:
                # Somebody was faster.
                raise not_dead(seq, queue.desk.row(seq)) from None
            detail: dict[str, str | int] = {
                "seq": seq,
                "kind": row.kind,
                "reason": row.reason or "",
            }
            commands.record("queue.forgotten", detail=detail)
    if arguments.json:
        say_json({"forgotten": seq})
    else:
        say(f"✓ {seq} 已了结，不再重发 forgotten; it leaves after the retention")
    return Exit.OK


def _tell(rows: Sequence[Row], reasons: Mapping[str, int]) -> None:
    from kiosk.card.showing import pairs, show, table, text

    if not reasons:
        show(text("✓ 没有待处理的消息 nothing waits for a decision"))
        return
    made = table("编号 #", "种类 kind", "原因 reason", "时长 age", "编码 key")
    for row in rows:
        made.add_row(
            text(row.seq),
            text(words.kind(row.kind)),
            text(row.reason),
            text(words.span(row.age_seconds)),
            text(words.short(row.key)),
        )
    show(made)
    if len(rows) < (total := sum(reasons.values())):
        show(text(f"另有 {total - len(rows)} 条 more: --limit {total}"))
    show(text("\n原因 reasons", "bold"))
    legend = pairs()
    for name, count in reasons.items():
        legend.add_row(text(f"  {name}  ×{count}"), text(words.reason(name, dead=True)))
    show(legend)
    show(text("\n下一步 what to do next", "bold"))
    steps = pairs()
    again = next((row.seq for row in rows if row.reason not in words.NOT_REPLAYABLE), None)
    if again is not None:
        steps.add_row(
            text(f"  yikatong queue replay {again}"),
            text("原因排除后重发 when the cause is gone"),
        )
    steps.add_row(
        text(f"  yikatong queue dead --forget {rows[0].seq}"), text("了结，不再重发 let it go")
    )
    show(steps)
