"""``yikatong doctor``: is this machine fit to serve, and if not, what to do next."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.commands import Command, Exit, say_json

if TYPE_CHECKING:
    from rich.table import Table

    from provisioning.findings import Finding, Words
    from provisioning.machine import Machine

_LABELS = {
    "ok": ("正常 ok", "green"),
    "warn": ("注意 warn", "yellow"),
    "fail": ("故障 fail", "bold red"),
    "skipped": ("未检 skipped", "dim"),
}
_PLAIN_WIDTH = 120
"""Columns of the table where the output is no terminal."""


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="终端配置 terminal configuration"
    )
    parser.add_argument("--state", type=Path, metavar="DIR", help="状态目录 state directory")
    parser.add_argument("--json", action="store_true", help="输出 JSON for machines")


def _run(arguments: argparse.Namespace) -> int:
    from kiosk.places import usual_config

    config = arguments.config or usual_config()
    return examine(this_machine(config, arguments.state), as_json=arguments.json)


def this_machine(config_file: Path | None, state: Path | None) -> Machine:
    """This machine with this configuration; one that cannot be read is a finding, no error."""
    from kiosk.config import ConfigError, load
    from provisioning.machine import Machine

    if config_file is None:
        return Machine(state=state)
    try:
        config = load(config_file)
    except ConfigError as problem:
        return Machine(config_error=str(problem), state=state)
    if config.card.pcsc_socket:
        os.environ["PCSCLITE_CSOCK_NAME"] = config.card.pcsc_socket
    return Machine(config=config, state=state or config.state)


def examine(machine: Machine, *, as_json: bool) -> Exit:
    """Run every check and tell: OK when nothing failed (warnings included), else FAILED."""
    from provisioning.findings import Severity, inspect
    from provisioning.inspections import INSPECTIONS, TITLES

    order = list(TITLES)
    findings = sorted(inspect(INSPECTIONS, machine), key=lambda found: order.index(found.name))
    if as_json:
        say_json([_for_machines(finding) for finding in findings])
    else:
        _show(findings)
    failed = any(finding.severity is Severity.FAIL for finding in findings)
    return Exit.FAILED if failed else Exit.OK


def _for_machines(finding: Finding) -> dict[str, object]:
    advice = finding.advice
    return {
        "check": finding.name,
        "severity": finding.severity.value,
        "zh": finding.told.zh,
        "en": finding.told.en,
        "advice_zh": advice.zh if advice else "",
        "advice_en": advice.en if advice else "",
        "facts": dict(finding.facts),
    }


def _show(findings: list[Finding]) -> None:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PLAIN_WIDTH)
    console.print(_table(findings))
    counts = dict.fromkeys(_LABELS, 0)
    for finding in findings:
        counts[finding.severity.value] += 1
    console.print("  ".join(f"{_LABELS[name][0]} {counts[name]}" for name in _LABELS))


def _table(findings: list[Finding]) -> Table:
    from rich.table import Table
    from rich.text import Text

    from provisioning.inspections import TITLES

    table = Table(title="终端体检 yikatong doctor", show_lines=False)
    table.add_column("检查 check", no_wrap=True)
    table.add_column("结果 result", no_wrap=True)
    table.add_column("说明 finding", ratio=3)
    table.add_column("下一步 next", ratio=2)
    for finding in findings:
        label, style = _LABELS[finding.severity.value]
        title, told, advice = TITLES[finding.name], finding.told, finding.advice
        # Text, not markup: a path or a reader's name may hold square brackets.
        table.add_row(
            Text(_both(title)),
            Text(label, style=style),
            Text(_both(told)),
            Text("" if advice is None else _both(advice)),
        )
    return table


def _both(words: Words) -> str:
    return words.zh if words.zh == words.en else f"{words.zh}\n{words.en}"


COMMAND = Command(
    name="doctor",
    zh="终端体检：设备、平台、密钥、数据包",
    en="examine this machine: devices, platform, keys, data pack",
    add_arguments=_add_arguments,
    run=_run,
)
