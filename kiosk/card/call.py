"""``yikatong card call``: the ministry's functions, for other programs at the counter."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.card.options import Actions, add_action, configured, leave_trace
from kiosk.commands import CommandFailed, Exit, complain, say, say_json

if TYPE_CHECKING:
    from kiosk.config import TerminalConfig

_EXAMPLES = """  yikatong card call iReadCardBas 1
  yikatong card call iReadCard 1 2 '卡识别码|卡号|' 'SSSEEF05|03|05|$'
  echo '["iReadCardBas_HSM_Step1", "1"]' | yikatong card call --lines
"""


def add_to(actions: Actions) -> None:
    """Declare ``call``."""
    parser = add_action(
        actions,
        "call",
        _run,
        summary="部颁接口函数，供其他程序调用 the ministry's functions, for other programs",
        description="按部颁接口的名称、参数顺序和返回码调用；结果含个人信息，不脱敏，每次留痕，\n"
        "只在业务员柜台（配置 [card] ministry_calls = true）或演示配置可用。密码不能作为参数。\n"
        "By the ministry's names, arguments and numbers. The answer names a person, unmasked:\n"
        "only at a clerk's counter ([card] ministry_calls = true) or in a demonstration; each\n"
        "call is audited. No PIN is an argument.",
        examples=_EXAMPLES,
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="如 such as iReadCardBas")
    parser.add_argument("arguments", nargs="*", metavar="ARGUMENT", help="其输入 its inputs")
    parser.add_argument(
        "--lines",
        action="store_true",
        help="标准输入一行一个 JSON 数组，一次会话 a JSON array a line, in one session",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="终端配置 configuration")
    parser.add_argument("--state", type=Path, metavar="DIR", help="状态目录 state directory")


def _run(arguments: argparse.Namespace) -> int:
    from kiosk.pack import PackError

    if arguments.lines == bool(arguments.name):
        raise CommandFailed(Exit.USAGE, "用法 usage: card call NAME [ARGUMENT ...] | --lines")
    try:
        return _call(arguments, _configuration(arguments))
    except PackError as problem:
        raise CommandFailed(Exit.CONFIG, str(problem)) from None


def _call(arguments: argparse.Namespace, config: TerminalConfig) -> int:
    from kiosk.card.counter import answer_lines, run_call

    def audited(call: str) -> None:
        leave_trace(config, arguments.state, call)

    if arguments.lines:
        for line in answer_lines(sys.stdin, config, before=audited, tell=complain):
            say(line)
            # Another program waits for it.
            sys.stdout.flush()
        return Exit.OK
    answer = run_call(arguments.name, arguments.arguments, config, before=audited, tell=complain)
    if arguments.json:
        say_json({"name": arguments.name, "number": answer.number, "output": answer.output})
    else:
        say(str(answer.number))
        say(answer.output)
    return Exit.OK if answer.number >= 0 else Exit.FAILED


def _configuration(arguments: argparse.Namespace) -> TerminalConfig:
    from kiosk.config import Kind

    config = configured(arguments.config)
    if config is None or not (config.kind is Kind.DEMO or config.card.ministry_calls):
        raise CommandFailed(
            Exit.REFUSED,
            "本机未开放接口调用：在终端配置 [card] 中设 ministry_calls = true\n"
            "not open to other programs here: the terminal's configuration decides",
        )
    return config
