"""What holds for every visit, whatever fails in it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hw_sim.hall.visits.moves import CARD_STATUS
from kiosk.audit.verify import verify
from kiosk.failures import kinds
from kiosk.state import StateDirectory
from kiosk.texts import LANGUAGES, texts
from tests.scenarios.faulty_hall import SETTLED, AuditLine, FaultyHall
from tests.scenarios.glass import Glimpse
from tests.scenarios.resident import Resident
from tests.scenarios.rows import Row, Setup

_EVERYWHERE = {"language", "help"}
_BY_HAND = {"take-card"}
"""Its way on is no touch: the card."""
_BY_ITSELF = {"printing", "printing.waiting", "slip.printing"}
"""Ends by the terminal's own limit."""
_TO_THE_MOMENT = 2
"""Tries. On a machine that stands still for seconds, the line is down before anything strikes, and
the resident is told so; nothing else is tried again."""
_PATIENT = 4
"""What was mended may need a moment."""
_BY_STAFF = {"out-of-service"}
"""Says whom to ask; nobody's visit is under way."""


def walk_row(hall: FaultyHall, row: Row) -> None:
    """Walk a visit with a fault in it; check what is owed, with the fault and when it is mended.

    The next row finds the hall and the terminal well, whatever happens here.
    """
    try:
        _walk_row(hall, row)
    except BaseException:
        for ask in row.mend:
            hall.ask_if_possible(ask.do, **ask.arguments)
        hall.put_right()
        raise


def _walk_row(hall: FaultyHall, row: Row) -> None:
    hall.refill()
    moment, strike = row.moment, row.strike
    for _ in range(_TO_THE_MOMENT):
        _await_well(hall, row)
        books = Books(hall)
        before = hall.exchanged(row.part)
        resident = Resident(
            hall,
            moment.errand,
            moment.at,
            lambda: hall.ask(strike.do, **strike.arguments),
            moment.detour,
        )
        resident.walk()
        if moment.at in resident.names or not _told_offline(resident):
            break
    saw = f"saw {resident.names}"
    assert moment.at in resident.names, saw
    check_ways_on(resident.trail)
    hall.await_that(lambda: hall.struck(row, before), f"it has not struck, {saw}")
    books.check_card(resident)
    if row.lasts:
        hall.await_that(lambda: books.alarms > 0, f"no alarm, {saw}")
    _mend(hall, row)
    _take_back(hall)
    # What the line held back may come later.
    if row.stays or row.part == "line" or moment.errand.goal not in resident.names:
        walk_plain(hall, row)
    books.check()


def _told_offline(resident: Resident) -> bool:
    return any(name.startswith("failure.") and "-offline" in name for name in resident.names)


def _mend(hall: FaultyHall, row: Row) -> None:
    for ask in row.mend:
        hall.ask(ask.do, **ask.arguments)
    lasts = row.stays and not row.mend
    hall.mend(row.part, lasts=lasts, seen=lambda: _is_seen(hall, row))
    if row.fatal:
        # By an engineer, who has looked at it.
        assert hall.glass.latest.name == "out-of-service"
        hall.stop()
        hall.start()
        hall.await_that(lambda: hall.glass.latest.name == "out-of-service", "it is not locked")
        hall.stop()
        hall.unlock()
        hall.start()


def _take_back(hall: FaultyHall) -> None:
    """A card that was out of reach comes back before anybody else is served."""
    if hall.card is not None:
        hall.await_that(
            lambda: hall.card_can_be_taken and hall.glass.latest.name == "take-card",
            "the card that was inside is not offered",
        )
        hall.ask("remove")


def _is_seen(hall: FaultyHall, row: Row) -> None:
    """Between two visits the terminal sees what has no power."""
    hall.await_home()
    kind = row.kind
    if kind is not None:
        hall.await_that(
            lambda: hall.healths().get(kind.value) is not None, f"{kind.value} is not missed"
        )


def _await_well(hall: FaultyHall, row: Row) -> None:
    """The menu is there, the device serves, and the errand is offered."""
    kind = row.kind
    if kind is not None:
        hall.await_that(
            lambda: hall.healths().get(kind.value) is None, f"{kind.value} is not well again"
        )
    # The card's status is offered only while the reader is there and free.
    hall.await_home(CARD_STATUS, row.moment.errand.item)


def walk_plain(hall: FaultyHall, row: Row) -> None:
    """Nothing fails any more: the next resident gets what they came for."""
    # An answer that the line held back comes with the next question, and is not believed. Slips are
    # offered again after the next look at their printer.
    late = row.part in ("line", "receipt")
    end = time.monotonic() + SETTLED
    while True:
        _await_well(hall, row)
        plain = Resident(hall, row.moment.errand, tries=_PATIENT)
        plain.walk()
        if plain.errand.goal in plain.names or not late or time.monotonic() > end:
            break
    assert plain.errand.goal in plain.names, f"not well again: {plain.names}"


def check_ways_on(trail: list[Glimpse]) -> None:
    for glimpse in trail:
        name = glimpse.name
        ways = glimpse.ids - _EVERYWHERE
        others = _BY_HAND | _BY_ITSELF | _BY_STAFF
        assert ways or glimpse.counts_down or name in others, f"no way on at {name}"
        if name.startswith("failure."):
            check_failure(name.removeprefix("failure."))


def check_failure(failure: str) -> None:
    assert failure in kinds()
    assert failure != "unexpected", "a bug ended the visit"
    for language in LANGUAGES:
        for what in ("title", "hint", "where"):
            assert texts(language)(f"failure.{failure}.{what}").strip()


@dataclass
class _Print:
    """One print intent as the audit log has it."""

    pages: int = 0
    result: str = ""


class Books:
    """What was written down since it was made: sheets, alarms, illegal bytes, audit lines."""

    def __init__(self, hall: FaultyHall) -> None:
        self._hall = hall
        hall.audit()
        self._audit: list[AuditLine] = []
        hall.errors.clear()
        self._illegal = hall.illegal()
        self._alarms = hall.alarms
        self._jobs = len(self._prints())
        self._slips = self._count_slips()

    @property
    def alarms(self) -> int:
        """That the platform has received."""
        return self._hall.alarms - self._alarms

    def check_card(self, resident: Resident) -> None:
        """It is back with its holder, or staff know that it is not."""
        # Nobody can tell of a card that never was seen.
        seen = "card.inserted" in [line.event for line in self._read_audit()]
        names = resident.names
        assert not (resident.unasked and seen), f"nobody asks for the card, saw {names}"
        if self._hall.card is not None:
            assert self._hall.setup is Setup.DISPENSER, f"a card is still in, saw {names}"
            said = {"failure.card-not-returned", "out-of-service"} & set(names)
            assert said or not seen, f"nobody says that the card is still in, saw {names}"
            self._hall.await_that(lambda: self.alarms > 0, "nobody hears of a card that is kept")

    def check(self) -> None:
        """Everything, at the end."""
        hall = self._hall
        hall.await_that(self._printed_all, "a print is still open")
        illegal = hall.illegal()[len(self._illegal) :]
        assert not illegal, f"no correct host sends that: {illegal}"
        assert hall.card_bugs == 0
        assert not hall.errors, hall.errors
        assert verify(StateDirectory(hall.state).audit_log).ok
        self._check_sheets()
        ended = [line for line in self._read_audit() if line.event == "slip.ended"]
        assert self._count_slips() - self._slips <= len(ended), "more slips than were asked for"

    def _read_audit(self) -> list[AuditLine]:
        self._audit += self._hall.audit()
        return self._audit

    def _count_slips(self) -> int:
        return int(self._hall.stands("receipt")["slips"])

    def _prints(self) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = self._hall.ask("prints")["prints"]
        return found

    def _printed_all(self) -> bool:
        return not self._hall.stands("printer")["jobs"]

    def _check_sheets(self) -> None:
        out: Counter[str] = Counter()
        for job in self._prints()[self._jobs :]:
            out[job["name"]] += job["sheets_out"]
        ended: dict[str, _Print] = {}
        begun = []
        for line in self._read_audit():
            if line.event == "print.begun":
                begun.append(line.detail["serial"])
            elif line.event == "print.ended":
                assert line.detail["serial"] not in ended, "settled twice"
                ended[line.detail["serial"]] = _Print(line.detail["pages"], line.detail["result"])
        assert sorted(begun) == sorted(ended), "each print that began has an end"
        assert set(out) <= set(ended), "what came out was asked for"
        for serial, asked in ended.items():
            assert out[serial] <= asked.pages, f"{out[serial]} sheets of {asked}"
            if asked.result == "done":
                assert out[serial] == asked.pages
            if asked.result == "failed":
                assert out[serial] == 0
