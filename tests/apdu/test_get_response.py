"""61xx and 6Cxx, as a matrix of what comes and what must follow."""

import contextlib
from typing import Any

import pytest

from apdu.errors import CardRemoved, MalformedAnswer
from apdu.get_response import MAXIMUM_ROUNDS, CompleteAnswers

READ, AUTH, VERIFY = "00B2012D00", "0088000002AABB08", "00200000021234"
AUTH_WITHOUT_LE = "0088000002AABB"
EXTENDED, EXTENDED_AUTH = "00B00000000400", "00880000000002AABB0000"


@pytest.mark.parametrize(
    ("command", "script", "whole"),
    [
        (READ, [(READ, "CAFE9000")], "CAFE9000"),
        (READ, [(READ, "6102"), ("00C0000002", "CAFE9000")], "CAFE9000"),
        (READ, [(READ, "6100"), ("00C0000000", "CAFE9000")], "CAFE9000"),
        (READ, [(READ, "CA6101"), ("00C0000001", "FE9000")], "CAFE9000"),
        (
            READ,
            [(READ, "6102"), ("00C0000002", "CAFE6101"), ("00C0000001", "429000")],
            "CAFE429000",
        ),
        (READ, [(READ, "6102"), ("00C0000002", "CAFE6282")], "CAFE6282"),
        (READ, [(READ, "6102"), ("00C0000002", "6F00")], "6F00"),
        (READ, [(READ, "6103"), ("00C0000003", "6C02"), ("00C0000002", "CAFE9000")], "CAFE9000"),
        (READ, [(READ, "6103"), ("00C0000003", "6C02"), ("00C0000002", "6C02")], "6C02"),
        (READ, [(READ, "6C02"), ("00B2012D02", "CAFE9000")], "CAFE9000"),
        (READ, [(READ, "6C02"), ("00B2012D02", "6C02")], "6C02"),
        (READ, [(READ, "6C02"), ("00B2012D02", "6102"), ("00C0000002", "CAFE9000")], "CAFE9000"),
        (AUTH, [(AUTH, "6C04"), ("0088000002AABB04", "CAFE9000")], "CAFE9000"),
        (AUTH, [(AUTH, "6108"), ("00C0000008", "CAFE9000")], "CAFE9000"),
        (
            AUTH,
            [(AUTH, "6700"), (AUTH_WITHOUT_LE, "6108"), ("00C0000008", "CAFE9000")],
            "CAFE9000",
        ),
        (AUTH, [(AUTH, "6700"), (AUTH_WITHOUT_LE, "6700")], "6700"),
        (READ, [(READ, "6700")], "6700"),
        # 00 is 256, whether the card asks for it or announces it.
        (READ, [(READ, "6C00"), (READ, "CAFE9000")], "CAFE9000"),
        (READ, [(READ, "6CFF"), ("00B2012DFF", "CA" * 255 + "9000")], "CA" * 255 + "9000"),
        (READ, [(READ, "6CFF"), ("00B2012DFF", "CAFE6282")], "CAFE6282"),
        # 61 and 6C in every order.
        (READ, [(READ, "6104"), ("00C0000004", "6C02"), ("00C0000002", "CAFE9000")], "CAFE9000"),
        (
            READ,
            [
                (READ, "6C04"),
                ("00B2012D04", "6102"),
                ("00C0000002", "6C01"),
                ("00C0000001", "6A82"),
            ],
            "6A82",
        ),
        (READ, [(READ, "CA6C02"), ("00B2012D02", "CAFE9000")], "CAFE9000"),
        # An extended command is not corrected, but its waiting data is fetched.
        (EXTENDED, [(EXTENDED, "6C00")], "6C00"),
        (EXTENDED, [(EXTENDED, "6700")], "6700"),
        (EXTENDED, [(EXTENDED, "CA" * 300 + "9000")], "CA" * 300 + "9000"),
        (EXTENDED, [(EXTENDED, "CA6101"), ("00C0000001", "FE9000")], "CAFE9000"),
        (EXTENDED_AUTH, [(EXTENDED_AUTH, "6C02")], "6C02"),
        # Warnings are no "more data", and a command that expects nothing is left alone.
        (READ, [(READ, "6202")], "6202"),
        (READ, [(READ, "6302")], "6302"),
        (VERIFY, [(VERIFY, "63C3")], "63C3"),
        (VERIFY, [(VERIFY, "6102")], "6102"),
        (VERIFY, [(VERIFY, "6C02")], "6C02"),
        (VERIFY, [(VERIFY, "6700")], "6700"),
        ("00820000", [("00820000", "6102")], "6102"),
    ],
)
def test_what_follows(scripted: Any, command: str, script: Any, whole: str) -> None:
    complete = CompleteAnswers(scripted(*script))
    assert complete.transmit(bytes.fromhex(command)) == bytes.fromhex(whole)


def test_a_card_that_refuses_le_is_remembered_until_reset(scripted: Any) -> None:
    card = scripted(
        (AUTH, "6700"),
        (AUTH_WITHOUT_LE, "6F00"),
        (AUTH_WITHOUT_LE, "6F00"),
        (READ, "9000"),
        (AUTH, "CAFE9000"),
    )
    complete = CompleteAnswers(card)
    for _ in range(2):
        assert complete.transmit(bytes.fromhex(AUTH)) == b"\x6f\x00"
    assert complete.transmit(bytes.fromhex(READ)) == b"\x90\x00"
    complete.reset()
    assert complete.transmit(bytes.fromhex(AUTH)) == b"\xca\xfe\x90\x00"
    assert card.resets == 1


def test_what_waits_is_fetched_from_a_card_that_refuses_le(scripted: Any) -> None:
    complete = CompleteAnswers(
        scripted(
            (AUTH, "6700"),
            (AUTH_WITHOUT_LE, "6102"),
            ("00C0000002", "CAFE9000"),
            (AUTH_WITHOUT_LE, "6102"),
            ("00C0000002", "BEEF9000"),
        )
    )
    assert complete.transmit(bytes.fromhex(AUTH)) == bytes.fromhex("CAFE9000")
    assert complete.transmit(bytes.fromhex(AUTH)) == bytes.fromhex("BEEF9000")


@pytest.mark.parametrize("second", ["9000", CardRemoved()])
@pytest.mark.parametrize("first", ["6C02", "6700"])
def test_copies_of_a_command_are_wiped(scripted: Any, first: str, second: Any) -> None:
    again = AUTH[:-2] + "02" if first == "6C02" else AUTH_WITHOUT_LE
    card = scripted((AUTH, first), (again, second))
    with contextlib.suppress(CardRemoved):
        CompleteAnswers(card).transmit(bytearray.fromhex(AUTH))
    assert bytes(card.buffers[0]).hex().upper() == AUTH
    assert not any(card.buffers[1])


def test_a_round_without_progress_is_malformed(scripted: Any) -> None:
    complete = CompleteAnswers(scripted((READ, "6102"), ("00C0000002", "6102")))
    with pytest.raises(MalformedAnswer):
        complete.transmit(bytes.fromhex(READ))


@pytest.mark.parametrize("command", [READ, EXTENDED])
@pytest.mark.parametrize("before", [[], [("00C0000002", "CAFE6105")]])
def test_waiting_data_that_is_none(scripted: Any, command: str, before: Any) -> None:
    last = before[-1][1][-2:] if before else "02"
    script = [(command, "6102"), *before, (f"00C00000{last}", "6110")]
    with pytest.raises(MalformedAnswer):
        CompleteAnswers(scripted(*script)).transmit(bytes.fromhex(command))


def test_an_answer_without_end_is_malformed(scripted: Any) -> None:
    endless = [("00C0000002", "CAFE6102")] * MAXIMUM_ROUNDS
    complete = CompleteAnswers(scripted((READ, "6102"), *endless))
    with pytest.raises(MalformedAnswer):
        complete.transmit(bytes.fromhex(READ))


@pytest.mark.parametrize("answer", ["", "90"])
def test_an_answer_without_status_is_malformed(scripted: Any, answer: str) -> None:
    with pytest.raises(MalformedAnswer):
        CompleteAnswers(scripted((READ, answer))).transmit(bytes.fromhex(READ))


def test_removal_passes_through(scripted: Any) -> None:
    complete = CompleteAnswers(scripted((READ, "6102"), ("00C0000002", CardRemoved())))
    with pytest.raises(CardRemoved):
        complete.transmit(bytes.fromhex(READ))
