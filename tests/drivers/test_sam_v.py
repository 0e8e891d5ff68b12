"""The SAM-V driver against a scripted module on a pseudo-terminal."""

import logging

import pytest

from drivers.id_reader import (
    CardLeft,
    IdReaderBroken,
    IdReaderGone,
    IdReaderNote,
    IdReaderReason,
    IdReaderStatus,
    LicenceMissing,
    NoCard,
    ReadCancelled,
    ReadFailed,
)
from drivers.sam_v.frames import Answer
from drivers.sam_v.reader import Meaning, SamVReader, meaning_of, reason_of, sam_v_facts
from tests.drivers.id_reader_double import (
    CARD,
    FAILED,
    FOUND,
    NO_CARD,
    NOT_SELECTED,
    OK,
    PHOTO,
    QUICK,
    READ,
    SELECTED,
    TEXT,
    IdReaderDouble,
    Putting,
    frame,
)
from tests.drivers.pad_double import soon

BAD = OK[:-1] + b"\x00"
SPOILED = READ[:-1] + bytes([READ[-1] ^ 1])
FACTS = sam_v_facts()
SPEEDS = [115200, 57600, 38400, 19200, 9600]


@pytest.fixture
def module(tmp_path):
    double = IdReaderDouble(tmp_path / "id-reader")
    yield double
    double.unplug()


@pytest.fixture
def putting(module):
    made = Putting(SamVReader(str(module.link), times=QUICK))
    yield made
    made.reader.close()


@pytest.fixture
def reader(putting):
    return putting.reader


def when(module, command, action, count=1):
    def act():
        with module.seen:
            assert module.seen.wait_for(lambda: module.names.count(command) >= count, 10)
        action()

    return soon(act, 0)


# --- a card -------------------------------------------------------------------------------------


def test_a_card_that_lies_there(module, putting):
    module.lies = True
    assert putting.read_card() == CARD
    assert module.names == ["status", "find", "select", "read"]


def test_a_card_that_is_put_on_later(module, putting):
    when(module, "find", lambda: setattr(module, "lies", True), 3)
    assert putting.read_card() == CARD


def test_no_card_within_the_time(module, putting):
    with pytest.raises(NoCard):
        putting.read_card(0.05)
    assert module.names.count("find") > 1 and "select" not in module.names


def test_content_shows_in_no_repr():
    assert "bytes" not in repr(CARD) and "\\x" not in repr(CARD)


@pytest.mark.parametrize("fingerprints", [0, 512, 1024])
def test_fingerprints_are_left_where_they_are(module, fingerprints):
    facts = sam_v_facts()
    facts["read"]["command"] = "read-base-fingerprint"
    made = Putting(SamVReader(str(module.link), times=QUICK, facts=facts))
    module.lies = True
    lengths = b"\x01\x00\x04\x00" + fingerprints.to_bytes(2, "big")
    module.script["fingerprint"] = [frame(0x90, lengths + TEXT + PHOTO + b"\x55" * fingerprints)]
    assert made.read_card() == CARD
    made.reader.close()


@pytest.mark.parametrize("lengths", ["00FF0400", "01000401", "00000000", "FFFFFFFF"])
def test_a_card_whose_parts_have_other_lengths(module, putting, lengths):
    module.lies = True
    odd = frame(0x90, bytes.fromhex(lengths) + TEXT + PHOTO)
    module.script["read"] = [odd, odd]
    with pytest.raises(ReadFailed):
        putting.read_card()
    assert putting.read_card() == CARD


@pytest.mark.parametrize("answer", [frame(0x90, bytes(1283)), frame(0x90), frame(0x9F, bytes(4))])
def test_what_does_not_answer_a_read_is_waited_over(module, putting, answer):
    """The late answer to an earlier command."""
    module.lies = True
    module.script["read"] = [answer + READ]
    assert putting.read_card() == CARD
    assert module.names.count("read") == 1


def test_late_answers_do_not_count_for_the_next_command(module, putting):
    module.lies = True
    module.script["find"] = [NO_CARD, FOUND + FOUND + OK]
    module.script["select"] = [NO_CARD + FOUND + SELECTED + SELECTED]
    assert putting.read_card() == CARD
    assert module.names == ["status", "find", "find", "select", "read"]


@pytest.mark.parametrize("noise", [b"\x00\xff\x55", b"\xaa", OK[:6], BAD, OK])
def test_noise_before_a_card_is_survived(module, putting, noise):
    module.lies = True
    module.script["read"] = [noise + READ]
    assert putting.read_card() == CARD
    assert module.names.count("read") == 1


@pytest.mark.parametrize("first", [None, SPOILED, READ[:700], frame(0x10), frame(0x11)])
def test_a_card_that_did_not_arrive_is_selected_and_read_again(module, putting, first):
    module.lies = True
    module.script["read"] = [first]
    assert putting.read_card() == CARD
    assert module.names == ["status", "find", "select", "read", "select", "read"]


@pytest.mark.parametrize("command", ["find", "select"])
@pytest.mark.parametrize("first", [None, BAD, frame(0x10)])
def test_a_lost_answer_is_asked_for_again(module, putting, command, first):
    module.lies = True
    module.script[command] = [first]
    assert putting.read_card() == CARD
    assert module.names.count(command) == 2


@pytest.mark.parametrize("command", ["find", "select", "read"])
@pytest.mark.parametrize("answer", [None, BAD])
def test_never_a_readable_answer(module, putting, command, answer):
    module.lies = True
    module.script[command] = [answer] * 2
    with pytest.raises(IdReaderGone):
        putting.read_card()
    assert module.names.count(command) == 2
    assert putting.read_card() == CARD


def test_taken_away_before_it_was_selected(module, putting):
    module.script["find"] = [FOUND]
    with pytest.raises(CardLeft):
        putting.read_card()


def test_taken_away_while_it_was_read(module, putting):
    module.script["find"] = [FOUND]
    module.script["select"] = [SELECTED]
    with pytest.raises(CardLeft):
        putting.read_card()
    assert module.names == ["status", "find", "select", "read", "select"]


def test_taken_away_at_the_second_try(module, putting):
    module.script["find"] = [FOUND]
    module.script["select"] = [SELECTED, SELECTED]
    with pytest.raises(CardLeft):
        putting.read_card()


def test_what_came_between_two_calls_is_dropped(module, putting):
    assert putting.reader.status().reason is None
    module.send(FOUND)
    with pytest.raises(NoCard):
        putting.read_card(0)


@pytest.mark.parametrize("code", [0x21, 0x23, 0x24, 0x31, 0x32, 0x33, 0x40, 0x41, 0x47])
def test_a_card_that_can_not_be_read(module, putting, code):
    module.lies = True
    module.script["read"] = [frame(code)] * 2
    with pytest.raises(ReadFailed) as caught:
        putting.read_card()
    assert f"{code:02X}" in str(caught.value)
    assert putting.read_card() == CARD


def test_the_card_s_own_words_are_not_mistaken_for_the_module_s(module, putting):
    module.lies = True
    module.script["read"] = [frame(0x41, sw=b"\x69\x82")]
    assert putting.read_card() == CARD


@pytest.mark.parametrize("command", ["find", "select", "read"])
@pytest.mark.parametrize(("code", "error"), [(0x66, LicenceMissing), (0x60, IdReaderBroken)])
def test_a_module_that_can_not_work_says_so(module, putting, command, code, error):
    module.lies = True
    module.script[command] = [frame(code)]
    with pytest.raises(error):
        putting.read_card()
    assert putting.read_card() == CARD


# --- taken away, address, module -----------------------------------------------------------------


def test_waiting_until_a_card_was_taken_needs_two_misses(module, putting):
    module.lies = True
    module.script["select"] = [SELECTED, SELECTED, NOT_SELECTED]
    when(module, "select", lambda: setattr(module, "lies", False), 5)
    putting.wait_until_taken()
    assert module.names.count("select") >= 7


def test_waiting_for_nothing_ends_at_once(module, putting):
    putting.wait_until_taken()
    assert module.names == ["status", "select", "select"]


def test_a_card_that_can_not_be_selected_is_not_the_one_that_was_read(module, putting):
    module.script["select"] = [frame(0x40)] * 2
    putting.wait_until_taken()
    assert module.names[-1] == "select"


def test_the_newest_address(module, reader):
    module.lies = True
    assert reader.newest_address() is None
    module.script["address"] = [frame(0x90, "江城市新路2号".ljust(35).encode("utf-16-le"))]
    assert reader.newest_address() == "江城市新路2号"
    module.script["address"] = [frame(0x90, b"\x00\xd8" * 35)]
    with pytest.raises(ReadFailed):
        reader.newest_address()
    module.lies = False
    with pytest.raises(CardLeft):
        reader.newest_address()


def test_the_module_s_number(reader):
    assert reader.sam_id() == "05.03-20190314-0000012345-4012345678"


def test_reset(module, reader):
    reader.reset()
    assert module.names[-1] == "reset"


# --- how it stands -------------------------------------------------------------------------------


def test_every_word_that_can_answer_status():
    reasons = {
        code: reason_of(meaning_of(FACTS, "status", Answer(code, b""))) for code in range(256)
    }
    assert reasons.pop(0x90) is None
    assert reasons.pop(0x66) is IdReaderReason.UNLICENSED
    assert reasons.pop(0x60) is IdReaderReason.SELF_TEST
    for code in (0x21, 0x23, 0x24, 0x31, 0x32, 0x33, 0x40, 0x41, 0x47):
        assert reasons.pop(code) is IdReaderReason.FAULT
    assert set(reasons.values()) == {IdReaderReason.GONE}
    assert reason_of(None) is IdReaderReason.GONE


def test_every_meaning_has_its_reason():
    assert {reason_of(meaning) for meaning in Meaning} == {*IdReaderReason, None}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (0x90, None),
        (0x66, IdReaderReason.UNLICENSED),
        (0x60, IdReaderReason.SELF_TEST),
        (0x24, IdReaderReason.FAULT),
        (0x77, IdReaderReason.GONE),
    ],
)
def test_status(module, reader, code, reason):
    module.script["status"] = [frame(code)] * 8
    assert reader.status() == IdReaderStatus(reason)
    module.script.clear()
    assert reader.status() == IdReaderStatus(None)


def test_status_of_a_reader_that_is_not_there(module, reader, tmp_path):
    assert SamVReader(str(tmp_path / "none"), times=QUICK).status().reason is IdReaderReason.GONE
    assert reader.status().reason is None
    module.unplug()
    assert reader.status().reason is IdReaderReason.GONE
    module.plug()
    assert reader.status().reason is None


def test_another_speed_is_found_and_told(module, reader):
    module.script["status"] = [None, None]
    status = reader.status()
    assert status == IdReaderStatus(None, frozenset({IdReaderNote.OTHER_SPEED}))


@pytest.mark.parametrize("baud", [None, *SPEEDS, 4800])
def test_speeds_in_their_order(module, baud, monkeypatch):
    """The configured one first, the module's others, and the first once more."""
    tried = []
    module.answer = lambda command: None
    made = SamVReader(str(module.link), baud, QUICK)
    asked = made._tried
    monkeypatch.setattr(made, "_tried", lambda *args: tried.append(made._baud) or asked(*args))
    assert made.status().reason is IdReaderReason.GONE
    first = baud or 115200
    assert tried == [first, *(speed for speed in SPEEDS if speed != first), first]


# --- the port, the thread, and what is told -------------------------------------------------------


def test_cancelled_while_no_card_is_there(module, putting):
    when(module, "find", lambda: putting.cancelled.set(), 3)
    with pytest.raises(ReadCancelled):
        putting.read_card()
    module.lies = True
    assert putting.read_card() == CARD


@pytest.mark.parametrize("command", ["status", "find", "select", "read"])
def test_cancelled_while_the_module_is_silent(module, command):
    patient = SamVReader(str(module.link), times=type(QUICK)(answer=30, read=30, probe=30))
    made = Putting(patient)
    module.lies = True
    module.script[command] = [None]
    when(module, command, lambda: made.cancelled.set())
    with pytest.raises(ReadCancelled):
        made.read_card()
    assert made.read_card() == CARD
    patient.close()


def test_cancelled_while_a_card_lies_there(module, putting):
    module.lies = True
    when(module, "select", lambda: putting.cancelled.set(), 3)
    with pytest.raises(ReadCancelled):
        putting.wait_until_taken()


def test_cancelled_before_it_began_nothing_is_sent(module, putting):
    putting.cancelled.set()
    with pytest.raises(ReadCancelled):
        putting.reader.read_card(putting.cancelled)
    assert module.commands == []


@pytest.mark.parametrize("command", ["find", "read"])
def test_unplugged_then_plugged_again(module, putting, command):
    module.lies = True

    def pull(sent):
        return (
            None
            if sent[7:9] == {"find": b"\x20\x01", "read": b"\x30\x01"}[command]
            else usual(sent)
        )

    usual = module.usual
    module.answer = pull
    when(module, command, module.unplug)
    with pytest.raises(IdReaderGone):
        putting.read_card()
    module.answer = usual
    module.plug()
    assert putting.read_card() == CARD


def test_a_line_that_is_never_silent(module, reader):
    module.answer = lambda command: b"\xaa\xaa\xaa\x96\x69\x08\x00" * 300
    assert reader.status().reason is IdReaderReason.GONE


def test_the_port_is_ours_alone(module, reader):
    assert reader.status().reason is None
    other = SamVReader(str(module.link), times=QUICK)
    assert other.status().reason is IdReaderReason.GONE
    reader.close()
    assert other.status().reason is None
    other.close()
    other.close()


def test_nothing_of_a_card_is_in_logs_and_errors(module, putting, caplog):
    caplog.set_level(logging.DEBUG)
    module.lies = True
    module.script["read"] = [frame(0x90, b"\x01\x00\x04\x01" + TEXT + PHOTO), SPOILED, FAILED]
    with pytest.raises(ReadFailed) as caught:
        putting.read_card()
    told = caplog.text + repr(caught.value) + repr(caught.value.__cause__) + repr(putting.reader)
    assert "4299" not in told and "王" not in told and "\\x" not in told
