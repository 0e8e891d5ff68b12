"""``yikatong queue check``: whether every message that was ever stored is there, or why not."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from kiosk.commands import Exit, say_json
from kiosk.queue_desk import words
from kiosk.queue_desk.opening import QueueDamaged, looking
from kiosk.queue_desk.options import Actions, add_action, folder_of
from kiosk.queue_desk.progress import bar

if TYPE_CHECKING:
    from offline_queue.chain import ChainReport

_EXAMPLES = """  yikatong queue check
  yikatong queue check --json
"""
_DESCRIPTION = """检查文件结构，逐条打开封签，沿链核对编号；不改动，终端运行时也可用。
The file's structure, the seal of every message and the chain over all of them.
Only looks, also while the terminal runs. Exit code 1 when something is lost,
changed or damaged."""


def add_to(actions: Actions) -> None:
    """Declare ``check``."""
    add_action(
        actions,
        "check",
        _run,
        summary="核对文件和每条消息 is anything lost, changed or damaged",
        description=_DESCRIPTION,
        examples=_EXAMPLES,
    )


def _run(arguments: argparse.Namespace) -> int:
    try:
        with looking(folder_of(arguments)) as queue, bar("核对 checking") as told:
            newest = queue.newest()
            last = newest.seq if newest else 0
            faults = queue.faults()
            chain = None if faults else queue.verify(lambda seq: told(min(seq, last), last))
    except QueueDamaged:
        # So much so that not even the first pages can be read.
        faults, chain = 1, None
    whole = chain is not None and chain.whole
    if arguments.json:
        say_json(_plain(faults, chain))
    else:
        _tell(faults, chain)
    return Exit.OK if whole else Exit.FAILED


def _plain(faults: int, chain: ChainReport | None) -> dict[str, Any]:
    if chain is None:
        return {"whole": False, "faults": faults, "chain": None}
    lost = sum(last - first + 1 for first, last in chain.lost)
    return {
        "whole": chain.whole,
        "faults": faults,
        "chain": {**chain.as_json(), "lost_rows": lost},
    }


def _tell(faults: int, chain: ChainReport | None) -> None:
    from kiosk.card.showing import OK, STOP, pairs, show, text
    from offline_queue.damage.losses import as_ranges

    if chain is None:
        show(
            text("✗ 文件已损坏，未能逐条核对 the file is damaged, its rows were not checked", STOP)
        )
        show(text("\n下一步 what to do next", "bold"))
        show(text("  勿删除文件；停止终端后 do not remove it; stop the terminal, then"))
        show(text("  yikatong queue salvage --live"))
        return
    rows = pairs()
    rows.add_row("文件结构 file", text("完好 sound", OK))
    rows.add_row("在册消息 messages", text(chain.rows))
    rows.add_row("已清理 purged", text(f"{chain.purged}，确认后期满 after their confirmation"))
    if chain.told:
        rows.add_row(
            "抢救时丢失 lost before", text(f"{chain.told}，已记录 on record: queue salvage")
        )
    rows.add_row("最大编号 newest", text(chain.last))
    lost = sum(last - first + 1 for first, last in chain.lost)
    if lost:
        gaps = "，".join(words.gap(*gap) for gap in chain.lost)
        rows.add_row("✗ 丢失 lost", text(f"{lost}，编号 {gaps}", STOP))
    if chain.broken:
        numbers = "，".join(words.gap(*gap) for gap in as_ranges(sorted(set(chain.broken))))
        rows.add_row("✗ 被改动 changed", text(f"{len(chain.broken)}，编号 {numbers}", STOP))
    show(rows)
    if chain.whole:
        show(text("✓ 完整，未被改动 complete and unchanged", OK))
    else:
        show(text("✗ 核对未通过 something is lost or changed", STOP))
        show(text("\n下一步 what to do next", "bold"))
        show(text("  保留状态目录，记下编号，报技术支持 keep the directory, report the numbers"))
