"""``yikatong-sim`` and the hall's scanner and printer: codes, paper, what was printed."""

from __future__ import annotations

import http.client
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import qrcode

from hw_sim.cards.faults import Kind as CardFault
from hw_sim.line.faults import Kind as LineFault
from hw_sim.pad import frames as pad_frames
from hw_sim.printer.device import FAULTS as PRINTER_FAULTS
from hw_sim.printer.facts import facts as printer_facts
from hw_sim.scanner.device import ANSWER_FAULTS
from hw_sim.scanner.frames import CODE_FAULTS
from tests.hw_sim.ipp_client import pdf, print_job
from tests.hw_sim.running_hall import RunningHall, sim, status


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHall]:
    hall = RunningHall(tmp_path_factory.mktemp("hall"), "--direct")
    yield hall
    hall.close()


def test_code_of_an_e_card_reaches_the_scanner_and_is_read(hall: RunningHall) -> None:
    shown = sim(hall.run, "ecard", "v3")
    assert shown.returncode == 0, shown.stderr
    code = shown.stdout.splitlines()[0]
    line = os.open(hall.told["scanner"], os.O_RDWR | os.O_NOCTTY)
    try:
        os.write(line, bytes.fromhex("7E000801000201ABCD"))
        expected = bytes.fromhex("02000001003331") + code.encode() + b"\r"
        got = b""
        while len(got) < len(expected) and select.select([line], [], [], 10)[0]:
            got += os.read(line, 1000)
        assert got == expected
    finally:
        os.close(line)
    found: Any = status(hall)["scanner"]
    assert (found["codes_read"], found["code_shown"], found["illegal"]) == (1, False, [])


def test_codes_may_be_typed_piped_and_pictured(hall: RunningHall, tmp_path: Path) -> None:
    picture = tmp_path / "slip.png"
    qrcode.make("五个字节").save(picture)
    for words, typed, size in (
        (("scan", "一"), "", 3),
        (("scan", "-"), "abc\n", 3),
        (("scan", str(picture)), "", 12),
        (("scan", str(picture), "--text"), "", len(str(picture))),
    ):
        answer = sim(hall.run, *words, "--json", typed=typed)
        assert answer.returncode == 0, answer.stderr
        assert json.loads(answer.stdout)["bytes"] == size
    told = sim(hall.run, "scan", "x", "--hold").stdout
    assert told == "1 bytes, held to the scanner for 8 s\n"
    assert sim(hall.run, "scanner", "unplug").returncode == 0
    refused = sim(hall.run, "ecard", "v3")
    assert (refused.returncode, "unplugged" in refused.stderr) == (1, True)
    assert sim(hall.run, "scanner", "plug").returncode == 0


def test_printer_does_what_is_asked_and_tells_what_it_printed(hall: RunningHall) -> None:
    address = urlsplit(hall.told["printer"])
    assert "nothing was sent" in sim(hall.run, "prints").stdout

    def post(body: bytes) -> int:
        line = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
        line.request("POST", address.path, body, {"Content-Type": "application/ipp"})
        status = int.from_bytes(line.getresponse().read()[2:4], "big")
        line.close()
        return status

    def printer() -> Any:
        return status(hall)["printer"]

    for words in (("paper", "in", "--sheets", "0"), ("toner", "low"), ("door", "open"), ("jam",)):
        assert sim(hall.run, *words).returncode == 0, words
    assert post(print_job("S-0042", pages=1)) == 0
    found = printer()
    assert (found["paper"], found["sheets"], found["toner"]) == ("out", 0, "low")
    assert (found["jam"], found["door"], found["state"]) == (True, "open", "stopped")
    assert [job["name"] for job in found["jobs"]] == ["S-0042"]
    for words in (("jam", "--clear"), ("door", "close"), ("paper", "low")):
        assert sim(hall.run, *words).returncode == 0, words
    end = time.monotonic() + 20
    while printer()["printed"] == 0:
        assert time.monotonic() < end
        time.sleep(0.05)
    (done,) = json.loads(sim(hall.run, "prints", "--json").stdout)["prints"]
    assert (done["state"], done["sheets_out"], done["spoilt"]) == ("completed", 1, 0)
    assert Path(done["file"]).read_bytes() == pdf(1)
    assert Path(done["file"]).parent == hall.state / "prints"
    table = sim(hall.run, "prints").stdout
    assert all(word in table for word in ("S-0042", "completed", "1 of 1"))
    assert sim(hall.run, "printer", "refusing").returncode == 0
    assert post(print_job("S-0043")) == 0x0506
    assert sim(hall.run, "printer", "off").returncode == 0
    with pytest.raises(ConnectionRefusedError):
        post(print_job("S-0044"))
    assert "off" in sim(hall.run, "status").stdout
    for state in ("on", "accepting"):
        assert sim(hall.run, "printer", state).returncode == 0
    assert post(b"\x02\x00\x00\x02\x00\x00\x00\x01\x01\x03") == 0x0400
    assert "illegal command" in sim(hall.run, "status").stdout


def test_line_to_the_platform_fails_as_it_is_told(hall: RunningHall) -> None:
    address = urlsplit(hall.told["platform"])

    def ask() -> int:
        line = http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)
        line.request("GET", "/openapi.json")
        try:
            return line.getresponse().status
        finally:
            line.close()

    for words, broken in (
        (("fault", "line", "1:reset-after-commit"), ConnectionResetError),
        (("fault", "line", "1:cut-answer=9"), http.client.HTTPException),
        (("fault", "line", "*:refuse"), ConnectionRefusedError),
    ):
        assert sim(hall.run, *words).returncode == 0
        with pytest.raises(broken):
            ask()
    found: Any = status(hall)
    assert (found["platform"]["state"], found["faults"]["line"]) == ("down", 1)
    assert sim(hall.run, "fault", "line", "none").returncode == 0
    assert ask() == 200
    assert sim(hall.run, "platform", "down").returncode == 0
    with pytest.raises(ConnectionRefusedError):
        ask()
    assert sim(hall.run, "platform", "up").returncode == 0
    assert ask() == 200


def test_help_names_every_fault_of_the_devices() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "hw_sim.hall.cli", "fault", "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for names in (pad_frames.FAULTS, ANSWER_FAULTS, CODE_FAULTS, PRINTER_FAULTS):
        assert [name for name in names if name not in told] == []
    assert [kind.value for kind in LineFault if kind.value not in told] == []
    for kind in CardFault:
        assert kind is CardFault.STATUS or kind.value in told


def test_supplies_and_complaints_of_the_printer(hall: RunningHall) -> None:
    def reasons() -> list[str]:
        found: Any = status(hall)
        return list(found["printer"]["reasons"])

    for words in (("paper", "in"), ("toner", "full")):
        assert sim(hall.run, *words).returncode == 0
    before = reasons()
    assert sim(hall.run, "complaint", "input-tray-missing", "on").returncode == 0
    assert any(reason.startswith("input-tray-missing") for reason in reasons())
    assert sim(hall.run, "complaint", "input-tray-missing", "off").returncode == 0
    assert reasons() == before
    supply = next(iter(printer_facts()["supply"]))
    assert sim(hall.run, "supply", supply, "0").returncode == 0
    assert reasons() != before
    assert sim(hall.run, "supply", supply, "101").returncode == 1
    assert sim(hall.run, "supply", supply, "100").returncode == 0
    assert reasons() == before
