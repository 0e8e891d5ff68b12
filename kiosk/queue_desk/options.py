"""What the actions of ``yikatong queue`` have in common on the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kiosk.commands import CommandFailed, Exit
from kiosk.places import usual_state

Actions = Any
"""What `argparse.ArgumentParser.add_subparsers` returns; its type is private."""

EPILOG = """退出码 exit codes:
   0  完成 done, nothing wrong
   1  有问题或待处理 something is wrong, or waits for staff
   2  用法有误或无此消息 wrong usage, or no such message
   4  队列、密钥或留痕不可用 queue, keys or audit log unusable
   5  U 盘不可用 the stick is unusable
   7  无权执行或未确认 not allowed here, or not confirmed
 130  被中断 interrupted
"""


def add_action(
    actions: Actions,
    name: str,
    run: Callable[[argparse.Namespace], int],
    *,
    summary: str,
    description: str,
    examples: str,
) -> argparse.ArgumentParser:
    """One action with its help, examples and exit codes."""
    parser: argparse.ArgumentParser = actions.add_parser(
        name,
        help=summary,
        description=f"{summary}\n\n{description}",
        epilog=f"例 examples:\n{examples}\n{EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--state", type=Path, metavar="DIR", help="状态目录 state directory")
    parser.add_argument("--json", action="store_true", help="输出 JSON for machines")
    parser.set_defaults(run=run)
    return parser


def add_yes(parser: argparse.ArgumentParser) -> None:
    """For an action that changes something."""
    parser.add_argument("--yes", action="store_true", help="不再询问 do not ask first")


def folder_of(arguments: argparse.Namespace) -> Path:
    """The state directory."""
    return Path(arguments.state) if arguments.state else usual_state()


def confirm(arguments: argparse.Namespace, question: str) -> None:
    """Ask whoever sits at the terminal; a script is not asked.

    Raises:
        CommandFailed: the answer was no.
    """
    if arguments.yes or not sys.stdin.isatty():
        return
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes", "是"):
        raise CommandFailed(Exit.REFUSED, "已取消，没有改动 cancelled, nothing was changed")


def natural(text: str) -> int:
    """A number of 0 and more, for argparse."""
    number = int(text) if text.isascii() and text.isdigit() else -1
    # What SQLite counts by ends here.
    if not 0 <= number < 2**63:
        raise argparse.ArgumentTypeError(f"应为非负整数 not a number of 0 and more: {text!r}")
    return number


def positive(text: str) -> int:
    """A number of 1 and more, for argparse."""
    number = natural(text)
    if number == 0:
        raise argparse.ArgumentTypeError("应为正整数 must be 1 or more")
    return number
