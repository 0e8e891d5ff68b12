"""Code scanner and document printer."""

from __future__ import annotations

from collections.abc import Iterator

from drivers.device import DeviceKind
from drivers.document_printer import PrinterDetails, PrinterNote, PrinterReason
from provisioning.checks.printer_words import lines, where
from provisioning.devices.words import Condition, note, obstacle
from provisioning.findings import Finding, fail, ok, skipped, warn
from provisioning.machine import Machine


def visit_scanner(machine: Machine) -> Iterator[Finding]:
    """scanner."""
    config = machine.config
    if config is None:
        yield skipped("scanner", "未指定 --config", "no --config given")
        return
    if config.scanner is None:
        yield skipped("scanner", "配置中没有扫码器", "the configuration has no scanner")
        return
    address = config.scanner.address
    scanner = machine.open_scanner(config)
    try:
        status = scanner.status()
    finally:
        scanner.close()
    if status.reason is not None:
        found = obstacle(DeviceKind.SCANNER, status.reason.value)
        yield fail(
            "scanner",
            (f"{address} {found.told.zh}", f"{address} {found.told.en}"),
            (
                f"{found.advice.zh}；自助程序运行时请先停止它",
                f"{found.advice.en}; stop the kiosk first while it runs",
            ),
            reason=status.reason.value,
        )
    else:
        yield ok("scanner", f"{address} 应答", f"{address} answers", port=address)


def visit_printer(machine: Machine) -> Iterator[Finding]:
    """printer."""
    config = machine.config
    if config is None:
        yield skipped("printer", "未指定 --config", "no --config given")
        return
    if config.printer is None:
        yield skipped("printer", "配置中没有打印机", "the configuration has no printer")
        return
    at = config.printer.address
    printer = machine.open_printer(config)
    try:
        details = printer.details()
    finally:
        printer.close()
    status = details.status
    told = "；".join(zh for zh, _ in lines(details)), "; ".join(en for _, en in lines(details))
    facts: dict[str, str | int | float | bool] = {"at": at, "parts": told[1]}
    if status.reason is not None:
        found = obstacle(DeviceKind.PRINTER, status.reason.value)
        zh, en = _in_words(details, found, status.reason)
        yield fail(
            "printer",
            (f"{at} {zh}", f"{at}: {en}"),
            (found.advice.zh, found.advice.en),
            reason=status.reason.value,
            **facts,
        )
    elif status.notes:
        noted = sorted(status.notes, key=lambda each: each.value)
        pairs = [_in_words(details, note(DeviceKind.PRINTER, each.value), each) for each in noted]
        yield warn(
            "printer",
            ("、".join(zh for zh, _ in pairs), ", ".join(en for _, en in pairs)),
            ("请尽快处理", "see to it soon"),
            **facts,
        )
    else:
        parts = (f"（{told[0]}）", f" ({told[1]})") if told[0] else ("", "")
        yield ok("printer", f"{at} 可以打印{parts[0]}", f"{at} can print{parts[1]}", **facts)


def _in_words(
    details: PrinterDetails, found: Condition, meaning: PrinterReason | PrinterNote
) -> tuple[str, str]:
    zh, en = where(details, meaning)
    told = found.told
    return (f"{told.zh}：{zh}", f"{told.en}: {en}") if zh else (told.zh, told.en)
