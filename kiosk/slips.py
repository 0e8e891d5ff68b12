"""What stands on a receipt slip (业务凭条): what was done, when, for whom by mask, and how to ask.

A slip is for whoever did the business and is soon found on the floor: it holds no number and no
name in full, and nothing of what was shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import assert_never

from drivers.receipt_printer import (
    Align,
    Code,
    Cut,
    Feed,
    ReceiptPrinter,
    Row,
    Rule,
    Size,
    Slip,
    SlipLine,
    SlipOutcome,
    Text,
    Unprintable,
    is_plain,
)
from kiosk.documents.codes import group4
from kiosk.masking import mask_name, mask_number
from kiosk.texts import Texts

MISSING = "〓"
"""What stands for a character that the printer lacks, as in Chinese typesetting."""


@dataclass(frozen=True)
class Business:
    """A business that a slip tells of.

    Attributes:
        item: what it is called, in the resident's language.
        serial: under which it is found again.
        at: local time.
        name, number: of the person in full; the slip masks them. Empty where nobody was
            identified.
        queue_number: that will be called up, empty where nobody waits.
        code: 验真码 of a certificate, empty for none.
        look_up: what the slip's QR code says, empty for none; nothing personal.
    """

    item: str
    serial: str
    at: datetime
    name: str = field(default="", repr=False)
    number: str = field(default="", repr=False)
    queue_number: str = ""
    code: str = ""
    look_up: str = ""


def compose(business: Business, texts: Texts, *, place: str, hotline: str) -> Slip:
    """The slip of a business.

    Args:
        place: the hall and the machine, in the resident's language.
    """
    lines: list[SlipLine] = [
        Text(plain(texts("header.title")), Size.LARGE, bold=True, align=Align.CENTRE),
        Text(plain(place), align=Align.CENTRE),
        Rule(),
    ]
    if business.queue_number:
        lines += [
            Text(plain(texts("slip.queue-number")), align=Align.CENTRE),
            Text(plain(business.queue_number), Size.HUGE, bold=True, align=Align.CENTRE),
            Rule(),
        ]
    person = f"{mask_name(business.name)} {mask_number(business.number)}".strip()
    rows = {
        "slip.item": business.item,
        "slip.person": person,
        "slip.serial": business.serial,
        "slip.time": f"{business.at:%Y-%m-%d %H:%M:%S}",
        "slip.code": group4(business.code),
    }
    lines += [Row(plain(texts(label)), plain(value)) for label, value in rows.items() if value]
    lines.append(Rule())
    if business.look_up:
        lines += [Code(business.look_up), Text(plain(texts("slip.scan")), align=Align.CENTRE)]
    lines += [
        Text(plain(texts("slip.keep")), align=Align.CENTRE),
        Text(plain(texts("slip.hotline", hotline=hotline)), bold=True, align=Align.CENTRE),
        Feed(),
        Cut(),
    ]
    return Slip(tuple(lines))


def plain(text: str) -> str:
    """The text without what a printer might obey: control and format characters are left out,
    whatever a platform or a card wrote into a name."""
    return "".join(sign for sign in text if is_plain(sign))


def print_slip(printer: ReceiptPrinter, slip: Slip, texts: Texts) -> SlipOutcome:
    """Print a slip; on the printer's worker. What the printer lacks is marked, and the slip says
    what the mark means (DESIGN §4.9)."""
    try:
        return printer.print_slip(slip)
    except Unprintable as lacking:
        return printer.print_slip(marked(slip, lacking.characters, plain(texts("slip.missing"))))


def marked(slip: Slip, characters: frozenset[str], words: str) -> Slip:
    """The slip with `MISSING` for these characters, and words about it before the cut."""
    shown = [_marked(line, characters) for line in slip.lines]
    return Slip((*shown[:-1], Text(words, align=Align.CENTRE), Cut()))


def _marked(line: SlipLine, characters: frozenset[str]) -> SlipLine:
    marks = str.maketrans(dict.fromkeys(characters, MISSING))
    match line:
        case Text(text):
            return replace(line, text=text.translate(marks))
        case Row(label, value):
            return replace(line, label=label.translate(marks), value=value.translate(marks))
        case Code() | Rule() | Feed() | Cut():
            return line
        case _:
            assert_never(line)
