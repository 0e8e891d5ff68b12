"""The platform takes bundles in: each message once, whichever way it comes; hostile files never."""

from __future__ import annotations

import itertools
import json
import struct
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from hw_sim.platform import bundle_intake
from hw_sim.platform.bundle_intake import Receipts, import_bundle
from hw_sim.platform.bundles import Bundle, BundleRefused, Fault
from hw_sim.platform.parts import taken_in
from hw_sim.platform.problems import Problem, ProblemKind
from hw_sim.platform.signatures import Sm2Key, Sm2Sm3
from hw_sim.platform.store import Store
from tests.hw_sim.bundle_terminal import (
    ALARMS,
    EVENTS,
    BundleText,
    Part,
    bundle_text,
    changed,
    receipts_of,
    record,
    sm3,
)
from tests.hw_sim.platform_terminal import AS_OF, NOW, Stage, Terminal, alarm, staged
from tests.hw_sim.test_platform_batches import audit_range, evaluation, line_of, outcome

LATER = NOW + 86_400
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("platform")


@pytest.fixture(scope="module")
def stage(place: Path) -> Iterator[Stage]:
    with staged(place) as stage:
        yield stage


@pytest.fixture(scope="module")
def store(stage: Stage, place: Path) -> Iterator[Store]:
    """The same records as another process has them open."""
    assert stage.server.url
    opened = Store.open(place / "platform.sqlite", AS_OF)
    yield opened
    opened.close()


@pytest.fixture
def terminal(stage: Stage) -> Terminal:
    return stage.another_terminal()


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    return tmp_path


def encoded(document: object) -> bytes:
    return json.dumps(document).encode()


def some_parts(terminal: Terminal, count: int = 4) -> list[Part]:
    """Alarms, and events of each kind, with keys of their own; the audit log in its order."""
    parts, line = [], None
    for number in range(1, count + 1):
        key, seq = f"usb-{next(numbers)}", 3 * number
        match number % 4:
            case 1:
                parts.append(Part(seq, ALARMS, key, encoded(alarm(f"device-{number}"))))
            case 2:
                parts.append(Part(seq, EVENTS, key, evaluation(key)))
            case 3:
                parts.append(Part(seq, EVENTS, key, outcome(key)))
            case _:
                item = audit_range(terminal, number // 4, line)
                line = line_of(item)
                parts.append(Part(seq, EVENTS, *item))
    return parts


def take_in(store: Store, stick: Path, content: bytes, now: int = LATER) -> Receipts:
    (stick / "a.bundle").write_bytes(content)
    return import_bundle(store, stick / "a.bundle", stick / "a.receipts", now)


def effects(stage: Stage, terminal: Terminal) -> list[str]:
    """What the platform has of a terminal, by the key it came under."""
    return sorted(
        each.key for each in stage.server.submissions() if each.terminal_id == terminal.terminal_id
    )


def recorded(stage: Stage, terminal: Terminal) -> int:
    own = [each for each in stage.server.events() if each["terminal_id"] == terminal.terminal_id]
    alarms = [each for each in stage.server.alarms() if each.terminal_id == terminal.terminal_id]
    return len(own) + len(alarms)


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


def refused(store: Store, stick: Path, content: bytes) -> Fault:
    """Why; and that there are no receipts then."""
    with pytest.raises(BundleRefused) as caught:
        take_in(store, stick, content)
    assert not (stick / "a.receipts").exists()
    return caught.value.fault


def test_cut_short_at_any_length_it_is_refused(
    stage: Stage, store: Store, terminal: Terminal
) -> None:
    content = bundle_text(terminal, some_parts(terminal, 2)).signed()
    for length in range(len(content)):
        with pytest.raises(BundleRefused) as caught:
            Bundle(BytesIO(content[:length]), lambda _: terminal.public, store.encryption_key)
        assert caught.value.fault in (Fault.NOT_A_BUNDLE, Fault.SIGNATURE)
    assert recorded(stage, terminal) == 0


def test_with_any_byte_changed_it_is_refused(
    stage: Stage, store: Store, terminal: Terminal
) -> None:
    content = bundle_text(terminal, some_parts(terminal, 2)).signed()

    def public_key_of(terminal_id: str) -> bytes | None:
        return terminal.public if terminal_id == terminal.terminal_id else None

    def opened(text: bytes) -> int:
        return len(list(Bundle(BytesIO(text), public_key_of, store.encryption_key).messages()))

    assert opened(content) == 2
    for at in range(len(content)):
        spoilt = bytearray(content)
        spoilt[at] ^= 1 << at % 8
        with pytest.raises(BundleRefused):
            opened(bytes(spoilt))
    assert recorded(stage, terminal) == 0


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_a_terminal_signs_no_nonsense_is_taken_in(
    stage: Stage, store: Store, data: st.DataObject
) -> None:
    """A terminal whose program is broken, or whose key was stolen."""
    terminal = stage.terminal
    parts = [Part(n, ALARMS, f"n-{n}", b"{}") for n in (1, 2, 3)]
    good = bundle_text(terminal, parts, chunk=2).unsigned()
    text = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    signer = Sm2Sm3(private_key=Sm2Key(terminal.private, terminal.public))
    signature = signer.sign(b"yikatong bundle 1\0" + sm3(bytes(text)))
    stream = BytesIO(bytes(text) + signature)
    found = []
    try:
        for message in Bundle(stream, lambda _: terminal.public, store.encryption_key).messages():
            found.append(message)
        assert bytes(text) == good
    except BundleRefused:
        assert bytes(text) != good
    assert [message.seq for message in found] == [1, 2, 3][: len(found)]


def test_another_terminal_s_bundle_is_that_terminal_s(
    stage: Stage, store: Store, terminal: Terminal, stick: Path
) -> None:
    other = stage.another_terminal()
    text = bundle_text(terminal, some_parts(terminal, 2))
    assert refused(store, stick, changed(text, name=other.terminal_id.encode())) is Fault.SIGNATURE
    # Signed by the other, with messages that the first one made: they are the other's then.
    taken = take_in(store, stick, changed(text, terminal=other))
    assert taken.terminal_id == other.terminal_id
    assert recorded(stage, terminal) == 0


@pytest.mark.parametrize(
    "name", [b"T429900-9999", b"../../etc/passwd", b"T429900-0001/../", b"", b"T429900-00\x000001"]
)
def test_a_terminal_that_nobody_enrolled_is_refused(
    store: Store, terminal: Terminal, stick: Path, name: bytes
) -> None:
    fault = refused(store, stick, changed(bundle_text(terminal, some_parts(terminal)), name=name))
    assert fault is (Fault.UNKNOWN_TERMINAL if name == b"T429900-9999" else Fault.NOT_A_BUNDLE)


def test_a_bundle_for_another_platform_is_refused(
    store: Store, terminal: Terminal, stick: Path
) -> None:
    text = bundle_text(terminal, some_parts(terminal))
    assert refused(store, stick, changed(text, to=Sm2Key.generate().public)) is Fault.ANOTHER_KEY
    sealed = bytes(113)
    assert refused(store, stick, changed(text, sealed_key=sealed)) is Fault.ANOTHER_KEY


@pytest.mark.parametrize("change", [{"magic": b"YKTR"}, {"version": 2}])
def test_another_kind_of_file_is_refused(
    store: Store, terminal: Terminal, stick: Path, change: dict[str, Any]
) -> None:
    text = bundle_text(terminal, some_parts(terminal))
    assert refused(store, stick, changed(text, **change)) is Fault.NOT_A_BUNDLE


def claims(text: BundleText) -> Iterator[BundleText]:
    first, last, count, chunks = text.seqs[0], text.seqs[-1], len(text.seqs), len(text.chunks)
    for claimed in (
        (first, last, 0xFFFFFFFF, chunks),
        (first, last, count, chunks - 1),
        (first - 1, last, count, chunks),
        (first, 1 << 63, count, chunks),
    ):
        yield BundleText(text.terminal, text.to, text.chunks, text.seqs, claimed=claimed)
    for lengths in ((0xFFFFFFFF,), (1 << 18,), (16,), (1,)):
        yield BundleText(text.terminal, text.to, text.chunks, text.seqs, lengths=lengths)
    part = Part(1, EVENTS, "key", b"{}")
    whole = record(part)
    for chunk in (
        whole[:-1],
        whole + b"\0",
        record(part._replace(endpoint=3)),
        record(part._replace(key="")),
        record(part._replace(key="a b")),
        record(part._replace(key="k" * 65)),
        record(part._replace(body=bytes(131_073))),
        whole[:13] + struct.pack(">I", 0xFFFFFFFF) + b"{}",
    ):
        yield BundleText(text.terminal, text.to, [chunk], [1])
    long = b"".join(record(Part(seq, EVENTS, "key", bytes(131_000))) for seq in (1, 2, 3))
    yield BundleText(text.terminal, text.to, [whole + whole], [1, 1])
    yield BundleText(text.terminal, text.to, [record(part._replace(seq=0))], [0])
    yield BundleText(text.terminal, text.to, [long], [1, 2, 3])


def test_what_claims_too_much_is_refused(store: Store, terminal: Terminal) -> None:
    for text in claims(bundle_text(terminal, some_parts(terminal, 6))):
        with pytest.raises(BundleRefused) as caught:
            bundle = Bundle(BytesIO(text.signed()), lambda _: terminal.public, store.encryption_key)
            list(bundle.messages())
        assert caught.value.fault in (Fault.MALFORMED, Fault.NOT_A_BUNDLE)


def test_a_device_that_answers_otherwise_the_second_time_is_not_believed(
    store: Store, terminal: Terminal
) -> None:
    """Chunks of a bundle that somebody else made take the place of the verified ones."""
    good = bundle_text(terminal, [Part(1, ALARMS, "good", b"{}")])
    evil = BundleText(
        terminal, good.to, [record(Part(1, ALARMS, "evil", b"{}"))], [1], key=b"k" * 16
    )
    stream = BytesIO(good.signed())
    bundle = Bundle(stream, lambda _: terminal.public, store.encryption_key)
    stream.seek(0)
    stream.write(evil.unsigned())
    with pytest.raises(BundleRefused):
        list(bundle.messages())


def test_chunks_in_another_order_are_not_believed(store: Store, terminal: Terminal) -> None:
    """Also where the device shows them so only after the signature was checked."""
    parts = [Part(seq, ALARMS, f"n-{seq}", b"{}") for seq in (1, 2)]
    content = bundle_text(terminal, parts, chunk=1).signed()
    size = 4 + len(record(parts[0])) + 16
    head, first, second = content[:167], content[167 : 167 + size], content[167 + size :][:size]
    stream = BytesIO(content)
    bundle = Bundle(stream, lambda _: terminal.public, store.encryption_key)
    assert [message.seq for message in bundle.messages()] == [1, 2]
    for chunks in (second + first, second + second, first + first):
        stream.seek(len(head))
        stream.write(chunks)
        found: list[int] = []
        with pytest.raises(BundleRefused):
            found.extend(message.seq for message in bundle.messages())
        assert found in ([], [1])


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
