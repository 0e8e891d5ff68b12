"""A whole day of residents in virtual time, the same each time for the same seed."""

from __future__ import annotations

import random
from typing import Any

from apdu import errors as card
from drivers import events as device
from drivers.code_scanner import ScannerGone
from drivers.device import DeviceKind
from drivers.document_printer import (
    PrintEnd,
    PrinterReason,
    PrinterStatus,
    PrintOutcome,
    PrintProgress,
)
from drivers.pin_pad import PinTimeout
from kiosk.clock import VirtualClock
from kiosk.device_watch import DeviceWatch
from kiosk.documents.composer import ComposeFailed, ComposeProblem
from kiosk.events import Touch
from kiosk.executor import VirtualExecutor
from kiosk.pages import (
    HomePage,
    IdlePage,
    PeriodPage,
    PreviewPage,
    RatingPage,
    RiskPage,
    TakeSheetPage,
)
from kiosk.platform.errors import Outage, PlatformUnavailable
from kiosk.platform.link import PlatformUp
from kiosk.platform.models import (
    CardVerdict,
    CertificateState,
    CertificateVerdict,
    EcardResult,
    EcardVerdict,
    Risk,
    RiskVerdict,
)
from kiosk.runner import Runner
from kiosk.services.hall import hall
from tests.kiosk.terminal_double import (
    CARD_NUMBER,
    CERTIFICATE,
    ECARD_CODE,
    QUERY,
    READER,
    VERIFY,
    Cards,
    Composer,
    Issuing,
    Pin,
    Platform,
    Printer,
    Scanner,
    TerminalDouble,
    a_document,
    an_ecard,
    an_overview,
    holder,
    reading,
)

REFUSED = [result for result in EcardResult if result is not EcardResult.VERIFIED]
TOUCHES = [
    *("reveal", "leave", "help", "extend", "extend", "extend", "back", QUERY, "period.24"),
    *("period.60", "confirm", "print", "print", "taken", "grade.5", "skip", "again", "type"),
    *("key.A", "erase", "neither"),
]

SENSIBLE = {
    PeriodPage: ["period.24", "period.60"],
    RiskPage: ["confirm", "confirm", "back"],
    PreviewPage: ["print", "next"],
    TakeSheetPage: ["taken"],
    RatingPage: ["grade.5", "grade.1", "skip"],
}
"""What somebody touches who reads the page."""


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
        station.scanner = self._scanner()
        station.issuing, station.composer, station.printer = self._document_makers()
        watched: Any = {DeviceKind.PRINTER: station.printer}
        station.devices = DeviceWatch(watched, self.clock)
        self.outbox = double.outbox
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
            failed = False

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

            def overview(self, asker: Any) -> Any:
                day.executor.spend(day.rng.uniform(0.05, 9))
                if day.rng.random() < 0.05:
                    raise PlatformUnavailable(Outage.TIMEOUT)
                return an_overview()

            def catalogue(self) -> Any:
                raise PlatformUnavailable(Outage.TIMEOUT)

            def verify_ecard(self, code: str, division: str, key: str) -> Any:
                day.executor.spend(day.rng.uniform(0.05, 9))
                refused = EcardVerdict(day.rng.choice(REFUSED), None)
                return an_ecard() if day.rng.random() < 0.8 else refused

            def risk(self, item: str, asker: Any) -> Any:
                day.executor.spend(0.1)
                return RiskVerdict(day.rng.choices(list(Risk), [8, 1, 1])[0], "R-0101")

            def verify_certificate(self, code: str, digest: str) -> Any:
                day.executor.spend(0.3)
                return CertificateVerdict(CertificateState.UNKNOWN, None)

        return Line()

    def _scanner(self) -> Any:
        day = self

        class Stream:
            lane = "scanner"

            def run(self, report: Any) -> bytes:
                day.executor.spend(day.rng.uniform(0.5, 25))
                if day.rng.random() < 0.05:
                    raise ScannerGone("gone")
                return day.rng.choice([ECARD_CODE, ECARD_CODE, b"https://elsewhere.example"])

            def cancel(self) -> None:
                pass

        class Codes(Scanner):
            def codes(self) -> Any:
                return Stream()

        return Codes()

    def _document_makers(self) -> tuple[Any, Any, Any]:
        day = self

        class Desk(Issuing):
            def issue(self, asker: Any, kind: str, months: int) -> Any:
                day.executor.spend(day.rng.uniform(0.1, 7))
                return object()

        class Setter(Composer):
            def compose(self, certificate: Any, stamp: Any) -> Any:
                day.executor.spend(0.2)
                if day.rng.random() < 0.03:
                    raise ComposeFailed(ComposeProblem.CRASHED)
                return a_document(day.rng.randint(1, 2))

        class Press(Printer):
            def look(self) -> PrinterStatus:
                return PrinterStatus(day.rng.choices([None, PrinterReason.PAPER_OUT], [9, 1])[0])

            def print_document(self, document: Any, report: Any) -> PrintOutcome:
                for sheet in range(len(document.pages)):
                    day.executor.spend(day.rng.uniform(1, 4))
                    report(PrintProgress(sheet + 1))
                return PrintOutcome(day.rng.choices(list(PrintEnd), [18, 1, 1])[0])

        return Desk(), Setter(), Press()

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
        """Comes, chooses, shows card or phone, types, looks, prints, goes (sooner or later)."""
        self._post(Touch("start"))
        self._post(Touch(self.rng.choice([QUERY, QUERY, CERTIFICATE, VERIFY])))
        self.pass_time(self.rng.uniform(1, 20))
        if self.rng.random() < 0.7:
            self._post(device.CardInserted(READER, bytes(17)))
        for _ in range(self.rng.randint(1, 16)):
            self.pass_time(self.rng.uniform(1, 15))
            sensible = SENSIBLE.get(type(self.runner.moment.page), TOUCHES)
            self._post(Touch(self.rng.choice(sensible if self.rng.random() < 0.8 else TOUCHES)))
        self.pass_time(self.rng.uniform(0, 300))
        self._post(device.CardTaken(READER))
        # This scanner sees codes also when nobody is there.
        self.pass_time(self.rng.uniform(200, 400))


def test_three_hundred_residents_leave_the_terminal_as_they_found_it() -> None:
    day = Day(seed=1)
    for _ in range(300):
        day.resident()
        assert isinstance(day.runner.moment.page, (HomePage, IdlePage))
    lines = day.audit.events()
    assert lines.count("visit.begun") == lines.count("visit.ended") >= 300
    assert lines.count("query.shown") > 50
    assert lines.count("certificate.issued") > 10
    ways = {detail["method"] for detail in day.audit.details("identity.leg")}
    assert ways == {"internal-authenticate", "verify", "card-holder-file", "ecard-verification"}
    assert len(day.outbox.evaluations) == lines.count("evaluation.given") > 0
    assert "failsafe" not in lines


def test_the_same_seed_gives_the_same_day() -> None:
    days = [Day(seed=7), Day(seed=7), Day(seed=8)]
    for day in days:
        for _ in range(20):
            day.resident()
    assert days[0].moments == days[1].moments
    assert days[0].moments != days[2].moments
