"""``yikatong card dump``: what every readable file holds, item by item."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from kiosk.card.options import (
    Actions,
    Wanted,
    add_action,
    add_card_options,
    leave_trace,
    wanted,
)
from kiosk.commands import CommandFailed, Exit, say_json

if TYPE_CHECKING:
    from apdu.dictionary import CardFile
    from apdu.files import StoredFile
    from apdu.profile import CardProfile
    from kiosk.card.session import CardSession
    from kiosk.card.stored import Look
    from kiosk.card.values import Row

_EXAMPLES = """  yikatong card dump
  yikatong card dump --file SSSEEF05 --file DF01EF06
  yikatong card dump --pin            # 含需密码的文件 also files that want the PIN
  yikatong card dump --full           # 演示配置，留痕 demo configuration only, audited
"""


def add_to(actions: Actions) -> None:
    """Declare ``dump``."""
    parser = add_action(
        actions,
        "dump",
        _run,
        summary="逐项列出可读文件（脱敏）each item of every readable file, masked",
        examples=_EXAMPLES,
    )
    parser.add_argument(
        "--file",
        action="append",
        metavar="NAME",
        dest="files",
        help="只看这个文件，如 SSSEEF05 only this file; may be repeated",
    )
    parser.add_argument(
        "--pin",
        action="store_true",
        help="先验证密码（不回显或密码键盘）show the PIN first: files that want it are read too",
    )
    add_card_options(parser, full=True)


def _run(arguments: argparse.Namespace) -> int:
    from kiosk.card.session import CardSession

    call = wanted(arguments)
    names = [name.upper() for name in arguments.files or ()]
    with CardSession(call) as session:
        profile, looks = _look(session, names, call if arguments.pin else None)
    if call.full:
        leave_trace(call.config, arguments.state)
    if call.json:
        say_json(describe(profile, looks, full=call.full))
    else:
        _tell(looks, full=call.full)
    return Exit.OK


def _look(
    session: CardSession, names: list[str], with_pin: Wanted | None
) -> tuple[CardProfile, list[Look]]:
    from kiosk.card.pins import show_pin
    from kiosk.card.stored import looking, opened

    card = session.step(opened)
    files = card.profile.files
    unknown = [name for name in names if name not in files]
    if unknown:
        raise CommandFailed(
            Exit.USAGE,
            f"没有文件 no file {unknown[0]}; card tree --files 列出全部 lists them",
        )
    if with_pin is not None:
        show_pin(session, card, with_pin, keyboard=False)
    looks = []
    for name in names or files:
        session.renew()
        looks.append(session.step(looking(card, files[name])))
    return card.profile, looks


def describe(
    profile: CardProfile, looks: list[Look], *, full: bool, tag: str | None = None
) -> dict[str, Any]:
    """What was found as JSON values, masked unless ``full``; of one tag only where it is given."""

    return {
        "profile": profile.name,
        "files": [
            {
                "name": each.file.name,
                "zh": each.file.zh,
                "en": each.file.en,
                "state": each.state.value,
                "items": []
                if each.stored is None
                else [row.as_json() for row in _rows(each.file, each.stored, full, tag)],
            }
            for each in looks
        ],
    }


def _tell(looks: list[Look], *, full: bool) -> None:
    for each in looks:
        tell_file(each, full=full)


def _rows(file: CardFile, stored: StoredFile, full: bool, tag: str | None) -> list[Row]:
    from kiosk.card.values import rows_of

    return [row for row in rows_of(file, stored, full=full) if tag in (None, row.tag)]


def tell_file(found: Look, *, full: bool, tag: str | None = None) -> None:
    """One file for people, or one item of it."""
    from kiosk.card.showing import QUIET, WARN, columns, show, text
    from kiosk.card.stored import WORDS, State

    file = found.file
    heading = text(f"{file.name} {file.zh} {file.en}".rstrip(), "bold")
    if found.state is not State.READ or found.stored is None:
        heading.append(f"  {WORDS[found.state]}", WARN)
        show(heading)
        return
    show(heading)
    rows = columns(5, 30, 20, 0)
    for row in _rows(file, found.stored, full, tag):
        rows.add_row(text(row.tag), text(row.name), text(row.text), text(row.hex, QUIET))
    if rows.row_count:
        show(rows)
    else:
        show(text("空 blank", QUIET))
    show("")
