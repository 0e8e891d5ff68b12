"""``yikatong-sim demo --headless`` with a stand-in for the terminal's command."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.hw_sim.ipp_client import of_job, pdf, print_job

VISIT = "pcscd restarted in between"

STAND_IN = """#!{python}
import http.client, json, os, re, sys, time
words = sys.argv[1:]
def option(name):
    return words[words.index(name) + 1]
with open(os.path.join(option("--state"), "calls"), "a") as calls:
    calls.write(" ".join(words[:2]) + chr(10))
if words[0] == "provision":
    sys.exit(0 if option("--code") else 1)
if words[0] == "devices":
    sys.exit(0)
if {broken}:
    sys.exit("broken stand-in")
def shows(screen):
    line = {{"seq": 1, "name": screen, "view": "Menu", "overlay": False, "size": [1080, 1920],
            "focus": []}}
    with open(option("--observe"), "a") as observe:
        observe.write(json.dumps(line) + chr(10))
assert os.environ["DISPLAY"].startswith(":")
service = os.environ["PCSCLITE_CSOCK_NAME"]
def incarnation():
    try:
        return os.stat(service).st_ctime_ns
    except FileNotFoundError:
        return None
def ask(body):
    host, port = re.search("ipp://([^:]*):([0-9]*)/", open(option("--config")).read()).groups()
    line = http.client.HTTPConnection(host, int(port), timeout=10)
    line.request("POST", "/ipp/print", bytes.fromhex(body), {{"Content-Type": "application/ipp"}})
    return line.getresponse().read()
ask("{print_job}")
while b"job-completed-successfully" not in ask("{job}"):
    time.sleep(0.02)
first = incarnation()
shows("home")
while incarnation() == first:
    time.sleep(0.005)
shows("out-of-service")
shows("home")
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def needs() -> None:
    missing = [name for name in ("Xvfb", "xdotool") if shutil.which(name) is None]
    if not Path("/usr/sbin/pcscd").exists():
        missing.append("pcscd")
    if missing and "CI" not in os.environ:
        pytest.skip(f"not installed: {', '.join(missing)}")


def stand_in(folder: Path, *, broken: bool = False) -> Path:
    script = folder / "yikatong"
    asked = {"print_job": print_job("证明 S-1").hex(), "job": of_job(0x0009, 1).hex()}
    script.write_text(STAND_IN.format(python=sys.executable, broken=broken, **asked))
    script.chmod(0o755)
    return script


def demo(folder: Path, *words: str, broken: bool = False) -> subprocess.Popen[str]:
    places = ("--out", str(folder / "out"), "--state", str(folder / "state"))
    kiosk = ("--kiosk", str(stand_in(folder, broken=broken)))
    return subprocess.Popen(
        [sys.executable, "-m", "hw_sim.hall.cli", "demo", "--headless", *places, *kiosk, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def descendants(pid: int) -> set[int]:
    found: set[int] = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(entry.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            child = int(entry.parent.name)
            found |= {child} | descendants(child)
    return found


def alive(pids: set[int]) -> set[int]:
    states = {}
    for pid in pids:
        try:
            states[pid] = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
    return {pid for pid, state in states.items() if state != "Z"}


def all_gone(pids: set[int]) -> bool:
    end = time.monotonic() + 15
    while alive(pids) and time.monotonic() < end:
        time.sleep(0.02)
    return not alive(pids)


@pytest.mark.pcscd
@pytest.mark.window
def test_walk_leaves_a_report_and_enrols_once(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "print-07-of-before.pdf").touch()
    for _ in range(2):
        walk = demo(tmp_path, "--visit", VISIT)
        told, _ = walk.communicate(timeout=90)
        assert walk.returncode == 0, told
        assert "1 of 1 visits as they must be" in told
        # Somebody opens the case: the next demonstration begins with an engineer.
        (tmp_path / "state" / "terminal" / "tampered").touch()
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["ok"] is True
    assert [visit["name"] for visit in report["visits"]] == [VISIT]
    assert list((tmp_path / "out").glob("0001-home.png"))
    # Of this walk alone; the hall's state keeps those of both.
    (printed,) = (tmp_path / "out").glob("print-*.pdf")
    assert printed.name == "print-01-证明-S-1.pdf"
    assert printed.read_bytes() == pdf(1)
    assert len(list((tmp_path / "state" / "hall" / "prints").iterdir())) == 2
    assert {log.name for log in (tmp_path / "out" / "logs").iterdir()} >= {
        "hall.log",
        "kiosk.log",
        "xvfb.log",
    }
    calls = (tmp_path / "state" / "terminal" / "calls").read_text().splitlines()
    assert calls == ["provision enrol", "kiosk --config", "devices unlock", "kiosk --config"]


@pytest.mark.pcscd
@pytest.mark.window
def test_terminal_that_ends_fails_the_walk_with_its_last_words(tmp_path: Path) -> None:
    walk = demo(tmp_path, "--visit", VISIT, broken=True)
    told, _ = walk.communicate(timeout=90)
    assert walk.returncode == 1
    assert "kiosk ended with 1" in told
    assert "broken stand-in" in told


@pytest.mark.pcscd
@pytest.mark.window
@pytest.mark.parametrize("way", ["SIGTERM", "SIGINT", "SIGKILL"])
def test_nothing_outlives_the_demonstration(tmp_path: Path, way: str) -> None:
    # A visit that the stand-in never gets through.
    walk = demo(tmp_path, "--visit", "v3 card")
    try:
        end = time.monotonic() + 60
        while not list((tmp_path / "out").glob("0001-*.png")):
            assert walk.poll() is None, walk.communicate()
            assert time.monotonic() < end
            time.sleep(0.02)
        started = descendants(walk.pid)
        assert len(started) >= 4
        walk.send_signal(signal.Signals[way])
        walk.wait(30)
        assert all_gone(started)
    finally:
        walk.kill()
        walk.communicate()


def test_wrong_arguments_start_nothing(tmp_path: Path) -> None:
    walk = demo(tmp_path, "--visit", "no such visit")
    told, _ = walk.communicate(timeout=30)
    assert walk.returncode == 1
    assert "walks away" in told
    assert not (tmp_path / "state").exists()
    missing = subprocess.run(
        [sys.executable, "-m", "hw_sim.hall.cli", "demo", "--headless", "--kiosk", "/nowhere"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert missing.returncode == 1
    assert "/nowhere" in missing.stderr
