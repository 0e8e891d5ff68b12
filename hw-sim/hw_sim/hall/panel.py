"""What is on the dock (控制台): buttons with what they ask of the hall, in three columns.

Values only; `hw_sim.hall.dock` draws them. Sizes are in pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from hw_sim.hall.client import Answer
from hw_sim.hall.desk import Desk
from hw_sim.hall.desks import desks

WIDTH, HEIGHT = 1250, 820
_MARGIN, _GAP = 20, 8
_COLUMN = (WIDTH - 4 * _MARGIN) // 3
_LEFT, _RIGHT, _FAR = (_MARGIN + column * (_MARGIN + _COLUMN) for column in range(3))
_ROW = 44
_SMALL_ROW, _SMALL_GAP = 30, 6

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
_STATES = {"idle": "空闲", "processing": "打印中", "stopped": "停下", "off": "已关机"}
_REASONS = {
    "media-jam": "卡纸",
    "door-open": "机门开着",
    "media-empty": "缺纸",
    "toner-empty": "墨粉用完",
    "media-low": "纸少",
    "toner-low": "墨粉少",
}
_WAYS = {"pcscd": "经 pcscd", "direct": "直连，无 pcscd", "dispenser": "发卡机"}


class Look(Enum):
    """How a button looks."""

    PLAIN = "plain"
    SMALL = "small"
    SMALL_CHOSEN = "small-chosen"
    SMALL_WRONG = "small-wrong"
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
    buttons = [
        *_cards(status, _grid(_LEFT, 110, 3, 56)),
        *_pad(status, _grid(_LEFT, 404, 4, 52)),
        *_codes(status, _grid(_LEFT, 682, 3, _ROW)),
        *_printer(status, _grid(_RIGHT, 110, 3, _ROW)),
        *_lines(status, _grid(_RIGHT, 308, 3, _ROW)),
    ]
    captions = [
        Caption((_LEFT, 80), "卡片 · cards", strong=True),
        Caption((_LEFT, 374), "密码键盘 · PIN pad", strong=True),
        Caption((_LEFT, 652), "扫码 · codes", strong=True),
        Caption((_RIGHT, 80), "证明打印机 · printer", strong=True),
        Caption((_RIGHT, 278), "线路 · lines", strong=True),
        Caption((_RIGHT, 574), "状态 · status", strong=True),
        *_facts(status, 604),
    ]
    top = 80
    for desk in desks():
        top = _desk(desk, status[desk.name], top, buttons, captions)
    return Panel(tuple(buttons), tuple(captions), message)


def _grid(
    left: int, top: int, columns: int, height: int, gap: int = _GAP
) -> Iterator[tuple[int, int, int, int]]:
    width = (_COLUMN - (columns - 1) * gap) // columns
    place = 0
    while True:
        row, column = divmod(place, columns)
        yield (left + column * (width + gap), top + row * (height + gap), width, height)
        place += 1


_Cells = Iterator[tuple[int, int, int, int]]


def _desk(
    desk: Desk, status: Answer, top: int, buttons: list[Button], captions: list[Caption]
) -> int:
    """Lay out a desk from here downwards; returns where the next one begins."""
    captions.append(Caption((_FAR, top), desk.title, strong=True))
    top += 26
    presses = desk.presses(status)
    for press, rect in zip(presses, _grid(_FAR, top, 4, _SMALL_ROW, _SMALL_GAP), strict=False):
        look = (
            Look.SMALL_WRONG if press.wrong else Look.SMALL_CHOSEN if press.chosen else Look.SMALL
        )
        buttons.append(
            Button(rect, press.label, press.do, press.arguments, look=look, enabled=press.enabled)
        )
    top += -(-len(presses) // 4) * (_SMALL_ROW + _SMALL_GAP)
    for fact in desk.facts(status):
        captions.append(Caption((_FAR, top), fact.text, good=fact.good))
        top += 18
    return top + 7


def _two(cells: _Cells) -> tuple[int, int, int, int]:
    x, y, width, height = next(cells)
    next(cells)
    return x, y, 2 * width + _GAP, height


def _cards(status: Answer, cells: _Cells) -> list[Button]:
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
    take = _two(cells)
    look = Look.PLAIN if free else Look.ENTER
    buttons.append(Button(take, "取卡", "remove", note="take card", look=look, enabled=not free))
    return buttons


def _pad(status: Answer, cells: _Cells) -> list[Button]:
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


def _codes(status: Answer, cells: _Cells) -> list[Button]:
    on = status["scanner"]["plugged"]
    buttons: list[Button] = []
    for card, state, label in (
        ("v3", "fresh", "出示电子社保卡"),
        ("lost", "fresh", "挂失卡的码"),
        ("v3", "expired", "过期的码"),
        ("v3", "used", "用过的码"),
        ("v3", "wrong-channel", "别用途的码"),
    ):
        rect = _two(cells) if not buttons else next(cells)
        asked = {"card": card, "state": state}
        buttons.append(Button(rect, label, "ecard", asked, enabled=on))
    return buttons


def _printer(status: Answer, cells: _Cells) -> list[Button]:
    printer = status["printer"]
    buttons = []
    for state, label in (("in", "有纸"), ("low", "纸少"), ("out", "缺纸")):
        look = Look.CHOSEN if state == printer["paper"] else Look.PLAIN
        buttons.append(Button(next(cells), label, "paper", {"state": state}, look=look))
    jam, closed, empty = printer["jam"], printer["door"] == "closed", printer["toner"] == "empty"
    for do, wrong, state, label in (
        ("jam", jam, "clear" if jam else "on", "取出卡纸" if jam else "卡纸"),
        ("door", not closed, "open" if closed else "closed", "打开机门" if closed else "关上机门"),
        ("printer", not printer["on"], "off" if printer["on"] else "on",
         "关打印机" if printer["on"] else "开打印机"),
        ("toner", empty, "full" if empty else "empty", "换上墨粉" if empty else "墨粉用完"),
    ):  # fmt: skip
        look = Look.CANCEL if wrong else Look.PLAIN
        buttons.append(Button(next(cells), label, do, {"state": state}, look=look))
    for label, what in (("应答丢失", "1:job-drop-after"), ("拒收一次", "1:job-status=0x0507")):
        buttons.append(_fault(next(cells), label, "printer", what))
    return buttons


def _lines(status: Answer, cells: _Cells) -> list[Button]:
    buttons = []
    line = status["platform"]["state"]
    for state, label in (("up", "平台正常"), ("slow", "平台缓慢"), ("down", "平台断开")):
        look = Look.CHOSEN if state == line else Look.PLAIN
        buttons.append(Button(next(cells), label, "platform", {"state": state}, look=look))
    for do, name, plugged in (
        ("reader", "读卡器", status["reader"] == "plugged"),
        ("pad", "键盘", status["pad"]["plugged"]),
        ("scanner", "扫码器", status["scanner"]["plugged"]),
    ):
        verb, state = ("拔掉", "unplugged") if plugged else ("插上", "plugged")
        look = Look.PLAIN if plugged else Look.CANCEL
        buttons.append(Button(next(cells), verb + name, do, {"state": state}, look=look))
    for label, where, what in (
        ("3 条后拔卡", "card", "3:tear"),
        ("读卡变慢", "card", "*:delay=400"),
        ("扫码乱码", "scanner", "1:garble"),
        ("答复丢失", "line", "1:reset-after-commit"),
        ("答复错位", "line", "1:stale-answer"),
        ("线路时断", "line", "1:cut-answer=200,3:reset,5:cut-request=300"),
    ):
        buttons.append(_fault(next(cells), label, where, what))
    with_service = status["pcscd"] == "pcscd"
    buttons.append(
        Button(next(cells), "重启 pcscd", "pcscd", {"do2": "restart"}, enabled=with_service)
    )
    buttons.append(_fault(_two(cells), "取消全部故障", "all", "none"))
    return buttons


def _fault(rect: tuple[int, int, int, int], label: str, where: str, what: str) -> Button:
    return Button(rect, label, "fault", {"where": where, "what": what})


def _facts(status: Answer, top: int) -> list[Caption]:
    pad, scanner, printer = status["pad"], status["scanner"], status["printer"]
    platform, faults = status["platform"], status["faults"]
    typing = f"输入中，已按 {pad['count']} 键" if pad["entry"] else "未在输入"
    illegal = len(scanner["illegal"]) + len(printer["illegal"])
    illegal += sum(len(status[desk.name]["illegal"]) for desk in desks())
    lines: Sequence[tuple[str, bool | None]] = (
        (f"卡槽  {status['card'] or '空'}", None),
        (f"读卡器  {_plug(status['reader'])}    {_WAYS[status['pcscd']]}",
         status["reader"] == "plugged"),
        (f"键盘  {typing if pad['plugged'] else '已拔掉'}", pad["plugged"]),
        (f"扫码器  {_looks(scanner)}    已读 {scanner['codes_read']} 个", scanner["plugged"]),
        (f"打印机  {_stands(printer)}    纸 {printer['sheets']} 张",
         printer["state"] in ("idle", "processing")),
        (f"出纸 {printer['sheets_out']} 张    完成 {printer['printed']} 份"
         f"    废纸 {printer['spoilt']} 张", None),
        (f"平台  {platform['state']}    报警 {platform['alarms']} 条"
         f"    故障 {sum(faults.values())}", platform["state"] == "up"),
        (f"违规指令 {illegal} 条", illegal == 0),
    )  # fmt: skip
    return [
        Caption((_RIGHT, top + 23 * row), text, good=good) for row, (text, good) in enumerate(lines)
    ]


def _plug(state: str) -> str:
    return "已连接" if state == "plugged" else "已拔掉"


def _looks(scanner: Answer) -> str:
    if not scanner["plugged"]:
        return "已拔掉"
    if scanner["code_shown"]:
        return "有码在窗前"
    return "等码" if scanner["triggered"] else "未触发"


def _stands(printer: Answer) -> str:
    kinds = [reason.rsplit("-", 1)[0] for reason in printer["reasons"]]
    why = "、".join(_REASONS.get(kind, kind) for kind in kinds) if printer["on"] else ""
    return _STATES[printer["state"]] + (f"（{why}）" if why else "")
