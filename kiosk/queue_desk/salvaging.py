"""``yikatong queue salvage``: what a damaged file gives back."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiosk.commands import CommandFailed, Exit, say_json
from kiosk.queue_desk import words
from kiosk.queue_desk.opening import explaining, keys_of
from kiosk.queue_desk.options import Actions, add_action, add_yes, confirm, folder_of

if TYPE_CHECKING:
    from offline_queue.damage.losses import SalvageReport

_EXAMPLES = """  yikatong queue salvage                    # 上次抢救的结果 the last report
  yikatong queue salvage COPY --into NEW    # 从副本抢救 from a copied file
  yikatong queue salvage --live             # 抢救本机队列 this terminal's own
"""
_DESCRIPTION = """逐条按封签证明后取回，损失按编号说明；损坏的文件总会留一份副本。
Every message that proves itself comes over, the losses are told by number. A
copy of the damaged file is always kept. --live wants the terminal stopped."""


def add_to(actions: Actions) -> None:
    """Declare ``salvage``."""
    parser = add_action(
        actions,
        "salvage",
        _run,
        summary="抢救损坏的队列，或看上次结果 get back what a damaged file holds",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help="损坏文件的副本（WAL 放在旁边）a copied file, its WAL beside it",
    )
    parser.add_argument("--into", type=Path, metavar="NEW", help="写到新文件 the file to make")
    parser.add_argument(
        "--live", action="store_true", help="抢救本机队列 salvage this terminal's own queue"
    )
    add_yes(parser)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.live:
        if arguments.file is not None or arguments.into is not None:
            raise CommandFailed(Exit.USAGE, "--live 不与文件合用 goes with no file")
        report = _live(arguments)
        nothing = "✓ 文件完好，无需抢救 the file is sound, nothing was done"
    elif arguments.file is not None:
        if arguments.into is None:
            raise CommandFailed(
                Exit.USAGE, "请用 --into 指定新文件 name the file to make: --into NEW"
            )
        report = _from_copy(arguments)
        nothing = f"✓ 文件完好，已照抄到 {arguments.into} it is sound and was only copied"
    else:
        if arguments.into is not None:
            raise CommandFailed(Exit.USAGE, "--into 需指定副本 goes with a copied file")
        report = _last(folder_of(arguments))
        nothing = "✓ 没有抢救记录 no salvage is on record"
    if arguments.json:
        say_json({"report": report.as_json() if report else None})
    else:
        _tell(report, nothing)
    return Exit.FAILED if report is not None and _loses(report) else Exit.OK


def _loses(report: SalvageReport) -> bool:
    return bool(report.lost or report.unprovable or report.tail_unknown)


def _last(folder: Path) -> SalvageReport | None:
    """The newest report beside the queue."""
    from offline_queue.damage.losses import from_json

    with explaining(folder):
        found = [
            file for file in folder.glob("queue.sqlite.damaged-*/report.json") if file.is_file()
        ]
        if not found:
            return None
        newest = max(found, key=lambda file: file.stat().st_mtime_ns)
        content = newest.read_bytes()
    try:
        return from_json(content)
    except ValueError:
        raise CommandFailed(Exit.STATE, f"{newest}：无法解读 is no report") from None


def _live(arguments: argparse.Namespace) -> SalvageReport | None:
    from kiosk.queue_desk.opening import queue_file
    from kiosk.queue_desk.trail import trail
    from kiosk.state import StateDirectory, StateInUse, StateUnusable

    folder = folder_of(arguments)
    path = queue_file(folder)
    keys = keys_of(folder)
    try:
        lock = StateDirectory(folder).lock()
    except StateInUse as problem:
        raise CommandFailed(
            Exit.STATE, f"终端正在运行，请先停止 stop the terminal first: {problem}"
        ) from None
    except StateUnusable as problem:
        raise CommandFailed(Exit.STATE, f"状态目录不可用 unusable: {problem}") from None
    with lock, trail(folder, keys.terminal_id) as commands:
        confirm(arguments, f"抢救 {path}，原文件留副本 salvage it? a copy is kept")
        before = _last(folder)
        report = _opened(path, keys.queue_key)
        if report is not None and report != before:
            lost = sum(last - first + 1 for first, last in (*report.lost, *report.unprovable))
            commands.record("queue.salvaged", detail={"recovered": report.rows, "lost": lost})
    return report


def _from_copy(arguments: argparse.Namespace) -> SalvageReport | None:
    """Salvage a copy of the copy, so that nothing beside either file is touched."""
    source: Path = arguments.file / "queue.sqlite" if arguments.file.is_dir() else arguments.file
    target: Path = arguments.into
    folder = folder_of(arguments)
    keys = keys_of(folder)
    live = folder / "queue.sqlite"
    if not source.is_file():
        raise CommandFailed(Exit.USAGE, f"没有文件 {source}：there is no such file")
    if live.exists() and source.samefile(live):
        raise CommandFailed(
            Exit.USAGE, "这是本机正用的队列，请用 --live this is the terminal's own: use --live"
        )
    if target.exists():
        raise CommandFailed(Exit.USAGE, f"文件已存在，请换名 {target} exists; choose another name")
    with explaining(target), tempfile.TemporaryDirectory(dir=target.parent) as work:
        copy = Path(work) / "queue.sqlite"
        for suffix in ("", "-wal"):
            beside = source.with_name(source.name + suffix)
            if beside.is_file():
                shutil.copyfile(beside, copy.with_name(copy.name + suffix))
        report = _opened(copy, keys.queue_key)
        copy.rename(target)
    # What is kept is what was handed in.
    kept = (source, source.with_name(source.name + "-wal"))
    size = sum(file.stat().st_size for file in kept if file.exists())
    return report and replace(report, kept=str(source.parent), kept_bytes=size)


def _opened(path: Path, device_key: bytes) -> SalvageReport | None:
    """Open a queue, which salvages what is damaged, and close it again."""
    from kiosk.clock import SystemClock
    from offline_queue.queue import Queue

    with explaining(path), closing(Queue(path, device_key, SystemClock())) as queue:
        return queue.salvage


def _tell(report: SalvageReport | None, nothing: str) -> None:
    from kiosk.card.showing import OK, STOP, WARN, pairs, show, text

    if report is None:
        show(text(nothing, OK))
        return
    plain: dict[str, Any] = report.as_json()
    rows = pairs()
    rows.add_row("损坏 damage", text(report.finding))
    rows.add_row("取回 recovered", text(report.rows, OK))
    for name, count in report.recovered.items():
        rows.add_row("", text(f"{count}  {words.state(name)}"))
    if report.unsure:
        rows.add_row(
            "结果未知 unsure", text(f"{report.unsure}，重发前先查询 asked for first", WARN)
        )
    rows.add_row("此前已清理 purged", text(report.purged))
    for label, ranges, count in (
        ("✗ 丢失 lost", report.lost, plain["lost_rows"]),
        ("✗ 封签不符 unprovable", report.unprovable, plain["unprovable_rows"]),
    ):
        if ranges:
            numbers = "，".join(words.gap(*gap) for gap in ranges)
            rows.add_row(label, text(f"{count}，编号 {numbers}", STOP))
    if report.tail_unknown:
        tail = f"{report.last_seen} 之后是否还有，无从得知 whether more came after is unknown"
        rows.add_row("✗ 末尾 end", text(tail, STOP))
    rows.add_row("损坏文件 kept in", text(f"{report.kept}（{words.size(report.kept_bytes)}）"))
    show(rows)
    if not _loses(report):
        show(text("✓ 没有损失 nothing is lost", OK))
