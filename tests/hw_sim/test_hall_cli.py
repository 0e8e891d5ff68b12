"""``yikatong-sim`` against a hall in a process of its own, and the hall's ways to end."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len

from hw_sim.hall import cli, demo
from hw_sim.hall.arguments import parser
from hw_sim.hall.client import default_run_directory
from tests.hw_sim import desk_facts
from tests.hw_sim.running_hall import RunningHall, sim, status


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHall]:
    hall = RunningHall(tmp_path_factory.mktemp("hall"), "--direct")
    yield hall
    hall.close()


def test_announcement_has_what_the_seam_says(hall: RunningHall) -> None:
    told = hall.told
    assert set(told) == {
        "pid", "way", "csock_name", "contact_reader", "psam_reader", "direct", "pad", "scanner",
        "printer", "platform", "enrolment_code", "pad_master_key_file",
        *desk_facts.announced(),
    }  # fmt: skip
    assert told["pid"] == hall.process.pid
    assert told["csock_name"] is None
    assert set(told["direct"]) == {"contact", "psam"}
    key = Path(told["pad_master_key_file"])
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(bytes.fromhex(key.read_text())) == 16
    assert hall.run.stat().st_mode & 0o777 == 0o700
    assert Path(told["pad"]).resolve().is_char_device()
    assert Path(told["scanner"]).resolve().is_char_device()
    assert re.fullmatch(r"ipp://127\.0\.0\.1:\d+/ipp/print", told["printer"])


def test_card_reaches_a_terminal_that_listens(hall: RunningHall) -> None:
    host, port = hall.told["direct"]["contact"].split(":")
    with socket.create_server((host, int(port))) as reader:
        reader.settimeout(10)
        assert sim(hall.run, "insert", "v3").returncode == 0
        card, _ = reader.accept()
        with card:
            card.settimeout(10)
            card.sendall(b"\x00\x01\x01\x00\x01\x04")
            size = int.from_bytes(card.recv(2), "big")
            assert card.recv(size)[:2] == b"\x3b\x6d"
        assert status(hall)["card"] == "v3"
        refused = sim(hall.run, "insert", "v2")
        assert refused.returncode == 1
        assert "card in the contact slot" in refused.stderr
        assert sim(hall.run, "remove").returncode == 0
    assert status(hall)["card"] is None
    assert sim(hall.run, "remove").returncode == 1


def test_refusals_say_what_there_is(hall: RunningHall) -> None:
    for words, told in (
        (("insert", "v9"), "resident:N"),
        (("insert", "psam"), "resident:N"),
        (("fault", "card", "3:fire"), "fire"),
        (("fault", "pad", "1:fire"), "bad-xor"),
        (("fault", "platform", "1:fire"), "fire"),
        (("fault", "line", "1:fire"), "fire"),
        (("fault", "scanner", "1:fire"), "garble"),
        (("fault", "printer", "1:fire"), "job-drop-after"),
        (("fault", "all", "1:drop"), "none"),
        (("ecard", "unknown"), "no card of a resident"),
        (("scan", "/nowhere/code.png"), "not a picture"),
        (("paper", "in", "--sheets", "251"), "0 to 250"),
        (("paper", "out", "--sheets", "3"), "by itself"),
        (("press", "12a"), "keys are"),
        (("reader", "unplug"), "no pcscd"),
        (("pcscd", "restart"), "no pcscd"),
    ):
        answer = sim(hall.run, *words)
        assert answer.returncode == 1, words
        assert told in answer.stderr, words


def test_refusal_for_machines(hall: RunningHall) -> None:
    answer = sim(hall.run, "insert", "v9", "--json")
    assert answer.returncode == 1
    assert json.loads(answer.stdout)["ok"] is False


def test_status_follows_what_is_done(hall: RunningHall) -> None:
    for words in (
        ("fault", "card", "3:tear,*:delay=1"),
        ("fault", "pad", "1:drop"),
        ("fault", "scanner", "1:drop,1:garble"),
        ("fault", "printer", "9:drop,9:job-500"),
        ("fault", "line", "2-4:drip=9,*:latency=1~1"),
        ("fault", "platform", "*:503"),
        ("platform", "slow"),
        ("pad", "unplug"),
    ):
        assert sim(hall.run, *words).returncode == 0, words
    found = status(hall)
    assert found["faults"] == {
        "card": 2, "pad": 1, "scanner": 2, "printer": 2, "line": 2, "platform": 1,
        **dict.fromkeys(desk_facts.at_rest(), 0),
    }  # fmt: skip
    assert found["platform"]["state"] == "slow"  # type: ignore[index]
    assert found["pad"] == {"plugged": False, "entry": False, "count": 0}
    assert sim(hall.run, "press", "1").returncode == 1
    for words in (
        ("fault", "all", "none"),
        ("platform", "down"),
        ("pad", "plug"),
    ):
        assert sim(hall.run, *words).returncode == 0, words
    found = status(hall)
    assert set(found["faults"].values()) == {0}  # type: ignore[attr-defined]
    assert found["platform"]["state"] == "down"  # type: ignore[index]
    assert sim(hall.run, "platform", "up").returncode == 0
    pressed = sim(hall.run, "press", "123456#")
    assert pressed.returncode == 0
    assert "takes no keys" in pressed.stderr
    assert "123456" not in pressed.stdout + pressed.stderr


def test_tables_for_people(hall: RunningHall) -> None:
    cards = sim(hall.run, "cards")
    assert "三代社保卡" in cards.stdout
    assert "clone" in cards.stdout
    assert "none enrolled" in sim(hall.run, "status").stdout


def test_second_hall_is_refused(hall: RunningHall) -> None:
    again = sim(hall.run, "start", "--state", str(hall.state), "--direct")
    assert again.returncode == 1
    assert "already running" in again.stderr
    assert sim(hall.run, "status").returncode == 0


def test_run_directory_that_others_may_look_into_is_refused(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir(mode=0o755)
    answer = sim(run, "start", "--state", str(tmp_path / "state"), "--direct")
    assert answer.returncode == 1
    assert "mode 700" in answer.stderr
    assert run.exists()


def test_usage_is_2_and_nobody_there_is_3(tmp_path: Path) -> None:
    assert sim(tmp_path, "insert").returncode == 2
    assert sim(tmp_path, "platform", "sideways").returncode == 2
    answer = sim(tmp_path, "status")
    assert answer.returncode == 3
    assert "yikatong-sim start" in answer.stderr


def test_every_command_finds_the_hall_of_this_user_by_itself() -> None:
    for words in (["status"], ["ecard", "v3"], ["paper", "in"], ["dock"], ["start"]):
        assert parser().parse_args(words).run == default_run_directory(), words
    assert parser().parse_args(["demo"]).run is None


@pytest.mark.parametrize("way", ["SIGTERM", "SIGINT", "SIGHUP", "stdin", "stop"])
def test_clean_end_leaves_no_run_directory(tmp_path: Path, way: str) -> None:
    hall = RunningHall(tmp_path, "--direct")
    try:
        if way == "stdin":
            assert hall.process.stdin is not None
            hall.process.stdin.close()
        elif way == "stop":
            assert sim(hall.run, "stop").returncode == 0
        else:
            hall.process.send_signal(signal.Signals[way])
        assert hall.ended() == 0
        assert not hall.run.exists()
    finally:
        hall.close()


def test_a_killed_hall_does_not_keep_the_next_one_out(tmp_path: Path) -> None:
    first = RunningHall(tmp_path, "--direct")
    first.process.kill()
    first.ended()
    assert (first.run / "hall.json").exists()
    assert sim(first.run, "status").returncode == 3
    (first.run / "hall.json").unlink()
    second = RunningHall(tmp_path, "--direct")
    try:
        assert second.told["enrolment_code"] != first.told["enrolment_code"]
        key = (second.state / "pad-tmk.hex").read_text()
        assert key == Path(second.told["pad_master_key_file"]).read_text()
    finally:
        first.close()
        second.close()


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def descendants(pid: int) -> set[int]:
    found: set[int] = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            child = int(entry.parent.name)
            found |= {child} | descendants(child)
    return found


@pytest.mark.pcscd
@pytest.mark.parametrize("way", ["SIGTERM", "SIGKILL"])
def test_no_process_is_left_behind(tmp_path: Path, way: str) -> None:
    if not Path("/usr/sbin/pcscd").exists() and not os.environ.get("CI"):
        pytest.skip("pcscd is not installed")
    hall = RunningHall(tmp_path)
    try:
        assert hall.told["csock_name"], hall.told
        assert hall.told["contact_reader"].startswith("Yikatong Contact Reader")
        for words in (("reader", "unplug"), ("reader", "plug"), ("pcscd", "restart")):
            assert sim(hall.run, *words).returncode == 0, words
        assert status(hall)["reader"] == "plugged"
        started = descendants(hall.process.pid)
        assert len(started) >= 2
        hall.process.send_signal(signal.Signals[way])
        hall.ended()
        end = time.monotonic() + 10
        while any(alive(pid) for pid in started) and time.monotonic() < end:
            time.sleep(0.02)
        assert not [pid for pid in started if alive(pid)]
    finally:
        hall.close()


@pytest.mark.parametrize(
    ("typed", "enter", "pressed"),
    [
        ("123456", True, "123456#"),
        ("123456", False, "123456"),
        ("123456#", True, "123456#"),
        ("12", True, "12"),
        ("X", True, "X"),
    ],
)
def test_a_whole_pin_is_followed_by_enter(typed: str, enter: bool, pressed: str) -> None:
    assert cli._keys(typed, enter=enter) == pressed


def test_help_and_guide_are_read_at_a_width_of_80(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    whole = parser()
    choices = next(action.choices for action in whole._actions if action.choices)
    assert isinstance(choices, dict)
    assert "insert" in choices
    texts = [each.format_help() for each in (whole, *choices.values())]
    for text in (*texts, demo._WHAT_TO_TRY):
        for line in text.splitlines():
            assert cell_len(line) <= 80, line
