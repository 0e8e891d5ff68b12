"""Code scanner and document printer."""

from __future__ import annotations

from collections.abc import Iterator

from drivers.document_printer import PrinterDetails, PrinterNote, PrinterReason
from provisioning.checks.printer_words import lines, where
from provisioning.findings import Finding, fail, ok, skipped, warn
from provisioning.machine import Machine

_REASONS: dict[PrinterReason, tuple[str, str]] = {
    PrinterReason.GONE: ("没有应答", "does not answer"),
    PrinterReason.JAM: ("卡纸", "paper jam"),
    PrinterReason.DOOR: ("机盖未关", "a door is open"),
    PrinterReason.PAPER_OUT: ("缺纸", "out of paper"),
    PrinterReason.TRAY: ("缺纸盒", "the paper tray is missing"),
    PrinterReason.OUTPUT_FULL: ("出纸口已满", "the output tray is full"),
    PrinterReason.SUPPLY_OUT: ("墨粉用尽", "out of toner"),
    PrinterReason.STOPPED: ("已暂停", "stopped"),
}
_NOTES: dict[PrinterNote, tuple[str, str]] = {
    PrinterNote.PAPER_LOW: ("纸张将尽", "paper is low"),
    PrinterNote.PAPER_SIZE: ("没有放 A4 纸，或纸盒尺寸设错", "no tray is set to A4"),
    PrinterNote.SUPPLY_LOW: ("墨粉将尽", "toner is low"),
    PrinterNote.OTHER: ("有其他提示", "it complains"),
}


def visit_scanner(machine: Machine) -> Iterator[Finding]:
    """scanner."""
    config = machine.config
    if config is None:
        yield skipped("scanner", "未指定 --config", "no --config given")
        return
    if config.scanner is None:
        yield skipped("scanner", "配置中没有扫码器", "the configuration has no scanner")
        return
    port = config.scanner.port
    scanner = machine.open_scanner(config)
    try:
        status = scanner.status()
    finally:
        scanner.close()
    if status.reason is not None:
        yield fail(
            "scanner",
            (f"{port} 没有应答", f"{port} does not answer"),
            (
                "检查电源、串口线和波特率；自助程序运行时请先停止它",
                "check power, cable and baud; stop the kiosk first while it runs",
            ),
        )
    else:
        yield ok("scanner", f"{port} 应答", f"{port} answers", port=port)


def visit_printer(machine: Machine) -> Iterator[Finding]:
    """printer."""
    config = machine.config
    if config is None:
        yield skipped("printer", "未指定 --config", "no --config given")
        return
    if config.printer is None:
        yield skipped("printer", "配置中没有打印机", "the configuration has no printer")
        return
    url = config.printer.url
    printer = machine.open_printer(config)
    try:
        details = printer.details()
    finally:
        printer.close()
    status = details.status
    told = "；".join(zh for zh, _ in lines(details)), "; ".join(en for _, en in lines(details))
    facts: dict[str, str | int | float | bool] = {"url": url, "parts": told[1]}
    if status.reason is not None:
        zh, en = _in_words(details, _REASONS[status.reason], status.reason)
        yield fail(
            "printer",
            (f"{url} {zh}", f"{url}: {en}"),
            ("排除故障后重新检查", "put it right and check again"),
            reason=status.reason.value,
            **facts,
        )
    elif status.notes:
        noted = sorted(status.notes, key=lambda note: note.value)
        pairs = [_in_words(details, _NOTES[note], note) for note in noted]
        yield warn(
            "printer",
            ("、".join(zh for zh, _ in pairs), ", ".join(en for _, en in pairs)),
            ("请尽快处理", "see to it soon"),
            **facts,
        )
    else:
        parts = (f"（{told[0]}）", f" ({told[1]})") if told[0] else ("", "")
        yield ok("printer", f"{url} 可以打印{parts[0]}", f"{url} can print{parts[1]}", **facts)


def _in_words(
    details: PrinterDetails, words: tuple[str, str], meaning: PrinterReason | PrinterNote
) -> tuple[str, str]:
    zh, en = where(details, meaning)
    return (f"{words[0]}：{zh}", f"{words[1]}: {en}") if zh else words
