"""What the vendors' extra functions tell of the terminal and of the bank's application."""

from __future__ import annotations

from apdu.bank.account import read_account
from apdu.channel import Channel
from apdu.ministry.desk import ANY_SLOT, Desk
from apdu.ministry.error_numbers import Number, Refusal
from apdu.ministry.hsm_steps import fields


def card_type(desk: Desk) -> str:
    """iGetCardType: which kind of card is in the reader (mark C: only a processor card's value is
    known well enough).

    Raises:
        UnknownCard: no social security card.
        CardError: see `apdu.errors`.
    """
    with desk.open(ANY_SLOT):
        return desk.conventions.processor_card


def reader_information(desk: Desk) -> str:
    """iGetReaderInfo: 终端设备号 and 终端机编号, each followed by a separator (mark C)."""
    return fields(desk.terminal.reader_serial, desk.number_of_terminal())


def bank_number(desk: Desk) -> str:
    """iReadICCardNum: the account number of the bank application.

    Raises:
        Refusal: NO_FILE: there is no such application.
        CardError: see `apdu.errors`.
    """
    with desk.powered(ANY_SLOT) as card:
        card.begin()
        account = read_account(Channel(card), random=desk.random)
    if account is None:
        raise Refusal(Number.NO_FILE)
    return account.number
