"""The card's file tree as a picture, drawn from the dictionary: ``docs/card-tree.svg``.

``python -m kiosk.card.diagram FILE`` writes it; a test compares the committed picture with the
data. The colours are the screen's (`ui.theme`); who may read a file is told by a word, not by a
colour alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from rich.cells import cell_len

from apdu.bank.profile import shipped_bank_profile
from apdu.dictionary import Access, CardFile
from apdu.pki.profile import KeyFiles, PkiProfile, shipped_pki_profile
from apdu.profile import CardProfile, shipped_profiles
from kiosk.card.stored import size_of
from ui.theme import LIGHT, Colour

GENERATION = "3"
_COLUMNS = 4
_MARGIN, _GAP, _WIDTH = 32, 24, 300
_TOP, _HEAD, _FILE, _STEP = 104, 70, 40, 44
_FONT = "'Noto Sans CJK SC', 'Source Han Sans SC', 'PingFang SC', 'Microsoft YaHei', sans-serif"
_BIG, _NAME, _SMALL = 26, 15, 12
_SIGNS: dict[Access, tuple[str, str, Colour, Colour]] = {
    Access.FREE: ("自由", "free", LIGHT.ok, LIGHT.ok_tint),
    Access.PIN: ("密码", "PIN", LIGHT.accent, LIGHT.tint),
    Access.PIN_OR_KEY: ("密码或密钥", "PIN or key", LIGHT.accent, LIGHT.tint),
    Access.KEY: ("密钥", "key", LIGHT.warn, LIGHT.warn_tint),
    Access.PIN_AND_KEY: ("密码和密钥", "PIN and key", LIGHT.stop, LIGHT.stop_tint),
    Access.NEVER: ("不开放", "never", LIGHT.ink_2, LIGHT.background),
}
_PKI_USES = {"signature": ("签名", "signature"), "encryption": ("加密", "encryption")}


@dataclass(frozen=True)
class Plate:
    """One file.

    Attributes:
        access: what reading takes; None where the picture does not tell.
    """

    name: str
    zh: str
    en: str
    size: str
    access: Access | None


@dataclass(frozen=True)
class Block:
    """One application and its files."""

    name: str
    zh: str
    en: str
    aid: str
    files: tuple[Plate, ...]

    @property
    def height(self) -> int:
        """Pixels."""
        return _HEAD + _STEP * len(self.files) + 8


@dataclass(frozen=True)
class Label:
    """A line of text and the room that it has, for the test that nothing overflows."""

    text: str
    x: float
    y: float
    size: int
    room: float
    fill: Colour
    bold: bool = False
    end: bool = False

    @property
    def width(self) -> float:
        """Pixels, estimated: a Han character is as wide as it is high, others about 0.57 of it."""
        wide = cell_len(self.text) - len(self.text)
        return self.size * (wide + 0.57 * (len(self.text) - wide))

    def svg(self) -> str:
        weight = ' font-weight="700"' if self.bold else ""
        anchor = ' text-anchor="end"' if self.end else ""
        return (
            f'<text x="{self.x:g}" y="{self.y:g}" font-size="{self.size}" '
            f'fill="{_hex(self.fill)}"{weight}{anchor}>{escape(self.text)}</text>'
        )


@dataclass(frozen=True)
class Box:
    """A plate with round corners."""

    x: float
    y: float
    width: float
    height: float
    fill: Colour
    line: Colour | None = None

    def svg(self) -> str:
        stroke = f' stroke="{_hex(self.line)}" stroke-width="1.5"' if self.line else ""
        return (
            f'<rect x="{self.x:g}" y="{self.y:g}" width="{self.width:g}" height="{self.height:g}" '
            f'rx="8" fill="{_hex(self.fill)}"{stroke}/>'
        )


Part = Box | Label


def blocks(profile: CardProfile, pki: PkiProfile) -> Iterator[Block]:
    """What is on a card of this generation, in tree order; the bank's and PKI's at the end."""
    for application in profile.applications.values():
        files = tuple(
            _plate(file) for file in profile.files.values() if file.application == application.name
        )
        aid = application.aid.hex().upper()
        yield Block(application.name, application.zh, application.en, aid, files)
    keys = tuple(_pki_plate(use.value, each) for use, each in pki.files.items())
    yield Block("PKI", "数字证书", "certificates", pki.directory.hex().upper(), keys)
    bank = shipped_bank_profile().applications[0].hex().upper()
    yield Block("金融", "银行账户", "bank, EMV/PBOC", bank, ())


def _plate(file: CardFile) -> Plate:
    size = size_of(file)
    text = "? B" if size is None else f"{size} B"
    return Plate(f"{file.fid:04X}", file.zh, file.en, text, file.read.condition)


def _pki_plate(use: str, files: KeyFiles) -> Plate:
    zh, en = _PKI_USES[use]
    name = " ".join(
        f"{fid:04X}" for fid in (files.public_key, files.private_key, files.certificate)
    )
    return Plate(name, f"{zh}密钥与证书", f"{en}: keys and certificate", "", None)


def parts(profile: CardProfile, pki: PkiProfile) -> tuple[list[Part], int, int]:
    """Everything that is drawn, and the picture's width and height in pixels."""
    width = 2 * _MARGIN + _COLUMNS * _WIDTH + (_COLUMNS - 1) * _GAP
    drawn: list[Part] = []
    ends = [_TOP] * _COLUMNS
    for block in blocks(profile, pki):
        column = min(range(_COLUMNS), key=lambda at: ends[at])
        drawn += _block(block, _MARGIN + column * (_WIDTH + _GAP), ends[column])
        ends[column] += block.height + _GAP
    below = max(ends)
    head: list[Part] = [
        Box(_MARGIN, 24, width - 2 * _MARGIN, 60, LIGHT.header),
        Label(
            f"社会保障卡 {profile.name}", _MARGIN + 24, 64, _BIG, 260, LIGHT.on_header, bold=True
        ),
        Label(
            "MF 3F00：每个应用按名称选择 each application is selected by its name",
            width - _MARGIN - 24, 61, _NAME, 760, LIGHT.on_header, end=True,
        ),
    ]  # fmt: skip
    return [*head, *drawn, *_legend(below)], width, below + 64


def _block(block: Block, x: float, y: float) -> list[Part]:
    drawn: list[Part] = [
        Box(x, y, _WIDTH, block.height, LIGHT.wash, LIGHT.line),
        Label(f"{block.name} {block.zh}", x + 14, y + 23, 17, _WIDTH - 28, LIGHT.ink, bold=True),
        Label(block.en, x + 14, y + 41, _SMALL, _WIDTH - 28, LIGHT.ink_2),
        Label(f"AID {block.aid}", x + 14, y + 58, 11, _WIDTH - 28, LIGHT.ink_2),
    ]
    for at, file in enumerate(block.files):
        drawn += _file(file, x + 8, y + _HEAD + at * _STEP)
    return drawn


def _file(file: Plate, x: float, y: float) -> list[Part]:
    width = _WIDTH - 16
    drawn: list[Part] = [Box(x, y, width, _FILE, LIGHT.paper, LIGHT.line)]
    room: float = width - 20
    if file.access is not None:
        zh, _, ink, tint = _SIGNS[file.access]
        sign = Label(zh, 0, 0, _SMALL, 80, ink, bold=True)
        plate = sign.width + 12
        at = x + width - plate - 6
        drawn += [
            Box(at, y + 5, plate, 18, tint),
            Label(zh, at + 6, y + 18, _SMALL, plate, ink, bold=True),
        ]
        room = at - x - 14
    title = f"{file.name} {file.zh}".rstrip()
    drawn.append(Label(title, x + 10, y + 18, _NAME, room, LIGHT.ink, bold=True))
    size = Label(file.size, x + width - 8, y + 33, _SMALL, 56, LIGHT.ink_2, end=True)
    left = width - 24 - size.width
    drawn += [Label(_cut(file.en, left), x + 10, y + 33, _SMALL, left, LIGHT.ink_2), size]
    return drawn


def _cut(text: str, room: float) -> str:
    """As much of a small text as there is room for."""
    while Label(text, 0, 0, _SMALL, room, LIGHT.ink).width > room:
        text = text.rstrip("…")[:-1].rstrip() + "…"
    return text


def _legend(y: float) -> list[Part]:
    drawn: list[Part] = [
        Label("读取需要 reading takes", _MARGIN, y + 22, _NAME, 200, LIGHT.ink, bold=True)
    ]
    x = float(_MARGIN + 190)
    for zh, en, ink, tint in _SIGNS.values():
        word = Label(zh, x + 6, y + 21, _SMALL, 90, ink, bold=True)
        gloss = Label(en, x + word.width + 20, y + 21, _SMALL, 110, LIGHT.ink_2)
        drawn += [Box(x, y + 8, word.width + 12, 18, tint), word, gloss]
        x = gloss.x + gloss.width + 28
    drawn.append(Label("B 字节，? 未公开 bytes, not public", x, y + 21, _SMALL, 260, LIGHT.ink_2))
    return drawn


def draw() -> str:
    """The picture as SVG text."""
    drawn, width, height = parts(shipped_profiles()[GENERATION], shipped_pki_profile())
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="{_FONT}" role="img" '
        'aria-label="社会保障卡文件树 file tree of the social security card">',
        "<!-- Made by python -m kiosk.card.diagram; change apdu/dictionary/ instead. -->",
        f'<rect width="{width}" height="{height}" fill="{_hex(LIGHT.paper)}"/>',
        *(part.svg() for part in drawn if not isinstance(part, Label) or part.text),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _hex(colour: Colour) -> str:
    return "#" + bytes(colour).hex().upper()


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(draw(), encoding="utf-8")
