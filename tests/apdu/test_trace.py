"""The trace tells what happened, and nothing about anybody."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apdu.commands import Ins
from apdu.errors import CardRemoved
from apdu.pki.profile import shipped_pki_profile
from apdu.secure_messaging import shipped_commands
from apdu.trace import TraceLine, TracingTransport
from tests.apdu.same_answer import SameAnswer

SSSE = "00A404000F7378312E73682EC9E7BBE1B1A3D5CF00"
SECRET = "5EC0DE5EC0DE"
VERSION = "0304332E3030"
ISSUER = f"0106{SECRET}{VERSION}0706{SECRET}"


class Clock:
    """Advances 1500 ns at each look."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        self.now += 1500
        return self.now


def run(transport: Any, *commands: str) -> list[TraceLine]:
    lines: list[TraceLine] = []
    tracing = TracingTransport(transport, lines.append, clock=Clock())
    for command in commands:
        with contextlib.suppress(CardRemoved):
            tracing.transmit(bytes.fromhex(command))
    return lines


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("0020000006" + SECRET, "63C2"),
        ("805E010006" + SECRET, "9000"),
        ("0082000A06" + SECRET, "9000"),
        ("0088000006" + SECRET + "08", SECRET + "9000"),
        ("0084000006", SECRET + "9000"),
        ("00B2013500", "0306" + SECRET + "9000"),
        ("00B2010400", "0306" + SECRET + "9000"),
        ("00B0850006", "0306" + SECRET + "9000"),
        ("00DC010406" + SECRET, "9000"),
        ("8424000106" + SECRET, "9000"),
        ("BFDE280A06" + SECRET, "9000"),
        ("80FA000006" + SECRET, SECRET + "9000"),
        ("80B2012D00", ISSUER + "9000"),
        ("00FF000006" + SECRET, SECRET + "9000"),
        ("80C4000006" + SECRET, "9000"),
        ("0020018106" + SECRET, "63C2"),
        ("8424000006" + SECRET, "9000"),
        ("80FA000006" + SECRET + "06", SECRET + "9000"),
        ("002A9E9A06" + SECRET + "06", SECRET + "9000"),
        ("80C9000006" + SECRET + "06", SECRET + "9000"),
        ("80C2000006" + SECRET, "9000"),
        ("00D6880006" + SECRET, "9000"),
        ("00E2000006" + SECRET, "9000"),
        ("80A8000006" + SECRET + "00", SECRET + "9000"),
        ("10A4040006" + SECRET, "9000"),
        ("84A4040006" + SECRET + "00", SECRET + "9000"),
        ("00B2010C00", "7008" + SECRET + "9000"),
        ("00CA9F1700", SECRET + "9000"),
        ("00B0880006", SECRET + "9000"),
        ("00B2012D00", "0306" + SECRET + "9000"),
        ("00B2012D00", "2006" + SECRET + "9000"),
    ],
)
def test_bodies_stay_hidden(scripted: Any, command: str, answer: str) -> None:
    script = [(SSSE, "9000"), (command, answer), ("00C0000006", SECRET + "9000")]
    lines = run(scripted(*script), *(pair[0] for pair in script))
    for line in lines:
        assert SECRET not in f"{line} {line!r}"
    assert lines[1].header == bytes.fromhex(command)[:4]
    assert lines[1].sw == int(answer[-4:], 16)
    assert f"{lines[1].sw:04X}" in str(lines[1])


def test_a_line_tells_header_lengths_status_and_time(scripted: Any) -> None:
    (line,) = run(scripted(("0088000002" + "AABB" + "08", "00" * 8 + "9000")), "0088000002AABB08")
    assert (line.name, line.nc, line.ne, line.nr) == ("INTERNAL AUTHENTICATE", 2, 8, 8)
    assert line.microseconds == 1
    assert str(line) == ("> 00880000 INTERNAL AUTHENTICATE [2] ·· Ne=8 < 9000 [8] ·· 1 us")


def test_what_is_selected_is_shown(scripted: Any) -> None:
    (line,) = run(scripted((SSSE, "6F028400" + "9000")), SSSE)
    assert line.sent == SSSE[10:-2]
    assert line.received == "6F028400"


def test_issuer_data_shows_version_but_neither_card_id_nor_number(scripted: Any) -> None:
    script = [
        (SSSE, "9000"),
        ("00B2012D00", ISSUER + "9000"),
        ("00B2012D00", "6112"),
        ("00C0000012", ISSUER + "9000"),
        ("00A4020002EF0500", "9000"),
        ("00B2010400", ISSUER + "9000"),
    ]
    lines = run(scripted(*script), *(pair[0] for pair in script))
    for line in (lines[1], lines[3], lines[5]):
        assert line.received == "01:·· 03:332E3030 07:··"


@pytest.mark.parametrize(
    "before",
    [
        [],
        [(SSSE, "6A82")],
        [(SSSE, "9000"), ("00A4000002DF0100", "9000")],
        [(SSSE, "9000"), ("00A4040006D1560000050000", "9000")],
        [("00A4000002DF0100", "9000"), ("00A4020002EF0500", "9000")],
    ],
)
def test_the_same_file_number_elsewhere_stays_hidden(scripted: Any, before: Any) -> None:
    """EF05 of DF01 is the household register."""
    script = [*before, ("00B2012D00", ISSUER + "9000"), ("00B2010400", ISSUER + "9000")]
    lines = run(scripted(*script), *(pair[0] for pair in script))
    assert [line.received for line in lines[-2:]] == ["··", "··"]


def test_after_a_reset_nothing_is_selected(scripted: Any) -> None:
    lines: list[TraceLine] = []
    card = scripted((SSSE, "9000"), ("00B2012D00", ISSUER + "9000"))
    tracing = TracingTransport(card, lines.append)
    tracing.transmit(bytes.fromhex(SSSE))
    tracing.reset()
    tracing.transmit(bytes.fromhex("00B2012D00"))
    assert lines[-1].received == "··"


def test_what_follows_a_part_of_the_issuer_data_stays_hidden(scripted: Any) -> None:
    """It may begin within the card number, whose bytes would be read as an item."""
    script = [
        (SSSE, "9000"),
        ("00B2012D00", ISSUER + "6106"),
        ("00C0000006", VERSION + "9000"),
        ("00B2012D00", "6106"),
        ("00C0000006", "6C06"),
        ("00C0000006", VERSION + "9000"),
    ]
    lines = run(scripted(*script), *(pair[0] for pair in script))
    assert [line.received for line in lines[2:]] == ["··", "", "", "03:332E3030"]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("BFDE2801", "PSAM DERIVE"),
        ("80FA0000", "PSAM COMPUTE"),
        ("80C40000", "DIGEST PIN"),
        ("80C90000", "EXPORT PUBLIC KEY"),
        ("8424000104AABBCCDD", "UNBLOCK PIN"),
        ("00FE0000", "FE"),
    ],
)
def test_commands_have_names(scripted: Any, command: str, name: str) -> None:
    (line,) = run(scripted((command, "9000")), command)
    assert line.name == name


def test_commands_are_named_as_in_messages(scripted: Any) -> None:
    for form in shipped_pki_profile().commands.values():
        (line,) = run(scripted((form.header.hex(), "9000")), form.header.hex())
        assert line.name == form.label
    for command in shipped_commands().values():
        (line,) = run(scripted((command.header.hex(), "9000")), command.header.hex())
        assert line.name == Ins(command.header[1]).label


def test_the_control_information_of_a_payment_application_is_open(scripted: Any) -> None:
    select, fci = "00A4040007A000000333010100", "6F098407A0000003330101"
    script = [(select, fci + "9000"), ("80A8000002830000", SECRET + "9000")]
    script += [("00B2010C00", SECRET + "9000")]
    lines = run(scripted(*script), *(pair[0] for pair in script))
    assert [line.received for line in lines] == [fci, "··", "··"]


@pytest.mark.parametrize(
    "selection",
    [
        [("00A4020002EF0500", "6A82")],
        [("00A4020002EF0500", "9000"), ("00A4020002EF0600", "9000")],
        [("00A4020002EF0500", "9000"), ("00A4020002EF0600", "6A82")],
        [("00A4020002EF0500", "9000"), (SSSE, "9000")],
    ],
)
def test_only_the_selected_issuer_file_is_shown(scripted: Any, selection: Any) -> None:
    script = [(SSSE, "9000"), *selection]
    script += [(read, ISSUER + "9000") for read in ("00B2013500", "00B2010400")]
    lines = run(scripted(*script), *(pair[0] for pair in script))
    assert [line.received for line in lines[-2:]] == ["··", "··"]


def test_the_holder_file_stays_hidden_while_the_issuer_file_is_selected(scripted: Any) -> None:
    script = [(SSSE, "9000"), ("00A4020002EF0500", "9000"), ("00B2013500", ISSUER + "9000")]
    assert run(scripted(*script), *(pair[0] for pair in script))[-1].received == "··"


def test_issuer_data_that_is_none_stays_hidden(scripted: Any) -> None:
    script = [(SSSE, "9000"), ("00B2012D00", "03FE" + SECRET + "9000")]
    assert run(scripted(*script), SSSE, "00B2012D00")[1].received == "··"


def test_a_failed_exchange_is_told_too(scripted: Any) -> None:
    script = [("0084000008", CardRemoved()), ("0084000008", "")]
    lines = run(scripted(*script), "0084000008", "0084000008")
    assert [line.failure for line in lines] == ["CardRemoved", "no status word"]
    assert str(lines[0]) == "> 00840000 GET CHALLENGE Ne=8 < CardRemoved 1 us"


@given(st.binary(max_size=80))
def test_no_answer_breaks_the_trace(answer: bytes) -> None:
    lines = run(SameAnswer(answer), SSSE, "00B2012D00", "00C0000010", "00200000021234")
    assert len(lines) == 4
    assert all(str(line) for line in lines)
