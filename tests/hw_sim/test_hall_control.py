"""The control socket: questions, refusals, one hall a directory."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hw_sim.hall.client import HallClient, HallNotRunning, HallRefused, announcement
from hw_sim.hall.control import AlreadyRunning, ControlServer, Refused


def serve(question: Mapping[str, Any]) -> dict[str, Any]:
    match question["do"]:
        case "echo":
            return {"heard": question["word"]}
        case "no":
            raise Refused("not today")
        case _:
            raise ZeroDivisionError("a secret of the inside")


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Path]:
    server = ControlServer(tmp_path, serve)
    server.start()
    yield tmp_path
    server.stop()


def test_answers_and_keeps_to_its_owner(run: Path) -> None:
    assert HallClient(run).ask("echo", word="卡")["heard"] == "卡"
    assert (run / "hall.sock").stat().st_mode & 0o777 == 0o600


def test_refusal_says_why(run: Path) -> None:
    with pytest.raises(HallRefused, match="not today"):
        HallClient(run).ask("no")


def test_bug_is_an_answer_without_its_inside(run: Path) -> None:
    with pytest.raises(HallRefused, match="ZeroDivisionError") as raised:
        HallClient(run).ask("break")
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"do": 1}', b"\xff", b"null"])
def test_what_is_no_question_is_refused_and_the_line_goes_on(run: Path, line: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as talk:
        talk.connect(str(run / "hall.sock"))
        talk.sendall(line + b'\n{"do": "echo", "word": "x"}\n')
        with talk.makefile("rb") as replies:
            assert json.loads(replies.readline())["ok"] is False
            assert json.loads(replies.readline()) == {"ok": True, "heard": "x"}


def test_second_hall_is_kept_out(run: Path) -> None:
    with pytest.raises(AlreadyRunning):
        ControlServer(run, serve).start()
    assert HallClient(run).alive()


def test_socket_of_a_killed_hall_is_taken_over(tmp_path: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "hall.sock"))
    left.close()
    server = ControlServer(tmp_path, serve)
    server.start()
    assert HallClient(tmp_path).ask("echo", word="here")["heard"] == "here"
    server.stop()
    assert not (tmp_path / "hall.sock").exists()


def test_questions_are_served_one_at_a_time(tmp_path: Path) -> None:
    inside = 0
    most = 0

    def counting(question: Mapping[str, Any]) -> dict[str, Any]:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        threading.Event().wait(0.02)
        inside -= 1
        return {}

    server = ControlServer(tmp_path, counting)
    server.start()
    askers = [threading.Thread(target=HallClient(tmp_path).ask, args=("x",)) for _ in range(5)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    server.stop()
    assert most == 1


def test_path_too_long_for_a_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    with pytest.raises(ValueError, match="too long"):
        ControlServer(deep, serve).start()


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(HallNotRunning):
        HallClient(tmp_path).ask("status")
    with pytest.raises(HallNotRunning):
        announcement(tmp_path)
