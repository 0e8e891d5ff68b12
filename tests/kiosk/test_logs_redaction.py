"""The technical log holds nothing of a resident, whatever is thrown at it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apdu.errors import UnexpectedStatus
from kiosk import logs

NUMBER = "429900196001010018"
LOG = logging.getLogger("kiosk.test")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    logs.start(tmp_path)
    yield tmp_path
    logs.stop()


def entries(folder: Path) -> list[dict[str, object]]:
    text = (folder / logs.FILE_NAME).read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_a_record_is_one_json_line(folder: Path) -> None:
    LOG.info("card read after %d tries", 2, extra={"visit": 7, "lane": "card"})
    (entry,) = entries(folder)
    assert entry.pop("time")
    assert entry == {
        "level": "info",
        "logger": "kiosk.test",
        "text": "card read after 2 tries",
        "visit": 7,
        "lane": "card",
    }
    assert (folder / logs.FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_unlisted_fields_are_dropped(folder: Path) -> None:
    LOG.info("x", extra={"pin": "123456", "number": NUMBER, "holder": "王芳"})
    text = (folder / logs.FILE_NAME).read_text("utf-8")
    assert "123456" not in text and NUMBER not in text and "王芳" not in text


@pytest.mark.parametrize(
    "secret",
    [
        NUMBER,
        NUMBER[:17] + "X",
        "429900 19600101 0018",
        "429900-19600101-0018",
        "４２９９００１９６００１０１００１８",
        "429900600101001",
        "pin=123456",
        "PIN: 123456",
        "密码：123456",
        "3DE741F445DD357B",
        "3d e7 41 f4 45 dd 35 7b",
        "00:11:22:33:44:55:66:77",
    ],
)
def test_secrets_are_blotted_out(folder: Path, secret: str) -> None:
    LOG.info("a %s b", secret)
    LOG.info("a", extra={"device": secret})
    digits = "".join(c for c in secret if c.isalnum())
    text = (folder / logs.FILE_NAME).read_text("utf-8")
    assert secret not in text
    assert digits[-6:] not in text
    assert entries(folder)[0]["text"].startswith("a ")  # type: ignore[attr-defined]


@given(before=st.text(max_size=8), after=st.text(max_size=8))
def test_a_number_never_passes_whatever_is_around_it(before: str, after: str) -> None:
    assert NUMBER not in logs.redact(before + NUMBER + after)


@pytest.mark.parametrize(
    "harmless",
    ["2026-11-21 20:57:35", "127.0.0.1:35963", "sw 63C2", "T429900-0003", "pinned", "pid 12345"],
)
def test_harmless_text_stays(harmless: str) -> None:
    assert logs.redact(harmless) == harmless


def test_texts_of_foreign_exceptions_are_left_out(folder: Path) -> None:
    try:
        int(f"{NUMBER}王芳")
    except ValueError:
        LOG.exception("could not read")
    text = (folder / logs.FILE_NAME).read_text("utf-8")
    assert "王芳" not in text and NUMBER not in text
    (entry,) = entries(folder)
    assert str(entry["error"]).startswith("ValueError (")
    assert "test_logs_redaction.py" in str(entry["trace"])


def test_our_own_exceptions_say_what_happened() -> None:
    assert "READ RECORD answered 6A83" in logs.describe(UnexpectedStatus("READ RECORD", 0x6A83))
    assert logs.describe(OSError(28, "No space", "/secret")) == "OSError: errno 28"


def test_uncaught_exceptions_are_logged(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problem = ValueError(NUMBER)
    sys.excepthook(ValueError, problem, None)

    def fail() -> None:
        raise KeyError(NUMBER)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    assert [entry["level"] for entry in entries(folder)] == ["critical", "critical"]
    assert NUMBER not in (folder / logs.FILE_NAME).read_text("utf-8")
    assert NUMBER not in capsys.readouterr().err


def test_an_interrupt_is_not_a_fault(folder: Path) -> None:
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert (folder / logs.FILE_NAME).read_text() == ""


def test_a_bad_call_of_the_log_is_told_without_its_arguments() -> None:
    record = LOG.makeRecord("kiosk", logging.INFO, __file__, 7, "%d", (NUMBER,), None)
    text = json.loads(logs.JsonFormatter().format(record))["text"]
    assert text == "malformed log call, TypeError, test_logs_redaction.py:7"


def test_rotation_keeps_the_files_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_MAXIMUM_BYTES", 300)
    logs.start(tmp_path)
    for _ in range(20):
        LOG.info("some text to fill the file")
    logs.stop()
    files = list(tmp_path.iterdir())
    assert len(files) == 6
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_a_process_that_dies_says_so_in_the_log(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from kiosk import logs;"
        "logs.start(Path(sys.argv[1])); {}['429900196001010018']"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "KeyError" in done.stderr and NUMBER not in done.stderr
    assert str(entries(tmp_path)[0]["error"]).startswith("KeyError")
