"""``yikatong queue status``: what waits for the platform, and what it refused; never a body."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.commands import Command, CommandFailed, Exit, say, say_json

if TYPE_CHECKING:
    from offline_queue.message import Metrics, Row

_STATES_ZH = {
    "ready": "待发送",
    "behind": "排队等前一条",
    "waiting": "等待重试",
    "leased": "发送中",
    "confirmed": "已确认",
    "dead": "被拒收",
}
_KINDS_ZH = {
    "alarm": "报警",
    "audit-range": "审计日志",
    "evaluation": "服务评价",
    "print-outcome": "打印结果",
}
_DEAD_SHOWN = 20


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(
        title="操作 actions", dest="action", required=True, metavar="ACTION"
    )
    status = actions.add_parser("status", help="待上传和被拒收的消息 what waits, what was refused")
    status.add_argument("--state", type=Path, metavar="DIR", help="状态目录 state directory")
    status.add_argument("--json", action="store_true", help="输出 JSON for machines")


def _run(arguments: argparse.Namespace) -> int:
    from kiosk.clock import SystemClock
    from kiosk.keys import KeyStore, KeyStoreError
    from kiosk.places import usual_state
    from offline_queue.database import DatabaseError
    from offline_queue.errors import QueueError
    from offline_queue.message import State
    from offline_queue.queue import Queue

    folder = Path(arguments.state) if arguments.state else usual_state()
    path = folder / "queue.sqlite"
    # Only looks: asking must not make a queue.
    if not path.is_file():
        raise CommandFailed(Exit.STATE, f"没有队列 {path}：there is no queue")
    try:
        keys = KeyStore(folder / "keys").load()
        queue = Queue(path, keys.queue_key, SystemClock())
        try:
            metrics, dead = queue.metrics(), queue.rows(State.DEAD, _DEAD_SHOWN)
        finally:
            queue.close()
    except (KeyStoreError, DatabaseError, QueueError, OSError) as problem:
        raise CommandFailed(Exit.STATE, f"队列不可用：the queue is unusable ({problem})") from None
    if arguments.json:
        rows = [{"seq": row.seq, "kind": row.kind, "key": row.key} for row in dead]
        say_json({**metrics.as_json(), "dead": rows})
    else:
        _tell(path, metrics, dead)
    return Exit.FAILED if metrics.states[State.DEAD] else Exit.OK


def _tell(path: Path, metrics: Metrics, dead: tuple[Row, ...]) -> None:
    say(f"{path}")
    for state, count in metrics.states.items():
        if count:
            say(f"  {count:>6}  {_STATES_ZH[state.value]} {state.value}")
    if metrics.open:
        say("待上传 waiting")
        for kind, count in sorted(metrics.kinds.items()):
            say(f"  {count:>6}  {_KINDS_ZH.get(kind, kind)} {kind}")
        say(f"最早一条已等待 oldest has waited: {_span(metrics.oldest_seconds)}")
    else:
        say("没有待上传的消息 nothing waits")
    if metrics.confirmed_seconds is not None:
        say(f"最近一次确认 last confirmed: {_span(metrics.confirmed_seconds)} 前 ago")
    for row in dead:
        say(f"✗ {row.seq}  {_KINDS_ZH.get(row.kind, row.kind)} {row.kind}  {row.reason}  {row.key}")


def _span(seconds: float | None) -> str:
    whole = int(seconds or 0)
    if whole < 120:
        return f"{whole} s"
    if whole < 7200:
        return f"{whole // 60} min"
    return f"{whole // 3600} h"


COMMAND = Command(
    name="queue",
    zh="查看离线队列",
    en="look at the offline queue",
    add_arguments=_add_arguments,
    run=_run,
)
