"""Secure PIN entry at a reader with keys, against the service double."""

import pytest

from apdu.errors import CardRemoved, PinBlocked, PinRejected, UnexpectedStatus
from drivers.ccid.pin_entry import GET_FEATURE_REQUEST, raise_for_entry, secure_pin_entry
from drivers.direct.service import DirectService
from drivers.pcsc import connection as module
from drivers.pcsc.connection import PcscConnection
from drivers.pcsc.context import Contexts
from drivers.pin_pad import NewPinsDiffer, PadFault, PinCancelled, PinLengthRefused, PinTimeout
from tests.drivers.scard_double import SUCCESS, UNSUPPORTED, ScardDouble
from tests.drivers.test_ccid_pin_structure import FEATURES, PROPERTIES

READER = "Reader with keys 00 00"
DONE = [0x90, 0x00]


class Keys:
    """The reader's half: what it offers, what it was told, how each entry ends."""

    def __init__(self):
        self.answers = {GET_FEATURE_REQUEST: list(FEATURES), 0x42330012: list(PROPERTIES)}
        self.told = []
        self.end = DONE

    def __call__(self, code, data):
        if code in self.answers:
            return SUCCESS, self.answers[code]
        if code in (0x42330006, 0x42330007):
            self.told.append((code, data))
            return SUCCESS, self.end
        return UNSUPPORTED, []


@pytest.fixture
def keys():
    return Keys()


@pytest.fixture
def scard(keys, monkeypatch):
    monkeypatch.setattr(module, "NOTICE_MS", 20)
    double = ScardDouble(control=keys)
    double.plug(READER)
    double.insert(READER)
    return double


@pytest.fixture
def connection(scard):
    made = PcscConnection(READER, scard, Contexts(scard))
    yield made
    made.close()


def test_the_bytes_of_a_verification(connection, keys):
    secure_pin_entry(connection).verify(6, 30)
    assert keys.told == [
        (
            0x42330006,
            bytes.fromhex(
                "1E 1E 81 03 00 06 06 02 FF 04 08 00 00 00 00 08 00 00 00 00 20 00 00 03 FF FF FF"
            ),
        )
    ]


def test_the_bytes_of_a_change(connection, keys):
    entry = secure_pin_entry(connection)
    assert entry.can_change
    entry.change(6, 29.5)
    assert keys.told == [
        (
            0x42330007,
            bytes.fromhex(
                "1E 1E 81 03 00 00 04 06 06 03 02 FF 04 08 00 01 02 00 00 00 0C 00 00 00"
                "80 5E 01 00 07 FF FF FF FF FF FF FF"
            ),
        )
    ]


def test_a_reader_without_display_is_asked_for_no_messages(connection, keys):
    keys.answers = {
        GET_FEATURE_REQUEST: list(bytes.fromhex("060442330006 0A044233000A")),
        0x4233000A: [0, 0, 2, 0],
    }
    entry = secure_pin_entry(connection)
    assert not entry.can_change
    entry.verify(4, 10)
    assert keys.told[0][1][8] == 0
    with pytest.raises(ValueError):
        entry.change(4, 10)


@pytest.mark.parametrize(
    ("shortest", "longest", "served"),
    [
        (6, 6, True),
        (4, 4, True),
        (16, 16, True),
        (4, 16, False),  # Lc would change with what is typed
        (5, 5, False),  # what fills the last nibble is the card's affair
        (2, 2, False),
        (18, 18, False),
    ],
)
def test_only_a_fixed_and_even_number_of_digits(connection, keys, shortest, longest, served):
    entry = secure_pin_entry(connection)
    assert entry.serves(shortest, longest) is served
    if shortest == longest and not served:
        for ask in (entry.verify, entry.change):
            with pytest.raises(ValueError):
                ask(longest, 30)
        assert not keys.told


def test_only_as_many_digits_as_the_keys_take(connection, keys):
    keys.answers[0x42330012] = list(bytes.fromhex("060106 070108"))
    entry = secure_pin_entry(connection)
    assert [digits for digits in range(2, 18) if entry.serves(digits, digits)] == [6, 8]


@pytest.mark.parametrize("seconds", [0, -1, 256])
def test_a_time_that_does_not_fit(connection, seconds):
    with pytest.raises(ValueError):
        secure_pin_entry(connection).verify(6, seconds)


@pytest.mark.parametrize(
    "offered",
    [
        b"",
        bytes.fromhex("070442330007"),
        bytes.fromhex("130442000001"),
        FEATURES[:-1],
        bytes.fromhex("06024233"),
    ],
    ids=["nothing", "only-change", "only-escape", "cut", "short-code"],
)
def test_a_reader_that_does_not_offer_it(connection, keys, offered):
    keys.answers = {GET_FEATURE_REQUEST: list(offered)}
    assert secure_pin_entry(connection) is None


def test_properties_that_nobody_can_read(connection, keys):
    keys.answers[0x42330012] = [1, 2]
    assert secure_pin_entry(connection) is None


def test_a_driver_without_features(connection, scard):
    scard.control = lambda code, data: (UNSUPPORTED, [])
    assert secure_pin_entry(connection) is None
    # Asking did no harm.
    assert connection.transmit(b"\x00\x84\x00\x00\x08") == b"\x90\x00"


def test_a_card_without_reader_keys_by_its_kind(connection):
    class Plain:
        reader, atr = READER, b""

    assert secure_pin_entry(Plain()) is None
    assert not hasattr(DirectService, "control")


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        (0x6400, PinTimeout),
        (0x6401, PinCancelled),
        (0x6402, NewPinsDiffer),
        (0x6403, PinLengthRefused),
        (0x6480, PadFault),
        (0x6B80, PadFault),
        (0x63C2, PinRejected),
        (0x63C0, PinBlocked),
        (0x6983, PinBlocked),
        (0x6A88, UnexpectedStatus),
        (0x6D00, UnexpectedStatus),
    ],
)
def test_how_an_entry_ends(connection, keys, end, kind):
    keys.end = [end >> 8, end & 0xFF]
    entry = secure_pin_entry(connection)
    with pytest.raises(kind) as caught:
        entry.verify(6, 30)
    if kind is PinRejected:
        assert caught.value.tries_left == end & 0xF
    if kind is PinCancelled:
        assert caught.value.by_resident
    keys.end = DONE
    entry.verify(6, 30)


@pytest.mark.parametrize("answer", [b"", b"\x90", b"\x90\x00\x00"])
def test_an_entry_that_ends_with_other_than_two_bytes(answer):
    with pytest.raises(PadFault):
        raise_for_entry("VERIFY", answer)


def test_every_status_word_has_an_end():
    """No pair of bytes is a bug, and only one is a yes."""
    quiet = set()
    for sw in range(0x10000):
        try:
            raise_for_entry("VERIFY", sw.to_bytes(2, "big"))
        except (PadFault, PinTimeout, PinCancelled, NewPinsDiffer, PinLengthRefused):
            assert sw in (0x6400, 0x6401, 0x6402, 0x6403, 0x6480, 0x6B80)
        except Exception as error:
            assert type(error).__module__ == "apdu.errors"
        else:
            quiet.add(sw)
    assert quiet == {0x9000}


def test_the_card_is_taken_out_while_its_holder_types(connection, scard, keys):
    entry = secure_pin_entry(connection)

    def taken(code, data):
        scard.remove(READER)
        return 0x80100016, []

    scard.control = taken
    with pytest.raises(CardRemoved):
        entry.verify(6, 30)
    with pytest.raises(CardRemoved):
        entry.verify(6, 30)


def test_a_driver_that_forgets_what_it_offered(connection, scard):
    entry = secure_pin_entry(connection)
    scard.control = lambda code, data: (UNSUPPORTED, [])
    with pytest.raises(PadFault):
        entry.verify(6, 30)
