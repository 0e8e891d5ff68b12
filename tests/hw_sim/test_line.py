"""The faulty line at its sockets: what each end sees of every fault, byte by byte."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from hw_sim.line.faults import Kind
from hw_sim.line.proxy import FaultyLine
from tests.hw_sim.echo_platform import EchoPlatform, SpeakingTerminal, until

HELLO = b"is anybody there?\n"
ANSWER = b"0:" + HELLO
BYE = b"bye\n"


@pytest.fixture
def far() -> Iterator[EchoPlatform]:
    with EchoPlatform() as running:
        yield running


@pytest.fixture
def naps() -> list[tuple[float, int]]:
    """Seconds that the line took, and how many bytes it had carried before."""
    return []


@pytest.fixture
def line(far: EchoPlatform, naps: list[tuple[float, int]]) -> Iterator[FaultyLine]:
    async def nap(seconds: float) -> None:
        naps.append((seconds, running.traffic.request_bytes + running.traffic.answer_bytes))

    with FaultyLine(far.url, sleep=nap, seed=7) as running:
        yield running


@pytest.fixture
def terminal(line: FaultyLine) -> Iterator[SpeakingTerminal]:
    with SpeakingTerminal(line.port) as connected:
        yield connected


def happened(line: FaultyLine) -> dict[Kind, int]:
    return {kind: count for kind, count in line.traffic.faults.items() if count}


def test_without_faults_it_carries_every_byte_both_ways_and_the_end(
    line: FaultyLine, far: EchoPlatform, terminal: SpeakingTerminal
) -> None:
    much = bytes(range(11, 256)) * 8000 + b"\n"
    sender = threading.Thread(target=terminal.say, args=(much,))
    sender.start()
    assert terminal.hear(len(much) + 2) == b"0:" + much
    sender.join()
    terminal.say(HELLO)
    assert terminal.hear(len(ANSWER)) == ANSWER
    terminal.socket.shutdown(socket.SHUT_WR)
    assert terminal.hear_all() == BYE
    assert far.heard == [much + HELLO]
    assert far.ended == {0: "fin"}
    found = line.traffic
    assert (found.connections, found.exchanges) == (1, 2)
    assert found.request_bytes == len(much + HELLO)
    assert found.answer_bytes == len(much) + 2 + len(ANSWER + BYE)
    assert happened(line) == {}


def test_a_terminal_that_is_gone_is_gone_for_the_platform(
    far: EchoPlatform, terminal: SpeakingTerminal
) -> None:
    terminal.say(HELLO[:5])
    terminal.socket.close()
    until(lambda: far.ended == {0: "fin"})
    assert far.heard == [HELLO[:5]]


def test_latency_holds_the_request_back_by_the_seed(
    line: FaultyLine, terminal: SpeakingTerminal, naps: list[tuple[float, int]]
) -> None:
    line.add("1:latency=300,2-20:latency=300~100")
    for number in range(20):
        terminal.say(HELLO)
        assert terminal.hear(len(ANSWER)) == ANSWER
        assert naps[number][1] == number * len(HELLO + ANSWER)
    seconds = [each for each, _ in naps]
    assert seconds[0] == 0.3
    assert all(0.2 <= each <= 0.4 for each in seconds[1:])
    assert len(set(seconds[1:])) == 19
    assert happened(line) == {Kind.LATENCY: 20}


def test_what_happens_by_chance_is_the_same_for_a_seed(far: EchoPlatform) -> None:
    def seconds(seed: int) -> float:
        naps: list[float] = []

        async def nap(seconds: float) -> None:
            naps.append(seconds)

        with (
            FaultyLine(far.url, faults="1:latency=300~100", seed=seed, sleep=nap) as line,
            SpeakingTerminal(line.port) as terminal,
        ):
            terminal.say(HELLO)
            terminal.hear(len(ANSWER))
        return naps[0]

    assert seconds(1) == seconds(1) != seconds(2)


def test_what_was_sent_before_the_end_still_arrives(
    line: FaultyLine, terminal: SpeakingTerminal
) -> None:
    much = b"x" * 300_000 + b"\n"
    terminal.say(much)
    terminal.socket.shutdown(socket.SHUT_WR)
    until(lambda: line.traffic.answer_bytes == len(much) + 2 + len(BYE))
    assert len(terminal.hear_all()) == len(much) + 2 + len(BYE)


@pytest.mark.parametrize("rate", [3, 500])
def test_drip_takes_its_time_both_ways(
    line: FaultyLine, terminal: SpeakingTerminal, naps: list[tuple[float, int]], rate: int
) -> None:
    line.add(f"1:drip={rate}")
    terminal.say(HELLO)
    assert terminal.hear(len(ANSWER)) == ANSWER
    pieces = [0, 10, 18, 28] if rate == 500 else list(range(len(HELLO + ANSWER)))
    assert [carried for _, carried in naps] == pieces
    assert sum(seconds for seconds, _ in naps) >= len(HELLO + ANSWER) / rate
    terminal.say(HELLO)
    assert terminal.hear(len(ANSWER)) == ANSWER
    assert len(naps) == len(pieces), "only the first exchange"


@pytest.mark.parametrize("count", [0, 5, len(HELLO)])
def test_cut_in_the_request(
    line: FaultyLine, far: EchoPlatform, terminal: SpeakingTerminal, count: int
) -> None:
    line.add(f"1:cut-request={count}")
    terminal.say(HELLO)
    assert terminal.hear_all() == b""
    until(lambda: 0 in far.ended)
    assert far.heard == [HELLO[:count]]
    assert line.traffic.request_bytes == count
    assert happened(line) == {Kind.CUT_REQUEST: 1}


@pytest.mark.parametrize("count", [0, 5, len(ANSWER)])
def test_cut_in_the_answer(
    line: FaultyLine, far: EchoPlatform, terminal: SpeakingTerminal, count: int
) -> None:
    line.add(f"1:cut-answer={count}")
    terminal.say(HELLO)
    assert terminal.hear_all() == ANSWER[:count]
    until(lambda: 0 in far.ended)
    assert far.heard == [HELLO]
    assert happened(line) == {Kind.CUT_ANSWER: 1}


def test_a_cut_behind_the_last_byte_never_happens(
    line: FaultyLine, terminal: SpeakingTerminal
) -> None:
    line.add("1:cut-request=19,1:cut-answer=21,2:cut-answer=20")
    terminal.say(HELLO)
    assert terminal.hear(len(ANSWER)) == ANSWER
    terminal.say(HELLO)
    assert terminal.hear_all() == ANSWER, "counted anew with every exchange"
    assert happened(line) == {Kind.CUT_ANSWER: 1}


def test_half_close_of_the_request_lets_the_answer_through(
    line: FaultyLine, far: EchoPlatform, terminal: SpeakingTerminal
) -> None:
    line.add("1:fin-request=5")
    terminal.say(HELLO)
    assert terminal.hear_all() == BYE
    assert far.heard == [HELLO[:5]]
    assert far.ended == {0: "fin"}
    assert happened(line) == {Kind.FIN_REQUEST: 1}


def test_half_close_of_the_answer_lets_the_terminal_speak(
    line: FaultyLine, far: EchoPlatform, terminal: SpeakingTerminal
) -> None:
    line.add("1:fin-answer=5")
    terminal.say(HELLO)
    assert terminal.hear_all() == ANSWER[:5]
    terminal.say(b"still here\n")
    until(lambda: far.heard == [HELLO + b"still here\n"])
    assert far.ended == {}
    assert happened(line) == {Kind.FIN_ANSWER: 1}


def test_of_a_cut_and_a_half_close_the_earlier_comes_first(
    line: FaultyLine, far: EchoPlatform, terminal: SpeakingTerminal
) -> None:
    line.add("1:cut-request=9,1:fin-request=5")
    terminal.say(HELLO)
    assert terminal.hear_all() == BYE
    assert far.heard == [HELLO[:5]]


def test_reset_at_once(line: FaultyLine, far: EchoPlatform, terminal: SpeakingTerminal) -> None:
    line.add("1:reset")
    terminal.say(HELLO)
    with pytest.raises(ConnectionResetError):
        terminal.hear_all()
    until(lambda: far.ended == {0: "reset"})
    assert far.heard == [b""]
    assert happened(line) == {Kind.RESET: 1}


def test_reset_after_commit(
    line: FaultyLine, far: EchoPlatform, terminal: SpeakingTerminal
) -> None:
    line.add("1:reset-after-commit")
    terminal.say(HELLO[:5])
    until(lambda: far.heard == [HELLO[:5]])
    terminal.say(HELLO[5:])
    with pytest.raises(ConnectionResetError):
        terminal.hear(1)
    assert far.heard == [HELLO]
    assert line.traffic.answer_bytes == 0
    assert happened(line) == {Kind.RESET_AFTER_COMMIT: 1}


def test_duplicate_answer(line: FaultyLine, far: EchoPlatform, terminal: SpeakingTerminal) -> None:
    line.add("1:duplicate-answer")
    terminal.say(HELLO)
    assert terminal.hear(2 * len(ANSWER)) == 2 * ANSWER
    terminal.say(HELLO)
    assert terminal.hear(len(ANSWER)) == ANSWER
    assert far.heard == [2 * HELLO]
    assert happened(line) == {Kind.DUPLICATE_ANSWER: 1}


@pytest.mark.parametrize("how", ["asks", "ends"])
def test_duplicate_answer_of_a_terminal_that_goes_on_at_once(
    line: FaultyLine, terminal: SpeakingTerminal, how: str
) -> None:
    line.add("1:duplicate-answer")
    terminal.say(HELLO)
    assert terminal.hear(len(ANSWER)) == ANSWER
    if how == "asks":
        terminal.say(HELLO)
        assert terminal.hear(2 * len(ANSWER)) == 2 * ANSWER
    else:
        terminal.socket.shutdown(socket.SHUT_WR)
        assert sorted(terminal.hear_all().splitlines()) == sorted((ANSWER + 2 * BYE).splitlines())


def test_stale_answer_comes_in_front_of_the_next(
    line: FaultyLine, terminal: SpeakingTerminal
) -> None:
    line.add("1:stale-answer")
    terminal.say(HELLO)
    assert terminal.hear(len(ANSWER)) == ANSWER
    terminal.say(b"second\n")
    assert terminal.hear(len(ANSWER) + 9) == ANSWER + b"0:second\n"
    terminal.say(b"third\n")
    assert terminal.hear(8) == b"0:third\n"
    assert happened(line) == {Kind.STALE_ANSWER: 1}


def test_duplicate_request_is_answered_by_its_second_sending(
    line: FaultyLine, far: EchoPlatform, terminal: SpeakingTerminal
) -> None:
    line.add("1-2:duplicate-request")
    terminal.say(HELLO[:5])
    until(lambda: HELLO[:5] in far.heard)
    terminal.say(HELLO[5:])
    assert terminal.hear(len(ANSWER)) == ANSWER
    assert far.heard == [HELLO, HELLO]
    terminal.say(HELLO)
    assert terminal.hear(len(ANSWER)) == ANSWER
    assert far.heard == [2 * HELLO, HELLO, HELLO]
    assert happened(line) == {Kind.DUPLICATE_REQUEST: 2}


def test_duplicate_request_of_a_terminal_that_ends_at_once(
    line: FaultyLine, far: EchoPlatform, terminal: SpeakingTerminal
) -> None:
    line.add("1:duplicate-request")
    terminal.say(HELLO)
    terminal.socket.shutdown(socket.SHUT_WR)
    assert terminal.hear_all() == ANSWER + BYE
    assert far.heard == [HELLO, HELLO]


def test_a_black_hole_takes_everything_and_answers_nothing(
    line: FaultyLine, far: EchoPlatform, terminal: SpeakingTerminal
) -> None:
    line.add("*:black-hole")
    terminal.say(HELLO)
    until(lambda: happened(line) == {Kind.BLACK_HOLE: 1})
    terminal.say(HELLO)
    line.clear()
    with SpeakingTerminal(line.port) as second:
        second.say(HELLO)
        assert second.hear(len(ANSWER)) == b"1:" + HELLO
    terminal.socket.shutdown(socket.SHUT_WR)
    assert terminal.hear_all() == BYE
    assert far.heard == [b"", HELLO]
