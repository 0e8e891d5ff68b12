"""``yikatong card tree``: applications, files and items, and what of them can be read now."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kiosk.card.options import Actions, add_action, add_card_options, wanted
from kiosk.commands import Exit, say_json

if TYPE_CHECKING:
    from rich.tree import Tree

    from apdu.dictionary import Application, CardFile, Item
    from apdu.profile import CardProfile
    from kiosk.card.session import CardSession
    from kiosk.card.stored import State

_EXAMPLES = """  yikatong card tree                  # 读卡器里这张卡 the card in the reader
  yikatong card tree --files          # 只列文件 files only, without their items
  yikatong card tree --profile v3     # 不用卡 of a generation, without any card
"""
_ONE_BYTE = 1
"""Of a photo, one byte tells whether it can be read."""

States = Mapping[str, "State"]


def add_to(actions: Actions) -> None:
    """Declare ``tree``."""
    parser = add_action(
        actions,
        "tree",
        _run,
        summary="文件树：应用、文件、权限 applications, files and who may read them",
        examples=_EXAMPLES,
    )
    parser.add_argument(
        "--profile", choices=("v1", "v2", "v3"), help="不读卡，看某一代 a generation, no card"
    )
    parser.add_argument("--files", action="store_true", help="不列数据项 leave out the items")
    add_card_options(parser)


def _run(arguments: argparse.Namespace) -> int:
    from apdu.profile import shipped_profiles
    from kiosk.card.session import CardSession

    if arguments.profile:
        by_name = {profile.name: profile for profile in shipped_profiles().values()}
        profile, states = by_name[arguments.profile], None
    else:
        with CardSession(wanted(arguments)) as session:
            profile, states = _look(session)
    if arguments.json:
        say_json(describe(profile, states))
    else:
        from kiosk.card.showing import show

        show(draw(profile, states, items=not arguments.files))
    return Exit.OK


def _look(session: CardSession) -> tuple[CardProfile, States]:
    from kiosk.card.stored import looking, opened

    card = session.step(opened)
    states: dict[str, State] = {}
    for file in card.profile.files.values():
        session.renew()
        found = session.step(looking(card, file, size=_ONE_BYTE))
        states[file.name] = found.state
    return card.profile, states


def describe(profile: CardProfile, states: States | None) -> dict[str, Any]:
    """The tree as JSON values; ``readable`` is there only where a card was looked at."""
    return {
        "profile": profile.name,
        "applications": [
            {
                "name": application.name,
                "zh": application.zh,
                "en": application.en,
                "aid": application.aid.hex().upper(),
                "fid": f"{application.fid:04X}",
                "mark": application.mark,
                "files": [_file(file, states) for file in _files(profile, application)],
            }
            for application in profile.applications.values()
        ],
    }


def _files(profile: CardProfile, application: Application) -> list[CardFile]:
    return [file for file in profile.files.values() if file.application == application.name]


def _file(file: CardFile, states: States | None) -> dict[str, Any]:
    from kiosk.card.stored import size_of

    told = {
        "name": file.name,
        "zh": file.zh,
        "en": file.en,
        "fid": f"{file.fid:04X}",
        "sfi": file.sfi,
        "kind": file.kind.value,
        "read": str(file.read),
        "write": str(file.write),
        "size": size_of(file),
        "mark": file.mark,
        "items": [_item(item) for item in file.items],
    }
    return told if states is None else told | {"readable": states[file.name].value}


def _item(item: Item) -> dict[str, Any]:
    return {
        "record": item.record,
        "tag": None if item.tag is None else f"{item.tag:02X}",
        "field": item.field,
        "zh": item.zh,
        "en": item.en,
        "type": item.form.value,
        "length": item.length,
        "mark": item.mark,
        "parts": [_item(part) for part in item.parts],
    }


def draw(profile: CardProfile, states: States | None, *, items: bool) -> Tree:
    """The tree for people."""
    from rich.tree import Tree

    from kiosk.card.showing import text

    root = Tree(text(f"社会保障卡 social security card, {profile.name}", "bold"))
    for application in profile.applications.values():
        label = f"{application.name} {application.zh} {application.en}"
        branch = root.add(text(label, "bold"))
        for file in _files(profile, application):
            leaf = branch.add(_label(file, states))
            for item in file.items if items else ():
                # Records of the same tag are alike: one line stands for all of them.
                if item.occurrence == 1:
                    _add_item(leaf, item, sum(other.tag == item.tag for other in file.items))
    return root


def _label(file: CardFile, states: States | None) -> Any:
    from kiosk.card.showing import OK, QUIET, WARN, text
    from kiosk.card.stored import WORDS, State, rule_in_words, size_of

    size = size_of(file)
    label = text(f"{file.fid:04X} {file.zh} {file.en}".rstrip())
    label.append(f"  {size if size is not None else '?'} B", QUIET)
    if file.records is not None:
        label.append(f"  循环 cyclic ×{file.records}", QUIET)
    if states is not None:
        state = states[file.name]
        label.append(f"  {WORDS[state]}", OK if state is State.READ else WARN)
    label.append(
        f"\n读 read: {rule_in_words(file.read)}；写 write: {rule_in_words(file.write)}", QUIET
    )
    return label


def _add_item(branch: Tree, item: Item, alike: int = 1) -> None:
    from kiosk.card.showing import QUIET, text
    from kiosk.card.stored import title

    tag = f"#{item.record:<2}" if item.tag is None else f"{item.tag:02X} "
    label = text(f"{tag} {title(item)}")
    label.append(f"  {item.form.value} {'?' if item.length is None else item.length}", QUIET)
    if alike > 1 and item.tag is not None:
        label.append(f"  ×{alike}", QUIET)
    leaf = branch.add(label)
    for part in item.parts:
        _add_item(leaf, part)
