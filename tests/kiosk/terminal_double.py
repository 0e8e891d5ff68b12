"""A terminal without threads or devices: the test decides what every call brings, and when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from apdu.reading import CardReading
from drivers import events as device
from drivers.device import DeviceKind
from drivers.document_printer import PrinterStatus
from drivers.id_card import IdCard, IdCardKind, Sex
from drivers.watch import WatchTimes
from kiosk.audit import events as catalogue
from kiosk.card_station import HeldSlot, SlotKind
from kiosk.clock import VirtualClock
from kiosk.config import DEMO_ROOT_KEY
from kiosk.device_watch import DeviceLane, DeviceWatch
from kiosk.documents.composer import Document
from kiosk.events import Touch
from kiosk.executor import Result
from kiosk.limits import Limits
from kiosk.moment import Moment
from kiosk.pack import load, read_root
from kiosk.platform.link import DownCause, PlatformDown, PlatformUp
from kiosk.platform.models import (
    AccountState,
    Annuity,
    CardVerdict,
    Contribution,
    EcardHolder,
    EcardResult,
    EcardVerdict,
    Month,
    Overview,
    PaymentState,
    Pension,
    PersonalPension,
    Unavailable,
    UnavailableReason,
    Unemployment,
)
from kiosk.runner import Runner
from kiosk.services import ESTABLISHED
from kiosk.services.hall import hall
from kiosk.slot import Slot
from kiosk.station import Station

READER = "Test Contact Reader 00 00"
NUMBER = "429900197801160029"
NAME = "王秀芳"
CARD_NUMBER = "B00000001"
TAG = "5a" * 32
QUERY = "item.429900-QUERY-ALL"
STATUS = "item.429900-CARD-STATUS"
CERTIFICATE = "item.429900-CERT-PARTICIPATION"
VERIFY = "item.429900-CERT-VERIFY"
SERIAL = "T429900-0003-261121-7F3KQ2"
ECARD_CODE = b"SSC1" + b"a1" * 20
TICKET = "0f" * 16
PACK = Path(__file__).parents[2] / "kiosk" / "packs" / "demo"
_PACK = load(PACK, read_root(DEMO_ROOT_KEY), today=date(2026, 11, 21), services=ESTABLISHED)


def holder() -> Any:
    return SimpleNamespace(social_security_number=str(NUMBER), name=str(NAME))


def reading(
    *, genuine: bool | None = True, consistent: bool = True, with_holder: bool = True
) -> CardReading:
    issuer = SimpleNamespace(
        card_id=bytes(range(16)),
        card_number=CARD_NUMBER,
        version="3.00",
        issued=date(2022, 4, 13),
        expires=date(2032, 4, 13),
    )
    return CardReading(
        profile="v3",
        atr=bytes(17),
        issuer=issuer,  # type: ignore[arg-type]
        holder=holder() if with_holder else None,
        holder_unavailable=None,
        genuine=genuine,
        consistent=consistent,
        apdus=6,
    )


def an_overview() -> Overview:
    return Overview(
        name=NAME,
        as_of=date(2026, 11, 20),
        pension=Pension(
            months=186,
            account_fen=8_421_356,
            retirement=Month(2029, 8),
            state=PaymentState.PAYING,
            recent=tuple(
                Contribution(Month(2026, month), 500_000 + month * 1000, month <= 10)
                for month in range(1, 13)
            ),
        ),
        unemployment=Unemployment(152, PaymentState.PAYING),
        work_injury=Unavailable(UnavailableReason.MAINTENANCE),
        annuity=Annuity(1_200_640, Month(2026, 10)),
        personal_pension=PersonalPension(AccountState.NONE, 0, 1_200_000),
    )


def an_ecard() -> EcardVerdict:
    return EcardVerdict(EcardResult.VERIFIED, EcardHolder(NUMBER, NAME, TICKET))


def an_id_card(name: str = NAME, english_name: str = "") -> IdCard:
    return IdCard(
        kind=IdCardKind.CITIZEN,
        number=NUMBER,
        sex=Sex.FEMALE,
        born=date(1978, 1, 16),
        valid_from=date(2020, 1, 2),
        valid_until=None,
        photo=b"",
        name=name,
        english_name=english_name,
    )


def a_document(pages: int = 1) -> Document:
    pictures = tuple(f"page {NAME} {index}".encode() for index in range(pages))
    return Document(b"%PDF", pictures, SERIAL, "CDEFGHJKLMNPQRS2")


class Pin:
    """What the pad gives; counts how often it was wiped."""

    def __init__(self) -> None:
        self.wiped = False

    def wipe(self) -> None:
        self.wiped = True


@dataclass
class PadStreamDouble:
    lane: str = "pad"
    cancelled: int = 0

    def run(self, report: Any) -> Any:
        raise AssertionError("the hand-driven executor never runs work")

    def cancel(self) -> None:
        self.cancelled += 1


class Cards:
    lane = "card"
    gives_back = False
    card_id = bytes(range(16))

    def __init__(self) -> None:
        self.released = 0
        self.held = HeldSlot(SlotKind.READER, "Contact")

    def read(self) -> Any:
        raise AssertionError("the hand-driven executor never runs work")

    def verify_pin(self, entered: Any) -> Any:
        raise AssertionError("the hand-driven executor never runs work")

    def release(self) -> None:
        self.released += 1


class Pads:
    lane = "pad"

    def __init__(self) -> None:
        self.failed = False
        self.streams: list[PadStreamDouble] = []

    def entry(self, card_number: str) -> PadStreamDouble:
        assert card_number == CARD_NUMBER
        self.streams.append(PadStreamDouble())
        return self.streams[-1]


class Platform:
    lane = "platform"

    def __init__(self) -> None:
        self.keys = 0

    def card_verdict(self, card_id: bytes, card_number: str) -> Any:
        raise AssertionError("the hand-driven executor never runs work")

    def overview(self, asker: Any) -> Any:
        raise AssertionError("the hand-driven executor never runs work")

    def new_key(self) -> str:
        self.keys += 1
        return f"T429900-0003-{self.keys}"

    def verify_ecard(self, code: str, division: str, key: str) -> Any:
        raise AssertionError("the hand-driven executor never runs work")

    def risk(self, item: str, asker: Any) -> Any:
        raise AssertionError("the hand-driven executor never runs work")

    def verify_certificate(self, code: str, digest: str) -> Any:
        raise AssertionError("the hand-driven executor never runs work")

    def catalogue(self) -> Any:
        raise AssertionError("the hand-driven executor never runs work")


class Audit:
    """Keeps lines, and refuses what the catalogue does not know."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, Any]]] = []

    def write(
        self,
        event: str,
        *,
        actor: str | None = None,
        outcome: str = "ok",
        visit: int | None = None,
        detail: Any = None,
    ) -> None:
        kind = catalogue.event_kind(event)
        kind.check(kind.who[0] if actor is None else catalogue.actor_named(actor), detail or {})
        catalogue.outcome_named(outcome)
        self.lines.append((event, outcome, dict(detail or {})))

    def events(self) -> list[str]:
        return [event for event, _, _ in self.lines]

    def details(self, event: str) -> list[dict[str, Any]]:
        return [detail for name, _, detail in self.lines if name == event]


class AlarmsDouble:
    def __init__(self) -> None:
        self.raised: list[tuple[str, str]] = []

    def raise_alarm(self, kind: Any, event: str, visit: int | None) -> None:
        self.raised.append((kind.value, event))


class OutboxDouble:
    def __init__(self) -> None:
        self.evaluations: list[tuple[str, int]] = []

    def put_evaluation(self, item: str, grade: int) -> None:
        self.evaluations.append((item, grade))


@dataclass
class CodeStreamDouble:
    lane: str = "scanner"
    cancelled: int = 0

    def run(self, report: Any) -> Any:
        raise AssertionError("the hand-driven executor never runs work")

    def cancel(self) -> None:
        self.cancelled += 1


class Scanner:
    lane = "scanner"

    def __init__(self) -> None:
        self.failed = False
        self.newcomers = 0
        self.streams: list[CodeStreamDouble] = []

    def somebody_new(self) -> None:
        self.newcomers += 1

    def codes(self) -> CodeStreamDouble:
        self.streams.append(CodeStreamDouble())
        return self.streams[-1]


@dataclass
class IdCardStreamDouble:
    lane: str = "id-reader"
    cancelled: int = 0

    def run(self, report: Any) -> Any:
        raise AssertionError("the hand-driven executor never runs work")

    def cancel(self) -> None:
        self.cancelled += 1


class IdReader:
    lane = "id-reader"

    def __init__(self) -> None:
        self.failed = False
        self.lies = False
        self.watched = False
        self.streams: list[IdCardStreamDouble] = []

    def cards(self) -> IdCardStreamDouble:
        self.streams.append(IdCardStreamDouble())
        return self.streams[-1]

    def watch(self) -> bool:
        raise AssertionError("the hand-driven executor never runs work")


class Printer:
    lane = "printer"

    def __init__(self) -> None:
        self.status: PrinterStatus | None = None

    @property
    def obstacle(self) -> Any:
        return None if self.status is None else self.status.reason

    def new_serial(self) -> str:
        return SERIAL

    def look(self) -> Any:
        raise AssertionError("the hand-driven executor never runs work")

    def print_document(self, document: Any, report: Any) -> Any:
        raise AssertionError("the hand-driven executor never runs work")


class Issuing:
    lane = "platform"

    def issue(self, asker: Any, kind: str, months: int) -> Any:
        raise AssertionError("the hand-driven executor never runs work")


class Composer:
    lane = "composer"

    def __init__(self) -> None:
        self.forgotten = 0

    def compose(self, certificate: Any, stamp: Any) -> Any:
        raise AssertionError("the hand-driven executor never runs work")

    def forget(self) -> None:
        self.forgotten += 1


@dataclass
class HandJob:
    lane: str
    work: Callable[..., Any]
    report: Callable[[Any], None]
    done: Callable[[Result], None]
    abandoned: bool = False
    ended: bool = False

    def abandon(self) -> None:
        self.abandoned = True


class HandExecutor:
    """Work waits until the test says how it ends."""

    def __init__(self) -> None:
        self.jobs: list[HandJob] = []
        self.aside: list[HandJob] = []
        self.looks: list[HandJob] = []
        self.stuck_lanes: set[str] = set()

    def start(self, lane: str, work: Any, report: Any, done: Any) -> HandJob:
        job = HandJob(lane, work, report, done)
        if isinstance(work, partial):
            # A look of `DeviceWatch`.
            self.looks.append(job)
            return job
        if lane == "background" or getattr(work, "__name__", "") == "<lambda>":
            self.aside.append(job)
            return job
        self.jobs.append(job)
        return job

    def stuck(self, lane: str) -> bool:
        return lane in self.stuck_lanes

    def close(self) -> None:
        pass

    @property
    def current(self) -> HandJob | None:
        return self.on("")

    def on(self, lane: str) -> HandJob | None:
        """The newest work on a lane, or on any."""
        running = (job for job in reversed(self.jobs) if not job.ended and not job.abandoned)
        return next((job for job in running if lane in ("", job.lane)), None)


WATCHED = (
    DeviceKind.READER,
    DeviceKind.PSAM,
    DeviceKind.ID_READER,
    DeviceKind.SCANNER,
    DeviceKind.PAD,
    DeviceKind.PRINTER,
    DeviceKind.SENSORS,
)


def _never_opened() -> Any:
    raise AssertionError("the hand-driven executor never runs work")


@dataclass
class TerminalDouble:
    """The runner with everything around it in the test's hand."""

    limits: Limits = field(default_factory=Limits)
    with_id_reader: bool = False

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.executor = HandExecutor()
        self.audit = Audit()
        self.alarms = AlarmsDouble()
        self.cards = Cards()
        self.pads = Pads()
        self.platform = Platform()
        self.scanner = Scanner()
        self.id_reader = IdReader() if self.with_id_reader else None
        self.printer = Printer()
        self.composer = Composer()
        self.outbox = OutboxDouble()
        self.lines_back = 0
        self.moments: list[Moment] = []
        self.wipes = 0
        self.free_bytes = 10**12
        # Looks end as the test says, if ever.
        self.devices = DeviceWatch(
            {kind: DeviceLane(kind, _never_opened) for kind in WATCHED},
            self.clock,
            WatchTimes(steady=self.limits.device_retry, jitter=0),
            silence=10**9,
        )
        self.station = Station(
            clock=self.clock,
            limits=self.limits,
            slot=Slot("Contact"),
            cards=self.cards,  # type: ignore[arg-type]
            pad=self.pads,  # type: ignore[arg-type]
            platform=self.platform,  # type: ignore[arg-type]
            pack=_PACK,
            audit=self.audit,  # type: ignore[arg-type]
            alarms=self.alarms,  # type: ignore[arg-type]
            terminal_id="T429900-0003",
            outbox=self.outbox,  # type: ignore[arg-type]
            issuing=Issuing(),  # type: ignore[arg-type]
            composer=self.composer,  # type: ignore[arg-type]
            subject_tag=lambda number: TAG,
            free_bytes=lambda: self.free_bytes,
            devices=self.devices,
            scanner=self.scanner,  # type: ignore[arg-type]
            id_reader=self.id_reader,  # type: ignore[arg-type]
            printer=self.printer,  # type: ignore[arg-type]
            line_back=self._line_back,
        )
        self.runner = Runner(
            station=self.station,
            executor=self.executor,
            hall=hall,
            show=self.moments.append,
            wipe=self._wiped,
        )
        self.post(device.ReaderAttached(READER), PlatformUp(0.0))

    def _line_back(self) -> None:
        self.lines_back += 1

    def _wiped(self) -> None:
        self.wipes += 1
        self.moments.clear()

    # --- what happens -----------------------------------------------------------------------

    def post(self, *events: Any) -> None:
        for event in events:
            self.runner.post(event)
        self.runner.pump()

    def touch(self, *ids: str) -> None:
        for touched in ids:
            self.post(Touch(touched))

    def insert(self) -> None:
        self.post(device.CardInserted(READER, bytes(17)))

    def take(self) -> None:
        self.post(device.CardTaken(READER))

    def id_card_lies(self, *, lies: bool) -> None:
        """An ID card lies on the reader from now on, or does not."""
        if self.id_reader is not None:
            self.id_reader.lies = self.id_reader.watched = lies

    def line_down(self) -> None:
        self.post(PlatformDown(0.0, DownCause.UNAVAILABLE))

    def finish(self, value: Any = None, error: Exception | None = None, lane: str = "") -> None:
        """The current piece of work ends, or that on a lane."""
        job = self.executor.on(lane)
        assert job is not None, "no work is going on"
        job.ended = True
        job.done(Result(value, error))
        self.runner.pump()

    def report(self, value: Any) -> None:
        job = self.executor.current
        assert job is not None, "no work is going on"
        job.report(value)
        self.runner.pump()

    def wait(self, seconds: float) -> None:
        """Time passes, second by second, as in the main loop."""
        until = self.clock.monotonic() + seconds
        while self.clock.monotonic() < until:
            step = min(0.5, until - self.clock.monotonic())
            self.clock.move_to(self.clock.monotonic() + step)
            self.runner.pump()

    # --- where it is ------------------------------------------------------------------------

    @property
    def page(self) -> Any:
        return self.runner.moment.page

    @property
    def phase(self) -> str:
        return self.runner.phase.value

    def to_identify(self) -> None:
        self.touch(QUERY)

    def to_pin(self, item: str = QUERY) -> None:
        self.touch(item)
        self.insert()
        self.finish(reading())
        self.finish(CardVerdict.NORMAL)

    def to_overview(self) -> None:
        self.to_pin()
        self.finish(Pin())
        self.finish(holder())
        self.finish(an_overview())
