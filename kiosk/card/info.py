"""``yikatong card info``: what is in the reader, whatever it is."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from kiosk.card.exits import CardExit
from kiosk.card.options import Actions, add_action, add_card_options, wanted
from kiosk.commands import Exit, say_json

if TYPE_CHECKING:
    from rich.table import Table

    from kiosk.card.survey import Asked, Survey

_EXAMPLES = """  yikatong card info
  yikatong card info --reader Contact --json
"""
_TAGS = {
    0x50: "应用标签 label",
    0x6F: "文件控制信息 FCI",
    0x84: "应用名称 name (AID)",
    0x86: "算法标识 algorithm",
    0x87: "优先级 priority",
    0x88: "目录短标识 directory SFI",
    0xA5: "专有信息 proprietary",
    0x5F2D: "语言 languages",
    0x9F0C: "发卡方数据 issuer data",
    0x9F11: "代码表 code table",
    0x9F12: "首选名称 preferred name",
    0x9F38: "终端数据请求 PDOL",
    0xBF0C: "发卡方自定 issuer's own",
}
_UNKNOWN = (
    "翻面或换读卡器 turn it over, or try another reader: --reader NAME",
    "可能是门禁卡、存储卡或地方旧卡 perhaps a door, memory or provincial card",
    "看默认应用 ask for its default application: card apdu 00A4040000",
    "存脱敏记录交技术支持 a transcript for support: card info --record FILE",
)
_LOCKED = (
    "凭身份证到柜台解锁或换卡 the counter unlocks it, with the ID card",
    "确认卡状态是否已挂失 ask the platform whether it was reported lost",
)
"""What to try next."""


def add_to(actions: Actions) -> None:
    """Declare ``info``."""
    parser = add_action(
        actions,
        "info",
        _run,
        summary="卡里有什么：ATR、应用、版本 what is in the reader",
        examples=_EXAMPLES,
    )
    add_card_options(parser)


def _run(arguments: argparse.Namespace) -> int:
    from kiosk.card.session import CardSession
    from kiosk.card.survey import survey

    call = wanted(arguments)
    with CardSession(call) as session:
        reader, found = session.step(lambda hand: (hand.reader, survey(hand)))
    if call.json:
        say_json(describe(reader, found))
    else:
        _tell(reader, found)
    if found.is_social_security_card:
        return Exit.OK
    return CardExit.BLOCKED if found.blocked else CardExit.UNKNOWN_CARD


def describe(reader: str, found: Survey) -> dict[str, Any]:
    """The survey as JSON values; nothing in it names one card."""
    from kiosk.card.atr import explain

    issuer = found.issuer
    return {
        "reader": reader,
        "atr": explain(found.atr, full=False),
        "kind": "social-security" if found.is_social_security_card else "unknown",
        "profile": found.profile,
        "version": issuer.version if issuer else None,
        "algorithm": found.algorithm.name if found.algorithm else None,
        "consistent": found.consistent,
        "applications": [_application(each) for each in found.asked],
        "next": list(_next(found)),
    }


def _next(found: Survey) -> tuple[str, ...]:
    if found.is_social_security_card:
        return ()
    return _LOCKED if found.blocked else _UNKNOWN


def _application(asked: Asked) -> dict[str, Any]:
    return {
        "aid": asked.application.aid.hex().upper(),
        "zh": asked.application.zh,
        "en": asked.application.en,
        "presence": asked.presence.value,
        "sw": None if asked.sw is None else f"{asked.sw:04X}",
        "fci": asked.fci.hex().upper(),
    }


_CONSISTENT = {
    True: "一致 agree",
    False: "不一致，疑似复制卡 DIFFER: perhaps a copy",
    None: "无法判断 cannot be told",
}


def add_atr(rows: Table, atr: dict[str, object]) -> None:
    """An answer to reset, as `kiosk.card.atr.explain` gives it."""
    from kiosk.card.showing import WARN, text

    rows.add_row("复位应答 ATR", text(atr["bytes"]))
    if not atr["readable"]:
        rows.add_row("", text("复位应答残缺 this is no complete answer to reset", WARN))
        return
    protocols = " ".join(str(each) for each in _list(atr["protocols"]))
    rows.add_row("  协议 protocol", text(f"{protocols}, {atr['convention']} convention"))
    rows.add_row("  历史字节 historical", text(atr["historical"]))


def _tell(reader: str, found: Survey) -> None:
    from kiosk.card.atr import explain
    from kiosk.card.showing import OK, STOP, pairs, show, text

    atr = explain(found.atr, full=False)
    head = pairs()
    head.add_row("读卡器 reader", text(reader))
    add_atr(head, atr)
    if found.is_social_security_card:
        issuer, algorithm = found.issuer, found.algorithm
        assert issuer is not None and algorithm is not None
        head.add_row("卡片 card", text(f"社会保障卡 social security card, {found.profile}", OK))
        head.add_row("规范版本 version", text(issuer.version))
        head.add_row("算法 algorithm", text(algorithm.name))
        head.add_row(
            "ATR 与卡识别码 card id",
            text(_CONSISTENT[found.consistent], OK if found.consistent else STOP),
        )
    elif found.blocked:
        head.add_row("卡片 card", text("社会保障应用已锁定 its application is locked", STOP))
    else:
        head.add_row("卡片 card", text("无法识别 cannot be identified", STOP))
    show(head)
    _tell_applications(found)
    if advice := _next(found):
        show(text("\n下一步 what to try next", "bold"))
        for line in advice:
            show(text(f"  {line}"))


def _tell_applications(found: Survey) -> None:
    from kiosk.card.showing import show, table, text
    from kiosk.card.survey import Presence

    answered = [each for each in found.asked if each.presence is not Presence.ABSENT]
    if not answered:
        show(text(f"\n问了 {len(found.asked)} 个应用，都不在 none of the applications is there"))
        return
    rows = table("应用标识 AID", "应用 application", "")
    for each in answered:
        state = "已锁定 locked" if each.presence is Presence.BLOCKED else ""
        name = f"{each.application.zh} {each.application.en}"
        rows.add_row(text(each.application.aid.hex().upper()), text(name), text(state))
    show(text(f"\n应用 applications ({len(answered)} / {len(found.asked)})", "bold"))
    show(rows)
    known = found.is_social_security_card or found.blocked
    shown = answered[:1] if known else answered
    for each in shown:
        if each.fci:
            show(text(f"\n选择应答 FCI: {each.application.zh}", "bold"))
            show(objects(each.fci))


def objects(fci: bytes) -> Table:
    """File control information, data object by data object."""
    from apdu import ber_tlv
    from apdu.errors import MalformedAnswer
    from kiosk.card.showing import pairs, text

    rows = pairs()
    try:
        for item in ber_tlv.walk(fci):
            label = f"  {item.tag:02X} {_TAGS.get(item.tag, '')}"
            rows.add_row(text(label), text("" if item.constructed else item.value.hex().upper()))
    except MalformedAnswer:
        rows.add_row(text("  不是 BER-TLV no BER-TLV"), text(fci.hex().upper()))
    return rows


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
