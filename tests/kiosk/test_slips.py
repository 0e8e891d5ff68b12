"""What stands on a slip, and what never does; slips on the simulated printer's paper."""

from dataclasses import replace
from datetime import datetime

import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from drivers.document_printer import PrintEnd
from drivers.escpos.printer import EscposPrinter
from drivers.receipt_printer import Code, Cut, Row, Slip, SlipOutcome, Text, Unprintable, is_plain
from hw_sim.receipt.device import ReceiptDevice
from kiosk.slips import MISSING, Business, compose, marked, plain, print_slip
from kiosk.texts import LANGUAGES, texts

BUSINESS = Business(
    item="养老待遇资格认证",
    serial="JC-0007-261122-8K2MXA",
    at=datetime(2026, 11, 22, 9, 30, 15),
    name="王小芳",
    number="429900195001010028",
    queue_number="A023",
    code="ABCD2345EFGH6789",
    look_up="https://zm.jiangcheng.example/v?c=ABCD2345EFGH6789",
)
ZH = texts("zh-CN")
DONE = SlipOutcome(PrintEnd.DONE)


def slip(business=BUSINESS, language="zh-CN"):
    return compose(business, texts(language), place="江城市社保大厅 · 7 号机", hotline="12333")


def shown(slip):
    found = []
    for line in slip.lines:
        match line:
            case Text(text) | Code(text):
                found.append(text)
            case Row(label, value):
                found.append(f"{label}={value}")
    return found


def test_a_slip():
    assert shown(slip()) == [
        "社会保障自助服务",
        "江城市社保大厅 · 7 号机",
        "您的排队号",
        "A023",
        "业务=养老待遇资格认证",
        "办理人=王*芳 429***********0028",
        "流水号=JC-0007-261122-8K2MXA",
        "时间=2026-11-22 09:30:15",
        "验真码=ABCD-2345-EFGH-6789",
        "https://zm.jiangcheng.example/v?c=ABCD2345EFGH6789",
        "扫码查询办理情况",
        "请妥善保管。本凭条不是证明材料。",
        "咨询电话 12333",
    ]


def test_what_there_is_not_has_no_line():
    bare = Business(item="社保卡状态", serial="S1", at=BUSINESS.at)
    assert shown(slip(bare))[2:] == [
        "业务=社保卡状态",
        "流水号=S1",
        "时间=2026-11-22 09:30:15",
        "请妥善保管。本凭条不是证明材料。",
        "咨询电话 12333",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_in_every_language(language):
    lines = shown(slip(language=language))
    assert len(lines) == 13
    assert all(is_plain(line) and line for line in lines)


def test_no_person_in_full():
    everything = "".join(shown(slip())) + repr(BUSINESS) + repr(slip())
    assert "王小芳" not in everything
    assert "19500101" not in everything


@given(st.text(max_size=20), st.text(max_size=20), st.text(max_size=20))
def test_whatever_a_platform_sends_is_no_command(name, item, number):
    made = slip(replace(BUSINESS, name=name, item=item, number=number))
    assert all(is_plain(line) for line in shown(made))


def test_control_and_format_characters_are_left_out():
    assert plain("王\x1bV\x00芳\u202e\n\ufeff x") == "王V芳 x"


class Lacking:
    """A printer that has no sign for one character."""

    def __init__(self):
        self.slips = []

    def print_slip(self, slip):
        if "㐂" in "".join(shown(slip)):
            raise Unprintable(frozenset("㐂"))
        self.slips.append(slip)
        return DONE


def test_what_the_printer_lacks_is_marked_and_said():
    printer = Lacking()
    rare = replace(BUSINESS, name="王小㐂", item="㐂业务")
    assert print_slip(printer, slip(rare), ZH) == DONE
    (printed,) = printer.slips
    lines = shown(printed)
    assert "办理人=王*〓 429***********0028" in lines
    assert "业务=〓业务" in lines
    assert lines[-1] == "〓 处的字，本机打印机打不出。"
    assert isinstance(printed.lines[-1], Cut)


def test_a_slip_with_all_its_signs_says_nothing_of_marks():
    printer = Lacking()
    assert print_slip(printer, slip(), ZH) == DONE
    assert printer.slips == [slip()]


def test_codes_stay_as_they_are():
    assert marked(Slip((Code("㐂"), Cut())), frozenset("㐂"), "x").lines[0] == Code("㐂")
    assert MISSING.encode("gb2312")


@pytest.mark.parametrize("language", LANGUAGES)
def test_on_paper(tmp_path, language):
    device = ReceiptDevice(tmp_path / "receipt", tmp_path / "slips", boot_seconds=0)
    device.plug()
    printer = EscposPrinter(str(device.link))
    rare = replace(BUSINESS, name="王小㐂")
    assert print_slip(printer, slip(rare, language), texts(language)) == DONE
    (printed,) = device.slips
    (code,) = zxingcpp.read_barcodes(Image.open(printed.file))
    assert code.text == BUSINESS.look_up
    words = "".join(printed.text).replace(" ", "")
    assert "A023" in words
    assert "王*〓429***********0028" in words
    assert "ABCD-2345-EFGH-6789" in words
    assert device.illegal == ()
    printer.close()
    device.unplug()
