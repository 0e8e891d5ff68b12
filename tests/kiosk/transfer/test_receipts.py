"""Receipts: whose they are, what they settle, and what they can never do."""

from __future__ import annotations

import itertools
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from apdu.crypto import sm2, sm3
from kiosk.keys import Enrolment
from kiosk.transfer.errors import (
    ReceiptsFault,
    ReceiptsRefused,
    StickFailed,
    StickTrouble,
    TransferCancelled,
)
from kiosk.transfer.importing import Outcome, import_receipts
from kiosk.transfer.receipts import Receipt, read_receipts
from offline_queue.message import State
from tests.kiosk.transfer_hall import (
    ROUND,
    Hall,
    Terminal,
    new_terminal,
)


def test_receipts_imported_again_change_nothing(hall: Hall, terminal: Terminal) -> None:
    receipts = hall.take_in(terminal.export().path)
    terminal.settle(receipts)
    before = terminal.queue.rows()
    again = terminal.settle(receipts)
    assert again.outcomes == {**dict.fromkeys(Outcome, 0), Outcome.KNOWN: 12}
    assert terminal.queue.rows() == before


def test_a_refusal_lies_among_the_dead_letters(hall: Hall, terminal: Terminal) -> None:
    terminal.queue.enqueue("evaluation", b'{"occurred_at": 1, "body": {}}', key="bad")
    told: list[tuple[str, str, Outcome]] = []
    receipts = hall.take_in(terminal.export().path, refused=1)
    report = import_receipts(
        terminal.queue,
        receipts,
        terminal.keys,
        settled=lambda kind, receipt, outcome: told.append((kind, receipt.key, outcome)),
    )
    assert report.outcomes[Outcome.REFUSED] == 1
    (dead,) = terminal.queue.rows(State.DEAD)
    assert (dead.key, dead.reason) == ("bad", "invalid")
    assert told[-1] == ("evaluation", "bad", Outcome.REFUSED)
    assert len(told) == 13


def test_an_import_that_is_ended_keeps_what_it_settled(hall: Hall, terminal: Terminal) -> None:
    receipts = hall.take_in(terminal.export().path)
    asked = itertools.count()
    with pytest.raises(TransferCancelled):
        import_receipts(terminal.queue, receipts, terminal.keys, cancelled=lambda: next(asked) == 5)
    assert terminal.open() == 7
    assert terminal.settle(receipts).outcomes[Outcome.CONFIRMED] == 7


@pytest.fixture(scope="module")
def answered(
    hall: Hall, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Terminal, bytes]]:
    """A terminal that still waits, and its receipts."""
    made = new_terminal(hall, tmp_path_factory.mktemp("terminal"))
    made.fill()
    yield made, hall.take_in(made.export().path).read_bytes()
    assert made.open() == ROUND
    made.queue.close()


def refused(answered: tuple[Terminal, bytes], content: bytes) -> ReceiptsFault:
    enrolment = answered[0].keys.enrolment
    with pytest.raises(ReceiptsRefused) as caught:
        read_receipts(content, enrolment.platform_key, enrolment.terminal_id)
    return caught.value.fault


def test_receipts_cut_short_at_any_length_are_refused(answered: tuple[Terminal, bytes]) -> None:
    content = answered[1]
    faults = {refused(answered, content[:length]) for length in range(len(content))}
    assert faults == {ReceiptsFault.NOT_RECEIPTS, ReceiptsFault.SIGNATURE}


def test_receipts_with_any_byte_changed_are_refused(answered: tuple[Terminal, bytes]) -> None:
    for at in range(len(answered[1])):
        spoilt = bytearray(answered[1])
        spoilt[at] ^= 1 << at % 8
        assert refused(answered, bytes(spoilt)) in (
            ReceiptsFault.NOT_RECEIPTS,
            ReceiptsFault.SIGNATURE,
        )


def test_another_platform_s_receipts_are_refused(answered: tuple[Terminal, bytes]) -> None:
    terminal, content = answered
    other: Enrolment = replace(terminal.keys.enrolment, platform_key=sm2.generate().public_key())
    with pytest.raises(ReceiptsRefused) as caught:
        read_receipts(content, other.platform_key, terminal.id)
    assert caught.value.fault is ReceiptsFault.SIGNATURE


def test_another_terminal_s_receipts_are_refused(
    answered: tuple[Terminal, bytes], terminal: Terminal, tmp_path: Path
) -> None:
    file = tmp_path / "receipts"
    file.write_bytes(answered[1])
    with pytest.raises(ReceiptsRefused) as caught:
        terminal.settle(file)
    assert caught.value.fault is ReceiptsFault.FOREIGN
    assert terminal.open() == 12


def test_old_receipts_do_nothing_to_a_new_message_of_the_same_key(
    hall: Hall, terminal: Terminal, tmp_path: Path
) -> None:
    """The disk was replaced: the audit log begins anew, with keys that it had before."""
    receipts = hall.take_in(terminal.export().path)
    folder = tmp_path / "new"
    folder.mkdir()
    new = Terminal(folder, terminal.keys, hall.server)
    new.clock.move_to(1000)
    new.fill(3)
    both = {row.key for row in new.queue.rows()} & {row.key for row in terminal.queue.rows()}
    assert {f"{new.id}-audit-{number}-{number}" for number in (1, 2, 3)} <= both
    outcomes = new.settle(receipts).outcomes
    assert outcomes[Outcome.CONFIRMED] == 0
    assert outcomes[Outcome.STRANGE] == 12
    assert new.open() == 12
    new.queue.close()


class Platform:
    """Signs whatever a test wants, in the platform's name."""

    def __init__(self, terminal: Terminal) -> None:
        self.key = sm2.generate()
        enrolment = replace(terminal.keys.enrolment, platform_key=self.key.public_key())
        terminal.keys = replace(terminal.keys, enrolment=enrolment)
        self.terminal = terminal

    def write(
        self,
        receipts: list[Receipt],
        *,
        version: int = 1,
        count: int | None = None,
        end: bytes = b"",
    ) -> Path:
        text = struct.pack(
            ">4sH16s32sQI",
            b"YKTR", version, self.terminal.id.encode(), bytes(32), 1,
            len(receipts) if count is None else count,
        )  # fmt: skip
        for each in receipts:
            text += struct.pack(">QB", each.seq, len(each.key)) + each.key.encode() + each.digest
            text += struct.pack(">HH", each.status, len(each.word)) + each.word.encode()
        text += end
        message = b"yikatong receipts 1\0" + sm3.digest(text)
        file = self.terminal.stick / "signed.receipts"
        file.write_bytes(text + sm2.sign(self.key, message, encoding=sm2.SignatureEncoding.RAW))
        return file


def first_receipt(hall: Hall, terminal: Terminal) -> Receipt:
    content = hall.take_in(terminal.export(most=1).path).read_bytes()
    (receipt,) = read_receipts(content, terminal.keys.enrolment.platform_key, terminal.id)
    return receipt


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({}, Outcome.CONFIRMED),
        ({"status": 403, "word": "forbidden"}, Outcome.REFUSED),
        ({"status": 403, "word": "invalid"}, Outcome.OPEN),
        ({"status": 409, "word": "in-progress"}, Outcome.OPEN),
        ({"status": 503, "word": "unavailable"}, Outcome.OPEN),
        ({"status": 422, "word": "something-new"}, Outcome.OPEN),
        ({"status": 100}, Outcome.OPEN),
        ({"seq": 2}, Outcome.STRANGE),
        ({"key": "another"}, Outcome.STRANGE),
        ({"digest": bytes(32)}, Outcome.STRANGE),
        ({"seq": 999}, Outcome.KNOWN),
    ],
)
def test_a_receipt_settles_what_it_names_and_decides(
    hall: Hall, terminal: Terminal, change: dict[str, object], outcome: Outcome
) -> None:
    receipt = first_receipt(hall, terminal)._replace(**change)  # type: ignore[arg-type]
    outcomes = terminal.settle(Platform(terminal).write([receipt])).outcomes
    assert outcomes == {**dict.fromkeys(Outcome, 0), outcome: 1}
    settled = outcome in (Outcome.CONFIRMED, Outcome.REFUSED)
    assert terminal.open() == (11 if settled else 12)


def test_signed_nonsense_settles_nothing(hall: Hall, terminal: Terminal) -> None:
    good = first_receipt(hall, terminal)
    platform = Platform(terminal)
    files: list[Callable[[], Path]] = [
        lambda: platform.write([good], count=2),
        lambda: platform.write([good], count=0xFFFFFFFF),
        lambda: platform.write([good, good], count=1),
        lambda: platform.write([good], end=b"\0"),
        lambda: platform.write([good, good._replace(key="")]),
        lambda: platform.write([good, good._replace(word="")]),
        lambda: platform.write([good, good._replace(word="two words")]),
        lambda: platform.write([good, good._replace(word="w" * 257)]),
    ]
    for write in files:
        with pytest.raises(ReceiptsRefused) as caught:
            terminal.settle(write())
        assert caught.value.fault is ReceiptsFault.MALFORMED
    with pytest.raises(ReceiptsRefused) as caught:
        terminal.settle(platform.write([good], version=2))
    assert caught.value.fault is ReceiptsFault.NOT_RECEIPTS
    assert terminal.open() == 12


def test_only_ordinary_files_of_a_bearable_length_are_read(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = terminal.stick / "pipe"
    os.mkfifo(pipe)
    other_end = os.open(pipe, os.O_RDWR)
    with pytest.raises(ReceiptsRefused):
        terminal.settle(pipe)
    os.close(other_end)
    with pytest.raises(StickFailed) as caught:
        terminal.settle(terminal.stick / "missing")
    assert caught.value.trouble is StickTrouble.GONE
    with (terminal.stick / "long").open("wb") as stream:
        stream.truncate(64 * 1024 * 1024 + 1)
    with pytest.raises(ReceiptsRefused) as refused_:
        terminal.settle(terminal.stick / "long")
    assert refused_.value.fault is ReceiptsFault.NOT_RECEIPTS
