"""``yikatong queue status``: how the queue is, and what to do about it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiosk.commands import Exit, say_json
from kiosk.queue_desk import words
from kiosk.queue_desk.opening import is_running, looking
from kiosk.queue_desk.options import Actions, add_action, folder_of

if TYPE_CHECKING:
    from offline_queue.message import Metrics, Row, Trust
    from offline_queue.room import Room

_EXAMPLES = """  yikatong queue status
  yikatong queue status --json
"""
_DESCRIPTION = """只查看，不改动，终端运行时也可用。有消息等人处理时退出码为 1。
Only looks, also while the terminal runs. Exit code 1 when something waits
for staff: messages that the platform refused."""

_DAYS_FOR_A_STICK = 2
"""So long may a message wait before a stick is proposed (mark I)."""


@dataclass(frozen=True)
class _Seen:
    path: Path
    running: bool
    metrics: Metrics
    undecided: Mapping[str, int]
    room: Room
    newest: Row | None
    trust: Trust


def add_to(actions: Actions) -> None:
    """Declare ``status``."""
    add_action(
        actions,
        "status",
        _run,
        summary="队列概况：积压、通道、空间、时钟 how the queue is",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )


def _run(arguments: argparse.Namespace) -> int:
    folder = folder_of(arguments)
    with looking(folder) as queue:
        seen = _Seen(
            folder / "queue.sqlite",
            is_running(folder),
            queue.metrics(),
            queue.undecided(),
            queue.room(),
            queue.newest(),
            queue.trust,
        )
    if arguments.json:
        say_json(_plain(seen))
    else:
        _tell(seen)
    return Exit.FAILED if seen.undecided else Exit.OK


def _plain(seen: _Seen) -> dict[str, Any]:
    return {
        **seen.metrics.as_json(),
        "queue": str(seen.path),
        "running": seen.running,
        "undecided": dict(seen.undecided),
        "room": seen.room.as_json(),
        "clock": _clock(seen),
        "next": [line for line, _why in _next(seen)],
    }


def _clock(seen: _Seen) -> str:
    """What is known of the wall clock: by the machine's time now, else by the newest message."""
    if seen.trust.value == "behind" or seen.newest is None:
        return seen.trust.value
    return seen.newest.trust


def _next(seen: _Seen) -> Iterator[tuple[str, str]]:
    """Commands, and why."""
    from offline_queue.room import Level

    metrics = seen.metrics
    if seen.undecided:
        yield "yikatong queue dead", "查看被拒收的消息 what was refused, and decide"
    if (metrics.oldest_seconds or 0) >= _DAYS_FOR_A_STICK * 86_400:
        yield "yikatong queue export FOLDER", "网络久断，用 U 盘送出 take it out on a stick"
    if metrics.open and not seen.running:
        yield "yikatong kiosk", "终端未运行，无人发送 nobody sends: start the terminal"
    if metrics.pauses and seen.running:
        yield "yikatong doctor", "通道暂停，检查网络和登记 lanes rest: look at the line"
    if seen.room.level > Level.FREE:
        yield "yikatong doctor", "空间不足，清理磁盘 free some room on the disk"
    if _clock(seen) in ("wrong", "behind"):
        yield "timedatectl", "校准本机时钟 set the machine's clock right"


def _tell(seen: _Seen) -> None:
    from kiosk.card.showing import OK, STOP, WARN, pairs, show, text
    from offline_queue.message import State
    from offline_queue.room import Level

    metrics, room = seen.metrics, seen.room
    head = pairs()
    head.add_row("队列 queue", text(seen.path))
    running = "运行中 running" if seen.running else "未运行 not running"
    head.add_row("终端 terminal", text(running, OK if seen.running else WARN))
    if metrics.open:
        waiting = f"{metrics.open}，最早的已等 the oldest for {_span(metrics.oldest_seconds)}"
        head.add_row("积压 waiting", text(waiting))
    else:
        head.add_row("积压 waiting", text("没有待上传的消息 nothing waits", OK))
    if metrics.confirmed_seconds is not None:
        last = f"{_span(metrics.confirmed_seconds)} 前 ago"
        head.add_row("最近确认 last confirmed", text(last))
    refused = sum(seen.undecided.values())
    decided = metrics.states[State.DEAD] - refused
    dead = f"{refused} 条待处理 wait for staff" if refused else "没有待处理的 none waits"
    dead += f"，{decided} 条已处理 decided" if decided else ""
    head.add_row("拒收 refused", text(dead, STOP if refused else OK))
    used = f"{words.LEVELS[room.level.name.lower()]}，{words.size(room.used)} / "
    used += words.size(room.limit)
    head.add_row("空间 room", text(used, OK if room.level is Level.FREE else STOP))
    reserve = "在 there" if room.ballast else "缺 missing"
    disk = f"磁盘余 free {words.size(room.free)}，应急预留 ballast {reserve}"
    head.add_row("", text(disk, "" if room.ballast else WARN))
    clock = _clock(seen)
    style = {"confirmed": OK, "unknown": ""}.get(clock, STOP)
    head.add_row("时钟 clock", text(words.TRUSTS[clock], style))
    show(head)
    _tell_counts(seen)
    if advice := tuple(_next(seen)):
        show(text("\n下一步 what to do next", "bold"))
        steps = pairs()
        for command, why in advice:
            steps.add_row(text(f"  {command}"), text(why))
        show(steps)


def _tell_counts(seen: _Seen) -> None:
    from kiosk.card.showing import columns, show, text

    metrics = seen.metrics
    sections = (
        ("各状态 by state", {words.state(s.value): n for s, n in metrics.states.items() if n}),
        ("积压种类 what waits", {words.kind(k): n for k, n in sorted(metrics.kinds.items())}),
        (
            "待处理的拒收 refused, to decide",
            {f"{name}  {words.reason(name, dead=True)}": n for name, n in seen.undecided.items()},
        ),
    )
    for title, counts in sections:
        if not counts:
            continue
        show(text(f"\n{title}", "bold"))
        rows = columns(8, 0)
        for name, count in counts.items():
            rows.add_row(text(f"{count:>8}"), text(name))
        show(rows)
    if metrics.pauses:
        show(text("\n暂停的通道 lanes that rest", "bold"))
        rows = columns(8, 0)
        for pause in metrics.pauses:
            rows.add_row(
                text(f"  {words.lane(pause.lane)}"),
                text(
                    f"还有 still {words.span(pause.seconds)}，连续失败 {pause.failures} 次 in a row"
                    f"\n{words.reason(pause.reason, dead=False)}"
                ),
            )
        show(rows)


def _span(seconds: float | None) -> str:
    return words.span(seconds or 0)
