"""What time alone does to a visit: warnings, wiping, masking again, the idle screen."""

from __future__ import annotations

from kiosk.moment import Overlay
from kiosk.pages import HomePage, IdlePage, OverviewPage, TakeCardPage
from tests.kiosk.terminal_double import QUERY, TAG, TerminalDouble


def test_walking_away_warns_then_wipes_and_waits_for_the_slot(terminal: TerminalDouble) -> None:
    terminal.to_overview()
    terminal.wait(terminal.limits.sensitive_seconds + 0.5)
    assert terminal.runner.moment.overlay is Overlay.TIME_OUT
    terminal.touch("extend")
    assert terminal.runner.moment.overlay is None
    assert isinstance(terminal.page, OverviewPage)
    terminal.wait(terminal.limits.sensitive_seconds + terminal.limits.warning_seconds + 1)
    assert terminal.page == TakeCardPage(done=False)
    terminal.touch(QUERY, "help", "start", "")
    assert terminal.page == TakeCardPage(done=False)
    terminal.take()
    assert isinstance(terminal.page, HomePage)
    assert "timeout.expired" in terminal.audit.events()


def test_any_touch_extends_but_leave_leaves(terminal: TerminalDouble) -> None:
    terminal.to_overview()
    terminal.wait(terminal.limits.sensitive_seconds + 0.5)
    terminal.touch("")
    assert terminal.runner.moment.overlay is None
    terminal.wait(terminal.limits.sensitive_seconds + 0.5)
    terminal.touch("leave")
    assert isinstance(terminal.page, TakeCardPage)


def test_keys_on_the_pad_count_as_somebody_being_there(terminal: TerminalDouble) -> None:
    terminal.to_pin()
    terminal.wait(terminal.limits.pin_seconds - 1)
    terminal.report(1)
    terminal.wait(terminal.limits.pin_seconds - 1)
    assert terminal.runner.moment.overlay is None
    terminal.wait(2)
    assert terminal.runner.moment.overlay is Overlay.TIME_OUT


def test_a_forgotten_card_becomes_an_alarm(terminal: TerminalDouble) -> None:
    terminal.to_overview()
    terminal.touch("leave")
    terminal.wait(terminal.limits.take_card_alarm + 1)
    assert "card.forgotten" in terminal.audit.events()
    assert terminal.alarms.raised == [("device-fault", "card.forgotten")]


def test_revealed_data_is_masked_again_after_its_seconds(terminal: TerminalDouble) -> None:
    terminal.to_overview()
    terminal.touch("reveal")
    assert terminal.page.revealed
    terminal.wait(terminal.limits.reveal_seconds + 0.5)
    assert not terminal.page.revealed
    assert terminal.audit.events().count("information.revealed") == 1
    assert terminal.audit.details("information.hidden") == [{"item": "overview", "subject": TAG}]


def test_the_idle_screen_comes_and_a_touch_brings_the_menu(terminal: TerminalDouble) -> None:
    terminal.wait(terminal.limits.attract_seconds + 1)
    assert terminal.page == IdlePage()
    terminal.wait(2 * terminal.limits.device_retry)
    assert terminal.page == IdlePage()
    terminal.touch("start")
    assert isinstance(terminal.page, HomePage)


def test_the_idle_screen_speaks_the_terminals_own_language(terminal: TerminalDouble) -> None:
    terminal.touch("language")
    terminal.wait(terminal.limits.attract_seconds + 1)
    assert terminal.page == IdlePage()
    assert terminal.runner.moment.language == "zh-CN"
