"""`./run demo --headless` walks every visit, and nobody is found in what it left."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hw_sim.population import DEMO_PIN, population
from kiosk.audit.verify import verify

BIN = Path(sys.executable).parent
WALK_SECONDS = 600
TOOLS = ("Xvfb", "xdotool", "pcscd", "pdffonts")
ECARD_CODE = re.compile(rb"SSC1[0-9A-Za-z]{40}")

pytestmark = [pytest.mark.window, pytest.mark.pcscd]


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path, str]]:
    """Runs the demo once; its output folder, its state directory, what it printed."""
    missing = [name for name in TOOLS if shutil.which(name, path="/usr/sbin:/usr/bin") is None]
    if missing and "CI" not in os.environ:
        pytest.skip(f"not installed: {', '.join(missing)}")
    folder = tmp_path_factory.mktemp("demo")
    out, state = folder / "out", folder / "state"
    command = [str(BIN / "yikatong-sim"), "demo", "--headless", "--kiosk", str(BIN / "yikatong")]
    done = subprocess.run(
        [*command, "--out", str(out), "--state", str(state)],
        capture_output=True,
        text=True,
        timeout=WALK_SECONDS,
        check=False,
    )
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed[-3000:]
    yield out, state, printed


@pytest.mark.timeout(WALK_SECONDS + 20)
def test_every_visit_ends_as_it_must(walk: tuple[Path, Path, str]) -> None:
    out, _, printed = walk
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert report["ok"]
    assert {visit["outcome"] for visit in report["visits"]} == {"ok"}
    assert len(report["visits"]) >= 25
    steps = [step for visit in report["visits"] for step in visit["steps"]]
    assert printed.count("[visit ") == len(steps)
    shots = [step["screenshot"] for step in steps if step["screenshot"]]
    assert len(shots) > 100
    assert all((out / shot).stat().st_size > 1000 for shot in shots)


def test_the_audit_log_of_the_walk_is_whole(walk: tuple[Path, Path, str]) -> None:
    _, state, _ = walk
    report = verify(state / "terminal" / "audit" / "audit.jsonl")
    assert report.ok
    assert report.anchored
    assert report.lines > 150


def test_the_printed_sheets_are_there_and_their_fonts_in_them(
    walk: tuple[Path, Path, str],
) -> None:
    sheets = sorted(walk[0].glob("print-*.pdf"))
    assert len(sheets) >= 10
    for sheet in (sheets[0], sheets[-1]):
        listed = subprocess.run(
            ["pdffonts", str(sheet)], capture_output=True, text=True, check=True
        ).stdout.splitlines()[2:]
        assert listed
        # name, type, encoding, emb, sub, uni, object: the last five words of a line.
        assert {line.split()[-5] for line in listed} == {"yes"}, "embedded"


def test_nothing_waits_for_the_platform_when_the_walk_is_over(
    walk: tuple[Path, Path, str],
) -> None:
    state = walk[1] / "terminal"
    told = subprocess.run(
        [str(BIN / "yikatong"), "queue", "status", "--json", "--state", str(state)],
        capture_output=True,
        text=True,
        check=False,
    )
    queue = json.loads(told.stdout)
    assert queue["dead_reasons"] == {}
    assert queue["states"]["confirmed"] > 50
    # What the terminal noted down while it stopped goes with its next start.
    assert set(queue["kinds"]) <= {"audit-range"}


def test_nobody_is_found_in_what_the_terminal_left(walk: tuple[Path, Path, str]) -> None:
    out, state, printed = walk
    terminal = [path for path in (state / "terminal").rglob("*") if path.is_file()]
    written = [path for path in out.rglob("*") if path.is_file() and path.suffix != ".png"]
    assert len(terminal) > 4
    texts = {path: path.read_bytes() for path in [*terminal, *written]}
    texts[Path("what was printed")] = printed.encode()
    people = population()
    planted = [person.number for person in people] + [person.name for person in people]
    # Two-character names are words of the language too; the demo's own texts hold none of them.
    secrets = [text.encode(code) for text in planted for code in ("utf-8", "gb18030")]
    secrets += [person.card.card_number.encode() for person in people]
    pin = re.compile(rb"(?<![0-9A-Za-z])" + DEMO_PIN.encode() + rb"(?![0-9A-Za-z])")
    for path, content in texts.items():
        found = [secret for secret in secrets if secret in content]
        assert not found, f"{path.name} names somebody"
        assert not pin.search(content), f"{path.name} holds a PIN"
        assert not ECARD_CODE.search(content), f"{path.name} holds an e-card's code"
