"""What is on the dock (控制台): buttons with what they ask of the hall, laid out for one width.

Values only; `hw_sim.hall.dock` draws them. Sizes are in pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from hw_sim.hall.client import Answer

WIDTH, HEIGHT = 440, 1000
_MARGIN, _GAP = 20, 8
_INNER = WIDTH - 2 * _MARGIN

CARD_BUTTONS: Sequence[tuple[str, str]] = (
    ("v3", "三代卡"),
    ("v2", "二代卡"),
    ("v1", "一代卡"),
    ("pin-locked", "密码已锁"),
    ("lost", "已挂失"),
    ("cancelled", "已注销"),
    ("clone", "复制的假卡"),
    ("unknown", "银行卡"),
    ("mute", "无应答卡"),
    ("silent", "中途沉默"),
)
_PAD_KEYS: Sequence[Sequence[tuple[str, str]]] = (
    (("1", "1"), ("2", "2"), ("3", "3"), ("X", "取消")),
    (("4", "4"), ("5", "5"), ("6", "6"), ("<", "退格")),
    (("7", "7"), ("8", "8"), ("9", "9"), ("C", "清除")),
    (("D", "00"), ("0", "0"), ("", ""), ("#", "确认")),
)
_WAYS = {"pcscd": "经 pcscd", "direct": "直连，无 pcscd"}


class Look(Enum):
    """How a button looks."""

    PLAIN = "plain"
    CHOSEN = "chosen"
    KEY = "key"
    ENTER = "enter"
    CLEAR = "clear"
    CANCEL = "cancel"


@dataclass(frozen=True)
class Button:
    """One button.

    Attributes:
        rect: x, y, width, height.
        do, arguments: what it asks of the hall.
        note: small second line.
    """

    rect: tuple[int, int, int, int]
    label: str
    do: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    look: Look = Look.PLAIN
    enabled: bool = True


@dataclass(frozen=True)
class Caption:
    """A line of text; a heading or a fact."""

    at: tuple[int, int]
    text: str
    strong: bool = False
    good: bool | None = None


@dataclass(frozen=True)
class Panel:
    """The whole dock."""

    buttons: tuple[Button, ...]
    captions: tuple[Caption, ...]
    message: str

    def at(self, point: tuple[int, int]) -> Button | None:
        """The enabled button under a point."""
        for button in self.buttons:
            x, y, width, height = button.rect
            if x <= point[0] < x + width and y <= point[1] < y + height and button.enabled:
                return button
        return None


def panel(status: Answer | None, message: str = "") -> Panel:
    """Lay out the dock for a status of the hall; None: the hall does not answer."""
    if status is None or status["opening"]:
        text = "大厅未开门 · hall not running" if status is None else "正在开门 · opening"
        return Panel((), (Caption((_MARGIN, 100), text, strong=True, good=False),), message)
    buttons = [*_cards(status, 110), *_pad(status, 426), *_devices(status, 690)]
    captions = [
        Caption((_MARGIN, 80), "卡片 · cards", strong=True),
        Caption((_MARGIN, 396), "密码键盘 · PIN pad", strong=True),
        Caption((_MARGIN, 660), "线路 · lines", strong=True),
        Caption((_MARGIN, 858), "状态 · status", strong=True),
        *_facts(status, 888),
    ]
    return Panel(tuple(buttons), tuple(captions), message)


def _grid(top: int, columns: int, height: int) -> Iterator[tuple[int, int, int, int]]:
    width = (_INNER - (columns - 1) * _GAP) // columns
    place = 0
    while True:
        row, column = divmod(place, columns)
        yield (
            _MARGIN + column * (width + _GAP),
            top + row * (height + _GAP),
            width,
            height,
        )
        place += 1


def _cards(status: Answer, top: int) -> list[Button]:
    cells = _grid(top, 3, 56)
    free = status["card"] is None
    buttons = [
        Button(
            next(cells),
            label,
            "insert",
            {"card": name},
            note=name,
            look=Look.CHOSEN if status["card"] == name else Look.PLAIN,
            enabled=free,
        )
        for name, label in CARD_BUTTONS
    ]
    x, y, width, _ = next(cells)
    take = (x, y, 2 * width + _GAP, 56)
    look = Look.PLAIN if free else Look.ENTER
    buttons.append(Button(take, "取卡", "remove", note="take card", look=look, enabled=not free))
    return buttons


def _pad(status: Answer, top: int) -> list[Button]:
    cells = _grid(top, 4, 48)
    looks = {"#": Look.ENTER, "C": Look.CLEAR, "<": Look.CLEAR, "X": Look.CANCEL}
    buttons = []
    for row in _PAD_KEYS:
        for key, label in row:
            rect = next(cells)
            if key:
                look = looks.get(key, Look.KEY)
                on = status["pad"]["plugged"]
                buttons.append(Button(rect, label, "press", {"keys": key}, look=look, enabled=on))
    return buttons


def _devices(status: Answer, top: int) -> list[Button]:
    cells = _grid(top, 3, 44)
    buttons = []
    line = status["platform"]["state"]
    for state, label in (("up", "平台正常"), ("slow", "平台缓慢"), ("down", "平台断开")):
        look = Look.CHOSEN if state == line else Look.PLAIN
        buttons.append(Button(next(cells), label, "platform", {"state": state}, look=look))
    for do, name, plugged in (
        ("reader", "读卡器", status["reader"] == "plugged"),
        ("pad", "键盘", status["pad"]["plugged"]),
    ):
        verb, state = ("拔掉", "unplugged") if plugged else ("插上", "plugged")
        look = Look.PLAIN if plugged else Look.CANCEL
        buttons.append(Button(next(cells), verb + name, do, {"state": state}, look=look))
    with_service = status["pcscd"] == "pcscd"
    buttons.append(
        Button(next(cells), "重启 pcscd", "pcscd", {"do2": "restart"}, enabled=with_service)
    )
    cells = _grid(top + 2 * (44 + _GAP), 3, 44)
    for label, where, what in (
        ("3 条后拔卡", "card", "3:tear"),
        ("读卡变慢", "card", "*:delay=400"),
        ("取消故障", "card", "none"),
    ):
        buttons.append(Button(next(cells), label, "fault", {"where": where, "what": what}))
    return buttons


def _facts(status: Answer, top: int) -> list[Caption]:
    pad, platform, faults = status["pad"], status["platform"], status["faults"]
    typing = f"输入中，已按 {pad['count']} 键" if pad["entry"] else "未在输入"
    lines: Sequence[tuple[str, bool | None]] = (
        (f"卡槽  {status['card'] or '空'}", None),
        (f"读卡器  {_plug(status['reader'])}    {_WAYS[status['pcscd']]}",
         status["reader"] == "plugged"),
        (f"键盘  {typing if pad['plugged'] else '已拔掉'}", pad["plugged"]),
        (f"平台  {platform['state']}    报警 {platform['alarms']} 条"
         f"    故障 {sum(faults.values())}", platform["state"] == "up"),
    )  # fmt: skip
    return [
        Caption((_MARGIN, top + 24 * row), text, good=good)
        for row, (text, good) in enumerate(lines)
    ]


def _plug(state: str) -> str:
    return "已连接" if state == "plugged" else "已拔掉"
