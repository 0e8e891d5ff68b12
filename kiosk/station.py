"""One terminal's belongings: what flows and the runner may use, and whether it can serve."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import assert_never

from drivers.code_scanner import ScanCancelled, ScannerError, ScannerReason, ScannerStatus
from drivers.device import DeviceKind, Status
from drivers.document_printer import PrinterReason, PrinterStatus
from drivers.id_reader import (
    IdReaderBroken,
    IdReaderError,
    IdReaderReason,
    IdReaderStatus,
    LicenceMissing,
    ReadCancelled,
)
from drivers.pin_pad import PadReason
from drivers.reader_device import SlotReason
from drivers.sensors import SensorsReason, SensorsStatus
from drivers.watch import Back, Change, Changed, Lost, NoteAdded, NoteGone
from kiosk.alarms import Alarms
from kiosk.audit.log import AuditLog, AuditUnavailable
from kiosk.capture import CardCaptured, CardNotReturned, record_capture
from kiosk.card_station import CardStation, HeldSlot
from kiosk.clock import Clock
from kiosk.code_station import CodeStation
from kiosk.device_watch import DeviceSeen, DeviceWatch
from kiosk.documents.composer import Composer
from kiosk.events import CatalogueSeen, IdCardSeen, News, QueueSeen
from kiosk.executor import Executor, Result
from kiosk.failures import Failure, kinds
from kiosk.id_station import IdStation
from kiosk.issuing import Issuing
from kiosk.lights import SlotLights
from kiosk.limits import Limits
from kiosk.outbox import Outbox
from kiosk.pack import Pack
from kiosk.pad_station import PadStation
from kiosk.platform.client import PlatformClient
from kiosk.platform.link import PlatformDown, PlatformUp
from kiosk.platform.models import AlarmKind, Catalogue
from kiosk.print_station import PrintStation
from kiosk.receipt_station import ReceiptStation
from kiosk.slot import Slot
from kiosk.texts import LANGUAGES
from offline_queue.room import Level

log = logging.getLogger(__name__)

TAMPERED = "tampered"
"""The refusal of a case that was opened by force (S5 6.4.5), and its message."""
LAST_SECONDS = 1.0
"""So long the end of the process waits for a card to be powered off."""


def _ignore(_value: object) -> None:
    """Background work reports nothing."""


def _log_failure(result: Result) -> None:
    if result.error is not None:
        log.error("background work failed", exc_info=result.error)


@dataclass
class Station:
    """Everything that stays while visits come and go.

    Attributes:
        subject_tag: what stands for a person's number in the audit log.
        free_bytes: free space of the state directory now.
        scanner, id_reader, printer, receipt, lights: None where the machine has none.
        devices: looks at them and at what no visit uses yet.
        devices_changed: told when the health of one of them is another.
        tampered: told when the case was opened by force, before anything else happens.
        line_back: called when the platform can be reached again.
        line_up: whether the platform can be reached; None before the first answer.
        waiting: messages that wait for the platform.
        paused: item codes that the platform's catalogue does not offer at the moment.
        refusal: why nobody may be served until an engineer came (message id), or None.
        room: whose messages the queue still takes.
        stuck: the slot that a call never came back from, None when all are free.
        out_of_reach: a card is in the dispenser that could not be given back.
        stopping: set when the process ends: nobody waits for a card to be taken any more.
        id_card_lies: an ID card that was read was left on its reader.
    """

    clock: Clock
    limits: Limits
    slot: Slot
    cards: CardStation
    pad: PadStation
    platform: PlatformClient
    pack: Pack
    audit: AuditLog
    alarms: Alarms
    terminal_id: str
    outbox: Outbox
    issuing: Issuing
    composer: Composer
    subject_tag: Callable[[str], str]
    free_bytes: Callable[[], int]
    devices: DeviceWatch
    scanner: CodeStation | None = None
    id_reader: IdStation | None = None
    printer: PrintStation | None = None
    receipt: ReceiptStation | None = None
    lights: SlotLights | None = None
    line_back: Callable[[], None] = lambda: None
    devices_changed: Callable[[], None] = lambda: None
    tampered: Callable[[], None] = lambda: None
    line_up: bool | None = None
    paused: frozenset[str] = frozenset()
    refusal: str | None = None
    waiting: int = 0
    room: Level = Level.FREE
    stuck: HeldSlot | None = None
    out_of_reach: bool = False
    stopping: threading.Event = field(default_factory=threading.Event)
    id_card_lies: bool = False
    _watching: bool = False
    _held_since: float | None = None

    @property
    def default_language(self) -> str:
        return next(iter(LANGUAGES))

    @property
    def printing(self) -> PrintStation:
        """The printer of a machine that has one.

        Raises:
            LookupError: it has none; nothing that prints was offered.
        """
        if self.printer is None:
            raise LookupError("this machine has no printer")
        return self.printer

    @property
    def obstacle(self) -> PrinterReason | None:
        """Why the printer can't print, None when it can or there is none."""
        return None if self.printer is None else self.printer.obstacle

    @property
    def reader_ok(self) -> bool:
        """Cards can be read, as far as the reader and the card in it let them."""
        return self.slot.attached and self.stuck is None and not self.out_of_reach

    def next_language(self, language: str) -> str:
        """The language after this one, around and around."""
        tags = list(LANGUAGES)
        return tags[(tags.index(language) + 1) % len(tags)]

    def record(
        self,
        event: str,
        *,
        outcome: str,
        visit: int | None = None,
        detail: Mapping[str, str | int] | None = None,
    ) -> None:
        """Write an audit line; without a working audit log the terminal serves nobody."""
        try:
            self.audit.write(event, outcome=outcome, visit=visit, detail=detail)
        except AuditUnavailable:
            self.refusal = "audit"
            raise

    def failed(self, failure: Failure, visit: int) -> None:
        """Record a failure that ended a visit, and raise its alarm where it has one."""
        kind = kinds()[failure.name]
        if kind.audit is not None:
            detail = {"reason": failure.name}
            self.record(kind.audit, outcome="refused", visit=visit, detail=detail)
        # Of a slot that is stuck staff were told once, not again by each who wants to use it.
        if kind.alarm is not None and not (self.stuck and failure.name == "reader-busy"):
            self.alarm(AlarmKind(kind.alarm), failure.name, visit)

    def alarm(self, kind: AlarmKind, event: str, visit: int | None = None) -> None:
        """Tell the platform's staff; written down now, delivered when the line is up."""
        self.alarms.raise_alarm(kind, event, visit)

    def hear(self, news: News, executor: Executor, post: Callable[[News], None]) -> None:
        """Take in what concerns the terminal as a whole."""
        match news:
            case CatalogueSeen(paused=paused):
                self.paused = paused
            case QueueSeen(waiting=waiting, level=level):
                self.waiting = waiting
                self._room_changed(level)
            case DeviceSeen():
                self._device_seen(news)
            case CardCaptured() | CardNotReturned():
                self.out_of_reach = isinstance(news, CardNotReturned) and news.out_of_reach
                record_capture(news, self.record, partial(self.alarm, AlarmKind.DEVICE_FAULT))
            case IdCardSeen(lies=lies):
                self._watching, self.id_card_lies = False, lies
            case PlatformUp() | PlatformDown():
                self._line_changed(isinstance(news, PlatformUp), executor, post)
            case _:
                assert_never(news)

    def _room_changed(self, level: Level) -> None:
        """Staff are told while there still is room to tell them."""
        before, self.room = self.room, level
        if level is before:
            return
        word = level.name.lower().replace("_", "-")
        outcome = "ok" if level < before else "fault"
        self.record("queue.room", outcome=outcome, detail={"level": word})
        if level > before and level >= Level.CRITICAL_ONLY:
            self.alarm(AlarmKind.DEVICE_FAULT, f"queue-{word}")

    def _line_changed(self, up: bool, executor: Executor, post: Callable[[News], None]) -> None:
        if self.line_up is up:
            return
        self.line_up = up
        if up:
            self.record("platform.back", outcome="ok", detail={})
            self.line_back()
            self._ask_catalogue(executor, post)
        else:
            self.record("platform.lost", outcome="fault", detail={})

    def _ask_catalogue(self, executor: Executor, post: Callable[[News], None]) -> None:
        def seen(result: Result) -> None:
            if isinstance(result.value, Catalogue):
                items = result.value.items
                post(CatalogueSeen(frozenset(item.code for item in items if not item.available)))

        executor.start("background", lambda _report: self.platform.catalogue(), _ignore, seen)

    def _device_seen(self, news: DeviceSeen) -> None:
        """What can't serve is closed at first sight; staff are told of what stays (`DeviceWatch`),
        and of a case that was opened by force at once."""
        reason = news.status.reason
        match news.kind:
            case DeviceKind.PRINTER if self.printer is not None:
                self.printer.status = _as_printer(news.status)
            case DeviceKind.SCANNER if self.scanner is not None:
                self.scanner.failed = reason is not None
            case DeviceKind.ID_READER if self.id_reader is not None:
                self.id_reader.failed = reason is not None
            case DeviceKind.RECEIPT if self.receipt is not None:
                self.receipt.failed = reason is not None
            case DeviceKind.PAD:
                self.pad.failed = reason is not None
            case DeviceKind.SENSORS if reason is SensorsReason.TAMPERED:
                self._tampered()
            case _:
                pass
        before = self.devices.healths()
        for change in self.devices.seen(news):
            self._device_changed(news.kind.value, change)
        if self.devices.healths() != before:
            self.devices_changed()

    def _device_changed(self, device: str, change: Change) -> None:
        match change:
            case Lost(SlotReason.STUCK) | Changed(SlotReason.STUCK) if self.stuck is not None:
                # By a call of ours: `look_at_slots` has told of it.
                pass
            case Lost(reason) | Changed(reason):
                detail = {"device": device, "reason": str(reason.value)}
                self.record("device.lost", outcome="fault", detail=detail)
                tampered = reason is PadReason.TAMPERED
                kind = AlarmKind.TAMPER if tampered else AlarmKind.DEVICE_FAULT
                self.alarm(kind, f"{device}.{reason.value}")
            case Back():
                self.record("device.back", outcome="ok", detail={"device": device})
            case NoteAdded(note):
                detail = {"device": device, "note": str(note.value)}
                self.record("device.noted", outcome="ok", detail=detail)
            case NoteGone():
                pass
            case _:
                assert_never(change)

    def approached(self, news: DeviceSeen) -> bool:
        """Whether somebody has come before the terminal since it was looked at last; asked before
        the news is heard."""
        return _present(news.status) and not _present(self.devices.last(news.kind))

    def _tampered(self) -> None:
        """Nobody is served before an engineer came, whatever the sensor says meanwhile."""
        if self.refusal != TAMPERED:
            self.refusal = TAMPERED
            self.tampered()
            self.record("terminal.tampered", outcome="fault", detail={})
            self.alarm(AlarmKind.TAMPER, "terminal.tampered")

    def look_at_slots(self, executor: Executor) -> None:
        """Mark the slot whose call was given up and has not come back, once staff must know: a
        call whose card was pulled in the middle needs a moment, and is no fault.

        Nothing can cancel a call that a card or reader holds; the slot is well when it returns.
        """
        now = self.clock.monotonic()
        if not executor.stuck(self.cards.lane):
            self._held_since = None
            freed, self.stuck = self.stuck, None
            if freed is not None:
                self.record("device.back", outcome="ok", detail={"device": freed.kind.value})
        elif self._held_since is None:
            self._held_since = now
        elif self.stuck is None and now - self._held_since >= self.limits.device_retry:
            self.stuck = self.cards.held
            word = self.stuck.kind.value
            self.record("device.lost", outcome="fault", detail={"device": word, "reason": "stuck"})
            self.alarm(AlarmKind.DEVICE_FAULT, f"{word}.stuck")

    def watch_id_card(self, executor: Executor, post: Callable[[News], None]) -> None:
        """Look whether the ID card that was read was taken away; the answer comes as news. A
        reader that is gone answers that nothing lies there."""
        reader = self.id_reader
        if reader is None or not reader.watched or self._watching or executor.stuck(reader.lane):
            return
        self._watching = True

        def seen(result: Result) -> None:
            post(IdCardSeen(result.value is True))

        executor.start(reader.lane, lambda _report: reader.watch(), _ignore, seen)

    def source_failed(self, lane: str, error: Exception) -> None:
        """Scanner or ID reader could not read: as good as a look at it, and the next way to go."""
        source = self._source(lane)
        if source is None or isinstance(error, ScanCancelled | ReadCancelled):
            return
        if not isinstance(error, ScannerError | IdReaderError):
            log.error("the %s failed", lane, exc_info=error)
        self._device_seen(DeviceSeen(DeviceKind(lane), _as_source(lane, error)))

    def source_works(self, lane: str) -> None:
        """A code or a card was read."""
        if self.id_reader is not None and lane == self.id_reader.lane:
            self.id_card_lies = self.id_reader.lies
        if self._source(lane) is not None:
            self._device_seen(DeviceSeen(DeviceKind(lane), _as_source(lane, None)))

    def _source(self, lane: str) -> CodeStation | IdStation | None:
        sources = (self.scanner, self.id_reader)
        return next((each for each in sources if each is not None and each.lane == lane), None)

    def release_card(self, executor: Executor) -> None:
        """Power the card off behind whatever its worker still does."""
        if not executor.stuck(self.cards.lane):
            executor.start(
                self.cards.lane,
                lambda _report: self.cards.release(),
                _ignore,
                _log_failure,
            )

    def put_card_down(self) -> None:
        """Power the card off and offer it, at the very end. A slot that is held, by whomever, would
        hold us too: then the service powers it off when it sees that we are gone."""
        last = threading.Thread(target=self.cards.release, name="last release", daemon=True)
        last.start()
        last.join(LAST_SECONDS)


def _present(status: Status | None) -> bool:
    return isinstance(status, SensorsStatus) and status.present


def _as_printer(status: Status) -> PrinterStatus:
    """A printer whose call did not come back is as good as gone."""
    return status if isinstance(status, PrinterStatus) else PrinterStatus(PrinterReason.GONE)


def _as_source(lane: str, error: Exception | None) -> ScannerStatus | IdReaderStatus:
    """What a reading, or its error, says of how a source stands."""
    if lane == DeviceKind.SCANNER.value:
        return ScannerStatus(None if error is None else ScannerReason.GONE)
    match error:
        case None:
            return IdReaderStatus(None)
        case LicenceMissing():
            return IdReaderStatus(IdReaderReason.UNLICENSED)
        case IdReaderBroken():
            return IdReaderStatus(IdReaderReason.SELF_TEST)
        case _:
            return IdReaderStatus(IdReaderReason.GONE)
