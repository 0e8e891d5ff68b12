"""Enrolment: killed at any point, the same command with the same code goes on where it stopped."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from apdu.crypto import sm2
from hw_sim.platform.server import PlatformServer
from kiosk.cli import main
from kiosk.commands import Exit
from kiosk.keys import KeyStore, NotEnrolled
from kiosk.platform.enrolment import EnrolmentAnswer
from kiosk.platform.errors import (
    PlatformAnswerMalformed,
    PlatformRefused,
    PlatformUnavailable,
    Problem,
)
from kiosk.platform.exchange import Exchange
from kiosk.platform.limits import LineLimits
from kiosk.state import StateDirectory
from provisioning.command import COMMAND
from provisioning.enrol import Place, ask_platform, enrol, fingerprint
from tests.kiosk.platform_double import PlatformDouble, problem
from tests.provisioning.machines import write_config

LIMITS = LineLimits(deadline=30, connect=10, retry_pause=0)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformServer]:
    with PlatformServer(tmp_path_factory.mktemp("platform") / "platform.sqlite") as running:
        yield running


@pytest.fixture
def double() -> Iterator[PlatformDouble]:
    made = PlatformDouble()
    yield made
    made.close()


KILLED = """
import os, signal, sys
from pathlib import Path
from kiosk.keys import KeyStore
from kiosk.platform.exchange import Exchange
from kiosk.platform.limits import LineLimits
from provisioning.enrol import Place, ask_platform, enrol

point, folder, url, code, machine = sys.argv[1:]
die = lambda: os.kill(os.getpid(), signal.SIGKILL)
really_ask = ask_platform(Exchange(url, LineLimits(deadline=30, connect=10)))
really_replace = Path.replace
count = {"writing the device key": 1, "writing the key": 2, "writing the record": 3}
seen = 0

def replace(self, target):
    global seen
    seen += 1
    if seen == count.get(point):
        die()
    return really_replace(self, target)

def ask(*arguments):
    if point == "before asking":
        die()
    answer = really_ask(*arguments)
    if point == "after the answer":
        die()
    return answer

Path.replace = replace
enrol(KeyStore(Path(folder)), Place("429900", int(machine), url), code, ask)
if point == "after the record":
    die()
"""

POINTS = [
    "writing the device key",
    "writing the key",
    "before asking",
    "after the answer",
    "writing the record",
    "after the record",
]


@pytest.mark.parametrize("point", POINTS)
def test_killed_and_repeated(server: PlatformServer, tmp_path: Path, point: str) -> None:
    code = server.new_enrolment_code()
    machine = 100 + POINTS.index(point)
    keys = StateDirectory(tmp_path / "state").keys
    words = [point, str(keys), server.url, code, str(machine)]
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(KILLED), *words], check=False)
    assert ended.returncode == -signal.SIGKILL
    store = KeyStore(keys)
    if point != "after the record":
        with pytest.raises(NotEnrolled):
            store.load()
    earlier = store.prepare() if "key" not in point else None
    terminals = len(server.terminal_ids())

    place = Place("429900", machine, server.url)
    enrolment = enrol(store, place, code, ask_platform(Exchange(server.url, LIMITS)))

    loaded = store.load()
    assert loaded.enrolment == enrolment
    if earlier is not None:
        assert loaded.private_key.public_key() == earlier, "the key that was bound is kept"
    committed = point in ("after the answer", "writing the record", "after the record")
    assert len(server.terminal_ids()) == terminals + (0 if committed else 1)
    again = enrol(store, place, code, ask_platform(Exchange(server.url, LIMITS)))
    assert again == enrolment


def test_files_are_private_and_no_draft_is_left(server: PlatformServer, tmp_path: Path) -> None:
    ask = ask_platform(Exchange(server.url, LIMITS))
    enrol(KeyStore(tmp_path), Place("429900", 1, server.url), server.new_enrolment_code(), ask)
    for file in tmp_path.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.suffix != ".new"


def test_a_refused_code_leaves_no_record(server: PlatformServer, tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    ask = ask_platform(Exchange(server.url, LIMITS))
    with pytest.raises(PlatformRefused) as caught:
        enrol(store, Place("429900", 1, server.url), "wrong", ask)
    assert caught.value.problem is Problem.FORBIDDEN
    with pytest.raises(NotEnrolled):
        store.load()


@pytest.mark.parametrize("terminal_id", ["T429900-3", "", "../../etc", "T429900-0003\n"])
def test_an_answer_with_another_id_is_not_stored(tmp_path: Path, terminal_id: str) -> None:
    store = KeyStore(tmp_path)
    key = sm2.generate().public_key()
    answer = EnrolmentAnswer(terminal_id, key, key, 1_800_000_000)
    with pytest.raises(PlatformAnswerMalformed):
        enrol(store, Place("429900", 1, "http://127.0.0.1:1"), "code", lambda *_: answer)
    with pytest.raises(NotEnrolled):
        store.load()


@pytest.mark.parametrize(
    "change",
    [
        {"platform_public_key": "00" * 64},
        {"platform_public_key": "12"},
        {"platform_encryption_key": "00" * 64},
        {"platform_encryption_key": None},
        {"server_time": "now"},
        {"extra": 1},
        {"terminal_id": None},
    ],
)
def test_a_malformed_answer_is_refused(
    double: PlatformDouble, tmp_path: Path, change: dict[str, object]
) -> None:
    good = {
        "terminal_id": "T429900-0003",
        "platform_public_key": double.public_xy.hex(),
        "platform_encryption_key": double.public_xy.hex(),
        "server_time": 1_800_000_000,
    }
    double.answers["POST /v1/enrolments"] = (201, {**good, **change})
    ask = ask_platform(Exchange(double.url, LIMITS))
    with pytest.raises(PlatformAnswerMalformed):
        enrol(KeyStore(tmp_path), Place("429900", 3, double.url), "code", ask)
    (seen,) = double.seen
    assert "signature" not in seen.headers
    assert seen.document["aab301"] == "429900"
    assert seen.document["terminal"] == "429900-0003"


def test_the_request_repeats_after_a_broken_connection(
    double: PlatformDouble, tmp_path: Path
) -> None:
    double.answers["POST /v1/enrolments"] = problem("unavailable", 503)
    ask = ask_platform(Exchange(double.url, LIMITS))
    with pytest.raises(PlatformUnavailable):
        enrol(KeyStore(tmp_path), Place("429900", 3, double.url), "code", ask)


def run(*words: str) -> int:
    return main(["provision", *words], {"provision": lambda: COMMAND})


def test_the_command_enrols_and_shows(
    server: PlatformServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_config(tmp_path, server.url)
    code = server.new_enrolment_code()
    words = ["--config", str(config), "--json"]
    assert run("enrol", *words, "--code", code) == Exit.OK
    told = capsys.readouterr()
    enrolled = json.loads(told.out)
    assert set(enrolled) == {
        "terminal_id",
        "division",
        "platform_url",
        "key_fingerprint",
        "platform_key_fingerprint",
        "enrolled_at",
        "state",
    }
    assert run("show", *words) == Exit.OK
    assert json.loads(capsys.readouterr().out) == enrolled
    keys = KeyStore(tmp_path / "state" / "keys").load()
    assert enrolled["key_fingerprint"] == fingerprint(keys.private_key.public_key())
    assert run("show", "--state", str(tmp_path / "state")) == Exit.OK
    plain = capsys.readouterr()
    assert enrolled["terminal_id"] in plain.out
    for secret in (code, keys.private_key.d.hex(), keys.device_key.hex()):
        assert secret not in told.out + told.err + plain.out + plain.err


def test_the_command_takes_the_code_from_standard_input(
    server: PlatformServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO(server.new_enrolment_code() + "\n"))
    config = write_config(tmp_path, server.url)
    assert run("enrol", "--config", str(config), "--code", "-") == Exit.OK


def test_the_command_says_what_to_do(
    server: PlatformServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_config(tmp_path, server.url)
    assert run("enrol", "--config", str(config), "--code", "wrong") == Exit.PLATFORM
    assert "登记码" in capsys.readouterr().err
    assert run("show", "--config", str(config)) == Exit.STATE
    assert "provision enrol" in capsys.readouterr().err
    assert run("enrol", "--config", str(config), "--code", "  ") == Exit.USAGE
    assert run("enrol", "--config", str(tmp_path / "none"), "--code", "x") == Exit.CONFIG
    with StateDirectory(tmp_path / "state").lock():
        assert run("enrol", "--config", str(config), "--code", "x") == Exit.STATE
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir()
    config = write_config(nowhere, "http://127.0.0.1:9")
    capsys.readouterr()
    assert run("enrol", "--config", str(config), "--code", "x") == Exit.PLATFORM
    assert "同一登记码" in capsys.readouterr().err
    assert run("show", "--state", str(tmp_path / "absent")) == Exit.STATE
    assert not (tmp_path / "absent").exists()
