"""``yikatong card shell``: the card line by line, at a terminal or from a script."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apdu.command import Layout
from apdu.commands import Ins
from kiosk.card.options import Actions, Wanted, add_action, add_card_options, leave_trace, wanted
from kiosk.commands import CommandFailed, Exit, complain, say, say_json

if TYPE_CHECKING:
    from kiosk.card.verbs import Verbs

_EXAMPLES = """  yikatong card shell
  yikatong card shell --strict < script    # 遇错即停 stops at the first error
  echo 'cat SSSEEF05 03' | yikatong card shell
"""
_HISTORY = "card-shell-history"
_HISTORY_LINES = 500
_ENDS = ("quit", "exit")
_HARMLESS = (
    *("select", "ls", "cat", "tree", "sw", "atr", "auth"),
    *("reset", "trace", "record", "help", "quit"),
)
"""Verbs whose lines go into the history whatever stands in them."""


def add_to(actions: Actions) -> None:
    """Declare ``shell``."""
    parser = add_action(
        actions,
        "shell",
        _run,
        summary="交互操作：select、ls、cat、apdu … the card line by line",
        examples=_EXAMPLES,
    )
    parser.add_argument(
        "--strict", action="store_true", help="遇错即停 stop at the first error, with its code"
    )
    add_card_options(parser, full=True)


def _run(arguments: argparse.Namespace) -> int:
    from kiosk.card.session import CardSession
    from kiosk.card.verbs import Verbs

    call = wanted(arguments)
    audit = _once(lambda: leave_trace(call.config, arguments.state))
    with CardSession(call) as session:
        verbs = Verbs(session, call, audit)
        try:
            with _lines(call, arguments, verbs) as lines:
                return Shell(verbs, call, strict=arguments.strict).run(lines)
        finally:
            verbs.stop_recording()


def _once(do: Callable[[], None]) -> Callable[[], None]:
    done: list[bool] = []

    def first() -> None:
        if not done:
            do()
            done.append(True)

    return first


class Shell:
    """Runs lines; one that fails says so, and the next one runs, unless `strict`."""

    def __init__(self, verbs: Verbs, call: Wanted, *, strict: bool) -> None:
        from kiosk.card.verbs import Verb

        self._verbs = verbs
        self._call = call
        self._strict = strict
        self._results: list[dict[str, Any]] = []
        verbs.table["help"] = Verb("", "本帮助", "this list", lambda _: self._help())
        verbs.table["quit"] = Verb("", "结束", "give the card back", lambda _: None)

    def run(self, lines: Iterator[str]) -> int:
        """The exit code: of the first line that failed, in a script."""
        code: int = Exit.OK
        for line in lines:
            words = _words(line)
            if not words:
                continue
            if words[0] in _ENDS:
                break
            failed = self._line(words)
            code = code or failed
            if failed and self._strict:
                break
        if self._call.json:
            say_json({"results": self._results})
        return Exit.OK if sys.stdin.isatty() and not self._strict else code

    def _line(self, words: list[str]) -> int:
        name, *rest = words
        try:
            value = self._do(name, rest)
        except CommandFailed as failure:
            self._results.append({"verb": name, "code": failure.exit, "error": str(failure)})
            if not self._call.json:
                complain(f"✗ {failure}")
            return failure.exit
        self._results.append({"verb": name, "code": 0, "value": value})
        return Exit.OK

    def _do(self, name: str, rest: list[str]) -> Any:
        verb = self._verbs.table.get(name)
        if verb is None:
            raise CommandFailed(Exit.USAGE, f"没有命令 no verb {name}; help 列出全部 lists them")
        if not verb.least <= len(rest) <= verb.most:
            raise CommandFailed(Exit.USAGE, f"用法 usage: {name} {verb.usage}".rstrip())
        return verb.run(rest)

    def _help(self) -> list[str]:
        if not self._call.json:
            from kiosk.card.showing import columns, show, text

            rows = columns(20, 18, 0)
            for name, verb in self._verbs.table.items():
                rows.add_row(text(f"{name} {verb.usage}"), text(verb.zh), text(verb.en))
            show(rows)
        return list(self._verbs.table)


def _words(line: str) -> list[str]:
    """A line's words; none of a comment. A quotation mark that is never closed is a letter."""
    if line.lstrip().startswith("#"):
        return []
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


@contextmanager
def _lines(call: Wanted, arguments: argparse.Namespace, verbs: Verbs) -> Iterator[Iterator[str]]:
    """What is to be done: typed with completion and history, or from a pipe."""
    if not sys.stdin.isatty():
        yield iter(sys.stdin)
        return
    import readline

    from kiosk.card.completion import Completer

    file = _history_file(call, arguments.state)
    readline.clear_history()
    readline.set_completer(Completer(lambda: verbs.application, tuple(verbs.table)).complete)
    readline.set_completer_delims(" ")
    readline.parse_and_bind("tab: complete")
    readline.set_auto_history(False)
    if file is not None:
        with suppress(OSError):
            readline.read_history_file(file)
    say("help 列出命令 lists the verbs, Tab 补全 completes, quit 结束 ends")
    try:
        yield _typed(verbs, readline.add_history)
    finally:
        readline.set_completer(None)
        if file is not None:
            readline.set_history_length(_HISTORY_LINES)
            with suppress(OSError):
                # Made by us, so that nobody else may read it.
                os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))
                readline.write_history_file(file)


def _typed(verbs: Verbs, remember: Callable[[str], None]) -> Iterator[str]:
    while True:
        try:
            line = input(f"{verbs.application}> ")
        except EOFError:
            say("")
            return
        if may_be_kept(line):
            remember(line)
        yield line


def may_be_kept(line: str) -> bool:
    """Whether a line may go into the history: no command that carries data but SELECT, since what
    it carries may be a cryptogram, a key or a person's; and nothing that is no verb, since that may
    be one, mistyped."""
    words = _words(line)
    if not words or words == ["pin"]:
        return bool(words)
    if words[0] != "apdu":
        return words[0] in _HARMLESS
    try:
        command = bytes.fromhex("".join(words[1:]))
        layout = Layout.of(command)
    except ValueError:
        return False
    return layout.nc == 0 or (command[0] == 0 and command[1] == Ins.SELECT.value)


def _history_file(call: Wanted, state: Path | None) -> Path | None:
    """In the state directory, where there is one."""
    from kiosk.places import usual_state

    folder = state or (call.config.state if call.config is not None else usual_state())
    return folder / _HISTORY if folder.is_dir() else None
