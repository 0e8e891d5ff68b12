"""``yikatong queue``: what waits for the platform, and what became of it; one module an action."""

from __future__ import annotations

import argparse

from kiosk.commands import Command
from kiosk.queue_desk import checking, dead, listing, replaying, row, salvaging, status, transfer


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(
        title="操作 actions", dest="action", required=True, metavar="ACTION"
    )
    for module in (status, listing, row, dead, replaying, transfer, checking, salvaging):
        module.add_to(actions)


def _run(arguments: argparse.Namespace) -> int:
    code: int = arguments.run(arguments)
    return code


COMMAND = Command(
    name="queue",
    zh="查看和处理离线队列",
    en="look at what waits for the platform, and decide what is stuck",
    add_arguments=_add_arguments,
    run=_run,
)
