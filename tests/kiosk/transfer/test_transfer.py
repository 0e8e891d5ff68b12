"""Bundles on a stick: what waits gets to the platform once, and its receipts come home."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apdu.crypto import sm3
from kiosk.transfer.importing import Outcome
from tests.kiosk.transfer_hall import (
    Hall,
    Terminal,
    check_effects,
    new_terminal,
)


def test_all_goes_by_stick_and_the_receipts_settle_it(hall: Hall, terminal: Terminal) -> None:
    seen: list[tuple[int, int]] = []
    report = terminal.export(progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 12) for done in range(1, 13)]
    content = report.path.read_bytes()
    assert (report.messages, report.first, report.last, report.left_out) == (12, 1, 12, 0)
    assert (report.size, report.digest) == (len(content), sm3.digest(content[:-64]).hex())
    assert list(terminal.stick.iterdir()) == [report.path]
    assert terminal.open() == 12
    imported = terminal.settle(hall.take_in(report.path))
    assert imported.bundle == report.digest
    assert imported.outcomes == {**dict.fromkeys(Outcome, 0), Outcome.CONFIRMED: 12}
    assert terminal.open() == 0
    check_effects(hall, terminal)


@pytest.mark.parametrize("line_first", [True, False])
def test_by_the_line_and_by_stick_each_has_one_effect(
    hall: Hall, terminal: Terminal, line_first: bool
) -> None:
    report = terminal.export()
    if line_first:
        terminal.carry()
        assert terminal.open() == 0
    receipts = hall.take_in(report.path)
    if not line_first:
        terminal.carry()
        assert terminal.open() == 0
    known = terminal.settle(receipts)
    assert known.outcomes[Outcome.KNOWN] == 12
    check_effects(hall, terminal)


def test_a_message_in_the_courier_s_hands_is_settled_by_its_receipt(
    hall: Hall, terminal: Terminal
) -> None:
    report = terminal.export()
    claim = terminal.queue.claim("line")
    assert claim is not None
    assert claim.unsure
    terminal.settle(hall.take_in(report.path))
    check_effects(hall, terminal)


STEP = st.one_of(
    st.tuples(st.just("fill"), st.integers(1, 2)),
    st.tuples(st.just("line"), st.integers(1, 5)),
    st.tuples(st.just("export"), st.none() | st.integers(1, 6)),
    st.tuples(st.just("platform"), st.integers(0, 5)),
    st.tuples(st.just("receipts"), st.integers(0, 5)),
)


@settings(max_examples=12, deadline=None)
@given(steps=st.lists(STEP, min_size=4, max_size=14), home=st.booleans())
def test_whatever_the_order_each_has_one_effect(
    hall: Hall,
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[str, int | None]],
    home: bool,
) -> None:
    """Overlapping bundles, in any order, twice, with the line in between; the last ones go by
    stick (``home``) or by the line."""
    terminal = new_terminal(hall, tmp_path_factory.mktemp("terminal"))
    terminal.fill()
    bundles: list[Path] = []
    receipts: list[Path] = []
    for what, number in steps:
        match what:
            case "fill":
                terminal.fill(number or 1)
            case "line":
                terminal.carry(number)
            case "export" if terminal.open():
                bundles.append(terminal.export(most=number).path)
            case "platform" if bundles:
                receipts.append(hall.take_in(bundles[(number or 0) % len(bundles)]))
            case "receipts" if receipts:
                outcomes = terminal.settle(receipts[(number or 0) % len(receipts)]).outcomes
                assert not outcomes[Outcome.STRANGE] + outcomes[Outcome.REFUSED]
    if terminal.open() and home:
        terminal.settle(hall.take_in(terminal.export().path))
    elif terminal.open():
        terminal.carry()
    check_effects(hall, terminal)
    terminal.queue.close()
