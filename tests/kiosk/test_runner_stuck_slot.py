"""A call that a card or reader never gives back: marked, told once, and well when it returns."""

from __future__ import annotations

import threading

import pytest

from kiosk.card_station import HeldSlot, SlotKind
from kiosk.events import QueueSeen
from kiosk.pages import HomePage, IdentifyPage, NoticePage, OutOfServicePage, TakeCardPage
from offline_queue.room import Level
from tests.kiosk.terminal_double import QUERY, VERIFY, TerminalDouble

TOLD = ("device-fault", "reader.stuck")


def hang(terminal: TerminalDouble) -> None:
    """The card's call was given up and does not come back; long enough for staff to be told."""
    terminal.executor.stuck_lanes.add("card")
    terminal.wait(3 * terminal.limits.device_retry)


def come_back(terminal: TerminalDouble) -> None:
    terminal.executor.stuck_lanes.clear()
    terminal.wait(terminal.limits.device_retry + 1)


@pytest.mark.parametrize(
    ("held", "word"),
    [(HeldSlot(SlotKind.READER, "Contact"), "reader"), (HeldSlot(SlotKind.PSAM, "SAM"), "psam")],
)
def test_the_slot_is_named_told_once_and_clears_itself(
    terminal: TerminalDouble, held: HeldSlot, word: str
) -> None:
    terminal.scanner.failed = True
    terminal.cards.held = held
    hang(terminal)
    assert terminal.page == OutOfServicePage(f"{word}-stuck", held.reader)
    assert not terminal.runner.moment.badges.reader_ok
    terminal.wait(20 * terminal.limits.device_retry)
    assert terminal.alarms.raised == [("device-fault", f"{word}.stuck")]
    assert terminal.audit.details("device.lost") == [{"device": word, "reason": "stuck"}]
    come_back(terminal)
    assert isinstance(terminal.page, HomePage)
    assert terminal.runner.moment.badges.reader_ok
    # The first was the reader's coming at the start.
    assert terminal.audit.details("device.back")[1:] == [{"device": word}]
    hang(terminal)
    assert len(terminal.alarms.raised) == 2


def test_a_call_that_comes_back_soon_is_nobodys_concern(terminal: TerminalDouble) -> None:
    terminal.scanner.failed = True
    for _ in range(3):
        terminal.executor.stuck_lanes.add("card")
        terminal.wait(terminal.limits.device_retry)
        # However often it is looked at, only time makes it a fault.
        terminal.post(QueueSeen(1, Level.FREE), QueueSeen(2, Level.FREE))
        assert terminal.page == OutOfServicePage("reader-busy")
        come_back(terminal)
    assert terminal.alarms.raised == []
    assert terminal.audit.details("device.lost") == []


def test_it_is_told_while_the_card_is_still_in_the_slot(terminal: TerminalDouble) -> None:
    terminal.to_identify()
    terminal.insert()
    terminal.executor.stuck_lanes.add("card")
    terminal.wait(terminal.limits.card_deadline + 1)
    assert terminal.page == NoticePage("card-mute")
    terminal.touch("leave")
    assert isinstance(terminal.page, TakeCardPage)
    terminal.wait(3 * terminal.limits.device_retry)
    assert terminal.alarms.raised == [TOLD]
    terminal.executor.stuck_lanes.clear()
    terminal.take()
    assert isinstance(terminal.page, HomePage)
    assert terminal.audit.details("device.back")[1:] == [{"device": "reader"}]


def test_what_needs_no_card_goes_on_and_nobody_is_told_again(terminal: TerminalDouble) -> None:
    hang(terminal)
    assert isinstance(terminal.page, HomePage)
    assert not {VERIFY, QUERY} & {name for name, _ in terminal.page.unavailable}
    terminal.touch(QUERY)
    assert isinstance(terminal.page, IdentifyPage)
    terminal.insert()
    assert terminal.page == NoticePage("reader-busy")
    assert terminal.alarms.raised == [TOLD]


def test_the_card_is_powered_off_at_the_end(terminal: TerminalDouble) -> None:
    terminal.station.put_card_down()
    assert terminal.cards.released == 1


@pytest.mark.timeout(20)
def test_the_end_of_the_process_waits_for_no_slot_that_is_held(
    terminal: TerminalDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = threading.Event()
    monkeypatch.setattr("kiosk.station.LAST_SECONDS", 0.01)
    monkeypatch.setattr(terminal.cards, "release", free.wait)
    terminal.station.put_card_down()
    assert not free.is_set(), "it came back while the slot was still held"
    free.set()
