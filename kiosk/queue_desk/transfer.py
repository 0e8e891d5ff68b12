"""``yikatong queue export`` and ``import``: by stick when the line is down for days."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.commands import CommandFailed, Exit, say_json
from kiosk.queue_desk import words
from kiosk.queue_desk.opening import working
from kiosk.queue_desk.options import Actions, add_action, folder_of, positive
from kiosk.queue_desk.progress import bar, until_interrupted

if TYPE_CHECKING:
    from kiosk.transfer.exporting import ExportReport
    from kiosk.transfer.importing import ImportReport, Outcome
    from kiosk.transfer.receipts import Receipt

_EXPORT_EXAMPLES = """  yikatong queue export /media/usb
  yikatong queue export /media/usb --most 500
"""
_EXPORT_DESCRIPTION = """文件只有平台能解密；队列里一条不少，网络恢复后照常发送，平台只收一次。
Only the platform can read the file. The queue keeps every message: what the
line carries first is taken once all the same."""
_IMPORT_EXAMPLES = """  yikatong queue import /media/usb/receipts.bin
"""
_IMPORT_DESCRIPTION = """平台签名的回执：已收的记为已确认，拒收的转待处理。重复导入无害。
Receipts signed by the platform: what it has is confirmed, what it refuses waits
for staff. Importing them twice does no harm."""

_TROUBLES = {
    "full": "U 盘已满，请换一个，或用 --most 少导一些 it is full; try another one or --most",
    "too-large": "文件超过 U 盘限长，请用 --most 少导一些 too long for its file system: --most",
    "read-only": "U 盘写保护或无权限 it cannot be written; look at its switch and rights",
    "gone": "找不到，或中途被拔出 it is not there, or was pulled out",
    "garbled": "读回的内容不符，请换 U 盘 it gives back other bytes; use another one",
    "failed": "U 盘读写失败，请换一个 it fails; use another one",
}
_FAULTS = {
    "not-receipts": "不是回执文件，或不完整 no file of receipts, or cut short",
    "signature": "签名不符，可能来自别的平台或被改动 not signed by this terminal's platform",
    "foreign": "是别的终端的回执 they are of another terminal",
    "malformed": "平台的文件不合格式，请联系平台 the platform's file is malformed; tell them",
}
_OUTCOMES = {
    "confirmed": "已确认 confirmed",
    "refused": "被拒收，待处理 refused: yikatong queue dead",
    "known": "此前已处理 settled before",
    "open": "平台尚未决定，继续等待 not decided yet, goes on waiting",
    "strange": "与队列不符，未采用 of another message, not used",
}


def add_to(actions: Actions) -> None:
    """Declare ``export`` and ``import``."""
    exporting = add_action(
        actions,
        "export",
        _export,
        summary="把积压消息加密写到 U 盘 what waits, sealed, onto a stick",
        description=_EXPORT_DESCRIPTION,
        examples=_EXPORT_EXAMPLES,
    )
    exporting.add_argument("folder", type=Path, metavar="FOLDER", help="U 盘上的目录 on the stick")
    exporting.add_argument(
        "--most", type=positive, metavar="N", help="最多条数 no more messages than this"
    )
    importing = add_action(
        actions,
        "import",
        _import,
        summary="导入平台回执 the platform's receipts, from a stick",
        description=_IMPORT_DESCRIPTION,
        examples=_IMPORT_EXAMPLES,
    )
    importing.add_argument("file", type=Path, metavar="FILE", help="回执文件 file of receipts")


def _export(arguments: argparse.Namespace) -> int:
    from kiosk.queue_desk.trail import trail
    from kiosk.transfer.errors import NothingToExport
    from kiosk.transfer.exporting import export_bundle

    folder = folder_of(arguments)
    report = None
    with working(folder) as (queue, keys), trail(folder, keys.terminal_id) as commands:
        open_rows = queue.metrics().open
        with _explaining(arguments.folder), until_interrupted() as pressed:
            try:
                with bar("导出 exporting") as told:
                    report = export_bundle(
                        queue,
                        arguments.folder,
                        keys,
                        most=arguments.most,
                        progress=told,
                        cancelled=pressed,
                    )
            except NothingToExport:
                pass
        if report is not None:
            detail: dict[str, str | int] = {
                "bundle": report.digest,
                "first": report.first,
                "last": report.last,
                "messages": report.messages,
            }
            commands.record("queue.exported", detail=detail)
    if report is None:
        return _nothing(open_rows, as_json=arguments.json)
    if arguments.json:
        say_json(
            {
                "path": str(report.path),
                "digest": report.digest,
                "first": report.first,
                "last": report.last,
                "messages": report.messages,
                "left_out": report.left_out,
                "size_bytes": report.size,
            }
        )
    else:
        _tell_export(report)
    return Exit.FAILED if report.left_out else Exit.OK


def _nothing(open_rows: int, *, as_json: bool) -> int:
    from kiosk.card.showing import show, text

    if as_json:
        say_json({"path": None, "messages": 0, "left_out": open_rows})
    elif open_rows:
        show(text(f"✗ {open_rows} 条都不可读，未导出 unreadable, no file: yikatong queue check"))
    else:
        show(text("✓ 没有待上传的消息，未写文件 nothing waits, no file was written"))
    return Exit.FAILED if open_rows else Exit.OK


def _tell_export(report: ExportReport) -> None:
    from kiosk.card.showing import OK, STOP, pairs, show, text

    show(text(f"✓ 已导出 exported\n{report.path}", OK))
    show(text(f"SM3 {report.digest}"))
    rows = pairs()
    rows.add_row(
        "消息 messages", text(f"{report.messages}，编号 {words.gap(report.first, report.last)}")
    )
    rows.add_row("大小 size", text(words.size(report.size)))
    if report.left_out:
        left = f"{report.left_out} 条不可读，留在队列 unreadable, stay: yikatong queue check"
        rows.add_row("✗ 未导出 left out", text(left, STOP))
    show(rows)
    show(text("\n下一步 what to do next", "bold"))
    show(text("  安全弹出后交平台导入，取回回执文件 eject it, have the platform take it in"))
    show(text("  yikatong queue import FILE"))


def _import(arguments: argparse.Namespace) -> int:
    from kiosk.queue_desk.trail import trail
    from kiosk.transfer.importing import Outcome, import_receipts

    folder = folder_of(arguments)
    with working(folder) as (queue, keys), trail(folder, keys.terminal_id) as commands:

        def settled(kind: str, receipt: Receipt, outcome: Outcome) -> None:
            if outcome is Outcome.REFUSED:
                detail: dict[str, str | int] = {"kind": kind, "reason": receipt.word}
                commands.record("message.refused", outcome="fault", detail=detail)

        with (
            _explaining(arguments.file),
            until_interrupted() as pressed,
            bar("导入 importing") as told,
        ):
            report = import_receipts(
                queue,
                arguments.file,
                keys,
                progress=told,
                cancelled=pressed,
                settled=settled,
            )
        detail: dict[str, str | int] = {
            "bundle": report.bundle,
            "confirmed": report.outcomes[Outcome.CONFIRMED],
            "refused": report.outcomes[Outcome.REFUSED],
        }
        commands.record("queue.imported", detail=detail)
    if arguments.json:
        counts = {outcome.value: count for outcome, count in report.outcomes.items()}
        say_json({"bundle": report.bundle, "created": report.created, **counts})
    else:
        _tell_import(report)
    wrong = report.outcomes[Outcome.REFUSED] + report.outcomes[Outcome.STRANGE]
    return Exit.FAILED if wrong else Exit.OK


def _tell_import(report: ImportReport) -> None:
    from datetime import datetime

    from kiosk.card.showing import OK, columns, pairs, show, text

    rows = pairs()
    show(text(f"✓ 已导入 imported\n文件包 bundle {report.bundle}", OK))
    made = datetime.fromtimestamp(report.created).astimezone().isoformat(" ", "seconds")
    rows.add_row("平台时间 made", text(made))
    show(rows)
    counts = columns(8, 0)
    for outcome, count in report.outcomes.items():
        if count:
            counts.add_row(text(f"{count:>8}"), text(_OUTCOMES[outcome.value]))
    show(counts)


@contextmanager
def _explaining(path: Path) -> Iterator[None]:
    """What goes wrong with a stick becomes `CommandFailed`."""
    from apdu.crypto.errors import BackendRefused
    from kiosk.transfer.errors import (
        EncryptionKeyMissing,
        ReceiptsRefused,
        StickFailed,
        TransferCancelled,
    )

    failed = None
    try:
        yield
    except StickFailed as error:
        name = f" ({error.errorname})" if error.errorname else ""
        failed = CommandFailed(Exit.DEVICE, f"{path}：{_TROUBLES[error.trouble.value]}{name}")
    except ReceiptsRefused as error:
        failed = CommandFailed(
            Exit.FAILED, f"{path}：{_FAULTS[error.fault.value]}；未采用 nothing was used"
        )
    except EncryptionKeyMissing:
        failed = CommandFailed(
            Exit.STATE,
            "登记时平台未给加密公钥，请重新登记 the enrolment has no key to encrypt to: "
            "yikatong provision enrol",
        )
    except BackendRefused as error:
        failed = CommandFailed(Exit.STATE, f"本机不能做 SM2 加密 no SM2 on this machine: {error}")
    except TransferCancelled:
        failed = CommandFailed(
            Exit.INTERRUPTED,
            "已取消，没有留下半个文件；已采用的回执有效 "
            "cancelled; no half file is left, receipts used so far stay used",
        )
    if failed is not None:
        raise failed
