"""A card command's session: bounded, interruptible, and the card is given back however it ends."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from apdu.errors import CardMute
from kiosk.card import session as session_module
from kiosk.card.exits import CardExit
from kiosk.card.options import Wanted
from kiosk.card.session import CardSession, Hand
from kiosk.commands import CommandFailed
from tests.kiosk.card_backends import CONTACT
from tests.kiosk.card_cli import Desk, desk_for

CALL = Wanted(config=None, reader=None, full=False, json=False, trace=False, record=None)
SELECT = bytes.fromhex("00A404000F7378312E73682EC9E7BBE1B1A3D5CF")


@pytest.fixture
def desk(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Desk:
    made = desk_for(monkeypatch, capsys, tmp_path)
    made.insert("v3")
    return made


class Stuck:
    """A step that hangs in its first command, and would send a second one."""

    def __init__(self) -> None:
        self.begun, self.release, self.over = (threading.Event() for _ in range(3))
        self.refused: list[str] = []

    def __call__(self, hand: Hand) -> None:
        self.begun.set()
        self.release.wait(10)
        try:
            hand.line.transmit(SELECT)
        except CardMute as error:
            self.refused.append(str(error))
        try:
            hand.line.reset()
        except CardMute as error:
            self.refused.append(str(error))
        self.over.set()


def test_a_card_that_never_answers_ends_in_time_and_is_sent_nothing_more(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "DEADLINE_SECONDS", 0.05)
    monkeypatch.setattr(session_module, "_GIVE_BACK_SECONDS", 0.05)
    stuck = Stuck()
    with pytest.raises(CommandFailed) as failed, CardSession(CALL) as session:
        session.step(stuck)
    assert failed.value.exit == CardExit.MUTE
    assert desk.given_back == 0
    stuck.release.set()
    assert stuck.over.wait(10)
    assert stuck.refused == ["given up", "given up"]


def test_ctrl_c_cuts_the_line_and_gives_the_card_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = Stuck()

    class Interrupted(threading.Event):
        """Ctrl-C comes while the command waits for its step."""

        def wait(self, timeout: float | None = None) -> bool:
            if stuck.begun.wait(10) and not stuck.release.is_set():
                stuck.release.set()
                raise KeyboardInterrupt
            return super().wait(timeout)

    with pytest.raises(KeyboardInterrupt), CardSession(CALL) as session:
        real = threading.Event
        monkeypatch.setattr(threading, "Event", Interrupted)
        try:
            session.step(stuck)
        finally:
            monkeypatch.setattr(threading, "Event", real)
    assert stuck.over.wait(10)
    assert desk.given_back == 1


def test_each_part_of_a_long_command_has_the_whole_deadline(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    with CardSession(CALL) as session:
        now += session_module.DEADLINE_SECONDS + 1
        assert session._until < now
        session.renew()
        assert session._until == now + session_module.DEADLINE_SECONDS


def test_a_step_has_the_card_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[str] = []

    def step(hand: Hand) -> str:
        connection = hand.line.connection
        assert held == ["begin"], connection.reader
        return connection.reader

    with CardSession(CALL) as session:
        faulty = desk.backend.there(CONTACT)
        assert faulty is not None
        assert session._hand is not None
        monkeypatch.setattr(
            session._hand.line.connection, "transaction", lambda: _Noted(held), raising=True
        )
        assert session.step(step) == CONTACT
    assert held == ["begin", "end"]


class _Noted:
    def __init__(self, notes: list[str]) -> None:
        self._notes = notes

    def __enter__(self) -> None:
        self._notes.append("begin")

    def __exit__(self, *_: object) -> None:
        self._notes.append("end")


def test_the_reader_is_told_by_a_part_of_its_name(desk: Desk) -> None:
    assert desk.card("info", "--reader", "Contact").code == 0
    assert desk.card("info", "--reader", "No Such").code == 5


def test_no_reader_at_all(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "_FIRST_LOOK_SECONDS", 0.0)
    monkeypatch.setattr(desk.backend, "readers", tuple)
    answer = desk.card("info")
    assert (answer.code, answer.out) == (5, "")
    assert desk.given_back == 1
