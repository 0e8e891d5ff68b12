"""The frame parsers, fed as a line feeds them, against the speed of that line.

Answers of the simulators, with noise and damaged answers between. A parser may take a hundredth of
a core when its line is never silent. The one of IPP has no line: it is measured against pyipp's.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence

from pyipp import parser as pyipp_parser

from drivers.code_scanner import LONGEST_CODE
from drivers.crt591 import frames as crt591_frames
from drivers.escpos.printer import _Heard
from drivers.gm65 import frames as gm65_frames
from drivers.hid.bursts import EVENT, BurstReader, HidTimes
from drivers.ipp.answers import read_answer
from drivers.sam_v import frames as sam_v_frames
from drivers.sensor_board import frames as sensor_board_frames
from drivers.szzt import frames as szzt_frames
from hw_sim import sensors
from hw_sim.dispenser import frames as dispenser_frames
from hw_sim.id_reader.cards import id_card
from hw_sim.id_reader.device import Lying, SamModule
from hw_sim.id_reader.frames import Command
from hw_sim.pad import frames as pad_frames
from hw_sim.pad.epp import PinPad
from hw_sim.scanner.frames import DONE, answer, answer_with_wrong_crc
from tests.bench.figure import Figure, often, paired
from tests.fuzz.other_seeds import ipp
from tests.fuzz.shown_codes import typed

BAUD = 115_200
"""The fastest line of any of these devices."""
SHARE = 0.01
"""Of a core, at that speed."""
PIECE = 16
"""Bytes that arrive together: what the buffer of a serial port holds (16550)."""
REPORTS = 1_000
"""A second, of a keyboard on USB, each with three events."""
LENGTH = 60_000
"""Bytes of a stream."""
ROUNDS = 7
NOISE = b"\xff\x00\x55"
CODE = b"SSC1:4299A0C3F17D5B2E9048866120AD31"

Feed = Callable[[bytes], int]
"""Takes a piece; how many good frames it completed."""


def figures() -> Iterator[Figure]:
    """Bytes a second of each parser on one core; answers a second of IPP."""
    pad = pad_frames.frame(PinPad().command(b"3"))
    yield _of_line("frames.szzt", [pad, b"*", b"*"], pad_frames.bad_check(pad), _szzt())
    two = answer(b"\x39\x01")
    yield _of_line("frames.gm65", [two], answer_with_wrong_crc(two), _gm65())
    yield _of_line("frames.gm65_codes", [CODE + b"\r"], DONE, _gm65_codes())
    card, damaged = _id_card()
    yield _of_line("frames.sam_v", [card], damaged, _sam_v())
    command = dispenser_frames.Command(0x51, 0x39, b"")
    apdu = b"\x06" + dispenser_frames.done(0, command, b"220", bytes(258))
    yield _of_line("frames.crt591", [apdu], apdu[:-1] + bytes([apdu[-1] ^ 1]), _crt591())
    report = sensors.line_of(7, "R", bytes(8))
    yield _of_line("frames.sensor_board", [report], report[:-3] + b"\r\n", _sensor_board())
    yield _of_line("frames.escpos", [b"\x12\x16\x12\x1e\x00"], b"\xed", _escpos())
    yield _of_keys()
    yield _of_ipp()


def _of_line(name: str, good: Sequence[bytes], damaged: bytes, feed: Feed) -> Figure:
    """Five good ones, then noise and a damaged one, again and again."""
    turn = b"".join(good) * 5 + NOISE + damaged
    turns = LENGTH // len(turn)
    rate = _bytes_a_second(turn * turns, feed, turns * 5 * len(good))
    peer = f"limit, {SHARE:.0%} of a core at {BAUD} baud, in bytes"
    return Figure.rate(name, rate, BAUD / 10 / SHARE, peer)


def _bytes_a_second(stream: bytes, feed: Feed, least: int) -> float:
    pieces = [stream[start : start + PIECE] for start in range(0, len(stream), PIECE)]
    times = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        found = sum(map(feed, pieces))
        times.append(time.process_time() - begun)
        if found < least:
            raise AssertionError("the parser does not find what is good")
    return len(stream) / statistics.median(times)


# --- the parsers, as their drivers use them -------------------------------------------------------


def _szzt() -> Feed:
    reader = szzt_frames.FrameReader()
    return lambda piece: len(reader.feed(piece))


def _gm65() -> Feed:
    held = bytearray()

    def feed(piece: bytes) -> int:
        held.extend(piece)
        found = 0
        while gm65_frames.take_answer(held, 2) is not None:
            found += 1
        return found

    return feed


def _gm65_codes() -> Feed:
    reader = gm65_frames.PayloadReader(b"\r", LONGEST_CODE)

    def feed(piece: bytes) -> int:
        found = 0
        code = reader.feed(piece)
        while code is not None:
            found += 1
            code = reader.feed(b"")
        return found

    return feed


def _sam_v() -> Feed:
    held = bytearray()

    def feed(piece: bytes) -> int:
        held.extend(piece)
        found = 0
        while sam_v_frames.take_answer(held) is not None:
            found += 1
        return found

    return feed


def _id_card() -> tuple[bytes, bytes]:
    """A whole card, as the module says it, and the same damaged."""
    module = SamModule(BAUD)
    module.lying = Lying(id_card("citizen"))
    module.obey(Command.SELECT)
    card = module.obey(Command.READ_BASE)
    if not isinstance(card, bytes):
        raise AssertionError("the simulated module reads no card")
    return card, module.bad_check(card)


def _crt591() -> Feed:
    reader = crt591_frames.FrameReader(0)
    return lambda piece: len(reader.feed(piece))


def _sensor_board() -> Feed:
    reader = sensor_board_frames.FrameReader()
    return lambda piece: len(list(reader.feed(piece)))


def _escpos() -> Feed:
    def feed(piece: bytes) -> int:
        heard = _Heard()
        heard.take(piece)
        return len(heard.statuses)

    return feed


# --- keys and IPP ---------------------------------------------------------------------------------


def _of_keys() -> Figure:
    codes = [typed(CODE.decode(), start=float(place + 1)) for place in range(20)]
    reader = BurstReader(HidTimes())
    # Each round types at the same times again: what came before is over for it.
    rate = _bytes_a_second(b"".join(codes), lambda piece: len(reader.feed(piece)), len(codes))
    limit = REPORTS * 3 * EVENT.size / SHARE
    peer = f"limit, {SHARE:.0%} of a core at {REPORTS} reports a second, in bytes"
    return Figure.rate("frames.hid", rate, limit, peer)


def _of_ipp() -> Figure:
    answer = ipp()["printer"]
    # Some syntaxes are left out by us, such as dates: nobody asks for them.
    if not read_answer(answer).printer.keys() <= pyipp_parser.parse(answer)["printers"][0].keys():
        raise AssertionError("the peer does not read all attributes")
    pairs = paired(
        often(lambda: read_answer(answer), 20), often(lambda: pyipp_parser.parse(answer), 20), 50
    )
    peer = "pyipp, answers with all attributes"
    return Figure.rate("frames.ipp", 20_000 / pairs.mine, 20_000 / pairs.theirs, peer)
