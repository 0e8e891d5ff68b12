"""``yikatong card pin``: tries left, and a new PIN. Never on the command line, never in a text."""

from __future__ import annotations

import argparse
import hmac
from collections.abc import Callable
from typing import TYPE_CHECKING

from kiosk.card.exits import CardExit
from kiosk.card.options import Actions, Wanted, add_action, add_card_options, wanted
from kiosk.commands import CommandFailed, Exit, say, say_json

if TYPE_CHECKING:
    from apdu.card import SocialSecurityCard
    from kiosk.card.session import CardSession, Hand

_STATUS_EXAMPLES = """  yikatong card pin status
"""
_CHANGE_EXAMPLES = """  yikatong card pin change              # 终端输入，不回显 typed without echo
  yikatong card pin change --keyboard   # 有密码键盘也用终端 not on the pad
  yikatong card pin change --reader-keys 6   # 带键盘的读卡器 a reader with keys
"""
_READER_SECONDS = 90.0
"""For an entry at the reader, whose own limit is shorter."""
_PAD_MAXIMUM = 12
"""Digits that a pad takes; an ISO 9564 block holds no more."""

Ask = Callable[[str], bytearray]


def add_to(actions: Actions) -> None:
    """Declare ``pin status`` and ``pin change``."""
    summary = "密码：剩余次数、修改 the PIN: tries left, change"
    pin = actions.add_parser("pin", help=summary, description=summary)
    inner = pin.add_subparsers(title="操作 actions", dest="pin", required=True, metavar="ACTION")
    status = add_action(
        inner,
        "status",
        _status,
        summary="还可试几次（不消耗次数时才问）tries left, where asking costs none",
        examples=_STATUS_EXAMPLES,
    )
    add_card_options(status)
    change = add_action(
        inner,
        "change",
        _change,
        summary="修改密码，旧密码一次、新密码两次 old PIN once, new PIN twice",
        examples=_CHANGE_EXAMPLES,
    )
    place = change.add_mutually_exclusive_group()
    place.add_argument(
        "--keyboard", action="store_true", help="用终端而不用密码键盘 the terminal, not the pad"
    )
    place.add_argument(
        "--reader-keys",
        type=int,
        metavar="N",
        help="在读卡器自带的键上输入 N 位密码（未经实机验证）"
        "at the reader's own keys, PINs of N digits (unverified on hardware)",
    )
    add_card_options(change)


def _status(arguments: argparse.Namespace) -> int:
    from kiosk.card.session import CardSession

    call = wanted(arguments)
    with CardSession(call) as session:
        profile, asked, left = session.step(_tries)
    code = Exit.OK if asked else CardExit.NOT_ASKED
    if asked and left == 0:
        code = CardExit.PIN_BLOCKED
    if call.json:
        say_json({"profile": profile, "asked": asked, "tries_left": left})
    elif not asked:
        say(f"没有询问 not asked: {profile}")
        say("这类卡可能把询问算作一次错误密码，所以不问；输错时卡会说出剩余次数。")
        say("Some of these cards count the question as a wrong PIN. A wrong PIN tells the number.")
    elif left is None:
        say("卡没有说 the card does not tell")
    elif left:
        say(f"还可试 {left} 次 {left} tries left")
    else:
        say("密码已锁定，请到柜台重置 the PIN is blocked; the counter can reset it")
    return code


def _tries(hand: Hand) -> tuple[str, bool, int | None]:
    from kiosk.card.stored import opened

    card = opened(hand)
    profile = card.profile
    if not profile.pin.status_query:
        return profile.name, False, None
    return profile.name, True, card.pin_tries()


def _change(arguments: argparse.Namespace) -> int:
    from kiosk.card.session import CardSession
    from kiosk.card.stored import opened

    call = wanted(arguments)
    with CardSession(call) as session:
        if arguments.reader_keys is not None:
            session.renew(_READER_SECONDS)
            session.step(lambda hand: _change_at_reader(hand, arguments.reader_keys))
            return _changed(call)
        card, number = session.step(lambda hand: _with_number(opened(hand)))
        rules = card.profile.pin
        ask = asker(call, number, rules.digits_min, rules.digits_max, keyboard=arguments.keyboard)
        old, new = _old_and_new(ask)
        try:
            session.renew()
            session.step(lambda _: card.change_pin(old, new))
        finally:
            wipe(old, new)
    return _changed(call)


def _changed(call: Wanted) -> int:
    if call.json:
        say_json({"changed": True})
    else:
        say("密码已修改 the PIN is changed")
    return Exit.OK


def _change_at_reader(hand: Hand, digits: int) -> None:
    """One step from the selection on: nobody else selects another application in between."""
    from kiosk.card.pin_entry import change_at_reader
    from kiosk.card.stored import opened

    rules = opened(hand).profile.pin
    if not rules.digits_min <= digits <= rules.digits_max:
        raise CommandFailed(
            Exit.USAGE,
            f"这类卡的密码为 {rules.digits_min} 至 {rules.digits_max} 位 "
            f"PINs of this card have {rules.digits_min} to {rules.digits_max} digits",
        )
    change_at_reader(hand.line.connection, digits)


def _with_number(card: SocialSecurityCard) -> tuple[SocialSecurityCard, str]:
    return card, card.issuer().card_number


def asker(call: Wanted, card_number: str, shortest: int, longest: int, *, keyboard: bool) -> Ask:
    """How this terminal asks for a PIN: at its pad where it has one, else at the keyboard."""
    from kiosk.card.pin_entry import at_keyboard, at_pad, pad_of

    pad = None if keyboard else pad_of(call.config, (shortest, min(longest, _PAD_MAXIMUM)))
    if pad is None:
        return lambda prompt: at_keyboard(f"{prompt}: ")
    return lambda prompt: at_pad(pad, card_number, prompt)


def _old_and_new(ask: Ask) -> tuple[bytearray, bytearray]:
    old, new, again = bytearray(), bytearray(), bytearray()
    try:
        old = ask("原密码 old PIN")
        new = ask("新密码 new PIN")
        again = ask("再输一次新密码 new PIN again")
        if not hmac.compare_digest(new, again):
            raise CommandFailed(
                Exit.USAGE,
                "两次新密码不一致，卡未收到 the new PINs differ; nothing was sent to the card",
            )
    except BaseException:
        wipe(old, new)
        raise
    finally:
        wipe(again)
    return old, new


def show_pin(
    session: CardSession, card: SocialSecurityCard, call: Wanted, *, keyboard: bool
) -> None:
    """Ask for the PIN and show it to the card, once. Raises CommandFailed."""
    number = session.step(lambda _: card.issuer().card_number)
    rules = card.profile.pin
    ask = asker(call, number, rules.digits_min, rules.digits_max, keyboard=keyboard)
    digits = ask("密码 PIN")
    try:
        session.renew()
        session.step(lambda _: card.verify_pin(digits))
    finally:
        wipe(digits)


def wipe(*buffers: bytearray) -> None:
    """Zero them all."""
    for buffer in buffers:
        buffer[:] = bytes(len(buffer))
