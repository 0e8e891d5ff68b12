"""``yikatong queue show``: everything about one message; what it says only where that may be."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiosk.commands import CommandFailed, Exit, say_json
from kiosk.queue_desk import words
from kiosk.queue_desk.listing import plain
from kiosk.queue_desk.opening import keys_of, looking
from kiosk.queue_desk.options import Actions, add_action, folder_of, positive

if TYPE_CHECKING:
    from offline_queue.glance import Glance
    from offline_queue.message import Row

_EXAMPLES = """  yikatong queue show 12
  yikatong queue show 12 --json
  yikatong queue show 12 --body     # 仅演示配置，留痕 demo only, audited
"""
_DESCRIPTION = """内容只显示字段名和类型；--body 显示原文，仅限演示配置，并留痕。
Of what it says only names and kinds of fields are shown. --body shows it in
full: with a demo configuration only, and audited."""


def add_to(actions: Actions) -> None:
    """Declare ``show``."""
    parser = add_action(
        actions,
        "show",
        _run,
        summary="查看一条消息的全部信息 everything about one message",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    parser.add_argument("seq", type=positive, metavar="SEQ", help="消息编号 its number")
    parser.add_argument(
        "--body",
        action="store_true",
        help="显示内容原文（演示配置，留痕）in full: demo, audited",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="终端配置 configuration")


def _run(arguments: argparse.Namespace) -> int:
    if arguments.body:
        _allow_body(arguments.config)
    folder = folder_of(arguments)
    with looking(folder) as queue:
        row = queue.row(arguments.seq)
        if row is None:
            raise no_such_row(arguments.seq)
        body, broken = _content(queue, row.seq)
    if arguments.body and not broken:
        _leave_trace(folder, row)
    shown = body if arguments.body else shape(body)
    if arguments.json:
        say_json({"row": plain(row), "body": None if broken else shown, "broken": broken or None})
    else:
        _tell(row, shown, broken)
    return Exit.FAILED if broken else Exit.OK


def no_such_row(seq: int) -> CommandFailed:
    """Nothing has this number."""
    return CommandFailed(
        Exit.USAGE,
        f"没有编号为 {seq} 的消息，可能已清理 there is no message {seq}; perhaps it was purged",
    )


def _content(queue: Glance, seq: int) -> tuple[Any, str]:
    """The body as it was read from JSON, and the reason when its seal does not hold."""
    from offline_queue.errors import RowForged

    try:
        body = queue.body(seq)
    except RowForged as forged:
        return None, forged.reason
    try:
        return json.loads(body or b"null"), ""
    except ValueError:
        # Nothing that this program makes.
        return (body or b"").hex(), ""


def shape(content: Any) -> Any:
    """Names and kinds of fields, none of their values. A name that could be content is none."""
    match content:
        case dict():
            fields: Mapping[str, Any] = {
                (name if _is_name(name) else "…"): shape(value) for name, value in content.items()
            }
            return fields
        case list():
            kinds = {json.dumps(shape(each)) for each in content}
            each = json.loads(kinds.pop()) if len(kinds) == 1 else "…"
            return {f"list of {len(content)}": each} if content else "empty list"
        case str():
            return "text"
        case bool():
            return "yes or no"
        case int() | float():
            return "number"
        case _:
            return "nothing"


def _is_name(name: str) -> bool:
    return name.isascii() and name.replace("_", "").isalpha() and len(name) <= 32


def _allow_body(file: Path | None) -> None:
    """Whether a message may be shown in full here. Raises CommandFailed."""
    from kiosk.card.options import configured
    from kiosk.config import Kind

    config = configured(file)
    if config is None or config.kind is not Kind.DEMO:
        raise CommandFailed(
            Exit.REFUSED,
            "内容原文只有演示配置可以显示 --body needs a demo configuration (--config FILE)",
        )


def _leave_trace(folder: Path, row: Row) -> None:
    from kiosk.queue_desk.trail import trail

    with trail(folder, keys_of(folder).terminal_id) as commands:
        commands.record("queue.body-shown", detail={"seq": row.seq, "kind": row.kind})


def _tell(row: Row, shown: Any, broken: str) -> None:
    from kiosk.card.showing import OK, STOP, pairs, show, text

    dead = row.state.value == "dead"
    made = datetime.fromtimestamp(row.wall).astimezone().isoformat(" ", "seconds")
    style = {"confirmed": OK, "dead": STOP}.get(row.state.value, "")
    rows = pairs()
    rows.add_row("编号 number", text(row.seq))
    rows.add_row("状态 state", text(words.state(row.state.value), style))
    rows.add_row("种类 kind", text(words.kind(row.kind)))
    rows.add_row("编码 key", text(row.key))
    rows.add_row("通道 lane", text(f"{words.lane(row.lane)}，优先级 priority {row.priority}"))
    rows.add_row("生成 made", text(f"{made}，{words.span(row.age_seconds)} 前 ago"))
    rows.add_row("当时时钟 clock then", text(words.TRUSTS[row.trust]))
    rows.add_row("已试次数 tries failed", text(row.attempts))
    if row.reason:
        rows.add_row("原因 reason", text(f"{row.reason}  {words.reason(row.reason, dead=dead)}"))
    if row.unsure and row.state.value not in ("confirmed", "dead"):
        rows.add_row(
            "可能已送达 may be there", text("重发前先按编码查询 asked for before sent again")
        )
    if row.due_seconds is not None:
        rows.add_row("下次发送 due in", text(words.span(row.due_seconds)))
    if row.owner:
        rows.add_row("发送进程 sender", text(row.owner))
    if row.receipt:
        rows.add_row("平台回执 receipt", text(row.receipt))
    if row.replaces:
        rows.add_row("重发自 repeats", text(row.replaces))
    if dead and row.replaced is not None:
        rows.add_row(
            "处理 decided",
            text(f"已重发为 {row.replaced} replayed" if row.replaced else "不再重发 forgotten"),
        )
    rows.add_row("长度 size", text(words.size(row.size)))
    show(rows)
    if broken:
        show(text(f"\n✗ {words.DEAD[broken]} ({broken})", STOP))
        return
    show(text("\n内容 what it says", "bold"))
    show(text(json.dumps(shown, ensure_ascii=False, indent=2)))
    if dead and row.replaced is None:
        show(text("\n下一步 what to do next", "bold"))
        show(
            text(f"  yikatong queue replay {row.seq}，或 or yikatong queue dead --forget {row.seq}")
        )
