"""What a sub-command of ``yikatong`` is, and what its exit code means.

Each command is declared under the entry-point group ``yikatong.commands`` as an object named
``COMMAND``. Its module must be cheap to import: what it works with is imported inside `run`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

ENTRY_POINTS = "yikatong.commands"
"""Entry-point group of the sub-commands."""


class Exit(IntEnum):
    """Exit codes of every command."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CONFIG = 3
    STATE = 4
    DEVICE = 5
    PLATFORM = 6
    REFUSED = 7
    BUG = 70
    INTERRUPTED = 130


MEANINGS: dict[Exit, tuple[str, str]] = {
    Exit.OK: ("完成", "done, nothing wrong"),
    Exit.FAILED: ("检查未通过", "it ran and found something wrong"),
    Exit.USAGE: ("命令用法有误", "wrong usage"),
    Exit.CONFIG: ("配置或数据包有误", "configuration or data pack refused"),
    Exit.STATE: ("状态目录或密钥不可用", "state directory, keys or audit log unusable or in use"),
    Exit.DEVICE: ("设备不可用", "a device is missing or does not answer"),
    Exit.PLATFORM: ("省级平台不可用", "the platform cannot be reached or refused"),
    Exit.REFUSED: ("无权操作", "this role or configuration may not do that"),
    Exit.BUG: ("程序错误", "a bug of this program"),
    Exit.INTERRUPTED: ("被中断", "interrupted"),
}
"""Exit code -> meaning in Chinese and English."""


class CommandFailed(Exception):
    """Ends a command with a message for its user and an exit code.

    Attributes:
        exit: an `Exit` other than OK and BUG, or a code 10..69 of the command's own that its help
            explains.
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.exit = code


@dataclass(frozen=True)
class Command:
    """One sub-command.

    Attributes:
        name: what is typed after ``yikatong``.
        zh, en: one line each for the overview.
        add_arguments: adds its options to an empty parser.
        run: does it; returns an `Exit`. Expected failures are raised as `CommandFailed`.
    """

    name: str
    zh: str
    en: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]

    @property
    def summary(self) -> str:
        """Chinese first, English second."""
        return f"{self.zh}  {self.en}"


def say(text: str) -> None:
    """One line on standard output."""
    sys.stdout.write(text + "\n")


def complain(text: str) -> None:
    """One line on standard error."""
    sys.stderr.write(text + "\n")


def say_json(value: Any) -> None:
    """One JSON document on standard output, for machines."""
    say(json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True))
