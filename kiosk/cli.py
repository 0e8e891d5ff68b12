"""``yikatong``: the terminal's own command. Knows no sub-command; finds them by entry point.

A sub-command is imported when it is called, all of them for ``--help``; one that cannot be
imported is shown as such and spoils no other.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import NoReturn

from kiosk.commands import ENTRY_POINTS, MEANINGS, Command, CommandFailed, Exit, complain, say

DISTRIBUTION = "yikatong-terminal"


@dataclass(frozen=True)
class _Broken:
    """A sub-command whose module cannot be imported."""

    reason: str


class Parser(argparse.ArgumentParser):
    """argparse with its own few words in Chinese first."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._optionals.title = "选项 options"
        self._positionals.title = "参数 arguments"
        for action in self._actions:
            if isinstance(action, argparse._HelpAction):
                action.help = "显示本帮助 show this help and exit"

    def format_usage(self) -> str:
        return super().format_usage().replace("usage: ", "用法 usage: ", 1)

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(Exit.USAGE, f"{self.prog}: 用法有误 error: {message}\n")

    def format_help(self) -> str:
        return super().format_help().replace("usage: ", "用法 usage: ", 1)


Loaders = Mapping[str, Callable[[], Command]]


def main(arguments: Sequence[str] | None = None, loaders: Loaders | None = None) -> int:
    """Run one sub-command and return its exit code (`kiosk.commands.Exit`)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    known = loaders if loaders is not None else installed()
    try:
        return _dispatch(words, known)
    except SystemExit as ending:
        # argparse: 0 after --help, 2 after wrong usage.
        return ending.code if isinstance(ending.code, int) else Exit.USAGE
    except CommandFailed as failure:
        complain(f"yikatong: {failure}")
        return failure.exit
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (``| head``); Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except Exception as bug:
        from kiosk.logs import describe

        complain(f"yikatong: 程序错误 bug: {describe(bug)}")
        return Exit.BUG


def installed() -> Loaders:
    """The sub-commands that are installed, by name; nothing is imported yet."""
    points = metadata.entry_points(group=ENTRY_POINTS)
    return {point.name: point.load for point in sorted(points, key=lambda point: point.name)}


def _dispatch(words: list[str], known: Loaders) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        _overview(known)
        return Exit.OK if words else Exit.USAGE
    if words[0] == "--version":
        say(f"yikatong {metadata.version(DISTRIBUTION)}")
        return Exit.OK
    name = words[0]
    if name not in known:
        complain(f"yikatong: 没有命令 no command {name!r}")
        complain("yikatong --help 列出全部命令 lists all commands")
        return Exit.USAGE
    command = _load(known[name])
    if isinstance(command, _Broken):
        complain(f"yikatong: 命令 {name} 不可用 is unavailable: {command.reason}")
        return Exit.BUG
    parser = Parser(
        prog=f"yikatong {name}",
        description=f"{command.zh}\n{command.en}",
        epilog=_exit_codes(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_arguments(parser)
    return command.run(parser.parse_args(words[1:]))


def _load(loader: Callable[[], Command]) -> Command | _Broken:
    try:
        return loader()
    except Exception as problem:
        from kiosk.logs import describe

        return _Broken(describe(problem))


def _overview(known: Loaders) -> None:
    say("一卡通终端：社会保障自助服务终端的命令行")
    say("Yikatong Terminal: commands of the social security self-service terminal")
    say("")
    say("用法 usage: yikatong COMMAND [ARGUMENT ...]")
    say("            yikatong COMMAND --help | --help | --version")
    say("")
    say("命令 commands")
    for name, loader in known.items():
        command = _load(loader)
        if isinstance(command, _Broken):
            say(f"  {name:<12} （不可用 unavailable: {command.reason}）")
        else:
            say(f"  {name:<12} {command.summary}")
    say("")
    say(_exit_codes())


def _exit_codes() -> str:
    lines = [f"  {code.value:>4}  {zh}  {en}" for code, (zh, en) in MEANINGS.items()]
    return "\n".join(["退出码 exit codes", *lines])


if __name__ == "__main__":
    sys.exit(main())
