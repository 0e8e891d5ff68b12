from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from hw_sim.cards.catalogue import make_card
from hw_sim.cards.faults import parse_faults
from hw_sim.cards.iso7816 import Card
from hw_sim.vpcd import CardLink
from tests.hw_sim.card_terminal import TIMEOUT, wait_for

SSSE = bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF")


class Reader:
    """A reader that listens like vpcd."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1)
        self._listener.settimeout(TIMEOUT)
        self.port: int = self._listener.getsockname()[1]
        self._card: socket.socket | None = None

    def accept(self) -> None:
        if self._card is not None:
            self._card.close()
        self._card, _ = self._listener.accept()
        self._card.settimeout(TIMEOUT)

    def send(self, message: bytes) -> None:
        assert self._card is not None
        self._card.sendall(len(message).to_bytes(2, "big") + message)

    def receive(self) -> bytes:
        """One answer; empty when the card hung up."""
        header = self._exactly(2)
        return self._exactly(int.from_bytes(header, "big")) if header else b""

    def ask(self, message: bytes) -> bytes:
        self.send(message)
        return self.receive()

    def close(self) -> None:
        if self._card is not None:
            self._card.close()
        self._listener.close()

    def _exactly(self, length: int) -> bytes:
        assert self._card is not None
        received = b""
        while len(received) < length:
            part = self._card.recv(length - len(received))
            if not part:
                return b""
            received += part
        return received


@pytest.fixture
def reader() -> Iterator[Reader]:
    reader = Reader()
    yield reader
    reader.close()


Insert = Callable[..., CardLink]


@pytest.fixture
def insert(reader: Reader) -> Iterator[Insert]:
    links: list[CardLink] = []

    def put(card: str | Card, faults: str = "") -> CardLink:
        piece = make_card(card) if isinstance(card, str) else card
        link = CardLink("127.0.0.1", reader.port, piece, parse_faults(faults))
        links.append(link)
        link.insert()
        reader.accept()
        return link

    yield put
    for link in links:
        link.remove()


def test_atr_and_commands(reader: Reader, insert: Insert) -> None:
    link = insert("v3")
    assert reader.ask(b"\x04") == make_card("v3").atr
    assert reader.ask(bytes.fromhex("0084000008"))[-2:] == b"\x90\x00"
    assert link.apdus == 1
    assert link.inserted
    assert link.connected


@pytest.mark.parametrize("control", [b"\x00", b"\x01", b"\x02"])
def test_power_and_reset_have_no_answer_and_drop_the_selection(
    reader: Reader, insert: Insert, control: bytes
) -> None:
    insert("v3")
    assert reader.ask(SSSE) == b"\x61\x1e"
    reader.send(control)
    assert reader.ask(bytes.fromhex("00B2012C00")) == b"\x6a\x82"


def test_message_in_pieces_is_put_together(reader: Reader, insert: Insert) -> None:
    insert("v3")
    assert reader._card is not None
    for byte in b"\x00\x05\x00\x84\x00\x00\x08":
        reader._card.sendall(bytes([byte]))
    assert len(reader.receive()) == 10


def test_removal_closes_at_once(reader: Reader, insert: Insert) -> None:
    link = insert("v3")
    reader.ask(b"\x04")
    link.remove()
    assert not link.inserted
    assert not link.connected
    assert reader.receive() == b""


def test_removal_wakes_a_silent_card(reader: Reader, insert: Insert) -> None:
    link = insert("silent")
    assert len(reader.ask(b"\x04")) == 17
    reader.send(SSSE)
    wait_for(lambda: link.apdus == 1)
    link.remove()
    assert reader.receive() == b""


def test_removal_ends_a_delay(reader: Reader, insert: Insert) -> None:
    link = insert("v3", "1:delay=900000")
    reader.send(SSSE)
    wait_for(lambda: link.apdus == 1)
    link.remove()
    assert reader.receive() == b""


def test_removal_before_the_command_is_read_ends_cleanly(reader: Reader, insert: Insert) -> None:
    link = insert("v3", "*:delay=900000")
    reader.send(SSSE)
    wait_for(lambda: link.apdus == 1)
    reader.send(SSSE)
    link.remove()
    assert reader.receive() == b""


def test_torn_card_hangs_up_and_stays_out(reader: Reader, insert: Insert) -> None:
    link = insert("v3", "2:tear")
    reader.ask(SSSE)
    assert reader.ask(bytes.fromhex("0020000003123456")) == b""
    wait_for(lambda: not link.connected)
    assert not link.inserted


ISSUER = bytes.fromhex("00B2022C00")


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        ("less", "0201 9000"),
        ("more", "020133 00 9000"),
        ("61-loop", "6110"),
        ("garbage", None),
        ("short", "02"),
    ],
)
def test_changed_answers_reach_the_reader(
    reader: Reader, insert: Insert, fault: str, answer: str | None
) -> None:
    link = insert("v3", f"2:{fault}")
    reader.ask(SSSE)
    given = reader.ask(ISSUER)
    if answer is None:
        assert given != b"\x02\x01\x33\x90\x00"
        assert len(given) == 5
    else:
        assert given == bytes.fromhex(answer)
    assert reader.ask(ISSUER) == b"\x02\x01\x33\x90\x00"
    assert link.inserted


def test_a_swap_keeps_the_wire_and_a_reset_shows_the_other_card(
    reader: Reader, insert: Insert
) -> None:
    link = insert("v3", "2:swap=v2")
    assert reader.ask(b"\x04") == make_card("v3").atr
    reader.ask(SSSE)
    assert reader.ask(ISSUER) == b"\x6a\x82"
    assert link.inserted
    assert link.connected
    reader.send(b"\x02")
    assert reader.ask(b"\x04") == make_card("v2").atr


def test_the_card_that_a_swap_took_away_has_lost_its_power(reader: Reader, insert: Insert) -> None:
    card = make_card("v3")
    insert(card, "3:swap=v2")
    reader.ask(SSSE)
    assert reader.ask(ISSUER)[-2:] == b"\x90\x00"
    reader.ask(ISSUER)
    assert card.execute(ISSUER) == b"\x6a\x82"


def test_card_comes_back_to_a_reader_that_restarted(reader: Reader, insert: Insert) -> None:
    insert("v3")
    reader.ask(SSSE)
    reader.accept()
    assert reader.ask(bytes.fromhex("00B2012C00")) == b"\x6a\x82"


def test_empty_message_hangs_up(reader: Reader, insert: Insert) -> None:
    insert("v3")
    reader.send(b"")
    assert reader.receive() == b""


def test_unknown_control_is_passed_over(reader: Reader, insert: Insert) -> None:
    insert("v3")
    reader.send(b"\x07")
    assert len(reader.ask(b"\x04")) == 17


class EmptyCard:
    """A card that would send an answer without a byte."""

    atr = b"\x3b\x00"
    bugs: list[Exception]

    def __init__(self) -> None:
        self.bugs = []

    def power_on(self) -> None: ...

    def power_off(self) -> None: ...

    def reset(self) -> None: ...

    def execute(self, command: bytes) -> bytes | None:
        return b""

    def tear(self, command: bytes, at_write: int | None = None) -> None: ...


def test_answer_without_a_byte_is_never_sent_and_a_bug_that_takes_the_card_out(
    reader: Reader, insert: Insert, card_bugs: list[str]
) -> None:
    card = EmptyCard()
    link = insert(card)
    assert reader.ask(SSSE) == b""
    assert reader._card is not None
    assert reader._card.recv(1) == b""
    wait_for(lambda: not link.inserted)
    assert [type(bug) for bug in card.bugs] == [ValueError]
    assert len(card_bugs) == 1
    card_bugs.clear()


def test_link_is_inserted_once(insert: Insert) -> None:
    link = insert("v3")
    with pytest.raises(RuntimeError):
        link.insert()


def test_card_waits_for_a_reader_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    link = CardLink("127.0.0.1", port, make_card("v3"))
    link.insert()
    assert link.inserted
    assert not link.connected
    link.remove()
    assert not link.inserted


def test_a_card_that_reached_itself_leaves_the_port_to_the_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    really, tries = socket.create_connection, []

    def from_that_port(address: tuple[str, int], timeout: float) -> socket.socket:
        # What the kernel may do by itself where nobody listens: connect the port to itself.
        own = None if tries else ("127.0.0.1", port)
        link = really(address, timeout, own)
        tries.append(link.getsockname())
        return link

    monkeypatch.setattr(socket, "create_connection", from_that_port)
    link = CardLink("127.0.0.1", port, make_card("v3"))
    link.insert()
    wait_for(lambda: bool(tries))
    assert tries[0] == ("127.0.0.1", port)
    assert not link.connected
    # As vpcd does: without SO_REUSEADDR, which would hide a port that is still taken.
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))
        listener.listen(1)
        listener.settimeout(TIMEOUT)
        reached, _ = listener.accept()
        reached.close()
        link.remove()
