"""Whatever happens in whatever order: idle is reached, nobody is left behind."""

from __future__ import annotations

import gc
from collections import deque
from types import FrameType, FunctionType, ModuleType
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from apdu import errors as card
from drivers import events as device
from drivers.code_scanner import ScannerGone
from drivers.document_printer import PrintEnd, PrintOutcome, PrintProgress
from drivers.id_reader import IdReaderGone, LicenceMissing
from drivers.pin_pad import PadGone, PinCancelled
from kiosk.documents.composer import ComposeFailed, ComposeProblem
from kiosk.events import IdCardSeen
from kiosk.pages import HomePage, IdCardProblem, IdlePage
from kiosk.platform.errors import Outage, PlatformUnavailable
from kiosk.platform.link import PlatformUp
from kiosk.platform.models import (
    CardVerdict,
    CertificateState,
    CertificateVerdict,
    Risk,
    RiskVerdict,
)
from kiosk.steps import AwaitAny, Run, Watch
from tests.kiosk.terminal_double import (
    CARD_NUMBER,
    CERTIFICATE,
    ECARD_CODE,
    NAME,
    NUMBER,
    QUERY,
    READER,
    STATUS,
    VERIFY,
    Pin,
    TerminalDouble,
    a_document,
    an_ecard,
    an_id_card,
    an_overview,
    holder,
    reading,
)

TOUCHES = [
    *(QUERY, STATUS, CERTIFICATE, VERIFY, "back", "leave", "help", "language", "extend", "reveal"),
    *("start", "", "neither", "again", "confirm", "print", "next", "taken", "grade.5", "skip"),
    *("type", "key.A", "erase", "period.24"),
]
ERRORS: list[Exception] = [
    card.CardRemoved(),
    card.CardMute(),
    card.CardReset(),
    card.ReaderGone(),
    card.UnknownCard(),
    card.PinRejected(1),
    card.PinBlocked(),
    card.MalformedAnswer(),
    PadGone("gone"),
    PinCancelled(by_resident=True),
    PlatformUnavailable(Outage.TIMEOUT),
    ScannerGone("gone"),
    IdReaderGone("gone"),
    LicenceMissing("unlicensed"),
    ComposeFailed(ComposeProblem.CRASHED),
    RuntimeError("a bug"),
]

events = st.one_of(
    st.tuples(st.just("touch"), st.sampled_from(TOUCHES)),
    st.tuples(st.sampled_from(["insert", "mute", "take", "detach", "attach", "down", "up"])),
    st.tuples(st.just("wait"), st.sampled_from([0.5, 5, 25, 70])),
    st.tuples(st.just("works"), st.sampled_from(list(CardVerdict))),
    st.tuples(st.just("works"), st.just(CardVerdict.NORMAL)),
    st.tuples(st.just("works"), st.just(CardVerdict.NORMAL)),
    st.tuples(st.just("fails"), st.sampled_from(range(len(ERRORS)))),
    st.tuples(st.just("reports"), st.integers(0, 6)),
    st.tuples(st.just("lays"), st.sampled_from([an_id_card(), *IdCardProblem])),
    st.tuples(st.just("looks"), st.booleans()),
)


def _succeed(terminal: TerminalDouble, verdict: CardVerdict) -> None:
    step = terminal.runner._attendant.visit.step
    job = terminal.executor.current
    if job is None:
        return
    match step:
        case Watch():
            terminal.finish(Pin())
        case AwaitAny():
            if terminal.executor.on("scanner") is not None:
                terminal.finish(ECARD_CODE, lane="scanner")
        case Run(work=work):
            answers = {
                "read": reading,
                "card_verdict": lambda: verdict,
                "verify_pin": holder,
                "overview": an_overview,
                "verify_ecard": an_ecard,
                "risk": lambda: RiskVerdict(Risk.WARN, "R-0101"),
                "issue": object,
                "compose": a_document,
                "print_document": lambda: PrintOutcome(PrintEnd.DONE),
                "verify_certificate": lambda: CertificateVerdict(CertificateState.UNKNOWN, None),
            }
            terminal.finish(answers[work.__name__]())
        case _:
            raise AssertionError("work goes on in a step that has none")


def _progress(terminal: TerminalDouble, count: int) -> object:
    step = terminal.runner._attendant.visit.step
    printing = isinstance(step, Run) and step.progress is not None
    return PrintProgress(count) if printing else count


def _do(terminal: TerminalDouble, event: tuple[Any, ...]) -> None:
    match event:
        case ("touch", id):
            terminal.touch(id)
        case ("insert",):
            terminal.insert()
        case ("mute",):
            terminal.post(device.CardMuted(READER))
        case ("take",):
            terminal.take()
        case ("detach",):
            terminal.post(device.ReaderDetached(READER))
        case ("attach",):
            terminal.post(device.ReaderAttached(READER))
        case ("down",):
            terminal.line_down()
        case ("up",):
            terminal.post(PlatformUp(0.0))
        case ("wait", seconds):
            terminal.wait(seconds)
        case ("works", verdict):
            _succeed(terminal, verdict)
        case ("fails", number):
            if terminal.executor.current is not None:
                terminal.finish(error=ERRORS[number])
        case ("reports", count):
            if terminal.executor.current is not None:
                terminal.report(_progress(terminal, count))

        case ("lays", found):
            if terminal.executor.on("id-reader") is not None:
                terminal.id_card_lies(lies=True)
                terminal.finish(found, lane="id-reader")
        case ("looks", lies):
            terminal.id_card_lies(lies=lies)
            terminal.post(IdCardSeen(lies))


def _held_texts(root: object) -> set[str]:
    """Every text that can be reached from an object, code and modules left out."""
    seen: set[int] = set()
    found: set[str] = set()
    queue = deque([root])
    while queue:
        thing = queue.popleft()
        if id(thing) in seen or isinstance(thing, (type, ModuleType, FrameType)):
            continue
        seen.add(id(thing))
        if isinstance(thing, str):
            found.add(thing)
        if isinstance(thing, FunctionType):
            queue.extend(cell.cell_contents for cell in thing.__closure__ or ())
            continue
        queue.extend(gc.get_referents(thing))
    return found


def _bring_home(terminal: TerminalDouble) -> None:
    """The resident goes, the devices are well, time passes."""
    terminal.wait(200)
    terminal.take()
    terminal.id_card_lies(lies=False)
    terminal.post(IdCardSeen(lies=False))
    terminal.post(device.ReaderAttached(READER), PlatformUp(0.0))
    terminal.wait(20)


@settings(max_examples=150, deadline=None)
@given(st.lists(events, max_size=40))
def test_idle_is_always_reached_and_nothing_of_a_person_survives_it(
    happened: list[tuple[Any, ...]],
) -> None:
    terminal = TerminalDouble(with_id_reader=True)
    for event in happened:
        _do(terminal, event)
    _bring_home(terminal)
    gave_up = terminal.audit.events().count("failsafe") >= terminal.limits.failsafe_repeats
    assert gave_up or isinstance(terminal.page, (HomePage, IdlePage))
    assert terminal.phase == ("out-of-service" if gave_up else "home")
    # What a device still works on when it was given up is the device's until it comes back.
    terminal.executor.jobs.clear()
    texts = _held_texts(terminal.runner)
    assert not texts & {NUMBER, NAME, CARD_NUMBER}


@settings(max_examples=150, deadline=None)
@given(st.lists(events, max_size=40))
def test_a_removed_card_means_the_session_is_gone(happened: list[tuple[Any, ...]]) -> None:
    terminal = TerminalDouble(with_id_reader=True)
    for event in happened:
        _do(terminal, event)
        session = terminal.runner._attendant.visit.session
        used = terminal.runner._attendant.visit.uses_card and terminal.phase == "visit"
        if used:
            assert terminal.station.slot.present
    session = terminal.runner._attendant.visit.session
    used = terminal.runner._attendant.visit.uses_card and terminal.phase == "visit"
    terminal.take()
    if used:
        assert terminal.runner._attendant.visit.session is not session
        assert session.identity.resident is None
        assert not session.identity.legs


@settings(max_examples=100, deadline=None)
@given(st.lists(events, max_size=40))
def test_every_visit_that_began_ended(happened: list[tuple[Any, ...]]) -> None:
    terminal = TerminalDouble(with_id_reader=True)
    for event in happened:
        _do(terminal, event)
    _bring_home(terminal)
    lines = terminal.audit.events()
    begun, ended = lines.count("visit.begun"), lines.count("visit.ended")
    # A failsafe ends a visit that may not have begun.
    assert begun <= ended <= begun + lines.count("failsafe")


def test_the_search_for_texts_finds_a_person_during_the_visit() -> None:
    terminal = TerminalDouble()
    terminal.to_overview()
    assert {NUMBER, NAME} <= _held_texts(terminal.runner)
