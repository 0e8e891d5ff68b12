"""``yikatong card read``: what one card says of itself, for people and other programs."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from kiosk.card.options import Actions, add_action, add_card_options, leave_trace, wanted
from kiosk.commands import Exit, say, say_json

if TYPE_CHECKING:
    from apdu.reading import CardReading
    from kiosk.card.session import Hand

_EXAMPLES = """  yikatong card read
  yikatong card read --json
  yikatong card read --record card.txt    # 再用 card replay card.txt 重放 replay it later
"""


def add_to(actions: Actions) -> None:
    """Declare ``read``."""
    parser = add_action(
        actions,
        "read",
        _run,
        summary="读卡并核验真伪 read a card and let it prove itself",
        examples=_EXAMPLES,
    )
    add_card_options(parser, full=True)


def _run(arguments: argparse.Namespace) -> int:
    from kiosk.card.session import CardSession

    call = wanted(arguments)
    with CardSession(call) as session:
        reading, duration = session.step(read)
    if call.full:
        leave_trace(call.config, arguments.state)
    shown = describe(reading, duration, full=call.full)
    if call.json:
        say_json(shown)
    else:
        tell(shown)
    # What nobody could tell is no finding; a copy is one.
    return Exit.FAILED if reading.genuine is False or not reading.consistent else Exit.OK


def read(hand: Hand) -> tuple[CardReading, float]:
    """The reading and how long it took in ms, the look at the readers not counted."""
    from apdu.reading import read_card

    began = time.perf_counter()
    reading = read_card(hand.line, hand.custodian, trace=hand.trace)
    return reading, (time.perf_counter() - began) * 1000


def describe(reading: CardReading, duration_ms: float, *, full: bool) -> dict[str, Any]:
    """The reading as JSON values; names and numbers masked unless ``full``."""
    from kiosk.masking import mask_name, mask_number, tail

    issuer, holder = reading.issuer, reading.holder
    person: dict[str, Any] | None = None
    if holder is not None:
        person = {
            "social_security_number": holder.social_security_number
            if full
            else mask_number(holder.social_security_number),
            "name": holder.name if full else mask_name(holder.name),
            "sex": holder.sex.value if holder.sex else None,
            "nation": holder.nation,
            "birthplace": holder.birthplace if full else None,
            "birth_date": holder.birth_date.isoformat() if full and holder.birth_date else None,
        }
    card_id = issuer.card_id.hex().upper()
    return {
        "profile": reading.profile,
        "atr": reading.atr.hex().upper() if full else reading.atr[:-4].hex().upper() + "…",
        "issuer": {
            "card_id": card_id if full else card_id[:16] + "…",
            "card_class": issuer.card_class,
            "version": issuer.version,
            "organisation": issuer.organisation,
            "issued": issuer.issued.isoformat() if issuer.issued else None,
            "expires": issuer.expires.isoformat() if issuer.expires else None,
            "card_number": issuer.card_number if full else "…" + tail(issuer.card_number),
        },
        "holder": person,
        "holder_unavailable": reading.holder_unavailable.value
        if reading.holder_unavailable
        else None,
        "genuine": reading.genuine,
        "consistent": reading.consistent,
        "apdus": reading.apdus,
        "duration_ms": round(duration_ms, 1),
    }


_GENUINE = {
    True: "真卡 genuine",
    False: "未通过核验 NOT genuine",
    None: "无法判断 nobody could tell",
}


def tell(shown: dict[str, Any]) -> None:
    """The same for people."""
    from rich.cells import cell_len

    issuer, holder = shown["issuer"], shown["holder"]
    lines = [
        ("卡认证 genuine", _GENUINE[shown["genuine"]]),
        ("规范版本 version", f"{issuer['version']} ({shown['profile']})"),
        ("卡号 card number", issuer["card_number"]),
        ("卡识别码 card id", issuer["card_id"]),
        ("发卡日期 issued", issuer["issued"] or "-"),
        ("有效期至 expires", issuer["expires"] or "-"),
    ]
    if holder is None:
        lines.append(("持卡人 holder", f"未读取 not read: {shown['holder_unavailable']}"))
    else:
        lines.append(("姓名 name", holder["name"]))
        lines.append(("社会保障号码 number", holder["social_security_number"]))
    lines.append(("用时 time", f"{shown['duration_ms']} ms, {shown['apdus']} APDU"))
    for label, value in lines:
        # A Han character takes two columns.
        say(label + " " * max(1, 26 - cell_len(label)) + value)
