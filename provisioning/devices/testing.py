"""``yikatong devices test``: ask each device, say what was found and what to do next."""

from __future__ import annotations

import argparse
import contextlib
from typing import TYPE_CHECKING, Any

from kiosk.commands import Exit, say, say_json
from provisioning.devices.options import add_kind, add_terminal, chosen, terminal

if TYPE_CHECKING:
    from provisioning.devices.asking import Answer

_DESCRIPTION = """\
逐一询问设备，说明问了什么、查到什么、下一步做什么。
Asks each device; says what was asked, what was found, and what to do next.

自助程序运行时，端口归它独占：这时只报告它看到的状态，不去打扰。
While the kiosk runs its ports are its own: then what it sees is told, and nothing is disturbed.

退出码 exit codes:  0 全部正常 all serve   1 有设备不能用 something does not   2 用法有误 usage"""


def add_to(actions: Any) -> None:
    """Add the action to the parser."""
    parser = actions.add_parser(
        "test",
        help="检查设备，说明下一步 ask each, say what to do next",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_kind(parser)
    add_terminal(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask and tell each as soon as it is known: OK when all serve, else FAILED."""
    from kiosk.configured_devices import ConfiguredDevices
    from provisioning.devices.asking import ask
    from provisioning.devices.standing import for_machines, standing

    config = terminal(arguments)
    answers = []
    with contextlib.closing(ConfiguredDevices(config)) as devices:
        for answer in ask(chosen(devices, arguments.kind), arguments.state or config.state):
            answers.append(answer)
            if not arguments.json:
                _tell(answer)
    if arguments.json:
        say_json([for_machines(answer, standing(answer)) for answer in answers])
    serving = sum(standing(answer).serves for answer in answers)
    if not arguments.json:
        say(f"{len(answers)} 台设备，{serving} 台可用  {serving} of {len(answers)} devices serve")
    return Exit.OK if serving == len(answers) else Exit.FAILED


def _tell(answer: Answer) -> None:
    from provisioning.devices.standing import standing
    from provisioning.devices.words import kind_name, question

    device, found = answer.device, standing(answer)
    name, asked = kind_name(device.kind), question(device.kind)
    mark = "✓" if found.serves else "✗"
    say(f"{mark} {name.zh} {name.en}  {device.driver}  {device.address}")
    if found.holder is None:
        say(f"    问 asked   {asked.zh}  {asked.en}")
    say(f"    答 found   {found.told.zh}  {found.told.en}")
    if found.advice is not None:
        say(f"    请 next    {found.advice.zh}  {found.advice.en}")
    say("")
