"""``yikatong devices``: every box on the terminal, and how it stands; one module an action."""

from __future__ import annotations

import argparse

from kiosk.commands import Command
from provisioning.devices import emptying, listing, rules, testing, unlocking, watching


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(
        title="操作 actions", dest="action", required=True, metavar="ACTION"
    )
    for module in (listing, testing, watching, rules, emptying, unlocking):
        module.add_to(actions)


def _run(arguments: argparse.Namespace) -> int:
    code: int = arguments.run(arguments)
    return code


COMMAND = Command(
    name="devices",
    zh="查看、检查、监视外设",
    en="list, test and watch the devices; udev rules",
    add_arguments=_add_arguments,
    run=_run,
)
