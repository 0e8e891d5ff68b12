"""What surrounds the bodies of the sample screens."""

from __future__ import annotations

from ui.sample_words import Words
from ui.views import (
    Action,
    Badge,
    Body,
    Countdown,
    Emphasis,
    Footer,
    Header,
    HomeFooter,
    Screen,
    Steps,
    Tone,
    Tool,
)


def framed(w: Words, body: Body, footer: HomeFooter | Footer) -> Screen:
    """A body with the header of every sample."""
    return Screen(body, header=header_of(w), footer=footer, locale=w.locale)


def header_of(w: Words) -> Header:
    language = ("EN", "English") if w.locale == "zh-CN" else ("中", "中文")
    return Header(
        w("市民自助服务"),
        w("江城市政务服务大厅 · 3 号机 · 周六 09:42"),
        (
            Tool("large", "大" if w.locale == "zh-CN" else "A", w("大字版")),
            Tool("voice", "♪", w("语音")),
            Tool("language", *language),
            Tool("help", "?", w("求助")),
        ),
    )


def home_footer(w: Words) -> HomeFooter:
    badges = (Badge(w("设备正常"), Tone.OK), Badge(w("网络正常"), Tone.OK))
    return HomeFooter(w("咨询电话"), "400 555 0000", badges)


def way_footer(
    w: Words,
    *,
    back: str | None = "返回",
    before: str = "无操作",
    seconds: int,
    after: str = "秒后退出",
) -> Footer:
    """Back at the left, time left, help at the right."""
    return Footer(
        back=Action("back", w(back)) if back else None,
        countdown=Countdown(w(before), seconds, w(after)),
        forward=Action("staff", w("求助工作人员"), Emphasis.QUIET),
    )


def steps(w: Words, current: int) -> Steps:
    return Steps((w("确认身份"), w("查看结果"), w("打印 / 完成")), current)
