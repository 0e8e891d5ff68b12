"""What the actions of ``yikatong card`` have in common on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiosk.card.exits import EPILOG
from kiosk.commands import CommandFailed, Exit
from kiosk.places import DEMO_CONFIG, FIELD_CONFIG, usual_config, usual_state

if TYPE_CHECKING:
    from kiosk.config import TerminalConfig

Actions = Any
"""What `argparse.ArgumentParser.add_subparsers` returns; its type is private."""


@dataclass(frozen=True)
class Wanted:
    """One call of an action.

    Attributes:
        config: the terminal's; None where there is none.
        reader: part of the reader's name, or None for any.
        full: show personal values; allowed already.
        json: answer with one JSON object.
        trace: show each command on standard error.
        record: file for a redacted transcript, or None.
    """

    config: TerminalConfig | None
    reader: str | None
    full: bool
    json: bool
    trace: bool
    record: Path | None


def add_action(
    actions: Actions,
    name: str,
    run: Callable[[argparse.Namespace], int],
    *,
    summary: str,
    examples: str = "",
    description: str | None = None,
) -> argparse.ArgumentParser:
    """One action with its help, examples and exit codes."""
    heading = f"例 examples:\n{examples}\n" if examples else ""
    parser: argparse.ArgumentParser = actions.add_parser(
        name,
        help=summary,
        description=description or summary,
        epilog=heading + EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="输出 JSON for machines")
    parser.set_defaults(run=run)
    return parser


def add_card_options(parser: argparse.ArgumentParser, *, full: bool = False) -> None:
    """The options of an action that talks to a card."""
    parser.add_argument("--reader", metavar="NAME-PART", help="读卡器名称的一部分 part of its name")
    if full:
        parser.add_argument(
            "--full",
            action="store_true",
            help="显示完整信息（仅演示配置，会留痕）unmasked; demo configuration only, audited",
        )
    parser.add_argument(
        "--trace",
        action="store_true",
        help="逐条显示指令（已脱敏）show each command, nothing personal in it",
    )
    parser.add_argument(
        "--record",
        type=Path,
        metavar="FILE",
        help="把过程存成脱敏记录 keep a redacted transcript of the session",
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help=f"终端配置 configuration ({FIELD_CONFIG} or {DEMO_CONFIG} where they exist)",
    )
    parser.add_argument("--state", type=Path, metavar="DIR", help="状态目录 state directory")


def wanted(arguments: argparse.Namespace) -> Wanted:
    """The call, its configuration read and its rights checked.

    Raises:
        CommandFailed: the configuration is wrong, it does not allow ``--full``, or the transcript's
            file exists.
    """
    config = configured(arguments.config)
    full: bool = getattr(arguments, "full", False)
    if full:
        allow_full(config)
    if arguments.record is not None and arguments.record.exists():
        raise CommandFailed(
            Exit.USAGE, f"文件已存在，请换名 {arguments.record} exists; choose another name"
        )
    return Wanted(config, arguments.reader, full, arguments.json, arguments.trace, arguments.record)


def configured(file: Path | None) -> TerminalConfig | None:
    """The configuration in `file`, else the usual one, else None. Raises CommandFailed."""
    from kiosk.config import ConfigError
    from kiosk.config import load as load_config

    found = file or usual_config()
    try:
        return load_config(found) if found is not None else None
    except ConfigError as problem:
        raise CommandFailed(Exit.CONFIG, str(problem)) from None


def allow_full(config: TerminalConfig | None) -> None:
    """Whether a resident may be shown in full here. Raises CommandFailed."""
    from kiosk.config import Kind

    if config is None or config.kind is not Kind.DEMO:
        raise CommandFailed(
            Exit.REFUSED,
            "完整信息只有业务员登录或演示配置可以显示："
            "--full needs the clerk role or a demo configuration",
        )


def leave_trace(
    config: TerminalConfig | None, state_path: Path | None, call: str | None = None
) -> None:
    """Showing a resident in full on a command line is audited, in a log of its own (DESIGN §9).

    Args:
        config: of this terminal.
        state_path: another state directory than that of the configuration.
        call: the function that another program calls; None for a command of ours.

    Raises:
        CommandFailed: it cannot be audited; then nothing may be shown.
    """
    from kiosk.audit.log import AuditLog, AuditUnavailable
    from kiosk.clock import SystemClock
    from kiosk.keys import KeyStore, KeyStoreError
    from kiosk.state import StateDirectory, StateError

    try:
        state = StateDirectory(state_path or (config.state if config else usual_state()))
        terminal = KeyStore(state.keys).enrolment().terminal_id
        log = AuditLog(state.audit / "commands.jsonl", terminal, SystemClock())
        if call is None:
            log.write("card.dumped", actor="engineer")
        else:
            log.write("card.called", detail={"call": call})
        log.close()
    except (AuditUnavailable, KeyStoreError, StateError) as problem:
        raise CommandFailed(Exit.STATE, f"无法留痕，不显示：not shown, {problem}") from None
