"""A whole day of residents in virtual time, the same each time for the same seed."""

from __future__ import annotations

import random
from typing import Any

from apdu import errors as card
from drivers import events as device
from drivers.pin_pad import PinTimeout
from kiosk.clock import VirtualClock
from kiosk.events import Touch
from kiosk.executor import VirtualExecutor
from kiosk.pages import HomePage, IdlePage
from kiosk.platform.errors import Outage, PlatformUnavailable
from kiosk.platform.link import PlatformUp
from kiosk.platform.models import CardVerdict
from kiosk.runner import Runner
from kiosk.services.hall import hall
from tests.kiosk.terminal_double import (
    CARD_NUMBER,
    QUERY,
    READER,
    Cards,
    Pin,
    Platform,
    TerminalDouble,
    an_overview,
    holder,
    reading,
)


class Day:
    """The runner on a virtual executor, with devices whose answers and delays are drawn by lot."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.clock = VirtualClock()
        self.executor = VirtualExecutor(self.clock)
        double = TerminalDouble()
        self.audit = double.audit
        station = double.station
        station.clock = self.clock
        station.cards = self._cards()
        station.pad = self._pad()
        station.platform = self._platform()
        self.moments: list[str] = []
        self.runner = Runner(
            station=station,
            executor=self.executor,
            hall=hall,
            show=lambda moment: self.moments.append(type(moment.page).__name__),
            wipe=lambda: None,
        )
        self._post(device.ReaderAttached(READER), PlatformUp(0.0))

    def _cards(self) -> Any:
        day = self

        class Reading(Cards):
            def read(self) -> Any:
                day.executor.spend(day.rng.uniform(0.1, 1.5))
                if day.rng.random() < 0.05:
                    raise card.CardMute
                return reading(genuine=day.rng.random() > 0.02)

            def verify_pin(self, entered: Any) -> Any:
                day.executor.spend(0.2)
                if day.rng.random() < 0.2:
                    raise card.PinRejected(2)
                return holder()

        return Reading()

    def _pad(self) -> Any:
        day = self

        class Stream:
            lane = "pad"

            def run(self, report: Any) -> Pin:
                for count in range(1, 7):
                    day.executor.spend(day.rng.uniform(0.2, 3))
                    report(count)
                if day.rng.random() < 0.02:
                    raise PinTimeout
                return Pin()

            def cancel(self) -> None:
                pass

        class Pad:
            lane = "pad"

            def entry(self, card_number: str) -> Stream:
                assert card_number == CARD_NUMBER
                return Stream()

        return Pad()

    def _platform(self) -> Any:
        day = self

        class Line(Platform):
            def card_verdict(self, card_id: bytes, card_number: str) -> Any:
                day.executor.spend(day.rng.uniform(0.05, 2))
                return day.rng.choices(list(CardVerdict), [50, 1, 1, 1, 1, 1, 1])[0]

            def overview(self, number: str, card_id: bytes, evidence: Any) -> Any:
                day.executor.spend(day.rng.uniform(0.05, 9))
                if day.rng.random() < 0.05:
                    raise PlatformUnavailable(Outage.TIMEOUT)
                return an_overview()

            def catalogue(self) -> Any:
                raise PlatformUnavailable(Outage.TIMEOUT)

        return Line()

    def _post(self, *events: Any) -> None:
        for event in events:
            self.runner.post(event)
        self.runner.pump()

    def pass_time(self, seconds: float) -> None:
        """Jump from one due moment to the next."""
        until = self.clock.monotonic() + seconds
        while self.clock.monotonic() < until:
            moments = [until]
            if (wake := self.runner.next_wake()) is not None:
                moments.append(self.clock.monotonic() + max(wake, 0.001))
            if self.executor.next_due is not None:
                moments.append(self.executor.next_due)
            self.clock.move_to(min(max(min(moments), self.clock.monotonic()), until))
            self.executor.deliver()
            self.runner.pump()

    def resident(self) -> None:
        """Comes, chooses, puts the card in, types, looks, and takes the card (sooner or later)."""
        self._post(Touch("start"))
        self._post(Touch(QUERY))
        self.pass_time(self.rng.uniform(1, 20))
        self._post(device.CardInserted(READER, bytes(17)))
        for _ in range(self.rng.randint(1, 12)):
            self.pass_time(self.rng.uniform(1, 15))
            self._post(Touch(self.rng.choice(["reveal", "leave", "help", "extend", "back", QUERY])))
        self.pass_time(self.rng.uniform(0, 200))
        self._post(device.CardTaken(READER))
        self.pass_time(self.rng.uniform(13, 120))


def test_three_hundred_residents_leave_the_terminal_as_they_found_it() -> None:
    day = Day(seed=1)
    for _ in range(300):
        day.resident()
        assert isinstance(day.runner.moment.page, (HomePage, IdlePage))
    lines = day.audit.events()
    assert lines.count("visit.begun") == lines.count("visit.ended") >= 300
    assert lines.count("query.shown") > 100
    assert "failsafe" not in lines


def test_the_same_seed_gives_the_same_day() -> None:
    days = [Day(seed=7), Day(seed=7), Day(seed=8)]
    for day in days:
        for _ in range(20):
            day.resident()
    assert days[0].moments == days[1].moments
    assert days[0].moments != days[2].moments
