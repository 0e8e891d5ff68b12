"""Sample screens for the gallery, the golden pictures and whoever wants to see the toolkit.

The person is the demo person and nobody else; the office is invented.
"""

from __future__ import annotations

from dataclasses import replace

from ui.sample_documents import documents
from ui.sample_frames import framed, header_of, home_footer, steps, way_footer
from ui.sample_words import Words
from ui.views import (
    Action,
    Badge,
    Bars,
    Block,
    CodeEntry,
    Countdown,
    Done,
    Emphasis,
    Figure,
    Footer,
    Header,
    Identify,
    Idle,
    Menu,
    Message,
    Notice,
    Overview,
    Picture,
    PinEntry,
    Progress,
    Screen,
    Steps,
    Tile,
    TimeOut,
    Tone,
    Way,
)


def samples(words: Words) -> dict[str, Screen]:
    """Name to screen: every kind of body at least once."""
    w = words
    return {
        "idle": Screen(
            Idle(
                w("欢迎使用自助服务"),
                w("查询、打印、办理，都可以在这里完成"),
                w("轻触屏幕开始"),
                "09:42",
                w("11 月 21 日 星期六"),
            ),
            locale=w.locale,
        ),
        "menu": framed(w, _menu(w), home_footer(w)),
        "identify": framed(w, _identify(w), way_footer(w, seconds=58)),
        "identify-other": framed(w, _identify_other(w), way_footer(w, seconds=58)),
        "pin": framed(w, _pin(w), way_footer(w, before="剩余", seconds=26, after="秒")),
        "overview": framed(
            w,
            _overview(w),
            Footer(
                back=Action("back", w("返回")),
                middle=Action("print", w("打印证明")),
                forward=Action("finish", w("办完退出"), Emphasis.PRIMARY),
                countdown=Countdown(w("无操作"), 45, w("秒后退出")),
            ),
        ),
        "progress": framed(
            w,
            Progress(
                w("正在打印，共 2 页"),
                w("请在下方出纸口取走证明，请勿用力拉拽"),
                0.64,
                (
                    Badge(w("证明已生成"), Tone.OK),
                    Badge(w("已加盖电子印章"), Tone.OK),
                    Badge(w("第 1 页已打印"), Tone.OK),
                    Badge(w("正在打印第 2 页"), Tone.INFO),
                ),
                Steps((w("确认身份"), w("查看结果"), w("打印 / 完成")), 2),
            ),
            Footer(badges=(Badge(w("网络中断，可办部分业务"), Tone.WARN),)),
        ),
        **documents(w),
        "waiting": framed(
            w,
            Progress(w("正在连接，请稍候"), w("通常需要几秒钟")),
            Footer(back=Action("back", w("返回"))),
        ),
        "notice": framed(
            w,
            Notice(
                Tone.WARN,
                Picture.WARNING,
                w("打印机缺纸，暂停打印"),
                w("查询、资格确认等其他业务可照常办理"),
                (
                    w("已自动通知管理员"),
                    w("您未打印的证明已保存，可凭卡在任意一台终端补打，无需重新申请"),
                ),
                (
                    Action("nearby", w("附近可用终端")),
                    Action("other", w("办理其他业务"), Emphasis.PRIMARY),
                ),
                w("告警号 A-2031"),
            ),
            way_footer(w, back="退出", seconds=30),
        ),
        "stopped": Screen(
            Notice(
                Tone.STOP,
                Picture.STOPPED,
                w("本机暂停服务"),
                w("请到旁边的机器办理，或到窗口办理"),
                code="E-1207",
            ),
            header=Header(w("市民自助服务"), w("江城市政务服务大厅 · 3 号机 · 周六 09:42")),
            footer=home_footer(w),
            locale=w.locale,
        ),
        "done": framed(
            w,
            Done(
                Picture.CARD_TAKE,
                w("办好了，请取走您的卡和证明"),
                w("证明共 2 页，扫描右下角二维码可验真"),
                actions=(
                    Action("more", w("再办一件")),
                    Action("finish", w("办完退出"), Emphasis.PRIMARY),
                ),
            ),
            way_footer(w, back=None, seconds=30),
        ),
        "timeout": Screen(
            _overview(w),
            header=header_of(w),
            footer=way_footer(w, seconds=20),
            overlay=TimeOut(
                w("还在办理吗？"),
                w("为保护您的信息，时间到后将自动退出"),
                20,
                Action("go-on", w("继续办理"), Emphasis.PRIMARY),
                Action("leave", w("现在退出")),
            ),
            locale=w.locale,
        ),
    }


def large_samples(words: Words) -> dict[str, Screen]:
    """For the large-type theme."""
    w = words
    tiles = tuple(
        Tile(name, w(title), "", "")
        for name, title in (
            ("entitlement", "资格确认"),
            ("certificate", "打印证明"),
            ("card", "卡片服务"),
            ("staff", "叫工作人员来帮忙"),
        )
    )
    menu = Menu(w("您好，请选择"), "", Tile("accounts", w("查我的账户"), "", ""), tiles)
    all_of_them = samples(words)
    return {
        "large-menu": framed(w, menu, Footer(back=Action("standard", w("恢复标准版")))),
        "large-pin": all_of_them["pin"],
        "large-notice": all_of_them["notice"],
        **{f"large-{name}": all_of_them[name] for name in ("preview", "printing", "rating")},
        "large-identify-other": _with_less(all_of_them["identify-other"]),
        "large-code": _with_less(all_of_them["code"]),
        "large-verified": _with_less(all_of_them["verified"]),
    }


def _with_less(screen: Screen) -> Screen:
    """As much as a landscape screen has room for in truly large type."""
    body = screen.body
    match body:
        case Identify():
            return replace(screen, body=replace(body, ways=body.ways[1:], steps=None))
        case CodeEntry():
            return replace(screen, body=replace(body, message=None, aside=None))
        case Notice():
            return replace(screen, body=replace(body, facts=body.facts[:3]))
        case _:
            return screen


def _menu(w: Words) -> Menu:
    def tile(name: str, glyph: str, title: str, hint: str) -> Tile:
        return Tile(name, w(title), w(hint), glyph)

    return Menu(
        w("您好，请选择要办的事"),
        w("办事请备好市民卡、手机二维码或居民身份证"),
        tile("accounts", "查", "账户查询一件事", "缴存、支取、补贴、年度账单，一次看全"),
        (
            tile("entitlement", "认", "资格确认", "刷脸办理 · 约 1 分钟"),
            Tile(
                "certificate",
                w("证明打印"),
                w("缴存证明 · 年度记录"),
                "印",
                enabled=False,
                note=w("打印机缺纸，暂停打印"),
            ),
            tile("card", "卡", "卡片服务", "状态 · 密码 · 挂失"),
            tile("estimate", "算", "待遇测算", "开始时间 · 金额"),
            tile("transfer", "转", "关系转移", "申请 · 进度"),
            tile("appointment", "约", "预约与办件", "预约窗口 · 查进度"),
        ),
        (
            Action("guide", w("办事指南")),
            Action("verify", w("证明验真")),
            Action("feedback", w("意见投诉")),
            Action("questions", w("常见问题")),
        ),
    )


def _identify(w: Words) -> Identify:
    return Identify(
        w("请出示一种身份凭证"),
        w("任选一种，机器会自动识别"),
        (
            Way(
                "card",
                w("插入市民卡"),
                (w("芯片朝前、正面向上，插到底"), w("办理期间请勿拔卡")),
                Picture.CARD_INSERT,
                prominent=True,
            ),
            Way(
                "code",
                w("扫手机二维码"),
                (w("打开手机里的电子卡二维码"), w("对准右侧扫码窗，距离 10–20 厘米")),
                Picture.PHONE_CODE,
            ),
            Way(
                "id-card",
                w("放置居民身份证"),
                (w("平放在感应区，听到提示音后拿起"),),
                Picture.ID_CARD,
            ),
        ),
        steps(w, 0),
    )


def _identify_other(w: Words) -> Identify:
    card, code, id_card = _identify(w).ways
    return Identify(
        w("请出示一种身份凭证"),
        w("任选一种，机器会自动识别"),
        (card, replace(code, unavailable=w("扫码窗暂时不能使用，请用其他方式")), id_card),
        steps(w, 0),
        action=Action("none", w("都没有带，怎么办？"), Emphasis.QUIET),
    )


def _pin(w: Words) -> PinEntry:
    return PinEntry(
        w("请在密码键盘上输入卡密码"),
        w("请用手遮挡；屏幕不显示数字，键盘输入不会被记录"),
        6,
        3,
        Way(
            "pad",
            w("密码键盘在屏幕右下方"),
            (w("黄色键清除，绿色键确认"), w("忘记密码？按“求助工作人员”")),
            Picture.KEYPAD,
        ),
        steps(w, 0),
        Message(
            Tone.WARN,
            w("上次密码不正确，还可输入 2 次"),
            (w("连续输错后卡密码将被锁定，可持身份证到窗口重置"),),
        ),
    )


def _overview(w: Words) -> Overview:
    heights = (0.68, 0.73, 0.74, 0.8, 0.81, 0.84, 0.86, 0.89, 0.91, 0.95, 0.98, 0.98)
    return Overview(
        w("王*芳，您好"),
        w("个人账号 429***********0022"),
        Badge(w("卡状态正常"), Tone.OK),
        Block(
            "basic",
            w("基本账户"),
            (
                Figure("186", w("累计缴存（月）")),
                Figure("¥ 84,213.56", w("账户余额")),
                Figure("2029-08", w("预计领取")),
            ),
            bars=Bars(
                heights, (True,) * 10 + (False,) * 2, w("近 12 个月：10 个月已到账，2 个月处理中")
            ),
        ),
        (
            Block("job", w("失业账户"), headline=w("正常缴存"), lines=(w("累计 152 个月"),)),
            Block(
                "accident",
                w("工伤账户"),
                headline=w("正常缴存"),
                lines=(w("单位：江城精工有限公司"),),
            ),
            Block("extra", w("补充账户"), headline="¥ 12,006.40", lines=(w("截至 2026-10"),)),
            Block("personal", w("个人账户"), unavailable=w("查询暂不可用，请稍后再试")),
        ),
        Action("reveal", w("显示完整信息"), Emphasis.QUIET),
        steps(w, 1),
    )
