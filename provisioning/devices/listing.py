"""``yikatong devices list``: what is configured, where it is, how it stands."""

from __future__ import annotations

import argparse
import contextlib
from typing import TYPE_CHECKING, Any

from kiosk.commands import Exit, say_json
from provisioning.devices.options import add_terminal, terminal

if TYPE_CHECKING:
    from rich.table import Table

    from provisioning.devices.asking import Answer

PLAIN_WIDTH = 120
"""Columns of a table where the output is no terminal."""


def add_to(actions: Any) -> None:
    """Add the action to the parser."""
    parser = actions.add_parser(
        "list",
        help="列出配置的设备和状态 what is configured, and how it stands",
        description="列出配置的设备：驱动、端口、状态。运行中的自助程序不受影响。\n"
        "What is configured: driver, port, how it stands. A kiosk that runs is not disturbed.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_terminal(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask all devices and list them; OK however they stand."""
    from kiosk.configured_devices import ConfiguredDevices
    from provisioning.devices.asking import ask
    from provisioning.devices.standing import for_machines, standing

    config = terminal(arguments)
    with contextlib.closing(ConfiguredDevices(config)) as devices:
        answers = list(ask(devices.values(), arguments.state or config.state))
    if arguments.json:
        say_json([for_machines(answer, standing(answer)) for answer in answers])
    else:
        from rich.console import Console

        console = Console(highlight=False)
        if not console.is_terminal:
            console = Console(highlight=False, width=PLAIN_WIDTH)
        console.print(_table(answers))
    return Exit.OK


def _table(answers: list[Answer]) -> Table:
    from rich.table import Table
    from rich.text import Text

    from provisioning.devices.showing import both, style
    from provisioning.devices.standing import standing
    from provisioning.devices.words import kind_name

    table = Table(title="设备 yikatong devices")
    for heading in ("设备 device", "驱动 driver", "位置 address"):
        table.add_column(heading, no_wrap=heading.startswith("设备"))
    table.add_column("状态 how it stands", ratio=1)
    for answer in answers:
        found = standing(answer)
        # Text, not markup: a path or a reader's name may hold square brackets.
        table.add_row(
            Text(both(kind_name(answer.device.kind))),
            Text(answer.device.driver),
            Text(answer.device.address),
            Text(both(found.told), style=style(found)),
        )
    return table
