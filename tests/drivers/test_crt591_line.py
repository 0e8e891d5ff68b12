"""The handshake of a CRT-591's line, one fault after the other."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers.crt591.frames import Bad, Good
from drivers.crt591.line import TRIES, Again, Crt591Line, Request, Silence
from drivers.serial_port import PortLost
from tests.drivers.dispenser_double import (
    ACK,
    EMPTY,
    EOT,
    INSIDE,
    NAK,
    QUICK,
    DispenserDouble,
    bad,
    good,
    spoiled,
)

QUERY = Request(0x31, 0x30, QUICK.query)
MOVE = Request(0x32, 0x31, QUICK.move, Again.NEVER)
APDU = Request(0x51, 0x39, QUICK.card, Again.NOT_TAKEN, b"\x00\x84\x00\x00\x08")
ALL = [QUERY, MOVE, APDU]


def name(request):
    return f"{request.cm:02X}{request.pm:02X}"


@pytest.fixture
def far(tmp_path):
    double = DispenserDouble(tmp_path / "dispenser")
    yield double
    double.unplug()


@pytest.fixture
def line(far):
    made = Crt591Line(str(far.link), 9600, 0, QUICK)
    made.open()
    yield made
    made.close()


def sent(far, request):
    return far.names.count(name(request))


@pytest.mark.parametrize("request_", ALL, ids=name)
def test_asked_answered_acknowledged(far, line, request_):
    answer = line.exchange(request_)
    assert answer == Good(request_.cm, request_.pm, EMPTY, b"")
    far.wait_for(ACK)
    # A line that was just opened is cleared first.
    assert far.names == ["04", name(request_), "06"]


@pytest.mark.parametrize("request_", ALL, ids=name)
@pytest.mark.parametrize(
    "before",
    [
        pytest.param(b"", id="no-ack"),
        pytest.param(ACK + ACK, id="double-ack"),
        pytest.param(b"\xa5", id="noise-for-ack"),
        pytest.param(ACK + b"\xff\x00\x55", id="noise"),
        pytest.param(ACK + NAK, id="nak-after-ack"),
        pytest.param(NAK + ACK, id="noise-like-a-nak"),
        pytest.param(ACK + good("A530", data=b"001"), id="late-answer"),
        pytest.param(ACK + good("3130")[:7], id="cut-answer"),
    ],
)
def test_what_the_answer_survives(far, line, request_, before):
    """Done once and answered once, whatever stands before the answer."""
    answer = good(name(request_), INSIDE, b"12")
    far.script[name(request_)] = [before + answer]
    far.last = answer
    assert line.exchange(request_) == Good(request_.cm, request_.pm, INSIDE, b"12")
    assert sent(far, request_) == 1


@pytest.mark.parametrize("request_", ALL, ids=name)
@pytest.mark.parametrize(
    "damaged", [spoiled(good("3231")), good("3231")[:6], b"\xf2\xff\xff\xff"], ids=len
)
def test_a_damaged_answer_is_asked_for_again(far, line, request_, damaged):
    far.script[name(request_)] = [ACK + damaged]
    far.last = good(name(request_), INSIDE)
    assert line.exchange(request_) == Good(request_.cm, request_.pm, INSIDE, b"")
    assert sent(far, request_) == 1
    assert far.names.count("15") == 1


@pytest.mark.parametrize("request_", ALL, ids=name)
def test_answers_that_are_damaged_for_ever(far, line, request_):
    far.script[name(request_)] = [ACK + spoiled(good(name(request_)))] * 9
    far.last = spoiled(good(name(request_)))
    assert line.exchange(request_) is Silence.LOST
    tries = TRIES if request_ is QUERY else 1
    assert sent(far, request_) == tries
    assert far.names.count("15") == tries * (TRIES - 1)


@pytest.mark.parametrize(("request_", "tries"), [(QUERY, TRIES), (APDU, TRIES), (MOVE, 1)])
def test_what_the_device_could_not_read(far, line, request_, tries):
    far.script[name(request_)] = [NAK] * 9
    assert line.exchange(request_) is Silence.NOT_TAKEN
    assert sent(far, request_) == tries
    # The answer is not owed, so that the line need not be cleared.
    assert far.names.count("04") == 1
    far.script[name(request_)] = [NAK, NAK]
    answer = line.exchange(request_)
    assert isinstance(answer, Good) == (request_ is not MOVE)


@pytest.mark.parametrize("request_", ALL, ids=name)
@pytest.mark.parametrize("silence", [None, ACK], ids=["deaf", "acknowledged"])
def test_nothing_comes(far, line, request_, silence):
    far.script[name(request_)] = [silence]
    answer = line.exchange(request_)
    if request_ is QUERY:
        assert isinstance(answer, Good)
        assert sent(far, request_) == 2
    else:
        assert answer is Silence.LOST
        assert sent(far, request_) == 1
    # Nothing of it may pass for the answer to what is asked next.
    assert line.exchange(QUERY) == Good(0x31, 0x30, EMPTY, b"")
    assert far.names.count("04") == 2


def test_a_device_that_is_deaf_for_ever(far, line):
    far.answer = lambda command: None
    for request in ALL:
        assert line.exchange(request) is Silence.LOST


def test_a_late_answer_of_the_same_command_is_never_taken_for_the_next(far, line):
    far.script[name(APDU)] = [ACK]
    assert line.exchange(APDU) is Silence.LOST
    # It comes after all, when the line is cleared.
    usual = far.usual
    far.answer = lambda command: (
        good(name(APDU), data=b"old") + EOT if command == EOT else usual(command)
    )
    far.script[name(APDU)] = [ACK + good(name(APDU), data=b"new")]
    assert line.exchange(APDU) == Good(0x51, 0x39, EMPTY, b"new")


def test_an_answer_in_place_of_the_clear_is_acknowledged(far, line):
    far.script[name(MOVE)] = [ACK]
    assert line.exchange(MOVE) is Silence.LOST
    acknowledged = far.names.count("06")
    crossing = [good(name(MOVE)), EOT]
    usual = far.usual
    far.answer = lambda command: crossing.pop(0) if command == EOT and crossing else usual(command)
    assert line.exchange(QUERY) == Good(0x31, 0x30, EMPTY, b"")
    far.wait_for(ACK, acknowledged + 2)
    assert crossing == []


def test_a_device_that_knows_no_clear(far, line):
    usual = far.usual
    far.answer = lambda command: None if command == EOT else usual(command)
    assert line.exchange(QUERY) == Good(0x31, 0x30, EMPTY, b"")
    assert far.names.count("04") == 2


@pytest.mark.parametrize("request_", [MOVE, APDU], ids=name)
def test_who_has_acknowledged_has_read_the_command(far, line, request_):
    """A NAK is noise then, and the command may have been done."""
    far.script[name(request_)] = [ACK + NAK]
    assert line.exchange(request_) is Silence.LOST
    assert sent(far, request_) == 1


def test_the_device_gives_up_by_itself(far, line):
    far.script[name(MOVE)] = [ACK + EOT]
    assert line.exchange(MOVE) is Silence.LOST


def test_a_refusal(far, line):
    far.script[name(MOVE)] = [ACK + bad(name(MOVE), "A0")]
    assert line.exchange(MOVE) == Bad(0x32, 0x31, "A0", b"")


def test_an_answer_in_single_bytes(far, line):
    far.script[name(APDU)] = [ACK]
    whole = good(name(APDU), data=bytes(range(256)) + b"\x90\x00")
    usual = far.usual

    def slowly(command):
        if len(command) > 1:
            for octet in ACK + whole:
                far.send(bytes([octet]))
            return None
        return usual(command)

    far.answer = slowly
    assert line.exchange(APDU) == Good(0x51, 0x39, EMPTY, bytes(range(256)) + b"\x90\x00")


def test_what_was_sent_is_wiped_and_in_no_repr(far, line, monkeypatch):
    frames = []
    import drivers.crt591.line as module

    real = module.encode
    monkeypatch.setattr(module, "encode", lambda *each: frames.append(real(*each)) or frames[-1])
    secret = Request(0x51, 0x39, QUICK.card, Again.NOT_TAKEN, b"secret")
    line.exchange(secret)
    assert frames and not any(any(frame) for frame in frames)
    assert "secret" not in repr(secret)


def test_unplugged(far, line):
    line.exchange(QUERY)
    far.unplug()
    with pytest.raises(PortLost):
        line.exchange(QUERY)
    assert not line.is_open
    with pytest.raises(PortLost):
        line.open()
    far.plug()
    line.open()
    assert line.exchange(QUERY) == Good(0x31, 0x30, EMPTY, b"")


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=40))
def test_a_movement_is_sent_once_whatever_comes_back(far, line, garbage):
    before = sent(far, MOVE)
    far.script[name(MOVE)] = [garbage]
    line.exchange(MOVE)
    assert sent(far, MOVE) == before + 1
