"""``yikatong``: finds its commands, and one broken command spoils no other."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

from kiosk.audit.command import COMMAND as AUDIT
from kiosk.audit.log import AuditLog
from kiosk.cli import installed, main
from kiosk.commands import ENTRY_POINTS, MEANINGS, Command, CommandFailed, Exit

NUMBER = "429900196001010018"


class Standing:
    def time(self) -> float:
        return 1_795_000_000.0

    def monotonic(self) -> float:
        return 1.0


def command(run: Callable[[argparse.Namespace], int]) -> Command:
    def add(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--count", type=int, default=1)

    return Command("work", "做事", "do something", add, run)


def broken() -> Command:
    raise ModuleNotFoundError("No module named 'gone'", name="gone")


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    (tmp_path / "audit").mkdir()
    file = tmp_path / "audit" / "audit.jsonl"
    log = AuditLog(file, "T429900-0003", Standing())
    log.write("terminal.started", detail={"version": "0.1.0", "pid": 7})
    log.write("visit.begun", visit=1)
    log.close()
    return file


def test_the_overview_shows_all_commands(capsys: pytest.CaptureFixture[str]) -> None:
    loaders = {"work": lambda: command(lambda _: 0), "other": broken}
    assert main(["--help"], loaders) == 0
    text = capsys.readouterr().out
    assert text.index("一卡通终端") < text.index("Yikatong Terminal")
    assert "做事  do something" in text
    assert "other" in text and "gone" in text
    for code, (zh, en) in MEANINGS.items():
        assert f"{code.value:>4}  {zh}  {en}" in text
    assert main([], loaders) == Exit.USAGE


def test_every_exit_code_has_a_meaning() -> None:
    assert MEANINGS.keys() == set(Exit)


def test_a_command_gets_its_arguments() -> None:
    loaders = {"work": lambda: command(lambda a: a.count), "other": broken}
    assert main(["work", "--count", "5"], loaders) == 5
    assert main(["work", "--count", "x"], loaders) == Exit.USAGE
    assert main(["other"], loaders) == Exit.BUG
    assert main(["nothing"], loaders) == Exit.USAGE


def test_help_of_a_command_is_chinese_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["work", "--help"], {"work": lambda: command(lambda _: 0)}) == 0
    text = capsys.readouterr().out
    assert text.startswith("用法 usage: yikatong work")
    assert text.index("做事") < text.index("do something")
    assert "显示本帮助" in text and "退出码 exit codes" in text


def test_failures_become_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(problem: BaseException) -> Callable[[argparse.Namespace], int]:
        def run(_: argparse.Namespace) -> int:
            raise problem

        return run

    def code(problem: BaseException) -> int:
        return main(["work"], {"work": lambda: command(fail(problem))})

    assert code(CommandFailed(Exit.DEVICE, "读卡器未连接")) == Exit.DEVICE
    assert "读卡器未连接" in capsys.readouterr().err
    assert code(KeyboardInterrupt()) == Exit.INTERRUPTED
    assert code(ValueError(NUMBER)) == Exit.BUG
    told = capsys.readouterr().err
    assert "ValueError" in told and "test_cli_dispatch.py" in told and NUMBER not in told


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"yikatong {metadata.version('yikatong-terminal')}\n"


def test_commands_are_found_by_entry_point() -> None:
    assert "audit" in installed()
    assert set(installed()) == {point.name for point in metadata.entry_points(group=ENTRY_POINTS)}
    assert installed()["audit"]() is AUDIT


HEAVY = ["pygame", "requests", "smartcard", "serial", "cryptography", "sqlite3", "ctypes", "rich"]


@pytest.mark.parametrize("words", [["--version"], ["audit", "--help"]])
def test_start_up_imports_little(words: list[str]) -> None:
    program = (
        "import sys; from kiosk.cli import main; main(sys.argv[1:]);"
        f"sys.stderr.write(repr([m for m in {HEAVY!r} if m in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=True
    )
    assert done.stderr == "[]"


def test_audit_verify_of_a_healthy_log(log_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify", "--state", str(log_file.parent.parent)]) == 0
    assert "未被改动" in capsys.readouterr().out
    assert main(["audit", "verify", str(log_file), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["ok"], report["lines"], report["findings"]) == (True, 2, [])


def test_audit_verify_names_the_first_bad_line(
    log_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log_file.write_bytes(log_file.read_bytes().replace(b'"pid":7', b'"pid":8'))
    assert main(["audit", "verify", str(log_file)]) == Exit.FAILED
    assert "第 1 行（编号 1）被改动" in capsys.readouterr().out
    assert main(["audit", "verify", str(log_file), "--json"]) == Exit.FAILED
    assert json.loads(capsys.readouterr().out)["findings"][0]["fault"] == "altered"


def test_audit_tail(log_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "tail", "-n", "1", str(log_file)]) == 0
    text = capsys.readouterr().out
    assert "visit.begun 开始办理" in text and "terminal.started" not in text
    assert main(["audit", "tail", "--json", str(log_file)]) == 0
    assert [record["seq"] for record in json.loads(capsys.readouterr().out)] == [1, 2]
    with log_file.open("ab") as file:
        file.write(b"garbage")
    assert main(["audit", "tail", str(log_file)]) == Exit.FAILED


def test_a_log_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify", "--state", str(tmp_path / "none")]) == Exit.STATE
    assert "cannot be read" in capsys.readouterr().err
    assert not (tmp_path / "none").exists(), "looking makes nothing"


def test_every_fault_has_a_chinese_word() -> None:
    from kiosk.audit import command as audit_command
    from kiosk.audit.verify import Fault

    assert audit_command._FAULTS_ZH.keys() == {fault.value for fault in Fault}


def test_output_into_a_closed_pipe_is_no_bug() -> None:
    program = "import sys; from kiosk.cli import main; sys.exit(main(['--help']))"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None and child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait() == 0
