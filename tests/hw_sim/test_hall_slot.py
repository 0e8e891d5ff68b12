"""The residents' card slot without pcscd: what is in it, and how long a fault lasts."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator

import pytest

from hw_sim.cards.application import Challenges
from hw_sim.hall import reader_slot
from hw_sim.hall.control import Refused
from hw_sim.hall.reader_slot import ReaderSlot
from hw_sim.hall.slot import Way
from hw_sim.pcscd import PcscdUnavailable


@pytest.fixture
def slot() -> Iterator[ReaderSlot]:
    slot = ReaderSlot(None, direct=True)
    yield slot
    slot.close()


@pytest.fixture
def reader(slot: ReaderSlot) -> Iterator[socket.socket]:
    """What a terminal would listen with."""
    assert slot.direct is not None
    host, port = slot.direct["contact"].split(":")
    with socket.create_server((host, int(port))) as listening:
        listening.settimeout(10)
        yield listening


def ask(card: socket.socket, message: bytes) -> bytes:
    card.sendall(len(message).to_bytes(2, "big") + message)
    size = card.recv(2)
    return card.recv(int.from_bytes(size, "big")) if size else b""


def test_bugs_of_its_cards_are_counted(
    slot: ReaderSlot,
    reader: socket.socket,
    card_bugs: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: object) -> bytes:
        raise LookupError

    assert slot.card_bugs == 0
    monkeypatch.setattr(Challenges, "draw", broken)
    slot.insert("v3")
    card, _ = reader.accept()
    with card:
        card.sendall(b"\x00\x01\x01")
        assert ask(card, bytes.fromhex("0084000008")) == b"\x6f\x00"
        assert slot.card_bugs == len(card_bugs) == 1
        slot.remove()
    card_bugs.clear()


def test_one_card_at_a_time(slot: ReaderSlot) -> None:
    assert slot.card is None
    slot.insert("v3")
    assert slot.card == "v3"
    with pytest.raises(Refused, match="card in"):
        slot.insert("v2")
    slot.remove()
    with pytest.raises(Refused, match="no card"):
        slot.remove()


@pytest.mark.parametrize("name", ["", "v4", "psam", "resident:200"])
def test_card_that_nobody_has(slot: ReaderSlot, name: str) -> None:
    with pytest.raises(Refused, match="resident:N"):
        slot.insert(name)


def test_residents_have_cards(slot: ReaderSlot) -> None:
    slot.insert("resident:42")
    assert slot.card == "resident:42"


def test_fault_meets_the_next_card_and_ends_with_it(
    slot: ReaderSlot, reader: socket.socket
) -> None:
    slot.set_fault("1:6F00")
    assert slot.faults_pending == 1
    slot.insert("v3")
    card, _ = reader.accept()
    with card:
        card.sendall(b"\x00\x01\x01")
        assert ask(card, bytes.fromhex("00A40000023F00")) == b"\x6f\x00"
        # Before the reader hangs up: a card in the slot would connect again at once.
        slot.remove()
    assert slot.faults_pending == 0
    slot.insert("v3")
    card, _ = reader.accept()
    with card:
        card.sendall(b"\x00\x01\x01")
        assert ask(card, bytes.fromhex("00A40000023F00")) != b"\x6f\x00"


def test_torn_card_is_gone_and_its_fault_too(slot: ReaderSlot, reader: socket.socket) -> None:
    slot.set_fault("1:tear")
    slot.insert("v3")
    card, _ = reader.accept()
    with card:
        card.sendall(b"\x00\x01\x01")
        assert ask(card, bytes.fromhex("0084000008")) == b""
    assert slot.card is None
    slot.insert("v3")
    assert slot.faults_pending == 0


def test_none_forgets_and_nonsense_is_refused(slot: ReaderSlot) -> None:
    slot.set_fault("*:delay=5")
    with pytest.raises(Refused):
        slot.set_fault("3:fire")
    with pytest.raises(Refused, match="no card of that name"):
        slot.set_fault("3:swap=v9")
    assert slot.faults_pending == 1
    slot.set_fault("none")
    assert slot.faults_pending == 0


def test_without_pcscd_it_warns_aloud_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Absent:
        def start(self) -> None:
            raise PcscdUnavailable("pcscd is not installed")

    monkeypatch.setattr(reader_slot, "PcscdWorld", Absent)
    with caplog.at_level(logging.WARNING):
        slot = ReaderSlot(None, direct=False)
    assert slot.direct is not None
    assert slot.way is Way.DIRECT
    assert "NO PCSCD: pcscd is not installed" in caplog.text
    slot.close()
