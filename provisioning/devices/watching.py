"""``yikatong devices watch``: what changes, while it changes."""

from __future__ import annotations

import argparse
import contextlib
from typing import TYPE_CHECKING, Any, NoReturn

from kiosk.commands import Exit
from provisioning.devices.options import add_kind, add_terminal, chosen, terminal

if TYPE_CHECKING:
    from provisioning.devices.rounds import Rounds

_DESCRIPTION = """\
监视设备，直到按 Ctrl-C。卡住的设备只影响它自己。自助程序运行时显示它看到的状态。
Watches devices until Ctrl-C. A device that hangs hangs alone. While the kiosk runs, shows what
the kiosk sees.

--json: 每行一个对象，只输出变化 one object a line, changes only:
  at, device, event (serves, lost, changed, back, note-added, note-gone), reason, note,
  after_seconds, zh, en"""


def add_to(actions: Any) -> None:
    """Add the action to the parser."""
    parser = actions.add_parser(
        "watch",
        help="实时监视 watch live, until Ctrl-C",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_kind(parser)
    add_terminal(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Watch until somebody stops it; that is its good end."""
    from kiosk.configured_devices import ConfiguredDevices
    from provisioning.devices.rounds import Rounds

    config = terminal(arguments)
    with contextlib.closing(ConfiguredDevices(config)) as devices:
        watched = chosen(devices, arguments.kind)
        with contextlib.closing(Rounds(watched, arguments.state or config.state)) as rounds:
            try:
                if arguments.json:
                    _tell_changes(rounds)
                else:
                    _show_live(rounds)
            except KeyboardInterrupt:
                return Exit.OK


def _tell_changes(rounds: Rounds) -> NoReturn:
    import json
    import sys

    while True:
        for event in rounds.next():
            sys.stdout.write(json.dumps(event.for_machines(), ensure_ascii=False) + "\n")
            sys.stdout.flush()


def _show_live(rounds: Rounds) -> NoReturn:
    from rich.console import Console
    from rich.live import Live

    from provisioning.devices.live import Picture

    console = Console(highlight=False)
    picture = Picture(rounds)
    if not console.is_terminal:
        while True:
            for event in rounds.next():
                console.print(picture.line(event))
    with Live(picture.table(), console=console, auto_refresh=False) as live:
        while True:
            picture.add(rounds.next())
            live.update(picture.table(), refresh=True)
