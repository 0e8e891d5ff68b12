"""The dock: everything inside, nothing over another, every button asks what the hall knows."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from hw_sim.hall.hall import Hall, HallSettings
from hw_sim.hall.panel import HEIGHT, WIDTH, Button, Panel, panel
from hw_sim.hall.slot import INSERTABLE
from hw_sim.pad import KEYS


def status(**changes: Any) -> dict[str, Any]:
    return {
        "ok": True,
        "opening": False,
        "card": None,
        "reader": "plugged",
        "pcscd": "pcscd",
        "pad": {"plugged": True, "entry": False, "count": 0},
        "platform": {"state": "up", "url": "http://127.0.0.1:1", "alarms": 0, "terminals": []},
        "faults": {"card": 0, "pad": 0, "platform": 0},
        **changes,
    }


def named(shown: Panel, do: str, **arguments: str) -> Button:
    for button in shown.buttons:
        if button.do == do and button.arguments == arguments:
            return button
    raise LookupError(do, arguments)


def overlap(one: Button, other: Button) -> bool:
    x, y, width, height = one.rect
    x2, y2, width2, height2 = other.rect
    return x < x2 + width2 and x2 < x + width and y < y2 + height2 and y2 < y + height


def test_buttons_lie_apart_inside_the_window() -> None:
    shown = panel(status())
    for button in shown.buttons:
        x, y, width, height = button.rect
        assert x >= 0
        assert y >= 0
        assert x + width <= WIDTH
        assert y + height <= HEIGHT
    for one, other in itertools.combinations(shown.buttons, 2):
        assert not overlap(one, other), (one, other)


def test_there_is_a_button_for_every_card_and_key() -> None:
    shown = panel(status())
    for name, _, _ in INSERTABLE:
        if name != "resident:N":
            assert named(shown, "insert", card=name).enabled
    for key in KEYS:
        assert named(shown, "press", keys=key).enabled


def test_every_button_asks_what_the_hall_knows(tmp_path: Any) -> None:
    questions = Hall(HallSettings(tmp_path, tmp_path))._questions
    assert {button.do for button in panel(status()).buttons} <= set(questions)


def test_a_card_in_the_slot_leaves_only_taking_it() -> None:
    shown = panel(status(card="v2"))
    assert not named(shown, "insert", card="v3").enabled
    take = named(shown, "remove")
    assert take.enabled
    middle = (take.rect[0] + 5, take.rect[1] + 5)
    assert shown.at(middle) == take
    other = named(shown, "insert", card="v3").rect
    assert shown.at((other[0] + 5, other[1] + 5)) is None


@pytest.mark.parametrize("plugged", [True, False])
def test_plugs_offer_the_other_way(plugged: bool) -> None:
    word = "plugged" if plugged else "unplugged"
    other = "unplugged" if plugged else "plugged"
    pad = {"plugged": plugged, "entry": False, "count": 0}
    shown = panel(status(reader=word, pad=pad))
    assert named(shown, "reader", state=other)
    assert named(shown, "pad", state=other)


def test_without_pcscd_it_can_not_be_restarted() -> None:
    assert not named(panel(status(pcscd="direct")), "pcscd", do2="restart").enabled


def test_typing_is_told_as_a_count() -> None:
    shown = panel(status(pad={"plugged": True, "entry": True, "count": 4}))
    assert any("已按 4 键" in caption.text for caption in shown.captions)


@pytest.mark.parametrize("answer", [None, {"ok": True, "opening": True}])
def test_without_a_hall_there_is_nothing_to_press(answer: dict[str, Any] | None) -> None:
    assert panel(answer).buttons == ()
