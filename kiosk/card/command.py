"""``yikatong card``: everything about the card that is in a reader, one module an action."""

from __future__ import annotations

import argparse

from kiosk.card import call, dump, info, pins, raw, read, recordings, shell, tree
from kiosk.commands import Command


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(
        title="操作 actions", dest="action", required=True, metavar="ACTION"
    )
    for module in (info, read, tree, dump, pins, raw, recordings, shell, call):
        module.add_to(actions)


def _run(arguments: argparse.Namespace) -> int:
    code: int = arguments.run(arguments)
    return code


COMMAND = Command(
    name="card",
    zh="读卡、查看与调试",
    en="read a card, look into it, talk to it",
    add_arguments=_add_arguments,
    run=_run,
)
