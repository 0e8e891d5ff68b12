"""The parsers of the serial devices' frames, each fed by a line that says anything.

An input's first bytes say in which pieces the rest arrives. What comes out must not depend on
that, and must stand in the line's bytes as the simulators' own encoders write it: a codec never
invents, repeats or reorders.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import xor

from drivers.crt591 import frames as crt591_frames
from drivers.crt591.device import crt591_facts
from drivers.crt591.status import (
    card_error,
    dispenser_error,
    obstacle,
    read_refusal,
    read_state,
)
from drivers.gm65 import frames as gm65_frames
from drivers.sam_v import frames as sam_v_frames
from drivers.sam_v.reader import meaning_of, reason_of, sam_v_facts
from drivers.sensor_board import frames as sensor_board_frames
from drivers.szzt import frames as szzt_frames
from drivers.szzt.errors import FIRST, LAST, error_of
from drivers.szzt.information import read_information
from drivers.szzt.line import szzt_facts
from hw_sim import sensors
from hw_sim.dispenser import frames as dispenser_frames
from hw_sim.id_reader import frames as id_reader_frames
from hw_sim.pad import frames as pad_frames
from hw_sim.scanner import frames as scanner_frames
from tests.fuzz.pieces import head, same_in_any_pieces, stand_in_order

LONGEST_PAYLOAD = 24
"""Bytes; a code of its full length would keep the fuzzer busy with padding."""
MARKS = (b"", b"\r", b"\r\n", b"\n\n")
ADDRESS = 0
_CRT591, _SAM_V, _SZZT = crt591_facts(), sam_v_facts(), szzt_facts()


def gm65_answers(data: bytes) -> None:
    """Answers of a code module; the second byte says of how many registers."""
    (size, length), stream = head(data, 2)
    length = length or 1

    def read(pieces: Sequence[bytes]) -> tuple[list[bytes], bytes]:
        held, found = bytearray(), []
        for piece in pieces:
            held += piece
            while (answer := gm65_frames.take_answer(held, length)) is not None:
                if isinstance(answer, gm65_frames.Answer):
                    found.append(answer.data)
            assert len(held) < 6 + length, "more is kept than an answer"
        return found, bytes(held)

    found, rest = same_in_any_pieces(stream, size, read)
    assert all(len(each) == length for each in found)
    assert stand_in_order([*map(scanner_frames.answer, found), rest], stream)


def gm65_payloads(data: bytes) -> None:
    """Codes behind a trigger's answer; the second byte says which end mark the module has."""
    (size, mark), stream = head(data, 2)
    end = MARKS[mark % len(MARKS)]

    def read(pieces: Sequence[bytes]) -> tuple[list[bytes], bool, bool]:
        reader, found = gm65_frames.PayloadReader(end, LONGEST_PAYLOAD), []
        for piece in pieces:
            code = reader.feed(piece)
            while code is not None:
                found.append(code)
                code = reader.feed(b"")
        begun = reader.begun
        last = reader.silence()
        assert not reader.begun and (last is None or not end)
        return found + ([] if last is None else [last]), begun, reader.dropped

    found, _, _ = same_in_any_pieces(stream, size, read)
    assert all(0 < len(code) <= LONGEST_PAYLOAD and (not end or end not in code) for code in found)
    assert stand_in_order([code + end for code in found], stream)


def szzt(data: bytes) -> None:
    """Frames and bare keys of a PIN pad, and what its answers say."""
    (size,), stream = head(data, 1)

    def read(pieces: Sequence[bytes]) -> tuple[list[szzt_frames.Received], bool]:
        reader = szzt_frames.FrameReader()
        found = [each for piece in pieces for each in reader.feed(piece)]
        begun = reader.partial
        assert reader.give_up() == begun and not reader.partial
        return found, begun

    found, _ = same_in_any_pieces(stream, size, read)
    written = []
    for each in found:
        match each:
            case szzt_frames.Frame(text):
                written.append(pad_frames.frame(text))
                read_information(text)
                if text and FIRST <= text[0] <= LAST:
                    assert error_of(text[0], _SZZT).code == text[0]
            case szzt_frames.BareKey(octet):
                written.append(bytes([octet]))
    # Check digits may come as small letters; nothing else changes by that.
    assert stand_in_order([each.upper() for each in written], stream.upper())


def sam_v(data: bytes) -> None:
    """Answers of an ID reader's security module, and what they mean to each command."""
    (size,), stream = head(data, 1)

    def read(pieces: Sequence[bytes]) -> tuple[list[sam_v_frames.Answer], bytes]:
        held, found = bytearray(), []
        for piece in pieces:
            held += piece
            while (answer := sam_v_frames.take_answer(held)) is not None:
                if isinstance(answer, sam_v_frames.Answer):
                    found.append(answer)
            assert len(held) < sam_v_frames.LONGEST_FRAME
        return found, bytes(held)

    found, rest = same_in_any_pieces(stream, size, read)
    at = 0
    for answer in found:
        at = _behind(answer, stream, at)
        for command in _SAM_V["commands"]:
            reason_of(meaning_of(_SAM_V, command, answer))
    assert rest in stream[at:]


def _behind(answer: sam_v_frames.Answer, stream: bytes, at: int) -> int:
    """Where an answer's frame ends, whatever the card's own words in it are: the simulated module
    leaves them zero."""
    frame = id_reader_frames.answer(answer.code, answer.data)
    at = stream.find(frame[:7], at)
    while at >= 0:
        words = stream[at + 7 : at + 9]
        check = bytes([frame[-1] ^ reduce(xor, words, 0)])
        candidate = frame[:7] + words + frame[9:-1] + check
        if stream.startswith(candidate, at):
            return at + len(candidate)
        at = stream.find(frame[:7], at + 1)
    raise AssertionError("no such answer came")


def crt591(data: bytes) -> None:
    """Answers and control bytes of a card dispenser, and what its answers say."""
    (size,), stream = head(data, 1)

    def read(pieces: Sequence[bytes]) -> tuple[list[crt591_frames.Received], bool]:
        reader = crt591_frames.FrameReader(ADDRESS)
        found = [each for piece in pieces for each in reader.feed(piece)]
        begun = reader.partial
        assert reader.give_up() == begun and not reader.partial
        return found, begun

    found, _ = same_in_any_pieces(stream, size, read)
    parts: list[bytes] = []
    for each in found:
        match each:
            case crt591_frames.Good(cm, pm, state, told):
                read_state(state, _CRT591)
                text = bytes([0x50, cm, pm]) + state + told
                parts.append(dispenser_frames.framed(ADDRESS, text))
            case crt591_frames.Bad(cm, pm, code, told):
                _refused(code)
                # One byte of two begins it, and a code that is not ASCII shows as ?.
                parts += [bytes([cm, pm]), told]
            case crt591_frames.Control():
                parts.append(each.octet)
    assert stand_in_order(parts, stream)


def _refused(code: str) -> None:
    refusal = read_refusal(code, _CRT591)
    obstacle(refusal)
    assert str(dispenser_error(refusal))
    for present in (True, False):
        assert code in str(card_error(refusal, present=present))


def sensor_board(data: bytes) -> None:
    """Lines of the sensor board."""
    (size,), stream = head(data, 1)

    def read(pieces: Sequence[bytes]) -> list[sensor_board_frames.Frame]:
        reader = sensor_board_frames.FrameReader()
        found = [each for piece in pieces for each in reader.feed(piece)]
        return [each for each in found if isinstance(each, sensor_board_frames.Frame)]

    found = same_in_any_pieces(stream, size, read)
    lines = [sensors.line_of(each.number, each.kind, each.data) for each in found]
    assert all(len(line) <= sensor_board_frames.LONGEST + 1 for line in lines)
    # Its line may end with a bare line feed.
    assert stand_in_order([line[:-2] for line in lines], stream)
