"""Sample screens of a document: preview, printing, verification; and the evaluation of a visit."""

from __future__ import annotations

from ui.sample_frames import framed, way_footer
from ui.sample_pages import sample_pages
from ui.sample_words import Words
from ui.views import (
    Action,
    CodeEntry,
    Countdown,
    Done,
    Emphasis,
    Footer,
    Grade,
    Message,
    Notice,
    Picture,
    Preview,
    Printing,
    Rating,
    Screen,
    Steps,
    Tone,
    Way,
)


def documents(w: Words) -> dict[str, Screen]:
    """A document from its preview to its verification, and the evaluation at the end."""
    pages = sample_pages(w)
    labels = (w("确认身份"), w("核对内容"), w("打印"))
    printing = Footer(middle=Action("staff", w("求助工作人员"), Emphasis.QUIET))
    return {
        "preview": framed(
            w,
            Preview(
                w("请核对要打印的内容"),
                w("有误请不要打印，按“求助工作人员”"),
                pages,
                0,
                w("第 1 页 / 共 2 页"),
                Action("previous", w("上一页"), enabled=False),
                Action("next", w("下一页")),
                Steps(labels, 1),
            ),
            Footer(
                back=Action("back", w("返回")),
                countdown=Countdown(w("无操作"), 58, w("秒后退出")),
                forward=Action("print", w("打印证明"), Emphasis.PRIMARY),
            ),
        ),
        "preview-one": framed(
            w,
            Preview(
                w("请核对要打印的内容"),
                "",
                pages[:1],
                0,
                w("共 1 页"),
                message=Message(
                    Tone.WARN, w("网络中断，暂时不能打印"), (w("恢复后可凭卡在任意一台终端打印"),)
                ),
            ),
            way_footer(w, seconds=58),
        ),
        "printing": framed(
            w,
            Printing(
                w("正在打印，共 2 页"),
                w("请在下方出纸口取走证明，请勿用力拉拽"),
                pages[0],
                0.64,
                steps=Steps(labels, 2),
            ),
            printing,
        ),
        "printing-waits": framed(
            w,
            Printing(
                w("打印机正在准备"),
                w("请稍候，不需要重新操作"),
                None,
                None,
                Message(Tone.WARN, w("打印机缺纸"), (w("已通知管理员，加纸后自动继续打印"),)),
                Steps(labels, 2),
            ),
            printing,
        ),
        "taken": framed(
            w,
            Done(
                Picture.SHEET_TAKE,
                w("打印完成，请取走证明"),
                w("出纸口在屏幕下方，共 2 页"),
                (w("请核对页数；扫描右下角二维码可验真"), w("证明自打印之日起 3 个月内有效")),
                (
                    Action("again", w("再印一份")),
                    Action("finish", w("办完退出"), Emphasis.PRIMARY),
                ),
            ),
            way_footer(w, back=None, seconds=30),
        ),
        "verified": framed(
            w,
            Notice(
                Tone.OK,
                Picture.DONE,
                w("证明真实有效"),
                w("以下内容与出具时一致，请与纸面核对"),
                actions=(Action("another", w("再查一份")),),
                facts=(
                    (w("证明种类"), w("个人缴存证明")),
                    (w("姓名"), "王*芳"),
                    (w("证件号码"), "429***********0022"),
                    (w("出具时间"), "2026-11-21 09:42"),
                    (w("出具单位"), w("江城市市民服务中心")),
                ),
            ),
            way_footer(w, seconds=58),
        ),
        "code": framed(
            w,
            _code(w),
            Footer(
                back=Action("back", w("返回")),
                countdown=Countdown(w("无操作"), 58, w("秒后退出")),
                forward=Action("check", w("查验"), Emphasis.PRIMARY, enabled=False),
            ),
        ),
        "rating": framed(
            w,
            _rating(w),
            Footer(
                countdown=Countdown(w("无操作"), 20, w("秒后退出")),
                back=Action("finish", w("不评价，退出")),
                forward=Action("send", w("提交评价"), Emphasis.PRIMARY),
            ),
        ),
    }


def _code(w: Words) -> CodeEntry:
    characters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
    return CodeEntry(
        w("请输入证明上的验真码"),
        w("共 16 位，在证明左下角；没有字母 I 和 O"),
        "7F3K92MDQ4",
        (4, 4, 4, 4),
        tuple(tuple(characters[at : at + 8]) for at in range(0, 32, 8)),
        Action("erase", w("退格")),
        Action("clear", w("清空")),
        Message(Tone.WARN, w("没有找到这个验真码，请核对后再试")),
        Way("scan", w("也可以扫二维码"), (w("将证明右下角的二维码对准扫码窗"),), Picture.CODE_SCAN),
    )


def _rating(w: Words) -> Rating:
    labels = ("非常满意", "满意", "基本满意", "不满意", "非常不满意")
    return Rating(
        w("您对这次服务满意吗？"),
        w("轻触一项即可；不评价也没有关系"),
        tuple(Grade(f"grade.{5 - at}", w(label), 5 - at) for at, label in enumerate(labels)),
        "grade.4",
        (w("评价不记录您的姓名和号码"),),
    )
