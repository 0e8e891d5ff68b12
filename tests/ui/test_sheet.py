from __future__ import annotations

from ui.scene import Rect, Text
from ui.sheet import Align, Sheet, shared
from ui.theme import Face, Theme


def sheet() -> Sheet:
    return Sheet(Theme.make(), (1080, 1920), "zh-CN")


def test_label_gives_up_lines_that_its_height_has_no_room_for() -> None:
    drawn = sheet()
    low = Rect(100, 100, 200, 60)
    drawn.label("两行的按钮文字放不下", Face(36, 48, bold=True), low, (0, 0, 0), most=2)
    (line,) = drawn.nodes
    assert isinstance(line, Text) and line.text.endswith("…")
    assert low.y <= line.baseline <= low.bottom


def test_figures_side_by_side_are_equally_large() -> None:
    drawn = sheet()
    face = Face(56, 72, bold=True)
    wide, narrow = drawn.set_alike(["¥ 1,084,213.56", "186"], face, [250, 250])
    assert wide.face == narrow.face
    assert wide.face.size < drawn.set("186", face, 250).face.size


def test_text_is_centred_by_its_middle() -> None:
    drawn = sheet()
    drawn.label("字", Face(50, 60), Rect(0, 0, 100, 100), (0, 0, 0), align=Align.CENTRE)
    (line,) = drawn.nodes
    assert isinstance(line, Text)
    assert line.rect.x == 25
    assert line.baseline - round(0.88 * 50) + 25 == 50  # the middle of the Han character


def test_widest_wishes_are_cut_first() -> None:
    assert shared([100, 300, 500], 1000) == [100, 300, 500]
    assert shared([100, 300, 500], 600) == [100, 250, 250]
    assert shared([], 10) == []
