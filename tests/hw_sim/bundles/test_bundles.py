"""The platform takes bundles in: each message once, whichever way it comes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from hw_sim.platform import bundle_intake
from hw_sim.platform.bundle_intake import import_bundle
from hw_sim.platform.parts import taken_in
from hw_sim.platform.problems import Problem, ProblemKind
from hw_sim.platform.store import Store
from tests.hw_sim.bundle_parts import LATER, encoded, recorded, some_parts, take_in
from tests.hw_sim.bundle_terminal import (
    ALARMS,
    EVENTS,
    Part,
    bundle_text,
    receipts_of,
    sm3,
)
from tests.hw_sim.platform_terminal import Stage, Terminal, alarm
from tests.hw_sim.test_platform_batches import audit_range, line_of


def effects(stage: Stage, terminal: Terminal) -> list[str]:
    """What the platform has of a terminal, by the key it came under."""
    return sorted(
        each.key for each in stage.server.submissions() if each.terminal_id == terminal.terminal_id
    )


def post(terminal: Terminal, part: Part) -> Any:
    path = "/v1/events" if part.endpoint == EVENTS else "/v1/alarms"
    return terminal.call("POST", path, raw=part.body, key=part.key)


def test_every_message_is_taken_in_and_has_its_receipt(
    stage: Stage, store: Store, terminal: Terminal, stick: Path
) -> None:
    parts = some_parts(terminal, 10)
    content = bundle_text(terminal, parts).signed()
    taken = take_in(store, stick, content)
    assert (taken.whole, taken.accepted, taken.refused) == (True, 10, 0)
    digest, created, receipts = receipts_of(terminal, (stick / "a.receipts").read_bytes())
    assert (digest, created) == (sm3(content[:-64]), LATER)
    assert [(each.seq, each.key, each.digest) for each in receipts] == [
        (part.seq, part.key, sm3(part.body)) for part in parts
    ]
    assert {each.status for each in receipts} == {201}
    numbered = {each["event_no"] for each in stage.server.events()} | {
        each.alarm_no for each in stage.server.alarms()
    }
    assert {each.word for each in receipts} <= numbered
    assert effects(stage, terminal) == sorted(part.key for part in parts)
    assert (stick / "a.receipts").stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in stick.iterdir()) == ["a.bundle", "a.receipts"]


def test_taken_in_again_it_changes_nothing_and_gets_the_same_receipts(
    stage: Stage, store: Store, terminal: Terminal, stick: Path
) -> None:
    content = bundle_text(terminal, some_parts(terminal, 8)).signed()
    take_in(store, stick, content)
    first = receipts_of(terminal, (stick / "a.receipts").read_bytes())
    before = recorded(stage, terminal)
    take_in(store, stick, content)
    assert receipts_of(terminal, (stick / "a.receipts").read_bytes()) == first
    assert recorded(stage, terminal) == before == 8


@pytest.mark.parametrize("line_first", [True, False])
def test_by_the_line_and_by_stick_it_is_one_effect(
    stage: Stage, store: Store, terminal: Terminal, stick: Path, line_first: bool
) -> None:
    parts = some_parts(terminal, 8)
    content = bundle_text(terminal, parts).signed()
    if not line_first:
        take_in(store, stick, content)
    answers = [post(terminal, part) for part in parts]
    if line_first:
        take_in(store, stick, content)
    _digest, _created, receipts = receipts_of(terminal, (stick / "a.receipts").read_bytes())
    assert [{each.word} for each in receipts] == [
        set(answer.document.values()) for answer in answers
    ]
    assert recorded(stage, terminal) == 8


def test_refusals_have_receipts_too(
    stage: Stage, store: Store, terminal: Terminal, stick: Path
) -> None:
    good, gap = audit_range(terminal, 1), audit_range(terminal, 3, "x")
    used = some_parts(terminal, 1)[0]
    assert post(terminal, used).status == 201
    parts = [
        Part(1, EVENTS, *good),
        Part(2, EVENTS, *gap),
        Part(3, EVENTS, "bad", b"{}"),
        Part(4, EVENTS, "no-json", b"\xff"),
        Part(5, ALARMS, used.key, encoded(alarm("another"))),
        Part(6, ALARMS, "no-alarm", good[1]),
    ]
    taken = take_in(store, stick, bundle_text(terminal, parts).signed())
    assert (taken.whole, taken.accepted, taken.refused) == (True, 1, 5)
    _digest, _created, receipts = receipts_of(terminal, (stick / "a.receipts").read_bytes())
    assert [(each.status, each.word) for each in receipts[1:]] == [
        (403, "forbidden"), (422, "invalid"), (400, "malformed"), (422, "conflicting-reuse"),
        (422, "invalid"),
    ]  # fmt: skip
    assert recorded(stage, terminal) == 2


@pytest.mark.parametrize("trouble", ["in-progress", "database"])
def test_what_cannot_be_decided_waits_with_all_behind_it(
    stage: Stage,
    store: Store,
    terminal: Terminal,
    stick: Path,
    monkeypatch: pytest.MonkeyPatch,
    trouble: str,
) -> None:
    parts = [Part(seq, EVENTS, *audit_range(terminal, seq)) for seq in (1,)]
    for seq in (2, 3):
        before = line_of((parts[-1].key, parts[-1].body))
        parts.append(Part(seq, EVENTS, *audit_range(terminal, seq, before)))
    content = bundle_text(terminal, parts).signed()

    def troubled(endpoint: Any, key: str, body: bytes, **more: Any) -> Any:
        if key != parts[1].key:
            return taken_in(endpoint, key, body, **more)
        if trouble == "database":
            raise OperationalError("", {}, Exception())
        return Problem(ProblemKind.IN_PROGRESS, "").answer()

    with monkeypatch.context() as patched:
        patched.setattr(bundle_intake, "taken_in", troubled)
        taken = take_in(store, stick, content)
    assert (taken.whole, taken.accepted, taken.refused) == (False, 1, 0)
    _digest, _created, receipts = receipts_of(terminal, (stick / "a.receipts").read_bytes())
    assert [each.seq for each in receipts] == [1]
    assert take_in(store, stick, content).accepted == 3
    assert recorded(stage, terminal) == 3


def test_receipts_that_cannot_be_written_leave_the_older_ones(
    store: Store, terminal: Terminal, stick: Path
) -> None:
    (stick / "a.bundle").write_bytes(bundle_text(terminal, some_parts(terminal)).signed())
    (stick / "there").mkdir()
    (stick / "there" / "file").write_text("")
    with pytest.raises(IsADirectoryError):
        import_bundle(store, stick / "a.bundle", stick / "there", LATER)
    assert sorted(file.name for file in stick.iterdir()) == ["a.bundle", "there"]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hw_sim.platform", "import-bundle", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_command_works_beside_a_platform_that_serves(
    stage: Stage, terminal: Terminal, stick: Path, place: Path
) -> None:
    bundle, receipts = stick / "a.bundle", stick / "a.receipts"
    content = bundle_text(terminal, some_parts(terminal, 4)).signed()
    bundle.write_bytes(content)
    options = ("--receipts", str(receipts), "--database", str(place / "platform.sqlite"))
    done = run(str(bundle), *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"{terminal.terminal_id}: accepted 4, refused 0\nbundle {sm3(content[:-64]).hex()}\n"
    )
    assert len(receipts_of(terminal, receipts.read_bytes())[2]) == 4
    assert recorded(stage, terminal) == 4
    bundle.write_bytes(content[:-1])
    receipts.unlink()
    done = run(str(bundle), *options)
    assert (done.returncode, done.stdout) == (1, "")
    # GmSSL writes lines of its own.
    assert done.stderr.splitlines()[-1].startswith("the bundle is refused: not signed")
    assert not receipts.exists()


def test_the_command_makes_no_new_platform(stick: Path) -> None:
    database = stick / "new.sqlite"
    done = run("a.bundle", "--receipts", "b", "--database", str(database))
    assert (done.returncode, done.stderr) == (1, "there is no such database\n")
    assert not database.exists()
