"""PC/SC return codes and what they mean."""

import pytest

from apdu.errors import CardAbsent, CardMute, CardRemoved, CardReset, ReaderBusy, ReaderGone
from drivers.pcsc.codes import Code, Presence, card_error, name_of

CLEAR = {
    Code.W_RESET_CARD: CardReset,
    Code.W_REMOVED_CARD: CardRemoved,
    Code.W_UNRESPONSIVE_CARD: CardMute,
    Code.W_UNPOWERED_CARD: CardMute,
    Code.W_UNSUPPORTED_CARD: CardMute,
    Code.E_SHARING_VIOLATION: ReaderBusy,
    Code.E_SERVER_TOO_BUSY: ReaderBusy,
    Code.E_NO_SERVICE: ReaderGone,
    Code.E_SERVICE_STOPPED: ReaderGone,
    Code.E_INVALID_HANDLE: ReaderGone,
    Code.F_COMM_ERROR: ReaderGone,
    Code.P_SHUTDOWN: ReaderGone,
    Code.E_UNKNOWN_READER: ReaderGone,
    Code.E_READER_UNAVAILABLE: ReaderGone,
    Code.E_NO_READERS_AVAILABLE: ReaderGone,
}
LOOKED = [
    code for code in Code if code not in CLEAR and code not in (Code.S_SUCCESS, Code.E_NO_SMARTCARD)
]


def refuse_to_look() -> Presence:
    raise AssertionError("this code tells by itself")


@pytest.mark.parametrize("connected", [True, False])
@pytest.mark.parametrize(("code", "kind"), CLEAR.items(), ids=lambda value: str(value))
def test_a_clear_code_is_not_looked_up(code, kind, connected):
    error = card_error(code, "SCardTransmit", connected=connected, look=refuse_to_look)
    assert type(error) is kind
    assert code.name in str(error)


def test_an_empty_slot_is_an_absence_or_a_removal():
    code = Code.E_NO_SMARTCARD
    for connected, kind in ((False, CardAbsent), (True, CardRemoved)):
        error = card_error(code, "SCardConnect", connected=connected, look=refuse_to_look)
        assert type(error) is kind


@pytest.mark.parametrize("code", [*LOOKED, 0x8010FFFF, 0x1234])
def test_anything_else_is_what_a_second_look_finds(code):
    for presence, connected, kind in (
        (Presence.CARD, True, CardMute),
        (Presence.EMPTY, True, CardRemoved),
        (Presence.EMPTY, False, CardAbsent),
        (Presence.NO_READER, True, ReaderGone),
    ):
        error = card_error(code, "SCardTransmit", connected=connected, look=lambda p=presence: p)
        assert type(error) is kind


def test_negative_codes_of_older_builds_are_the_same():
    negative = Code.W_RESET_CARD - (1 << 32)
    assert name_of(negative) == "SCARD_W_RESET_CARD"
    assert isinstance(card_error(negative, "x", connected=True, look=refuse_to_look), CardReset)


def test_unknown_codes_have_a_number_for_a_name():
    assert name_of(0x80109999) == "SCARD 0x80109999"


def test_the_numbers_are_those_of_pyscard():
    scard = pytest.importorskip("smartcard.scard")
    for code in Code:
        assert getattr(scard, f"SCARD_{code.name}") & 0xFFFFFFFF == code
