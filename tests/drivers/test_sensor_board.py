"""The sensor board's frames, and its driver against a scripted board."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.sensor_board.board import SensorBoard
from drivers.sensor_board.frames import LONGEST, Damaged, Frame, FrameReader, crc, encode
from drivers.sensors import Light, LightSlot, SensorsNote, SensorsReason, SensorsStatus
from tests.drivers.board_double import QUICK, BoardDouble

WELL = SensorsStatus(None)
GONE = SensorsStatus(SensorsReason.GONE)
TAMPERED = SensorsStatus(SensorsReason.TAMPERED)
DOOR, TAMPER, PRESENT, FAULT = 0x01, 0x02, 0x04, 0x80

frames = st.builds(
    Frame,
    st.integers(0, 255),
    st.sampled_from("QLRAN"),
    st.binary(max_size=8),
)


# --- frames --------------------------------------------------------------------------------------


def test_the_check_value():
    assert crc(b"123456789") == 0x29B1


def test_the_lines_of_the_documentation():
    assert encode(Frame(1, "Q")) == b"$01Q*7549\r\n"
    assert encode(Frame(2, "L", b"\x21")) == b"$02L21*F12A\r\n"


@pytest.mark.parametrize("frame", [Frame(256, "Q"), Frame(-1, "Q"), Frame(0, "q"), Frame(0, "")])
def test_what_is_no_frame(frame):
    with pytest.raises(ValueError):
        encode(frame)


def read(stream, size=10**6):
    reader = FrameReader()
    return [
        found
        for start in range(0, len(stream), size)
        for found in reader.feed(stream[start : start + size])
    ]


@given(st.lists(frames, max_size=5), st.integers(1, 30))
def test_frames_in_any_pieces(sent, size):
    assert read(b"".join(map(encode, sent)), size) == sent


@given(frames, st.data())
def test_no_line_with_one_wrong_byte_is_read(frame, data):
    line = bytearray(encode(frame))
    place = data.draw(st.integers(1, len(line) - 3))
    line[place] ^= data.draw(st.integers(1, 255))
    assert frame not in read(bytes(line))


@given(st.binary(max_size=80), frames)
def test_after_garbage_the_next_line_is_read(garbage, frame):
    found = read(garbage + encode(frame) + encode(frame))
    assert found[-1] == frame
    assert all(isinstance(each, Frame | Damaged) for each in found)


@given(st.binary(max_size=300), st.integers(1, 50))
def test_garbage_takes_no_room(garbage, size):
    reader = FrameReader()
    for start in range(0, len(garbage), size):
        list(reader.feed(garbage[start : start + size]))
    assert len(reader._held) <= LONGEST + size


def test_a_line_whose_end_was_lost():
    assert read(b"$01Q*52" + encode(Frame(2, "Q"))) == [Damaged(), Frame(2, "Q")]


# --- the driver ----------------------------------------------------------------------------------


@pytest.fixture
def double(tmp_path):
    made = BoardDouble(tmp_path / "sensors")
    yield made
    made.unplug()


@pytest.fixture
def board(double):
    made = SensorBoard(str(double.link), times=QUICK)
    yield made
    made.close()


def test_all_is_well(double, board):
    assert board.status() == WELL
    assert double.kinds() == "Q"


@pytest.mark.parametrize(
    ("inputs", "status"),
    [
        (DOOR, SensorsStatus(None, frozenset({SensorsNote.DOOR_OPEN}))),
        (TAMPER, TAMPERED),
        (PRESENT, SensorsStatus(None, present=True)),
        (FAULT, SensorsStatus(SensorsReason.FAULT)),
        (FAULT | TAMPER | DOOR | PRESENT,
         SensorsStatus(SensorsReason.TAMPERED, frozenset({SensorsNote.DOOR_OPEN}), True)),
    ],
)  # fmt: skip
def test_what_a_board_says_when_it_is_met(double, board, inputs, status):
    double.inputs = inputs
    assert board.status() == status


def later(double, milliseconds, inputs=None):
    double.milliseconds += milliseconds
    if inputs is not None:
        double.inputs = inputs


def test_the_door_counts_once_it_stays_open(double, board):
    board.status()
    later(double, 5000, DOOR)
    assert board.status() == WELL
    later(double, 100)
    assert board.status() == WELL
    later(double, 100)
    assert board.status().notes == {SensorsNote.DOOR_OPEN}


def test_a_person_who_stands_still_is_present(double, board):
    board.status()
    later(double, 5000, PRESENT)
    board.status()
    later(double, 300)
    assert board.status().present
    later(double, 100, 0)
    assert board.status().present
    later(double, 2900)
    assert board.status().present
    later(double, 100)
    assert not board.status().present


def test_reports_that_came_unasked_count_with_their_own_times(double, board):
    """Nobody looked while the door was open for a second."""
    board.status()
    later(double, 1000, DOOR)
    double.send(double.report())
    later(double, 1000, 0)
    assert board.status().notes == {SensorsNote.DOOR_OPEN}
    later(double, 200)
    assert board.status() == WELL


def test_a_tamper_loop_that_was_open_between_two_looks(double, board):
    board.status()
    later(double, 10, TAMPER)
    double.send(double.report())
    later(double, 10, 0)
    assert board.status() == TAMPERED
    assert board.status() == WELL


def test_a_tamper_loop_whose_report_was_lost(double, board):
    board.status()
    later(double, 500)
    double.openings = 1
    assert board.status() == TAMPERED
    assert board.status() == WELL


def test_old_openings_of_a_board_that_is_met_are_history(double, board):
    double.openings = 3
    assert board.status() == WELL


def test_a_board_that_was_started_again(double, board):
    board.status()
    later(double, 10_000, PRESENT | DOOR)
    board.status()
    double.milliseconds, double.openings = 10, 0
    assert board.status() == SensorsStatus(None, frozenset({SensorsNote.DOOR_OPEN}), True)
    double.milliseconds, double.openings = 5, 1
    assert board.status().reason is SensorsReason.TAMPERED


def test_tampering_is_told_although_the_board_was_gone_in_between(double, board):
    board.status()
    later(double, 10, TAMPER)
    double.send(double.report())
    later(double, 10, 0)
    double.answer = lambda command: None
    assert board.status() == GONE
    double.answer = double.usual
    assert board.status() == TAMPERED


def test_lights(double, board):
    assert board.show(LightSlot.CARD, Light.BLINK)
    assert double.lights == 0b00_00_10
    assert board.show(LightSlot.PRINTER, Light.ON)
    assert double.lights == 0b01_00_10
    assert board.show(LightSlot.CARD, Light.OFF)
    assert board.show(LightSlot.RECEIPT, Light.BLINK)
    assert double.lights == 0b01_10_00


def test_lights_go_out_at_the_end(double, board):
    board.show(LightSlot.CARD, Light.ON)
    board.close()
    assert double.lights == 0
    board.close()


def test_lights_that_the_board_forgot_are_set_again(double, board):
    board.show(LightSlot.CARD, Light.BLINK)
    double.lights = 0
    board.status()
    assert double.lights == 0b10
    double.commands.clear()
    board.status()
    assert double.kinds() == "Q"


@pytest.mark.parametrize("why", [1, 2, 3, 4])
def test_a_refusal_is_repeated_once(double, board, why):
    refusals = [why]

    def answer(command):
        if refusals:
            return encode(Frame(1, "N", bytes([int(command[1:3], 16), refusals.pop()])))
        return double.usual(command)

    double.answer = answer
    assert board.show(LightSlot.CARD, Light.ON)
    refusals += [why, why]
    assert not board.show(LightSlot.CARD, Light.OFF)
    refusals += [why, why]
    assert board.status() == GONE
    assert board.status() == WELL


def test_an_answer_to_another_command_is_none(double, board):
    double.answer = lambda command: encode(Frame(9, "A", bytes([99, 1])))
    assert not board.show(LightSlot.CARD, Light.ON)


def test_a_light_that_was_set_otherwise(double, board):
    double.answer = lambda command: encode(Frame(9, "A", bytes([int(command[1:3], 16), 0])))
    assert not board.show(LightSlot.CARD, Light.ON)


@pytest.mark.parametrize("bad", [None, b"$", b"$07R00000000*0000\r\n", b"\xff\x00\x55", b"$01A*"])
def test_a_question_is_asked_twice(double, board, bad):
    answers = [bad]
    double.answer = lambda command: answers.pop() if answers else double.usual(command)
    assert board.status() == WELL
    assert double.kinds() == "QQ"
    answers += [bad, bad]
    assert board.status() == GONE
    assert board.status() == WELL


def test_unplugged_and_plugged(double, board, tmp_path):
    assert board.status() == WELL
    double.unplug()
    assert board.status() == GONE
    assert not board.show(LightSlot.CARD, Light.ON)
    double.plug()
    assert board.status() == WELL
    assert double.lights == 1
    assert SensorBoard(str(tmp_path / "none"), times=QUICK).status() == GONE


def test_a_board_that_is_never_silent_holds_nobody(double, board):
    board.status()
    stop = threading.Event()

    def babble():
        while not stop.is_set():
            double.send(double.report())
            stop.wait(0.001)

    babbler = threading.Thread(target=babble, daemon=True)
    babbler.start()
    try:
        assert board.status() == WELL
    finally:
        stop.set()
        babbler.join()
