"""``yikatong card shell``: line by line, from a script and at a terminal."""

from __future__ import annotations

import io
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from apdu.profile import shipped_profiles
from hw_sim.cards.catalogue import holder
from hw_sim.population import DEMO_PIN
from kiosk.card.completion import Completer
from kiosk.card.exits import CardExit
from kiosk.card.shell import may_be_kept
from tests.kiosk.card_cli import Answer, Desk, desk_for

ROOT = Path(__file__).parents[2]
PATIENCE = 20.0


@pytest.fixture
def desk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Desk:
    return desk_for(monkeypatch, capsys, tmp_path)


def shell(desk: Desk, *lines: str, options: tuple[str, ...] = ()) -> Answer:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        return desk.card("shell", *options)


def test_a_script_reads_files_and_nobody(desk: Desk) -> None:
    desk.insert("v3")
    person = holder("v3")
    assert person is not None
    answer = shell(desk, "# a comment", "", "atr", "ls", "cat EF05 03", "cat SSSEEF06", "tree")
    assert (answer.code, answer.err) == (0, "")
    assert "332E3030" in answer.out
    assert f"{person.name[0]}*" in answer.out or "*" + person.name[-1] in answer.out
    assert not [secret for secret in (person.name, person.number) if secret in answer.out]
    assert desk.given_back == 1


def test_one_object_for_machines(desk: Desk) -> None:
    desk.insert("v3")
    told = shell(desk, "cat EF05 03", "sw 63C2", "nosuch", options=("--json",)).json["results"]
    assert [each["code"] for each in told] == [0, 0, 2]
    assert told[0]["value"]["items"][0]["value"] == "3.00"
    assert told[1]["value"]["sw"] == "63C2"
    meanings = {each["command"]: each["meaning"] for each in told[1]["value"]["meanings"]}
    assert meanings == {"CHANGE PIN": "pin-wrong", "VERIFY": "pin-wrong", "": "key-wrong"}


def test_a_failed_line_is_told_and_the_next_one_runs(desk: Desk) -> None:
    desk.insert("v3")
    answer = shell(desk, "cat SSSEEF1F", "cat EF05 03")
    assert answer.code == 2
    assert "332E3030" in answer.out


def test_strict_stops_at_the_first_error(desk: Desk) -> None:
    desk.insert("v3")
    answer = shell(desk, "cat DF04EF08", "cat EF05 03", options=("--strict",))
    assert answer.code == 7
    assert "332E3030" not in answer.out
    assert "需密码" in answer.err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("cat", "cat FILE [TAG]"),
        ("cat a b c", "cat FILE [TAG]"),
        ("sw 69", "sw 6982"),
        ("sw xyz1", "十六进制"),
        ("trace perhaps", "trace on"),
        ("auth IRK_SSSE", "没有密钥"),
        ("auth NOSUCH", "没有密钥"),
        ("select D1", "不是应用标识"),
        ("select xyz", "十六进制"),
        ('cat "EF05', "没有文件"),
        ("pin", "管道"),
        ("pin 123456", "用法 usage: pin"),
        ("apdu 0020000003123456", "VERIFY"),
    ],
)
def test_what_was_meant_is_told(desk: Desk, line: str, said: str) -> None:
    desk.insert("v3")
    answer = shell(desk, line)
    assert answer.code != 0
    assert said in answer.err


def test_a_key_opens_what_is_behind_it_for_commands_as_bytes(desk: Desk) -> None:
    desk.insert("v3")
    closed = shell(desk, "select DF01", "apdu 00B2013500", options=("--json",)).json["results"]
    opened = shell(
        desk, "cat DF01EF06", "auth RK1_DF01", "apdu 00B2013500", options=("--json",)
    ).json["results"]
    assert closed[-1]["value"][-1]["sw"] == "6982"
    assert opened[-1]["value"][-1]["sw"] == "9000"
    assert set(opened[-1]["value"][-1]["answer"]) == {"·"}


def test_files_are_found_again_after_commands_as_bytes(desk: Desk) -> None:
    desk.insert("v3")
    answer = shell(desk, "cat EF05 03", "select DF04", "cat SSSEEF05 03", "cat EF05", "ls")
    assert answer.code == 0
    assert answer.out.count("332E3030") == 2
    assert "DF04EF05" in answer.out


def test_commands_as_bytes_show_nothing_of_what_other_verbs_selected(desk: Desk) -> None:
    desk.insert("v3")
    lines = ("select SSSE", "apdu 00B2032C00", "cat EF05", "apdu 00B2032C00")
    told = shell(desk, *lines, options=("--json",)).json["results"]
    answers = [each["value"][-1]["answer"] for each in told if each["verb"] == "apdu"]
    assert answers == ["03:332E3030", "··"]


def test_the_rights_of_the_pin_last_until_a_reset(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.insert("v3")
    monkeypatch.setattr(
        "kiosk.card.pin_entry.at_keyboard", lambda _prompt: bytearray(DEMO_PIN.encode())
    )
    both, either = "cat DF04EF06", "cat DF01EF05"
    lines = ("pin", both, "apdu 00A40000023F00", both, either, "reset", either, both)
    told = shell(desk, *lines, options=("--json",)).json["results"]
    assert [each["code"] for each in told] == [0, 0, 0, 0, 0, 0, 0, 7]


def test_a_card_that_was_pulled_and_put_in_again(desk: Desk) -> None:
    desk.insert("v3", "7:tear")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", _Lines(desk))
        answer = desk.card("shell", "--json")
    codes = [each["code"] for each in answer.json["results"]]
    assert codes == [0, CardExit.TORN, CardExit.TORN, 0, 0]


class _Lines(io.StringIO):
    """Somebody who puts the card in again before the fourth line."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._left = iter(("cat EF05", "cat EF06", "cat EF05", "reset", "cat EF05"))

    def __next__(self) -> str:  # type: ignore[override]
        line = next(self._left)
        if line == "reset":
            self._desk.backend.fault("")
            self._desk.insert("v3")
        return line


def test_a_recording_of_some_lines(desk: Desk) -> None:
    desk.insert("v3")
    answer = shell(desk, "record kept.txt", "cat SSSEEF06", "record off", "record kept.txt")
    assert answer.code == 2
    assert "00B2013500" in Path("kept.txt").read_text("ascii")
    assert "文件已存在" in answer.err


def test_a_recording_is_kept_when_the_shell_ends(desk: Desk) -> None:
    desk.insert("v3")
    assert shell(desk, "record kept.txt", "cat EF05").code == 0
    assert Path("kept.txt").is_file()


def test_a_recording_never_writes_over_what_came_meanwhile(desk: Desk) -> None:
    desk.insert("v3")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", _Meanwhile())
        answer = desk.card("shell")
    assert answer.code == 1
    assert "记录没有存成" in answer.err
    assert Path("kept.txt").read_text("ascii") == "another's"


class _Meanwhile(io.StringIO):
    def __init__(self) -> None:
        super().__init__()
        self._left = iter(("record kept.txt", "cat EF05", "record off"))

    def __next__(self) -> str:  # type: ignore[override]
        line = next(self._left)
        if line == "record off":
            Path("kept.txt").write_text("another's", encoding="ascii")
        return line


def test_a_refused_key_is_not_shown_again_before_a_reset(desk: Desk) -> None:
    # 1 tells a PSAM from the card, 2 and 3 open it, 4 selects, 5 and 6 authenticate.
    desk.insert("v3", "6:6300")
    lines = ("auth RK_SSSE", "cat SSSEEF06", "apdu 00A40000023F00", "cat EF05", "reset", "cat EF05")
    told = shell(desk, *lines, options=("--json",)).json["results"]
    assert [each["code"] for each in told] == [14, 14, 0, 14, 0, 0]


def test_a_trace_is_switched_on_and_off(desk: Desk) -> None:
    desk.insert("v3")
    answer = shell(desk, "trace on", "cat EF05 03", "trace off", "cat EF05 03")
    assert answer.err.count("READ RECORD") == 2


def test_in_full_leaves_one_audit_line(desk: Desk) -> None:
    desk.insert("v3")
    audit = desk.demonstration()
    lines = ("cat SSSEEF06", "cat SSSEEF06")
    person = holder("v3")
    assert person is not None
    shown = person.number in shell(desk, *lines, options=("--full",)).out
    assert shown
    assert (audit / "commands.jsonl").read_text(encoding="utf-8").count("card.dumped") == 1


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("cat SSSEEF06", True),
        ("apdu 00A404000F7378312E73682EC9E7BBE1B1A3D5CF", True),
        ("apdu 00 B2 01 2C 00", True),
        ("apdu 0082000A10" + "27" * 16, False),
        ("apdu 0020000003271828", False),
        ("apdu 00D60000" + "01AA", False),
        ("apdu 00D6", False),
        ("pin 271828", False),
        ("apd 0020000003271828", False),
        ("0020000003271828", False),
        ("", False),
    ],
)
def test_what_the_history_keeps(line: str, kept: bool) -> None:
    assert may_be_kept(line) is kept


def test_what_the_tab_key_offers() -> None:
    completer = Completer(lambda: "DF01", ("cat", "select", "sw"))
    assert completer.offered([], "s") == ["select ", "sw "]
    assert "EF06 " in completer.offered(["cat"], "ef")
    assert completer.offered(["cat"], "ssseef0")[0] == "SSSEEF05 "
    assert completer.offered(["cat", "EF06"], "2") == ["23 ", "24 ", "28 ", "2C ", "2D "]
    assert completer.offered(["select"], "DF0") == [
        f"{name} " for name in shipped_profiles()["3"].applications if name.startswith("DF0")
    ]
    assert "RK_SSSE " in completer.offered(["auth"], "rk_")
    assert completer.offered(["trace"], "o") == ["on ", "off "]
    assert completer.offered(["nosuch"], "") == []


class _Terminal:
    """A shell in a process of its own, with somebody at its terminal."""

    def __init__(self, folder: Path) -> None:
        self._master, slave = os.openpty()
        environment = {**os.environ, "TERM": "dumb", "PYTHONPATH": f"{ROOT}:{ROOT / 'hw-sim'}"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.kiosk.shell_child", "--state", str(folder)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
        os.close(slave)
        self.seen = ""

    def expect(self, text: str) -> None:
        while text not in self.seen:
            assert select.select([self._master], [], [], PATIENCE)[0], f"never said {text}"
            self.seen += os.read(self._master, 65536).decode()
        self.seen = self.seen.split(text, 1)[1]

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def interrupt(self) -> None:
        """Ctrl-C. The terminal is nobody's controlling one here, so the key would reach no process;
        and a signal that comes just before readline waits is only seen with the next one."""
        for _ in range(int(PATIENCE)):
            self.process.send_signal(signal.SIGINT)
            if select.select([self._master], [], [], 1.0)[0]:
                return

    def end(self) -> int:
        code = self.process.wait(PATIENCE)
        os.close(self._master)
        return code


def test_at_a_terminal_with_history(tmp_path: Path) -> None:
    terminal = _Terminal(tmp_path)
    terminal.expect("SSSE> ")
    terminal.type("cat EF05 03\n")
    terminal.expect("332E3030")
    terminal.expect("SSSE> ")
    terminal.type("apdu 0020000003271828\n")
    terminal.expect("VERIFY")
    terminal.expect("SSSE> ")
    terminal.type("pin\n")
    terminal.expect("密码 PIN: ")
    terminal.type(f"{DEMO_PIN}\n")
    terminal.expect("密码正确")
    terminal.type("sel\tDF01\n")
    terminal.expect("DF01> ")
    terminal.type("\x04")
    terminal.expect("GIVEN BACK")
    assert terminal.end() == 0
    history = tmp_path / "card-shell-history"
    assert history.stat().st_mode & 0o777 == 0o600
    assert history.read_text("utf-8").split("\n")[:3] == ["cat EF05 03", "pin", "select DF01"]
    assert DEMO_PIN not in history.read_text("utf-8")


def test_ctrl_c_ends_it_and_gives_the_card_back(tmp_path: Path) -> None:
    terminal = _Terminal(tmp_path)
    terminal.expect("SSSE> ")
    terminal.interrupt()
    terminal.expect("GIVEN BACK")
    assert terminal.end() == 130
