"""61xx and 6Cxx, as a matrix of what comes and what must follow."""

from typing import Any

import pytest

from apdu.errors import CardRemoved, MalformedAnswer
from apdu.get_response import MAXIMUM_ROUNDS, CompleteAnswers

READ, AUTH, VERIFY = "00B2012D00", "0088000002AABB08", "00200000021234"
AUTH_WITHOUT_LE = "0088000002AABB"


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
        # Warnings are no "more data", and a command that expects nothing is left alone.
        (READ, [(READ, "6202")], "6202"),
        (READ, [(READ, "6302")], "6302"),
        (VERIFY, [(VERIFY, "63C3")], "63C3"),
        (VERIFY, [(VERIFY, "6102")], "6102"),
        (VERIFY, [(VERIFY, "6C02")], "6C02"),
        (VERIFY, [(VERIFY, "6700")], "6700"),
        ("00820000", [("00820000", "6102")], "6102"),
        ("00B00000000400", [("00B00000000400", "6C02")], "6C02"),
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


def test_a_round_without_progress_is_malformed(scripted: Any) -> None:
    complete = CompleteAnswers(scripted((READ, "6102"), ("00C0000002", "6102")))
    with pytest.raises(MalformedAnswer):
        complete.transmit(bytes.fromhex(READ))


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


def test_it_is_a_transport_like_the_inner_one(scripted: Any) -> None:
    card = scripted()
    complete = CompleteAnswers(card)
    assert complete.atr == card.atr
    complete.close()
    assert card.closed
